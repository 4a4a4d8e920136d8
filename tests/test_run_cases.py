#!/usr/bin/env python3
"""tests/run_cases.py counts every case once, and hides no failure."""

import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET
from pathlib import Path

RUNNER = Path(__file__).parent / "run_cases.py"

# GoogleTest's output, as far as the runner reads it. The name of a case says how it ends.
PROGRAM = r"""#!/usr/bin/env python3
import os, sys
suites = {"Plain": ["Passes", "PassesToo"], "In/Parts": ["Passes/0", "Passes/1"], MORE}
cases = [f"{suite}.{case}" for suite, names in suites.items() for case in names]
option = dict(argument[2:].partition("=")[::2] for argument in sys.argv[1:])
if "gtest_list_tests" in option:
    print("Running main() from somewhere.cc")
    for suite, names in suites.items():
        print(f"{suite}.")
        for case in names:
            print(f"  {case}  # GetParam() = 1")
    sys.exit()
asked, rows, status = option["gtest_filter"].split(":"), "", 0
with open(os.path.dirname(sys.argv[0]) + "/processes", "a") as file:
    file.write("x")
for case in asked:
    assert case in cases, case
    print(f"[ RUN      ] {case}", flush=True)
    suite, name = case.split(".")
    inside = ""
    if "Dies" in name:
        os.abort()
    if "Fails" in name:
        inside, status = "<failure>1 is not 2</failure>", 1
    if "Skips" in name:
        inside = "<skipped/>"
    if "Leaks" in name or ("Together" in name and len(asked) > 1):
        status = 23
    print("[  FAILED  ]" if inside == "<failure>1 is not 2</failure>" else "[       OK ]",
          f"{case} (1 ms)", flush=True)
    rows += f'<testcase name="{name}" classname="{suite}" time="0.001">{inside}</testcase>'
with open(option["gtest_output"].removeprefix("xml:"), "w") as file:
    file.write(f"<testsuites><testsuite>{rows}</testsuite></testsuites>")
sys.exit(status)
"""


class RunCases(unittest.TestCase):
    def run_with(self, more):
        """Exit status, statuses by name, what was printed and the number of processes."""
        with tempfile.TemporaryDirectory() as directory:
            tests = Path(directory) / "tests"
            tests.mkdir()
            program = tests / "test_fake"
            program.write_text(PROGRAM.replace("MORE", more))
            program.chmod(0o755)
            report = Path(directory) / "report.xml"
            process = subprocess.run([sys.executable, RUNNER, directory, "--report", report],
                                     capture_output=True, text=True)
            root = ET.parse(report).getroot()
            statuses = {case.get("name"): case.get("status") for case in root.iter("testcase")}
            self.assertEqual(int(root.get("tests")), len(list(root.iter("testcase"))))
            self.assertEqual(int(root.get("failures")), list(statuses.values()).count("fail"))
            self.assertEqual(len(statuses), int(root.get("tests")), "each name once")
            self.assertLessEqual({"Plain.Passes", "Plain.PassesToo", "In/Parts.Passes/0",
                                  "In/Parts.Passes/1"}, set(statuses))
            return (process.returncode, statuses, process.stdout,
                    len((tests / "processes").read_text()))

    def failed(self, more):
        status, statuses, printed, _ = self.run_with(more)
        names = [name for name, how in statuses.items() if how == "fail"]
        self.assertEqual(status, 1 if names else 0)
        for name in names:
            self.assertIn(f"FAILED {name}", printed)
        return names

    def test_a_process_for_many_cases(self):
        status, statuses, _, processes = self.run_with('"Many": [f"Passes{i}" for i in range(12)]')
        self.assertEqual((status, set(statuses.values()), processes), (0, {"run"}, 3))

    def test_skipped_cases_are_counted_apart(self):
        _, statuses, _, _ = self.run_with('"Some": ["Skips", "Passes"]')
        self.assertEqual(statuses["Some.Skips"], "notrun")
        self.assertEqual(statuses["Some.Passes"], "run")

    def test_a_failure(self):
        self.assertEqual(self.failed('"Some": ["Passes", "Fails", "PassesToo"]'), ["Some.Fails"])

    def test_a_crash_and_the_cases_behind_it(self):
        self.assertEqual(self.failed('"Some": ["Fails", "Dies", "Passes", "FailsToo", "DiesToo"]'),
                         ["Some.Fails", "Some.Dies", "Some.FailsToo", "Some.DiesToo"])

    def test_a_leak_is_found_in_the_case_that_leaks(self):
        self.assertEqual(self.failed('"Some": ["Passes", "Leaks", "PassesToo"]'), ["Some.Leaks"])

    def test_what_only_several_cases_together_do(self):
        self.assertEqual(self.failed('"Some": ["PassesTogether", "TooTogether"]'),
                         ["Some.TooTogether"])


if __name__ == "__main__":
    unittest.main()
