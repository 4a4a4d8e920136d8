#!/usr/bin/env python3
"""lmrnn analyze as a user sees it."""

import csv
import json
import signal
import subprocess
import tempfile
import tomllib
import unittest
from pathlib import Path

from program import PROGRAM, ProgramTest, run, wait_until_handled

CONFIG = """
seed = 5
[battery]
tasks = "go,dlygo,dlygointr,dm1"
[wiring]
rows = 4
cols = 4
radius = 1
[stream]
batch = 16
steps = 40
[train]
steps = 6
[evaluation]
every = 0
trials = 20
[checkpoint]
keep_every = 6
"""


class AnalyzeTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.dir = Path(directory.name)
        (cls.dir / "small.toml").write_text(CONFIG)
        made = run("train", cls.dir / "small.toml", "--out", cls.dir / "x")
        assert made.returncode == 0, made.stderr
        cls.run_dir = cls.dir / "x"

    def test_list(self):
        names = [entry["name"] for entry in json.loads(self.output_of("analyze", "--list", "--json"))]
        self.assertIn("ring", names)
        self.assertEqual(len(names), len(set(names)))
        text = self.output_of("analyze", "--list")
        for name in names:
            self.assertIn(name, text)
        options = self.output_of("analyze", "--list", "fixed-points")
        self.assertIn("starts", options)
        self.assertEqual(self.output_of("analyze", self.run_dir, "--list"), text)
        self.assertEqual(self.output_of("analyze", self.run_dir, "--list", "fixed-points"), options)
        self.assert_refused(["analyze", "--list", "fixed-point"], "fixed-points")
        (self.dir / "fixed-points").mkdir()  # a folder of that name must not matter
        self.assertEqual(self.output_of("analyze", "--list", "fixed-points", cwd=self.dir), options)

    def test_writes_into_the_run(self):
        out = self.output_of("analyze", self.run_dir, "record", "--set", "tasks=go", "--set",
                             "trials=3", "--json")
        where = self.run_dir / "analysis" / "record"
        self.assertEqual(json.loads(out)["directory"], str(where))
        self.assertEqual(sorted(p.name for p in where.iterdir()),
                         ["options.toml", "provenance.json", "recording.h5", "summary.json"])
        self.assertEqual(tomllib.loads((where / "options.toml").read_text())["trials"], 3)

    def test_tables_in_both_formats_and_again(self):
        for _ in range(2):
            self.output_of("analyze", self.run_dir, "weights", "--latex")
        where = self.run_dir / "analysis" / "weights"
        with open(where / "distance.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([float(r["distance"]) for r in rows], [0, 1])
        self.assertIn("\\toprule", (where / "distance.tex").read_text())
        self.assertEqual(json.loads((where / "summary.json").read_text())["synapses"], 16 * 5)
        with open(where / "spectrum.csv", newline="") as file:
            self.assertEqual({r["when"] for r in csv.DictReader(file)}, {"trained", "untrained"})
        self.assertEqual([p.name for p in where.parent.glob("weights*")], ["weights"])

    def test_steps_and_controls_go_elsewhere(self):
        self.output_of("analyze", self.run_dir, "confusion", "--step", 0, "--set", "trials=4")
        self.output_of("analyze", self.run_dir, "confusion", "--control", "shuffled-weights",
                       "--set", "trials=4")
        found = {p.name for p in (self.run_dir / "analysis").glob("confusion*")}
        self.assertEqual(found, {"confusion-step0", "confusion-shuffled-weights"})
        self.assert_refused(["analyze", self.run_dir, "confusion", "--step", 3], "0, 6")

    def test_a_network_file_needs_a_place(self):
        network = self.run_dir / "checkpoints/step-00000006/network.safetensors"
        self.assert_refused(["analyze", self.dir / "small.toml", "weights"], "lmrnn train")
        self.assert_refused(["analyze", network, "weights"], "--out")
        self.output_of("analyze", network, "weights", "--out", self.dir / "w")
        self.assertTrue((self.dir / "w" / "summary.json").exists())

    def test_an_analysis_replaces_only_an_analysis(self):
        notes = self.dir / "results" / "notes.txt"
        notes.parent.mkdir()
        notes.write_text("six months of notes")
        for place, message in ((notes.parent, "holds other files"), (notes, "is a file"),
                               (self.run_dir, "holds other files")):
            self.assert_refused(["analyze", self.run_dir, "weights", "--out", place], message)
        self.assertEqual(notes.read_text(), "six months of notes")
        self.assertTrue((self.run_dir / "config.toml").is_file())
        place = self.dir / "mine"
        self.output_of("analyze", self.run_dir, "weights", "--out", place)
        self.assert_refused(["analyze", self.run_dir, "confusion", "--out", place],
                            'holds the analysis "weights", which "confusion" would replace')
        (place / "figure.svg").write_text("<svg/>")
        (place / "my_regression.csv").write_text("a")
        self.output_of("analyze", self.run_dir, "weights", "--out", f"{place}/", "--latex")
        self.assertTrue((place / "distance.tex").is_file())
        self.output_of("analyze", self.run_dir, "weights", "--out", place)
        self.assertTrue((place / "figure.svg").is_file() and (place / "my_regression.csv").is_file())
        self.assertFalse((place / "distance.tex").exists(), "the tables of the one before are gone")

    def test_the_place_of_an_analysis(self):
        (self.dir / "link").symlink_to(self.dir / "behind")
        (self.dir / "behind").mkdir()
        for where in ("new/", "link", "link/"):
            self.output_of("analyze", self.run_dir, "weights", "--out", f"{self.dir}/{where}")
        self.assertTrue((self.dir / "link").is_symlink() and (self.dir / "behind/summary.json").is_file())
        self.assertTrue((self.dir / "new/summary.json").is_file())
        (self.dir / "empty").mkdir()
        self.assert_refused(["analyze", self.run_dir, "weights", "--out", "."], "is the working directory",
                            cwd=self.dir / "empty")
        self.assert_refused(["analyze", self.run_dir, "weights", "--out", self.run_dir / "analysis"],
                            "is where the analyses of a run are")

    def test_another_network(self):
        self.output_of("analyze", self.run_dir, "similarity", "--set", f"other={self.run_dir}",
                       "--set", "trials=4")
        summary = json.loads((self.run_dir / "analysis/similarity/summary.json").read_text())
        self.assertAlmostEqual(summary["mean_cka"], 1, 6)
        self.assertLess(summary["mean_dynamical_distance"], 1e-3)

    def test_bad_input(self):
        self.assert_refused(["analyze", self.run_dir, "rings"], "did you mean", "ring")
        self.assert_refused(["analyze", self.run_dir], "--list")
        self.assert_refused(["analyze", self.run_dir, "ring", "--set", "angels=16"], "angles")
        self.assert_refused(["analyze", self.run_dir, "ring", "--set", "angles=2"], "angles")
        self.assert_refused(["analyze", self.run_dir, "ring", "--set", "task=dm1"], "dlygo")
        self.assert_refused(["analyze", self.run_dir, "record", "--set", "tasks=dms"], "none of")
        self.assert_refused(["analyze", self.run_dir, "autapse"], "autapse")
        self.assert_refused(["analyze", self.run_dir, "similarity"], "other")
        self.assert_refused(["analyze", self.run_dir, "ring", "--control", "shuffled"], "shuffled-weights")
        self.assert_refused(["analyze", self.dir / "nowhere", "ring"], "nowhere")

    def test_fixed_points_of_a_network_without_synapses(self):
        # Its Jacobian is 0, so the iteration for the leading eigenvalues fails.
        (self.dir / "silent.toml").write_text(
            CONFIG + '[optimiser]\nlearning_rate = 0\n[network]\ninitialisation = "identity"\n')
        made = run("train", self.dir / "silent.toml", "--out", self.dir / "silent", "--set", "wiring.rows=12",
                   "--set", "wiring.cols=12", "--set", "wiring.autapses=false")
        self.assertEqual(made.returncode, 0, made.stderr)
        done = run("analyze", self.dir / "silent", "fixed-points", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        json.loads(done.stdout)

    def test_ctrl_c_leaves_nothing(self):
        program = subprocess.Popen(
            [PROGRAM, "analyze", self.run_dir, "pruning", "--set", "trials=60000"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(program.kill)
        wait_until_handled(program)
        program.send_signal(signal.SIGINT)
        _, stderr = program.communicate(timeout=120)
        self.assertEqual(program.returncode, 1, stderr)
        self.assertIn("nothing was written", stderr)
        self.assertFalse((self.run_dir / "analysis" / "pruning").exists())


if __name__ == "__main__":
    unittest.main()
