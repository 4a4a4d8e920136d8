"""What units are selective for, and where they are (`variance`, `sheet`, `modularity`)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from . import style


@style.figure
def clusters(analysis, *, ax=None):
    """Mean normalised task variance, cluster of units by task.

    analysis : Analysis of `variance`.
    """
    table = analysis.table("clusters")
    groups, tasks = np.unique(table["cluster"]), list(dict.fromkeys(table["task"]))
    values = np.reshape(table["variance"], (len(groups), len(tasks)))
    sizes = np.reshape(table["units"], values.shape)[:, 0]
    ax = style.new_axes(ax, max(style.WIDTH, 0.13 * len(tasks) + 2), 1.2 + 0.3 * len(groups))
    image = ax.imshow(values, vmin=0)
    ax.set_yticks(range(len(groups)), [f"{g} ({n})" for g, n in zip(groups, sizes)])
    style.name_ticks(ax, tasks)
    ax.set_ylabel("cluster (units)")
    style.colour_bar(ax, image, "task variance")
    return ax


@style.figure
def sheet_maps(analysis, *, n: int = 8):
    """The `n` maps with the highest Moran's I on the sheet. Returns an array of Axes.

    analysis : Analysis of `sheet`.
    """
    table = analysis.table("moran")
    score = np.nan_to_num(table["moran_i"], nan=-np.inf)
    best = np.argsort(-score, kind="stable")[:n]
    columns = min(4, len(best))
    rows = -(-len(best) // columns)
    made = Figure(figsize=(2.3 * columns, 2.3 * rows), layout="constrained")
    axes = made.subplots(rows, columns, squeeze=False)
    with analysis.recording("maps") as file:
        for place, which in zip(axes.flat, best):
            place.imshow(file[f"map{which:03}"][:], aspect="equal")
            name = str(table["map"][which]).replace(" (", "\n(")
            place.set_title(f"{name}\nI = {table['moran_i'][which]:.2f}", fontsize=8)
    for place in axes.flat:
        place.set_axis_off()
    return axes


@style.figure
def spatial_order(analysis, *, ax=None):
    """Moran's I of every map against the range that permuted places give (2 deviations).

    analysis : Analysis of `sheet`, or a mapping from label to such (networks to compare).
    """
    ax = style.new_axes(ax)
    labelled = analysis if hasattr(analysis, "items") else {"": analysis}
    for label, one in labelled.items():
        table = one.table("moran")
        order = np.sort(table["moran_i"][np.isfinite(table["moran_i"])])[::-1]
        ax.plot(np.arange(1, len(order) + 1), order, ".-", label=label)
    deviation = np.nanmean(table["null_deviation"])
    ax.axhspan(-2 * deviation, 2 * deviation, color=style.PALE, lw=0, zorder=0)
    ax.set_xlabel("map, by rank")
    ax.set_ylabel("Moran's I")
    if len(labelled) > 1:
        ax.legend()
    return ax


@style.figure
def modularity(analysis, *, ax=None):
    """Modularity of weights and of activity, with the mean and two deviations of each null."""
    ax = style.new_axes(ax, 3.6)
    table = analysis.table("modularity")
    place = np.arange(table.n_rows)
    ax.bar(place, table["modularity"], 0.55, color=style.COLOURS["blue"], label="network")
    ax.errorbar(
        place,
        table["null_mean"],
        yerr=2 * table["null_deviation"],
        fmt="o",
        color=style.COLOURS["orange"],
        capsize=4,
        label="null, 2 deviations",
    )
    ax.set_xticks(place, [f"{g}\n({n} communities)" for g, n in zip(table["graph"], table["communities"])])
    ax.set_ylabel("modularity Q")
    ax.legend()
    return ax
