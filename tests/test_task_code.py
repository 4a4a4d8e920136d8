#!/usr/bin/env python3
"""The hash that distinguishes saved ceilings changes with the sources that compute them.

LMRNN_TASK_CODE_HEADER: the header of a build, which must be that of these sources.
"""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "cmake/WriteTaskCode.cmake"
PARTS = ["src/core", "src/kernels", "src/tasks", "include/lmrnn"]


def run(source, output):
    command = [os.environ.get("CMAKE", "cmake"), f"-DSOURCE={source}", f"-DOUTPUT={output}"]
    return subprocess.run([*command, "-P", SCRIPT], capture_output=True, text=True)


class TaskCode(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name) / "copy"
        for part in PARTS:
            shutil.copytree(ROOT / part, self.root / part)

    def header(self, source=None):
        output = self.root.parent / "task_code.hpp"
        self.assertEqual(run(source or self.root, output).returncode, 0)
        return output.read_text()

    def test_is_that_of_the_build(self):
        built = Path(os.environ["LMRNN_TASK_CODE_HEADER"]).read_text()
        self.assertEqual(built, self.header(ROOT))

    def test_does_not_depend_on_the_place(self):
        self.assertEqual(self.header(), self.header(ROOT))

    def test_changes_with_every_source_that_ceilings_depend_on(self):
        seen = {self.header()}
        for name in [
            "src/tasks/ceiling.cpp",
            "src/tasks/decision.hpp",
            "src/core/random.cpp",
            "src/core/shared/choose.cpp",
            "include/lmrnn/ceiling.hpp",
            "src/tasks/a_new_file.cpp",
        ]:
            with self.subTest(name=name):
                with (self.root / name).open("a") as file:
                    file.write("// another line\n")
                self.assertNotIn(self.header(), seen)
                seen.add(self.header())

    def test_does_not_change_with_other_files(self):
        before = self.header()
        (self.root / "src/tasks/notes.txt").write_text("notes\n")
        (self.root / "src/study").mkdir()
        (self.root / "src/study/plan.cpp").write_text("// not here\n")
        self.assertEqual(self.header(), before)

    def test_notices_that_the_observer_has_moved(self):
        (self.root / "src/tasks/ceiling.cpp").unlink()
        done = run(self.root, self.root.parent / "task_code.hpp")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("ceiling.cpp has moved", done.stderr)


if __name__ == "__main__":
    unittest.main()
