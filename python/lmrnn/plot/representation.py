"""Dimensions of activity (`dimensionality`) and likeness of networks (`similarity`)."""

from __future__ import annotations

import numpy as np

from . import style


@style.figure
def dimensions(analysis, *, ax=None):
    """Participation ratio by task, and over all tasks together."""
    table = analysis.table("dimensions")
    together, tasks = table["participation_ratio"][0], table["participation_ratio"][1:]
    order = np.argsort(tasks, kind="stable")
    ax = style.new_axes(ax, max(style.WIDTH, 0.13 * len(tasks) + 1))
    ax.bar(range(len(tasks)), tasks[order], color=style.COLOURS["blue"])
    ax.axhline(together, color=style.COLOURS["vermillion"])
    ax.annotate("all tasks together", (0, together), xytext=(2, -3), textcoords="offset points",
                va="top", color=style.COLOURS["vermillion"], fontsize=8)
    ax.set_xlim(-1, len(tasks))
    style.name_ticks(ax, table["task"][1:][order])
    ax.set_ylabel("participation ratio")
    return ax


@style.figure
def task_similarity(analysis, *, ax=None):
    """Share of the variance of one task in the leading components of another."""
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
    style.colour_bar(ax, image, "share")
    return ax


@style.figure
def similarity(analysis, *, ax=None):
    """Likeness of two networks by task: representation (CKA) against dynamics (DSA)."""
    ax = style.new_axes(ax, 3.6, 3.2)
    table = analysis.table("similarity")
    ax.plot(table["cka"], table["dynamical_distance"], "o", alpha=0.7)
    for row in table.rows():
        if table.n_rows <= 20:
            ax.annotate(row["task"], (row["cka"], row["dynamical_distance"]), fontsize=7,
                        xytext=(3, 3), textcoords="offset points")
    ax.set_xlabel("CKA (1: the same up to rotation)")
    ax.set_ylabel("dynamical distance (rad)")
    return ax
