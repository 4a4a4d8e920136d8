"""Pools of uncoupled units (`autapse`)."""

from __future__ import annotations

import numpy as np

from . import style

CLASSES = ["relay", "leaky memory", "integrator", "grower", "silent"]


@style.figure
def unit_classes(analysis, *, ax=None):
    """Histogram of lambda by class of unit."""
    ax = style.new_axes(ax)
    units = analysis.table("units")
    bins = np.linspace(units["lambda"].min(), units["lambda"].max(), 50)
    groups = [units["lambda"][units["class"] == name] for name in CLASSES]
    labels = [f"{name} ({len(group)})" for name, group in zip(CLASSES, groups)]
    colours = [style.COLOURS[c] for c in ("sky", "blue", "green", "vermillion")] + [style.PALE]
    ax.hist(groups, bins=bins, stacked=True, label=labels, color=colours)
    ax.axvline(1, color=style.GREY, linewidth=0.8, linestyle=":")
    ax.set_xlabel(r"$\lambda$ while active")
    ax.set_ylabel("units")
    ax.legend()
    return ax


@style.figure
def lesions(analysis, *, group: str = "class", ax=None):
    """Points of accuracy lost, group of units by task. A dot marks what was predicted (autapse).

    analysis : Analysis of `autapse` (group="class") or of `variance` (group="cluster").
    """
    table = analysis.table("lesions")
    groups, tasks = list(dict.fromkeys(table[group])), list(dict.fromkeys(table["task"]))
    cost = np.reshape(table["cost"], (len(groups), len(tasks)))
    ax = style.new_axes(ax, max(style.WIDTH, 0.13 * len(tasks) + 2), 1.2 + 0.3 * len(groups))
    image = ax.imshow(np.clip(cost, 0, None), vmin=0, vmax=max(20, cost.max()))
    if "predicted" in table:
        predicted = np.reshape(table["predicted"] == "true", cost.shape)
        ax.plot(*np.nonzero(predicted)[::-1], ".", color="white", markersize=5)
    sizes = np.reshape(table["units"], cost.shape)[:, 0]
    ax.set_yticks(range(len(groups)), [f"{g} ({n})" for g, n in zip(groups, sizes)])
    style.name_ticks(ax, tasks)
    ax.set_ylabel(f"{group} (units)")
    style.colour_bar(ax, image, "points lost")
    return ax
