"""zoo:NAME wherever the program takes a run or a network."""

import json
import tempfile
import unittest
from pathlib import Path

from program import ROOT, run

INDEX = json.loads((ROOT / "zoo/index.json").read_text())["networks"]
NAME = next(iter(INDEX))


class Zoo(unittest.TestCase):
    def test_info_and_eval_know_it(self):
        result = run("info", f"zoo:{NAME}", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        info = json.loads(result.stdout)
        self.assertTrue(info["done"])
        self.assertEqual(info["network"]["units"], INDEX[NAME]["units"])
        result = run("eval", f"zoo:{NAME}", "--trials", 20)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"mean of {INDEX[NAME]['n_tasks']} tasks", result.stdout)
        self.assertIn("solved: passed at two evaluations in a row", result.stdout)

    def test_compare_finds_their_scores(self):
        result = run("compare", f"zoo:{NAME}", "zoo:cog20-local-256")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("mean of ", result.stdout)

    def test_analyses_are_written_to_runs(self):
        with tempfile.TemporaryDirectory() as directory:
            result = run("analyze", f"zoo:{NAME}", "weights", cwd=directory)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertTrue((Path(directory) / "runs" / NAME / "analysis/weights/summary.json").is_file())

    def test_a_name_that_does_not_exist(self):
        for words in (["eval", "zoo:nothing"], ["analyze", "zoo:nothing", "weights"], ["info", "zoo:nothing"],
                      ["train", "--resume", "zoo:nothing"]):
            result = run(*words)
            self.assertEqual(result.returncode, 2)
            self.assertEqual(result.stderr.strip().splitlines(),
                             [f"lmrnn: zoo:nothing: there is no such network; there are: {', '.join(INDEX)}"], words)

    def test_a_network_of_the_zoo_is_not_resumed(self):
        result = run("train", "--resume", f"zoo:{NAME}")
        self.assertEqual(result.returncode, 2)
        self.assertIn("the run is done", result.stderr)


if __name__ == "__main__":
    unittest.main()
