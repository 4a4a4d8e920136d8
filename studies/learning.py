#!/usr/bin/env python3
"""Draws how the networks of docs/results/recipe.md learn, from the evaluations in recipe-exploration.csv.

    studies/learning.py docs/results     # with the package's Python

Writes DIRECTORY/figures/recipe-learning.svg. Left: the share of the ceiling in short runs of one seed, with and without
adaptive frequencies. Right: that of each kind of task in the networks of 132 tasks, the mean of three seeds and the range
between them.
"""

import csv
import sys
from pathlib import Path

import numpy as np

from lmrnn import plot

SHORT = {
    "short, averaged": "fixed frequencies",
    "short, adaptive": "adaptive",
    "short, adaptive, rate 0.005": "adaptive, rate 0.005",
}
SEEDS = ("132 tasks", "132 tasks, seed 2", "132 tasks, seed 3")
KINDS = {"base": "base", "int": "int", "seq": "seq", "both": "int and seq"}


def curves(path):
    """{setting: {column: array}} of a table with a row per evaluation; empty cells are NaN."""
    found = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            columns = found.setdefault(row.pop("setting"), {})
            for name, cell in row.items():
                columns.setdefault(name, []).append(float(cell or "nan"))
    return {setting: {name: np.array(cells) for name, cells in of.items()} for setting, of in found.items()}


@plot.style.figure
def draw(of):
    left, right = plot.style.new_grid(None, 1, 2, 1.7 * plot.style.WIDTH, plot.style.HEIGHT, sharey=True).flat
    for number, (setting, label) in enumerate(SHORT.items()):
        colour, _, dashes = plot.style.series(number)
        left.plot(of[setting]["step"], of[setting]["share_of_ceiling"], dashes, color=colour, label=label)
    for number, (kind, label) in enumerate(KINDS.items()):
        colour, _, dashes = plot.style.series(number)
        steps, shares = of[SEEDS[0]]["step"], np.array([of[seed][kind] for seed in SEEDS])
        right.plot(steps, shares.mean(axis=0), dashes, color=colour, label=label)
        right.fill_between(steps, shares.min(axis=0), shares.max(axis=0), color=colour, alpha=0.2, linewidth=0)
    for ax, title in ((left, "82 tasks, 32 rows per step"), (right, "132 tasks, 64 rows per step")):
        ax.axhline(0.95, color=plot.style.GREY, linewidth=0.8)
        ax.set_ylim(0.4, 1.01)
        ax.set_title(title)
        ax.set_xlabel("steps")
        ax.legend(loc="lower right")
    right.set_xlim(0, 18000)  # what comes after is flat
    right.set_xticks(range(0, 18001, 6000))
    left.set_ylabel("share of the ceiling")
    return left


def main(out):
    out = Path(out)
    print(plot.save(draw(curves(out / "data" / "recipe-exploration.csv")), out / "figures" / "recipe-learning.svg"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
