#!/usr/bin/env python3
"""Figures and headline tables of a study, from what `lmrnn study collect` wrote.

    lmrnn study collect studies/e4-small.toml
    studies/figures.py runs/e4-small docs/results/figures     # with the package's Python

Writes STUDY-curves.svg and, if networks of the same number of units differ in density,
STUDY-density.svg; prints Markdown. The committed results file is enough for `collect`, so that no run need be repeated for this.
"""

import csv
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from lmrnn.plot import style


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@style.figure
def curves(rows):
    """Mean share of the ceiling over steps, a line per cell, with its bootstrap band."""
    ax = style.new_axes(None, height=3.4)
    cells = defaultdict(list)
    for row in rows:
        cells[row["cell"]].append([float(row[k]) for k in ("step", "mean_share", "lower", "upper")])
    # Dashes besides colours: there are more lines than colours.
    for number, (cell, points) in enumerate(cells.items()):
        step, mean, lower, upper = np.array(points).T
        dash = ["-", "--", ":"][number // len(style.COLOURS) % 3]
        (line,) = ax.plot(step, mean, dash, label=cell)
        ax.fill_between(step, lower, upper, color=line.get_color(), alpha=0.2, lw=0)
    ax.axhline(1, color=style.GREY, linewidth=0.8, linestyle=":")
    ax.set(xlabel="optimiser steps", ylabel="share of ceiling, mean of tasks", ylim=(0, 1.04))
    ax.set_xlim(left=0)
    ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1))
    return ax


@style.figure
def density(cells, measures=("area", "final_share")):
    """Measures against the density of recurrent synapses; locality is told apart from its controls."""
    ax = style.new_axes(None, height=3.2)
    by = {(row["cell"], row["measure"]): row for row in cells}
    names = list(dict.fromkeys(row["cell"] for row in cells))
    for measure, colour in zip(measures, style.COLOURS.values()):
        for control, marker, line in ((False, "o", "-"), (True, "s", "none")):
            chosen = [n for n in names if n.startswith(("random", "blocks")) == control]
            x = np.array([100 * float(by[n, "density"]["mean"]) for n in chosen])
            y, lower, upper = (
                np.array([float(by[n, measure][k]) for n in chosen])
                for k in ("mean", "lower", "upper")
            )
            order = np.argsort(x)
            label = f"{measure}, {'random and blocks' if control else 'autapse, local, dense'}"
            ax.errorbar(x[order], y[order], [(y - lower)[order], (upper - y)[order]], color=colour,
                        marker=marker, linestyle=line, label=label,
                        markerfacecolor="white" if control else colour)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}%")
    ax.set(xlabel="density of recurrent synapses", ylabel="share of ceiling")
    ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1))
    return ax


def number(row, digits=3):
    if row is None or row["mean"] == "":
        return ""
    if row["censored"] == row["runs"]:
        return f"not within {float(row['horizon']):g}"
    mean, lower, upper = (f"{float(f'{float(row[k]):.{digits}g}'):g}" for k in ("mean", "lower", "upper"))
    censored = f"; {row['censored']} of {row['runs']} never" if row["censored"] not in ("", "0") else ""
    return f"{mean} ({lower} to {upper}{censored})"


def kinds(rows):
    """cell, kind -> mean share of the ceiling over tasks and seeds."""
    found = defaultdict(list)
    for row in rows:
        found[row["cell"], row["kind"]].append(float(row["share_of_ceiling"]))
    return {key: np.mean(values) for key, values in found.items()}


def markdown(tables):
    cells = read(tables / "cells.csv")
    by = {(row["cell"], row["measure"]): row for row in cells}
    by_kind = kinds(read(tables / "tasks.csv"))
    shown = [k for k in ("base", "int", "seq", "intseq") if any(key[1] == k for key in by_kind)]
    head = ["cell", "runs", "synapses", "learning rate", "final share", "area", "tasks solved",
            "steps to 50%", "steps to 80%", *(f"share, {k}" for k in shown)]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for cell in dict.fromkeys(row["cell"] for row in cells):
        get = lambda measure: by.get((cell, measure))
        plain = lambda measure: f"{float(get(measure)['mean']):g}"
        print("| " + " | ".join([
            cell, get("area")["runs"], plain("synapses"), plain("learning_rate"),
            number(get("final_share")), number(get("area")), number(get("tasks_solved")),
            number(get("steps_to_50")), number(get("steps_to_80")),
            *(f"{by_kind[cell, k]:.3f}" for k in shown)]) + " |")


def main(study, out):
    study, out = Path(study), Path(out)
    out.mkdir(parents=True, exist_ok=True)
    cells = read(study / "tables/cells.csv")
    if not cells:
        sys.exit(f"{study}: no reporting run is over yet")
    drawn = {"curves": curves(read(study / "tables/curves.csv"))}
    different = lambda measure: len({row["mean"] for row in cells if row["measure"] == measure})
    if different("density") > 1 and different("units") == 1:
        drawn["density"] = density(cells)
    for name, ax in drawn.items():
        path = out / f"{study.name}-{name}.svg"
        ax.figure.savefig(path, metadata={"Date": None})  # the same figure, the same bytes
        print(path, file=sys.stderr)
    markdown(study / "tables")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
