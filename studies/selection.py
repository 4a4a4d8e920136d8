#!/usr/bin/env python3
"""Scores the changes of studies/recipe-selection.toml by the criterion in that file.

    lmrnn study collect studies/recipe-selection.toml
    studies/selection.py studies/recipe-selection.toml docs/results     # with the package's Python

Writes DIRECTORY/data/STUDY-scores.csv, a row per change and wiring: the mark, the steps to it under setting A and with
the change (geometric means over seeds), and the log of their ratio, above 0 if the change reaches it sooner. Draws the
ratios, DIRECTORY/figures/STUDY-scores.svg. Prints a Markdown table, best change first, with the score of each: the
smallest over its wirings, in brackets if wirings are missing.
"""

import csv
import sys
import tomllib
from pathlib import Path

import numpy as np

import lmrnn
from lmrnn import plot

MARKS = (90, 80, 70, 60, 50)  # percent of the mean ceiling, the highest first
REFERENCE = "A"



def mark_of(reference):
    """The highest mark that every run of the reference reaches, in percent; None if there is none."""
    return next((mark for mark in MARKS if all(row[f"reached_{mark}"] for row in reference)), None)


def steps_to(row, mark, every):
    """Steps to a mark; a run that misses it counts as its number of steps plus one evaluation interval."""
    return row[f"steps_to_{mark}"] if row[f"reached_{mark}"] else row["steps"] + every


def scores(runs, every):
    """A row per change and network, of rows of runs.csv. Uses only seeds that both sides have."""
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


def by_change(table):
    """Names of the networks, and (change, {network: row}, score), the best change first, changes that lack networks
    last."""
    networks = list(dict.fromkeys(row["network"] for row in table))
    changes = {}
    for row in table:
        changes.setdefault(row["change"], {})[row["network"]] = row
    scored = [(change, rows, min(row["log_ratio"] for row in rows.values())) for change, rows in changes.items()]
    return networks, sorted(scored, key=lambda item: (len(item[1]) < len(networks), -item[2]))


def markdown(table):
    networks, changes = by_change(table)
    print("| change | score | " + " | ".join(networks) + " |")
    print("|" + "---|" * (2 + len(networks)))
    for change, rows, score in changes:
        cells = [f"{rows[n]['log_ratio']:+.3f}{'*' if rows[n]['missed'] else ''}" if n in rows else ""
                 for n in networks]  # fmt: skip
        score = f"{score:+.3f}" if len(rows) == len(networks) else f"({score:+.3f})"
        print(f"| {change} | {score} | " + " | ".join(cells) + " |")
    print("\n*: missed the mark in a seed")


@plot.style.figure
def draw(table):
    """By which factor each change reaches the mark sooner, a marker per wiring."""
    networks, changes = by_change(table)
    ax = plot.style.new_axes(None, plot.style.WIDTH, 0.9 + 0.25 * len(changes))
    rows = np.arange(len(changes))
    ax.axvline(1, color=plot.style.INK, linewidth=0.8)
    for number, network in enumerate(networks):
        found = [(np.exp(of[network]["log_ratio"]), row) for row, (_, of, _) in zip(rows, changes) if network in of]
        ax.plot(*zip(*found), plot.style.MARKERS[number], label=network, markersize=5)
    name_axes_of_ratios(ax, [change for change, _, _ in changes], "steps to the mark, setting A / with the change")
    ax.invert_yaxis()
    ax.legend(loc="lower right")
    return ax


def name_axes_of_ratios(ax, changes, label):
    """Ratios from left to right on a logarithmic scale, a row per change."""
    ax.set_xscale("log")
    ticks = [0.25, 0.5, 0.75, 1, 1.5, 2]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_yticks(range(len(changes)), changes)
    ax.set_xlabel(label)


def write(table, drawn, study, out, what):
    """OUT/data/STUDY-WHAT.csv of rows and OUT/figures/STUDY-WHAT.svg of the axes that `drawn()` returns; prints their
    paths. Exits if there are no rows."""
    if not table:
        sys.exit(f"runs/{study.stem}: no change is over with a seed of setting {REFERENCE}; lmrnn study run {study}")
    out, name = Path(out), f"{study.stem}-{what}"
    path = out / "data" / f"{name}.csv"
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, table[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    print(path, plot.save(drawn(), out / "figures" / f"{name}.svg"), file=sys.stderr)


def main(study, out):
    study = Path(study)
    every = tomllib.loads(study.read_text())["config"]["evaluation"]["every"]
    table = scores(lmrnn.Study(Path("runs") / study.stem).table("runs").rows(), every)
    write(table, lambda: draw(table), study, out, "scores")
    markdown(table)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
