#!/usr/bin/env python3
"""Scores the changes of studies/recipe-selection.toml by the criterion in that file.

    lmrnn study collect studies/recipe-selection.toml
    studies/selection.py studies/recipe-selection.toml docs/results/data     # with the package's Python

Writes DIRECTORY/STUDY-scores.csv, a row per change and wiring: the mark, the steps to it under setting A and with
the change (geometric means over seeds), and the log of their ratio, above 0 if the change gets there sooner. Prints
the same as a Markdown table, best change first, with the score of each: the least of its wirings.
"""

import csv
import sys
import tomllib
from pathlib import Path

import numpy as np

import lmrnn

MARKS = (90, 80, 70, 60, 50)  # percent of the mean ceiling, the highest first
REFERENCE = "A"
COLUMNS = ("change", "network", "mark", "seeds", "missed", "steps_reference", "steps", "log_ratio", "final_share",
           "tasks_solved")  # fmt: skip


def mark_of(reference):
    """The highest mark that every run of the reference reaches, in percent; None if there is none."""
    return next((mark for mark in MARKS if all(row[f"reached_{mark}"] for row in reference)), None)


def steps_to(row, mark, every):
    """Steps to a mark; a run that misses it counts as one evaluation more than it has steps."""
    return row[f"steps_to_{mark}"] if row[f"reached_{mark}"] else row["steps"] + every


def scores(runs, every):
    """A row of COLUMNS per change and network, of rows of runs.csv. Only seeds that both sides have count."""
    of = {}
    for row in runs:
        of.setdefault((row["network"], row["change"]), {})[row["seed"]] = row
    table = []
    for (network, change), changed in of.items():
        reference = of.get((network, REFERENCE), {})
        seeds = sorted(changed.keys() & reference.keys())
        mark = mark_of(reference.values()) if seeds else None
        if change == REFERENCE or mark is None:
            continue
        before = np.log([steps_to(reference[seed], mark, every) for seed in seeds])
        after = np.log([steps_to(changed[seed], mark, every) for seed in seeds])
        of_runs = lambda column: [float(changed[seed][column]) for seed in seeds]
        table.append({
            "change": change, "network": network, "mark": mark, "seeds": len(seeds),
            "missed": sum(not reached for reached in of_runs(f"reached_{mark}")),
            "steps_reference": round(np.exp(before.mean())), "steps": round(np.exp(after.mean())),
            "log_ratio": round(float(np.mean(before - after)), 3),
            "final_share": round(float(np.mean(of_runs("final_share"))), 4),
            "tasks_solved": round(float(np.mean(of_runs("tasks_solved"))), 1),
        })  # fmt: skip
    return table


def markdown(table):
    networks = list(dict.fromkeys(row["network"] for row in table))
    changes = {}
    for row in table:
        changes.setdefault(row["change"], {})[row["network"]] = row
    least = lambda rows: min(row["log_ratio"] for row in rows.values())
    print("| change | score | " + " | ".join(networks) + " |")
    print("|" + "---|" * (2 + len(networks)))
    for change, rows in sorted(changes.items(), key=lambda item: -least(item[1])):
        cells = [f"{rows[n]['log_ratio']:+.3f}{'*' if rows[n]['missed'] else ''}" if n in rows else ""
                 for n in networks]  # fmt: skip
        score = f"{least(rows):+.3f}" if len(rows) == len(networks) else ""
        print(f"| {change} | {score} | " + " | ".join(cells) + " |")
    print("\n*: missed the mark in a seed")


def main(study, out):
    study = Path(study)
    every = tomllib.loads(study.read_text())["config"]["evaluation"]["every"]
    table = scores(lmrnn.Study(Path("runs") / study.stem).table("runs").rows(), every)
    if not table:
        sys.exit(f"runs/{study.stem}: no change is over with a seed of setting {REFERENCE}; lmrnn study run {study}")
    path = Path(out) / f"{study.stem}-scores.csv"
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    print(path, file=sys.stderr)
    markdown(table)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
