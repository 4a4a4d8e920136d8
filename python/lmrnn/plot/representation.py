"""Dimensions of activity (`dimensionality`) and similarity of networks (`similarity`)."""

from __future__ import annotations

import numpy as np

from . import style
from .inputs import analysis_of, takes


@style.figure
@takes(analysis_of, "dimensionality")
def dimensions(analysis, *, ax=None):
    """Participation ratio by task, and over all tasks together.

    analysis : Analysis of `dimensionality`, or a run that has it. Returns the Axes.
    """
    table = analysis.table("dimensions")
    together, tasks = table["participation_ratio"][0], table["participation_ratio"][1:]
    order = np.argsort(tasks, kind="stable")
    ax = style.new_axes(ax, max(style.WIDTH, 0.15 * len(tasks) + 1), 3.2)
    ax.bar(range(len(tasks)), tasks[order], color=style.COLOURS["blue"])
    if np.isfinite(together):
        ax.axhline(together, color=style.COLOURS["vermillion"])
        ax.annotate(f"all tasks together: {together:.3g}", (0, together), xytext=(2, 3),
                    textcoords="offset points", va="bottom", color=style.COLOURS["vermillion"], fontsize=8)  # fmt: skip
    elif not np.isfinite(tasks).any():
        style.say_undefined(ax, "participation ratio")
    ax.set_xlim(-1, len(tasks))
    ax.set_ylim(0, 1.15 * style.largest(together, tasks, least=0.1))
    style.name_ticks(ax, table["task"][1:][order])
    ax.set_ylabel("participation ratio\n(dimensions of activity)")
    return ax


@style.figure
@takes(analysis_of, "dimensionality")
def task_similarity(analysis, *, ax=None):
    """Share of the variance of one task in the leading components of another.

    analysis : Analysis of `dimensionality`, or a run that has it. Returns the Axes.
    """
    table = analysis.table("task_similarity")
    tasks = list(dict.fromkeys(table["task_a"]))
    values = np.reshape(table["alignment"], (len(tasks), len(tasks)))
    size = max(3.6, 0.1 * len(tasks) + 1.6)
    ax = style.new_axes(ax, size + 0.6, size)
    image = ax.imshow(values, vmin=0, vmax=1, aspect="equal")
    style.name_ticks(ax, tasks)
    style.name_ticks(ax, tasks, across=False)
    ax.set_xlabel("variance of")
    ax.set_ylabel("in the components of")
    style.colour_bar(ax, image, "share of variance", shrink=0.7)
    return ax


@style.figure
@takes(analysis_of, "similarity")
def similarity(analysis, *, ax=None):
    """Likeness of two networks by task: representation (CKA) against dynamics (DSA). Tasks of which one
    is undefined are left out.

    analysis : Analysis of `similarity`, or a run that has it. Returns the Axes.
    """
    ax = style.new_axes(ax, 3.9, 3.3)
    table = analysis.table("similarity")
    n_tasks = table.n_rows
    table = table.where(np.isfinite(table["cka"]) & np.isfinite(table["dynamical_distance"]))
    ax.plot(table["cka"], table["dynamical_distance"], "o", alpha=0.7)
    if 0 < table.n_rows <= 20:
        _name_points(ax, table["cka"], table["dynamical_distance"], table["task"])
    if not table.n_rows:
        style.say_undefined(ax, "likeness of all tasks")
    elif table.n_rows < n_tasks:
        ax.set_title(f"undefined for {n_tasks - table.n_rows} of {n_tasks} tasks", fontsize=8)
    ax.set_xlim(0, 1.02)
    ax.set_ylim(0, 1.15 * style.largest(table["dynamical_distance"], least=0.1))
    ax.set_xlabel("CKA of representations\n(1: the same up to rotation)")
    ax.set_ylabel("dynamical distance (rad)\n(0: the same dynamics)")
    return ax


def _name_points(ax, x, y, names) -> None:
    """Writes names next to points; names of close points are stacked."""
    span = max(float(np.ptp(y)), 1e-9)
    last: list[tuple[float, float]] = []
    for i in np.argsort(y, kind="stable"):
        shift = 0.0
        while any(abs(x[i] - a) < 0.35 and abs(y[i] + shift - b) < 0.055 * span for a, b in last):
            shift += 0.01 * span
        last.append((x[i], y[i] + shift))
        ax.annotate(names[i], (x[i], y[i]), (x[i] - 0.02, y[i] + shift), fontsize=7, va="center", ha="right",
                    arrowprops={"arrowstyle": "-", "lw": 0.3, "color": style.GREY} if shift else None)  # fmt: skip
