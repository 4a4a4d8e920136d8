#!/usr/bin/env python3
"""studies/analyze.py computes again what another program, or a call with other arguments, has computed."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Replaces lmrnn: one finished run, and an analysis that records each of its calls.
PROGRAM = """#!{python}
import json, pathlib, sys
words = sys.argv[1:]
if words == ["--version"]:
    print("lmrnn 0.1.0", pathlib.Path("commit").read_text())
elif words[:2] == ["study", "collect"]:
    pass
elif words[0] == "analyze":
    with open("calls", "a") as file:
        file.write(" ".join(words[2:]) + "\\n")
    out = pathlib.Path(words[1]) / "analysis" / words[2]
    out.mkdir(parents=True, exist_ok=True)
    (out / "made_by.txt").unlink(missing_ok=True)
    (out / "summary.json").write_text(json.dumps({{"value": 1}}))
"""


class AnalyzeStudies(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        program = self.root / "lmrnn"
        program.write_text(PROGRAM.format(python=sys.executable))
        program.chmod(0o755)
        run = self.root / "runs/example/runs/a-seed1-01234567"
        run.mkdir(parents=True)
        (run / "DONE").touch()
        tables = self.root / "runs/example/tables"
        tables.mkdir()
        (tables / "runs.csv").write_text(
            "run,cell,seed,hash,stage\na-seed1,a,1,0123456789abcdef,report\n"
        )

    def calls(self, commit, *more):
        (self.root / "commit").write_text(commit)
        (self.root / "calls").write_text("")
        command = [sys.executable, ROOT / "studies/analyze.py", "example.toml", "fixed-points", "out"]
        done = subprocess.run(
            [*command, "--lmrnn", self.root / "lmrnn", *more],
            cwd=self.root,
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return (self.root / "calls").read_text().splitlines()

    def test_keeps_what_the_same_program_computed_and_nothing_else(self):
        once = ["fixed-points"]
        self.assertEqual(self.calls("a"), once)
        self.assertEqual(self.calls("a"), [])
        self.assertEqual(self.calls("b"), once)
        self.assertEqual(self.calls("b"), [])
        self.assertEqual(self.calls("b", "--set", "slow=0.1"), ["fixed-points --set slow=0.1"])
        self.assertEqual(self.calls("b"), once)


if __name__ == "__main__":
    unittest.main()
