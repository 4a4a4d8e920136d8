#!/usr/bin/env python3
"""Runs the cases of GoogleTest programs, several to a process, and counts them one by one.

    tests/run_cases.py build/sanitize --report build/tests.xml [--filter GTEST_FILTER] [--jobs N]

ctest starts a process for every case, which is cheap in release. Under the sanitizers a process takes longer to start
than most cases take to run, so here a process runs up to CASES of them. No failure is lost: if a process dies, the case
in which it died has failed, and the cases after it run in another process. If it ends with an error although its cases
passed (a leak, a race), its cases run again one by one, to find the one that fails.

The report is a JUnit file like ctest's. Exit status 1 if a case failed or there are no cases.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CASES = 12
TIMEOUT = 1500  # seconds of a process

Result = namedtuple("Result", "name status seconds output")  # status: run, fail, notrun (skipped)


def list_cases(program, pattern):
    """The full names of a program's cases, in its order."""
    listed = subprocess.run([*program, "--gtest_list_tests", f"--gtest_filter={pattern}"],
                            capture_output=True, text=True, check=True).stdout
    cases, suite = [], None
    for line in listed.splitlines():
        name = line.split("#")[0].rstrip()
        if not line.startswith(" "):
            suite = name if name.endswith(".") else None  # else what main() prints
        elif suite:
            cases.append(suite + name.strip())
    return [case for case in cases if "DISABLED_" not in case]


def batches_of(cases):
    """Batches of neighbours of one suite."""
    batches = []
    for case in cases:
        last = batches[-1] if batches else None
        if last and len(last) < CASES and last[0].split(".")[0] == case.split(".")[0]:
            last.append(case)
        else:
            batches.append([case])
    return batches


def read_report(file):
    """The results by name of the cases that GoogleTest saw end."""
    results = {}
    for case in ET.parse(file).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        failures = [failure.text or "" for failure in case.iter("failure")]
        skipped = case.find("skipped") is not None
        status = "fail" if failures else "notrun" if skipped else "run"
        results[name] = Result(name, status, float(case.get("time", 0)), "\n".join(failures))
    return results


def run(program, batch):
    """The results of some cases of a program (a command), each named once."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.xml"
        start = time.monotonic()
        try:
            process = subprocess.run(
                [*program, f"--gtest_filter={':'.join(batch)}", f"--gtest_output=xml:{report}"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                timeout=TIMEOUT)
            output, status = process.stdout, process.returncode
        except subprocess.TimeoutExpired as expired:
            output, status = expired.stdout or b"", f"killed after {TIMEOUT} s"
        seconds = time.monotonic() - start
        output = output.decode(errors="replace")
        results = read_report(report) if report.exists() else {}
    if all(case in results for case in batch):
        failed = any(result.status == "fail" for result in results.values())
        if status == 0 or failed:
            return [results[case]._replace(output=output if results[case].status == "fail" else "")
                    for case in batch]
        if len(batch) == 1:
            return [Result(batch[0], "fail", seconds, f"{output}\nexit status {status}")]
        again = [result for case in batch for result in run(program, [case])]
        if not any(result.status == "fail" for result in again):  # the error needs all of them together
            again[-1] = again[-1]._replace(
                status="fail", output=f"{output}\nexit status {status}, of {', '.join(batch)} together")
        return again
    # It died. GoogleTest prints a line when a case begins and when it ends.
    done = re.findall(r"^\[ +(OK|FAILED|SKIPPED) +\] (\S+?)(?:, where .*)? \((\d+) ms\)$", output, re.M)
    word = {"OK": "run", "FAILED": "fail", "SKIPPED": "notrun"}
    results = {name: Result(name, word[how], int(ms) / 1000, output if how == "FAILED" else "")
               for how, name, ms in done if name in batch}
    begun = [case for case in batch if re.search(rf"^\[ RUN +\] {re.escape(case)}$", output, re.M)]
    victim = next((case for case in begun if case not in results), None)
    if victim is None:
        victim = next(case for case in batch if case not in results) if len(results) < len(batch) \
            else batch[-1]
    results[victim] = Result(victim, "fail", seconds, f"{output}\nexit status {status}")
    left = [case for case in batch if case not in results]
    return [results[case] for case in batch if case in results] + (run(program, left) if left else [])


def write_report(results, file):
    count = lambda status: sum(result.status == status for result in results)
    root = ET.Element("testsuite", name="cases", tests=str(len(results)),
                      failures=str(count("fail")), disabled="0", skipped=str(count("notrun")))
    for result in results:
        case = ET.SubElement(root, "testcase", name=result.name, classname=result.name,
                             time=f"{result.seconds:.3f}", status=result.status)
        if result.status == "fail":
            ET.SubElement(case, "failure", message="")
            # What a terminal prints may be no XML.
            ET.SubElement(case, "system-out").text = "".join(
                c for c in result.output if c in "\n\t" or c >= " ")
        elif result.status == "notrun":
            ET.SubElement(case, "skipped", message="")
    ET.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--filter", default="*", metavar="GTEST_FILTER")
    parser.add_argument("--emulator", metavar="COMMAND", help="runs the programs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    emulator = [options.emulator] if options.emulator else []
    programs = sorted([*emulator, path] for path in (options.build / "tests").glob("test_*")
                      if path.is_file() and os.access(path, os.X_OK) and not path.suffix)
    work = [(program, batch) for program in programs
            for batch in batches_of(list_cases(program, options.filter))]
    results = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for some in pool.map(lambda item: run(*item), work):
            results += some
            for result in some:
                if result.status == "fail":
                    print(f"FAILED {result.name} ({result.seconds:.1f} s)\n{result.output}")
    write_report(results, options.report)
    failed = sum(result.status == "fail" for result in results)
    slowest = sorted(results, key=lambda result: -result.seconds)[:5]
    print(f"{len(results)} cases in {len(work)} processes, {failed} failed; slowest: "
          + ", ".join(f"{result.name} {result.seconds:.0f} s" for result in slowest))
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
