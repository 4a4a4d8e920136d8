#!/usr/bin/env python3
"""Progress: a bar on a terminal, elsewhere a line from time to time, never on stdout."""

import unittest

from program import ProgramTest, run, run_on_terminal

CEILING = ["tasks", "ceiling", "--tasks", "dm1,ctxdm1,multidm", "--trials", "300", "--seed", "1"]


class Bar(ProgramTest):
    def test_on_a_terminal(self):
        output, seen = run_on_terminal(CEILING, 100)
        self.assertIn("100%", seen)
        self.assertIn("ceiling 3/3", seen)
        self.assertIn("█", seen)
        self.assertTrue(seen.endswith("\n"), repr(seen))
        self.assertEqual(output, self.output_of(*CEILING))  # stdout is the same as without progress

    def test_fits_the_terminal(self):
        for columns in (100, 40, 20):
            _, seen = run_on_terminal(CEILING, columns)
            for drawn in seen.strip().split("\r"):
                self.assertLessEqual(len(drawn.replace("\x1b[K", "").strip("\n")), columns)

    def test_elsewhere_quick_work_is_silent(self):
        quick = CEILING[:4] + ["--trials", "3", "--seed", "1"]  # quick even on the slowest machine
        self.assertEqual(run(*quick).stderr, "")


if __name__ == "__main__":
    unittest.main()
