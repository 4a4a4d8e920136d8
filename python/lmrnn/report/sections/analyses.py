"""Analyses: headline numbers, figures, and complete tables."""

from __future__ import annotations

import re

import numpy as np

from ... import plot
from ...analysis import Analysis
from ...table import Table
from ..html import Markup, Section, escape, figure, folded, grid, join, table, values

MOST_ROWS = 200
FEW_ROWS = 8  # tables that stay open
MOST_TASKS = 4


def section(run) -> Section | None:
    pieces = []
    for name in run.analyses:
        folder = run.output / "analysis" / name
        pieces.append(Markup("<h3>") + escape(name) + Markup("</h3>"))
        if (folder / "summary.json").is_file():
            analysis = Analysis(folder)
            if outdated := run.outdated(analysis):
                pieces.append(Markup("<p><strong>") + escape(f"{outdated[0].upper()}{outdated[1:]}.") + Markup("</strong></p>"))
            pieces.append(values({key.replace("_", " "): _short(v) for key, v in analysis.summary.items()}))
            kind = re.sub(r"(-step\d+)?(-shuffled-weights)?$", "", name)
            drawn = [figure(axes, caption) for axes, caption in FIGURES.get(kind, _none)(analysis)]
            if drawn:
                pieces.append(grid(*drawn))
        pieces += [_table(path) for path in sorted(folder.glob("*.csv"))]
    return Section("Analyses", join(*pieces)) if pieces else None


def _short(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else value


def _table(path) -> Markup:
    content = Table.read(path)
    rows = [list(row.values()) for row in content.rows()]
    caption = "" if len(rows) <= MOST_ROWS else f"The first {MOST_ROWS} of {len(rows)} rows."
    if len(rows) <= FEW_ROWS:
        return table(list(content), rows, caption=f"{path.stem} ({len(rows)} rows)")
    body = table(list(content), rows[:MOST_ROWS], caption=caption)
    return folded(f"{path.stem} ({len(rows)} rows)", body)


# The figures of each analysis: (axes, caption). --------------------------------------------------


def _none(analysis):
    return []


def _with_points(analysis):
    counts = analysis.table("by_task")
    some = counts["task"][counts["points"] > 0][:MOST_TASKS]
    return [(plot.fixed_points(analysis, t), f"Fixed and slow points of {t}.") for t in some]


def _ring(analysis):
    return [(plot.ring(analysis), "Decoded angle, states of the ring, and error over time.")]


def _autapse(analysis):
    return [
        (plot.unit_classes(analysis), "Units by their eigenvalue."),
        (plot.lesions(analysis), "Points lost without a class of units; a dot: predicted."),
    ]


def _variance(analysis):
    made = [(plot.clusters(analysis), "Task variance of clusters of units.")]
    if "lesions" in analysis.tables:
        axes = plot.lesions(analysis, group="cluster")
        made.append((axes, "Points lost without a cluster of units."))
    return made


def _sheet(analysis):
    return [
        (plot.sheet_maps(analysis), "The most ordered maps on the sheet."),
        (plot.spatial_order(analysis), "Moran's I of all maps; grey: permuted places."),
    ]


def _modularity(analysis):
    return [(plot.modularity(analysis), "Modularity against its nulls.")]


def _dimensionality(analysis):
    return [
        (plot.dimensions(analysis), "Participation ratio by task."),
        (plot.task_similarity(analysis), "Dimensions that tasks share."),
    ]


def _similarity(analysis):
    return [(plot.similarity(analysis), "Likeness to the other network, by task.")]


def _psychometric(analysis):
    return [(plot.psychometric(analysis), "Choice and accuracy, with 95% intervals.")]


def _pruning(analysis):
    return [(plot.pruning(analysis), "Accuracy of the pruned network.")]


def _extrapolation(analysis):
    return [(plot.extrapolation(analysis), "Accuracy away from the conditions of training.")]


def _confusion(analysis):
    errors = analysis.table("errors")
    worst = errors["task"][np.argsort(errors["accuracy"], kind="stable")][:MOST_TASKS]
    return [(plot.confusion(analysis, t), f"Answers in {t}, by right class.") for t in worst]


def _weights(analysis):
    caption = "Weights and wire by distance; eigenvalues before and after training."
    return [(plot.weight_structure(analysis), caption)]


FIGURES = {
    "fixed-points": _with_points,
    "ring": _ring,
    "autapse": _autapse,
    "variance": _variance,
    "sheet": _sheet,
    "modularity": _modularity,
    "dimensionality": _dimensionality,
    "similarity": _similarity,
    "psychometric": _psychometric,
    "pruning": _pruning,
    "extrapolation": _extrapolation,
    "confusion": _confusion,
    "weights": _weights,
}
