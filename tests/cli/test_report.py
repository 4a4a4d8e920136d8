#!/usr/bin/env python3
"""lmrnn report starts lmrnn-report, or says what to install if it is missing."""

import shutil
import unittest

import program
from program import ProgramTest, run


class Report(ProgramTest):
    def setUp(self):
        # Away from the build tree, which may have an lmrnn-report next to the program.
        self.here = self.dir / "bin"
        self.here.mkdir()
        original = program.PROGRAM
        program.PROGRAM = str(shutil.copy(original, self.here / "lmrnn"))
        self.addCleanup(setattr, program, "PROGRAM", original)

    def install(self, folder, body):
        folder.mkdir(exist_ok=True)
        command = folder / "lmrnn-report"
        command.write_text(f"#!/bin/sh\n{body}\n")
        command.chmod(0o755)

    def test_says_what_to_install(self):
        self.assert_refused(["report", "runs/a"], "lmrnn-report", "pip install 'lmrnn[report]'",
                            status=1, env={"PATH": str(self.dir)})

    def test_finds_the_command_on_path_and_hands_its_words_over(self):
        self.install(self.dir / "elsewhere", 'printf "%s|" "$@"')
        out = self.output_of("report", "runs/a b", "--out", "x.html",
                             env={"PATH": f"/nowhere:{self.dir / 'elsewhere'}"})
        self.assertEqual(out, "runs/a b|--out|x.html|")

    def test_prefers_the_one_beside_the_program(self):
        self.install(self.here, "echo beside")
        self.install(self.dir / "elsewhere", "echo elsewhere")
        out = self.output_of("report", "a", env={"PATH": str(self.dir / "elsewhere")})
        self.assertEqual(out, "beside\n")

    def test_ends_as_the_command_ends(self):
        self.install(self.here, "exit 2")
        self.assertEqual(run("report", "a").returncode, 2)


if __name__ == "__main__":
    unittest.main()
