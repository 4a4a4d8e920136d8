#!/usr/bin/env python3
"""lmrnn runs, compare, info RUN and study init as a user sees them."""

import json
import tempfile
import tomllib
import unittest
from pathlib import Path

from program import ProgramTest, run

CONFIG = """
seed = 5
[battery]
tasks = "go,dms"
[wiring]
rows = 4
cols = 4
radius = 1
[stream]
batch = 8
steps = 30
[train]
steps = 20
[evaluation]
every = 10
trials = 20
"""


class RunsTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.dir = Path(directory.name)
        (cls.dir / "small.toml").write_text(CONFIG)
        for name, more in (("a", []), ("b", ["--seed", "6", "--set", "wiring.kind=random"])):
            made = run("train", cls.dir / "small.toml", "--out", cls.dir / "runs" / name, *more)
            assert made.returncode == 0, made.stderr

    def test_runs(self):
        lines = self.output_of("runs", self.dir).splitlines()
        self.assertEqual(lines[0].split()[-2:], ["seed", "wiring.kind"])
        self.assertEqual(len(lines), 3)
        self.assertIn("20/20", lines[1])
        self.assertIn('"random"', lines[2])

    def test_runs_as_json(self):
        a, b = json.loads(self.output_of("runs", self.dir / "runs", "--json"))
        self.assertEqual(a["evaluated_step"], 20)
        # pandas.read_json would turn such columns into dates (findings/pandas_read_json_makes_dates_of_steps.sh).
        dates = {key for key in a if key.endswith(("_at", "_time")) or key.startswith("timestamp") or key in ("modified", "date")}
        self.assertEqual(dates, set())
        self.assertEqual([t["task"] for t in a["tasks"]], ["go", "dms"])
        self.assertEqual([t["chance"] for t in a["tasks"]], [0, 0.5])
        self.assertEqual((a["config"]["seed"], b["config"]["seed"]), ("5", "6"))
        scores = json.loads(self.output_of("info", self.dir / "runs/a", "--json"))["scores"]
        self.assertEqual(scores, a["tasks"])
        mean = sum(t["accuracy"] for t in scores) / 2
        self.assertAlmostEqual(a["mean_accuracy"], mean)

    def test_compare(self):
        text = self.output_of("compare", self.dir / "runs/a", self.dir / "runs/b")
        self.assertRegex(text, r'wiring\.kind +"local" +"random"')
        self.assertRegex(text, r"dms +0\.\d+ +0\.\d+ +[+-]0\.\d+ +[01]\.\d+ +0\.5")
        found = json.loads(self.output_of("compare", self.dir / "runs/a", self.dir / "runs/b", "--json"))
        self.assertEqual([d["key"] for d in found["differences"]], ["seed", "wiring.kind"])

    def test_info_begins_with_the_scores(self):
        text = self.output_of("info", self.dir / "runs/a")
        self.assertTrue(text.startswith("scores after 20 steps: accuracy "), text[:80])
        self.assertIn("(chance 0.5)", text)

    def test_what_is_not_there(self):
        self.assert_refused(["runs", self.dir / "nothing"], "no such directory", "default: runs")
        (self.dir / "empty").mkdir(exist_ok=True)
        self.assert_refused(["runs", self.dir / "empty"], "contains no run")
        self.assert_refused(["compare", self.dir / "runs/a", self.dir / "empty"], "empty")
        self.assert_refused(["compare", self.dir / "runs/a"], "give the second run directory (RUN); see")
        self.assert_refused(["compare"], "give the first run directory (RUN); see")
        self.assert_refused(["analyze", "ring", self.dir / "runs/a"], "the run comes first", f"{self.dir}/runs/a ring?")

    def test_study_init(self):
        path = self.dir / "mine.toml"
        self.assertEqual(self.output_of("study", "init", path).strip(), str(path))
        plan = json.loads(self.output_of("study", "plan", path, "--json"))
        self.assertEqual(plan["axes"], ["network"])
        self.assertEqual(len([r for r in plan["runs"] if r["stage"] != "tuning"]), 12)
        self.assert_refused(["study", "init", path], "exists already")
        self.assert_refused(["study", "init", self.dir / "x.txt"], "does not end in .toml")

    def test_study_init_from_a_configuration(self):
        path = self.dir / "from.toml"
        self.output_of("study", "init", path, "--config", self.dir / "small.toml")
        config = tomllib.loads(path.read_text())["config"]
        self.assertEqual(config["battery"]["tasks"], "go,dms")
        self.assertEqual(config["train"], {"steps": 20})
        self.assertNotIn("seed", config)
        self.output_of("study", "plan", path)

    def test_study_init_names_files_as_the_study_sees_them(self):
        (self.dir / "configs").mkdir()
        (self.dir / "my studies").mkdir()
        (self.dir / "configs/types.npy").touch()
        wiring = 'kind = "dense"\nexcitatory_placement = "file"\nexcitatory_path = "types.npy"'
        (self.dir / "configs/x.toml").write_text(
            'init_from = "zoo:cog20-local-256"\n' + CONFIG.replace("radius = 1", wiring)
        )
        path = self.dir / "my studies/from.toml"
        done = run("study", "init", path, "--config", self.dir / "configs/x.toml")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('wiring.kind = "dense" is not copied', done.stderr)
        self.assertIn(f"lmrnn study plan '{path}'", done.stderr)
        self.assertIn("lmrnn report runs/from\n", path.read_text())
        config = tomllib.loads(path.read_text())["config"]
        self.assertEqual(config["wiring"]["excitatory_path"], "../configs/types.npy")
        self.assertEqual(config["init_from"], "zoo:cog20-local-256")


if __name__ == "__main__":
    unittest.main()
