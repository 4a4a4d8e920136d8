#!/usr/bin/env python3
"""The figure of the summary page: steps to a mark against density, by wiring, over several studies.

    lmrnn study collect studies/e4-small.toml
    lmrnn study collect studies/e4-size-small.toml
    studies/summary.py docs/results/figures        # with the package's Python

Writes DIRECTORY/steps-by-density.svg from runs/. Prints a Markdown table of the drawn values.
"""

import sys
from pathlib import Path

import numpy as np

import lmrnn
from lmrnn import plot

# Studies of the same 1000 steps; of e4-small, the cells with new trials throughout. In that time, no run of 64 units
# and few of the others reach a higher mark.
STUDIES = {"e4-small": "*-short", "e4-size-small": "*"}
MARK = 50
MARKERS = {"autapse": "D", "local": "o", "random": "s", "blocks": "^", "dense": "X"}


def points(study, cells):
    """(units, wiring, density in percent, steps to the mark or None if a seed misses it) of every network."""
    of = {}
    for row in study.table("runs").rows():
        if row["stage"] == "report" and Path(row["cell"]).match(cells):
            of.setdefault((row["units"], row["network"]), []).append(row)
    for (units, network), rows in of.items():
        reached = all(row[f"reached_{MARK}"] for row in rows)
        steps = np.exp(np.mean(np.log([row[f"steps_to_{MARK}"] for row in rows]))) if reached else None
        yield units, network, 100 * rows[0]["density"], steps


@plot.style.figure
def draw(found, missed):
    """`found`: rows of points; networks that miss the mark are drawn at `missed` steps, open."""
    ax = plot.style.new_axes(None, plot.style.WIDTH, 3.2)
    sizes = sorted({units for units, *_ in found})
    colour = dict(zip(sizes, plot.style.COLOURS.values()))
    for units in sizes:
        local = sorted((d, s) for n, w, d, s in found if n == units and w.startswith(("autapse", "local", "dense")) and s)
        ax.plot(*zip(*local), "-", color=colour[units], linewidth=0.8)
    for units, network, density, steps in found:
        ax.plot(density, steps or missed, MARKERS[network.rstrip("0123456789")], color=colour[units], markersize=5,
                markerfacecolor=colour[units] if steps else "white")  # fmt: skip
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks([0.1, 1, 10, 100], ["0.1%", "1%", "10%", "100%"])
    ticks = [200, 300, 500, 700, missed]
    ax.set_yticks(ticks, [*map(str, ticks[:-1]), "missed"])
    ax.minorticks_off()
    ax.set_xlabel("density of the recurrent synapses")
    ax.set_ylabel(f"steps to {MARK}% of the ceiling")
    handles = [ax.plot([], [], "-", color=colour[n], linewidth=3, label=f"{n} units")[0] for n in sizes]
    handles += [ax.plot([], [], m, color=plot.style.INK, markersize=5, label=w)[0] for w, m in MARKERS.items()]
    ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return ax


def main(out):
    found = [p for name, cells in STUDIES.items() for p in points(lmrnn.Study(Path("runs") / name), cells)]
    print(plot.save(draw(found, 1100), Path(out) / "steps-by-density.svg"), file=sys.stderr)
    print("| units | network | density | steps to 50% |\n|---|---|---|---|")
    for units, network, density, steps in sorted(found, key=lambda row: (row[0], row[2])):
        print(f"| {units} | {network} | {density:.3g}% | {'missed' if steps is None else f'{steps:.0f}'} |")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
