#!/usr/bin/env python3
"""Figures and headline tables of a study, from the tables of `lmrnn study collect`, or figures of its analyses, from
the tables of studies/analyze.py.

    lmrnn study collect studies/e4-small.toml
    studies/figures.py runs/e4-small docs/results/figures     # with the package's Python
    studies/figures.py docs/results/data/e7-small docs/results/figures     # how the tables' names begin

Writes STUDY-curves.svg; if networks of the same number of units, or of the same number of synapses or parameters (an
axis called `matched`), differ in density, STUDY-density.svg and STUDY-trials.svg; if they differ in size otherwise,
STUDY-units.svg; if tasks were held out, STUDY-held-out.svg; if a contrast is about wire, STUDY-wire.svg; if learning
rates were tuned, STUDY-rates.svg. Prints Markdown. The committed results file is enough for `collect`, so no run must
be repeated. For analyses, it writes STUDY-structure.svg (modularity and spatial order).
"""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

import lmrnn
from lmrnn import plot
from lmrnn.table import Table


def marks(study, of):
    """50% and 80%, which most studies have; otherwise all marks of the study."""
    usual = [f"{of}_to_50", f"{of}_to_80"]
    return usual if set(usual) <= set(study.marks(of)) else study.marks(of)


def draw(study, out):
    plot.save(plot.study_curves(study), out / f"{study.name}-curves.svg")
    matched = "matched" in study.axes  # sizes then follow from densities
    if matched or any(study.differ(p, "density") and not study.differ(p, "units") for p in study.panels):
        plot.save(plot.study_density(study), out / f"{study.name}-density.svg")
        trials = plot.study_density(study, marks(study, "trials"), "trials to a share of the ceiling")
        plot.save(trials, out / f"{study.name}-trials.svg")
    if study.differ(study.panels[0], "units") and not matched:
        plot.save(plot.study_units(study), out / f"{study.name}-units.svg")
    if any(row["measure"] == "held_out_share" and np.isfinite(row["mean"]) for row in study.cells.rows()):
        plot.save(plot.study_cells(study, "held_out_share"), out / f"{study.name}-held-out.svg")
    if any(row["measure"] == "wire" for row in study.table("contrasts").rows()):
        plot.save(plot.study_wire(study), out / f"{study.name}-wire.svg")
    if study.table("tuning").n_rows:
        plot.save(plot.study_rates(study), out / f"{study.name}-rates.svg")


def markdown(study):
    """A row per cell: its name, its measures, and the share of the ceiling by kind of task."""
    by_kind = defaultdict(list)
    for row in study.table("tasks").rows():
        by_kind[row["cell"], row["kind"]].append(row["share_of_ceiling"])
    kinds = [k for k in ("base", "int", "seq", "intseq") if any(key[1] == k for key in by_kind)]
    steps = marks(study, "steps")
    print("| " + " | ".join([*study.axes, "units", "synapses", "learning rate", "final share", "area",
                             "tasks solved", *map(plot.study.measure_words, steps),
                             *(f"share, {k}" for k in kinds)]) + " |")
    print("|" + "---|" * (len(study.axes) + 6 + len(steps) + len(kinds)))
    for panel in study.panels:
        for level in study.levels_of(panel):
            get = lambda measure: study.value(panel, level, measure)
            cell = get("area")["cell"]
            print("| " + " | ".join([
                *(str(get("area")[axis]) for axis in study.axes),
                *(f"{get(m)['mean']:g}" for m in ("units", "synapses", "learning_rate")),
                *(study.text(panel, level, m) for m in ("final_share", "area", "tasks_solved", *steps)),
                *(f"{np.mean(by_kind[cell, k]):.3f}" if by_kind[cell, k] else "" for k in kinds)]) + " |")


# Panels of the figure of analyses: (analysis, headline, label), and the null to compare it with.
STRUCTURE = [
    (("modularity", "modularity_weights", "modularity of the weights"),
     ("modularity_weights_null", "weights permuted within the mask")),
    (("modularity", "modularity_activity", "modularity of the activity"), None),
    (("sheet", "mean_moran_i", "spatial order (mean Moran's I)"), None),
]  # fmt: skip


@plot.style.figure
def draw_structure(tables, out):
    """A panel per measure: a row per cell, a marker per seed; trained, untrained, and the null."""
    read = {}
    for (analysis, _, _), _ in STRUCTURE:
        read[analysis] = Table.read(f"{tables}-{analysis}-summary.csv", text={"cell"})
    cells = list(dict.fromkeys(read["modularity"]["cell"]))
    axes = plot.style.new_grid(None, 1, len(STRUCTURE), 7.6, 1.2 + 0.34 * len(cells), sharey=True).ravel()
    colours = plot.style.COLOURS
    for ax, ((analysis, headline, label), null) in zip(axes, STRUCTURE):
        kinds = [("trained", "none", headline, "o", colours["blue"]),
                 ("untrained", "untrained", headline, "s", colours["orange"])]  # fmt: skip
        if null is not None:
            kinds.append((null[1], "none", null[0], "|", plot.style.INK))
        for place, (name, control, wanted, marker, colour) in enumerate(kinds):
            points = [
                (row["value"], cells.index(row["cell"]) + 0.18 * (place - (len(kinds) - 1) / 2))
                for row in read[analysis].rows()
                if row["control"] == control and row["headline"] == wanted
            ]
            ax.plot(*zip(*points), linestyle="none", marker=marker, color=colour, alpha=0.8, label=name,
                    markersize=9 if marker == "|" else 4.5, markeredgewidth=1.5 if marker == "|" else None)  # fmt: skip
        ax.set_xlabel(label)
        ax.axvline(0, color=plot.style.GREY, linewidth=0.6)
        ax.grid(axis="x", color=plot.style.PALE, linewidth=0.6)
    axes[0].set_yticks(range(len(cells)), [cell.replace("-", ", ") for cell in cells])
    axes[0].set_ylim(len(cells) - 0.5, -0.5)
    handles, names = axes[0].get_legend_handles_labels()
    axes[0].figure.legend(handles, names, loc="outside upper center", ncols=len(names))
    plot.save(axes, out / f"{Path(tables).name}-structure.svg")


def main(directory, out):
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    if Path(f"{directory}-modularity-summary.csv").exists():
        return draw_structure(directory, out)
    study = lmrnn.Study(directory)
    draw(study, out)
    markdown(study)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
