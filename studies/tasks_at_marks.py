#!/usr/bin/env python3
"""How many tasks do networks have at 90, 95 and 97.5% of the ceiling, by number of units?

    lmrnn study collect studies/e1.toml
    studies/tasks_at_marks.py runs/e1 docs/results/figures     # with the package's Python

Draws DIRECTORY/STUDY-marks.svg, means over seeds, with the smallest and the largest, from the last evaluation of every
run. Prints the numbers as a Markdown table.
"""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

import lmrnn
from lmrnn import plot

MARKS = (0.9, 0.95, 0.975)


def counts(study):
    """{network: (units, {mark: tasks at the mark, one number per seed})}, smallest network first."""
    units = {row["cell"]: row["units"] for row in study.table("runs").rows()}
    share = defaultdict(lambda: defaultdict(list))
    for row in study.table("tasks").rows():
        share[row["cell"]][row["seed"]].append(row["share_of_ceiling"])
    found = {cell: (units[cell], {mark: [sum(x >= mark for x in tasks) for tasks in seeds.values()] for mark in MARKS})
             for cell, seeds in share.items()}  # fmt: skip
    return dict(sorted(found.items(), key=lambda item: item[1][0]))


@plot.style.figure
def draw(found):
    """A line of autapse pools per mark; other networks are single markers."""
    ax = plot.style.new_axes(None, plot.style.WIDTH + 1.2, plot.style.HEIGHT)
    for mark, colour in zip(MARKS, plot.style.COLOURS.values()):
        for family, marker, line in (("autapse", "o", "-"), ("local", "s", "none"), ("dense", "X", "none")):
            cells = [(units, tasks[mark]) for cell, (units, tasks) in found.items() if cell.startswith(family)]
            if not cells:
                continue
            n, tasks = zip(*cells)
            mean = np.array([np.mean(t) for t in tasks])
            spread = [mean - [min(t) for t in tasks], [max(t) for t in tasks] - mean]
            ax.errorbar(n, mean, spread, color=colour, marker=marker, linestyle=line, capsize=1.5, markersize=5,
                        label=f"{family}, {100 * mark:g}%")  # fmt: skip
    ax.set_xscale("log", base=2)
    ax.set_xticks(sorted({units for units, _ in found.values()}))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set(xlabel="units", ylabel="tasks at the share of the ceiling", ylim=(0, None))
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return ax


def main(directory, out):
    study = lmrnn.Study(Path(directory))
    found = counts(study)
    print(plot.save(draw(found), Path(out) / f"{study.name}-marks.svg"), file=sys.stderr)
    print("| network | units | " + " | ".join(f"at {100 * mark:g}%" for mark in MARKS) + " |")
    print("|---|---|" + "---|" * len(MARKS))
    for cell, (units, tasks) in found.items():
        cells = [f"{np.mean(tasks[mark]):.1f} ({min(tasks[mark])} to {max(tasks[mark])})" for mark in MARKS]
        print(f"| {cell} | {units} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
