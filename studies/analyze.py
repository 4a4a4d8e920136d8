#!/usr/bin/env python3
"""Runs one analysis on every network of a study and collects the results in one table.

    lmrnn study run studies/e5-small.toml
    studies/analyze.py studies/e5-small.toml ring docs/results/data [--control shuffled-weights]

Runs `lmrnn analyze RUN NAME` on the finished reporting runs (further arguments are passed on), except if the same
program has already done so with the same arguments. Joins the output: DIRECTORY/STUDY-NAME-summary.csv with the
headlines, and DIRECTORY/STUDY-NAME-TABLE.csv for every --table, with the columns cell, seed, control.
"""

import argparse
import csv
import fnmatch
import json
import subprocess
import sys
from pathlib import Path


def reporting_runs(program, study):
    """(name, cell, seed, run directory) of the runs that are over."""
    home = Path("runs") / study.stem
    subprocess.run([program, "study", "collect", study], check=True, stdout=subprocess.DEVNULL)
    with open(home / "tables/runs.csv", newline="") as file:
        for row in csv.DictReader(file):
            directory = home / "runs" / f"{row['run']}-{row['hash'][:8]}"
            if row["stage"] == "report" and (directory / "DONE").exists():
                yield row["run"], row["cell"], row["seed"], directory


def analyse(program, run, analysis, control, more):
    """The directory of the output; computed unless this program has already done so with these arguments."""
    arguments = list(more)
    suffix = ""
    if control == "untrained":
        arguments += ["--step", "0"]
        suffix = "-step0"
    elif control != "none":
        arguments += ["--control", control]
        suffix = f"-{control}"
    out = run / "analysis" / (analysis + suffix)
    # The version has the commit, so results of another commit are computed again.
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    made_by = f"{version.stdout}{arguments}\n"
    stamp = out / "made_by.txt"
    if not stamp.exists() or stamp.read_text() != made_by:
        subprocess.run([program, "analyze", run, analysis, *arguments], check=True)
        stamp.write_text(made_by)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("analysis")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--control", action="append",
                        help="none (default), untrained, shuffled-weights; repeatable")
    parser.add_argument("--table", action="append", default=[], help="tables to join; repeatable")
    parser.add_argument("--cells", default="*", help="which cells, a glob")
    parser.add_argument("--lmrnn", default="lmrnn", help="the program")
    options, more = parser.parse_known_args()

    joined = {}
    for name, cell, seed, run in reporting_runs(options.lmrnn, options.study):
        if not fnmatch.fnmatch(cell, options.cells):
            continue
        for control in options.control or ["none"]:
            print(f"{name}, {control}", file=sys.stderr)
            out = analyse(options.lmrnn, run, options.analysis, control, more)
            headlines = json.loads((out / "summary.json").read_text())
            tables = {"summary": [["headline", "value"], *headlines.items()]}
            for name_of_table in options.table:
                with open(out / f"{name_of_table}.csv", newline="") as file:
                    tables[name_of_table] = list(csv.reader(file))
            for stem, (head, *rows) in tables.items():
                table = joined.setdefault(stem, [["cell", "seed", "control", *head]])
                table += [[cell, seed, control, *row] for row in rows]
    if not joined:
        sys.exit(f"{options.study}: no run of {options.cells} is over; lmrnn study run {options.study}")
    options.directory.mkdir(parents=True, exist_ok=True)
    for stem, rows in joined.items():
        path = options.directory / f"{options.study.stem}-{options.analysis}-{stem}.csv"
        with open(path, "w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        print(path)


if __name__ == "__main__":
    main()
