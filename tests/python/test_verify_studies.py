"""studies/verify.py finds wrong statements on a page of results, and finds nothing on the present pages."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]
STUDY, PAGE = "e1-small", "docs/results/e1-autapses.md"


def verify(root, *arguments):
    return subprocess.run([sys.executable, root / "studies/verify.py", *arguments], capture_output=True, text=True)


class VerifyStudies(unittest.TestCase):
    def test_the_pages_as_they_are(self):
        result = verify(ROOT)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"(?m)^\d+ studies, \d+ tables of contrasts and \d{3,} numbers .*: 0 faults$")

    def with_change(self, old, new, arguments=()):
        """The output of verify for a changed copy of one page and the studies that it is about."""
        with tempfile.TemporaryDirectory() as place:
            root = Path(place)
            for path in ("studies/verify.py", PAGE, f"docs/results/data/{STUDY}-pruning-summary.csv",
                         *(file for study in (STUDY, "e1", "e1-end")
                           for file in (f"studies/{study}.toml", f"docs/results/data/{study}.csv"))):
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, root / path)
            text = (root / PAGE).read_text()
            self.assertIn(old, text)
            (root / PAGE).write_text(text.replace(old, new, 1))
            result = verify(root, *arguments)
            return result.returncode, result.stderr, (root / PAGE).read_text(), text

    def test_the_copy_is_right_before_it_is_changed(self):
        status, errors, *_ = self.with_change("# E1", "# E1")
        self.assertEqual(status, 0, errors)
        self.assertNotIn(PAGE, errors)

    def test_a_number_that_is_in_no_table(self):
        status, errors, *_ = self.with_change("| 0.896 (0.885", "| 0.816 (0.885")
        self.assertEqual(status, 1)
        self.assertIn("in no table of e1-end, e1-small, e1: 0.816", errors)

    def test_a_contrast_that_is_not_what_the_table_says(self):
        status, errors, *_ = self.with_change("| −2 (", "| −3 (")
        self.assertEqual(status, 1)
        self.assertIn("a table of contrasts is not what the tables say", errors)
        status, errors, written, right = self.with_change("| −2 (", "| −3 (", ["--write"])
        self.assertEqual((status, written), (0, right))

    def test_a_verdict_of_three_pairs(self):
        status, errors, *_ = self.with_change("### What was found", "The claim is supported.\n\n### What was found")
        self.assertEqual(status, 1)
        self.assertIn("a verdict outside of a table of contrasts: The claim is supported.", errors)

