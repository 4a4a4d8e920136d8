"""What units are selective for, and where they are (`variance`, `sheet`, `modularity`)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .. import _core
from . import style
from .inputs import analysis_of, takes
from .wiring import name_areas, side_by_side


@style.figure
@takes(analysis_of, "variance")
def clusters(analysis, *, ax=None):
    """Mean normalised task variance, cluster of units by task.

    analysis : Analysis of `variance`, or a run that has it. Returns the Axes.
    """
    table = analysis.table("clusters")
    groups, tasks = np.unique(table["cluster"]), list(dict.fromkeys(table["task"]))
    values = np.reshape(table["variance"], (len(groups), len(tasks)))
    ax = style.new_axes(ax, max(style.WIDTH, 0.15 * len(tasks) + 2), 1.5 + 0.3 * len(groups))
    if not table.n_rows:
        style.say_undefined(ax, "clusters (no unit is active)")
        return ax
    sizes = np.reshape(table["units"], values.shape)[:, 0]
    image = ax.imshow(values, vmin=0, vmax=1)
    ax.set_yticks(range(len(groups)), [f"cluster {g + 1} ({n})" for g, n in zip(groups, sizes)])
    style.name_ticks(ax, tasks)
    ax.set_ylabel("cluster (units)")
    style.colour_bar(ax, image, "task variance\n(share of unit's largest)")
    return ax


@style.figure
@takes(analysis_of, "sheet")
def sheet_maps(analysis, *, n: int = 8, shared: bool = False, ax=None):
    """The `n` maps with the highest Moran's I on the sheet, each with a colour bar of its own.

    analysis : Analysis of `sheet`, or a run that has it. shared : one scale, and one bar, for all
    maps. ax : as many Axes as maps, one to divide, or a Figure. Returns an array of Axes.
    """
    table = analysis.table("moran")
    score = np.nan_to_num(table["moran_i"], nan=-np.inf)
    best = np.argsort(-score, kind="stable")[:n]
    columns = min(4, len(best))
    rows = -(-len(best) // columns)
    if isinstance(ax, (list, tuple, np.ndarray)):
        axes = style.new_grid(ax, len(best), 1, 1, 1)[:, 0]
    else:
        axes = style.new_grid(ax, rows, columns, 2.35 * columns, 2.25 * rows)
    with analysis.recording("maps") as file:
        maps = [file[f"map{which:03}"][:] for which in best]
        sizes = _areas_of(file.attrs.get("areas", ""))
    if sizes:
        sheet = _core.Sheet.of_areas(sizes)
        maps = [side_by_side(values, sheet) for values in maps]
    known = np.concatenate([values[np.isfinite(values)] for values in maps])
    limits = {"vmin": known.min(), "vmax": known.max()} if shared and len(known) else {}
    images = []
    for place, which, values in zip(axes.flat, best, maps):
        images.append(place.imshow(values, aspect="equal", **limits))
        name = str(table["map"][which]).replace(" (", "\n(")
        score = table["moran_i"][which]
        said = f"Moran's I = {score:.2f}" if np.isfinite(score) else "Moran's I undefined"
        place.set_title(f"{name}\n{said}", fontsize=8, pad=14 if sizes else None)
        if sizes:
            name_areas(place, sizes, fontsize=6)
        if not shared:
            bar = style.colour_bar(place, images[-1], "", shrink=0.7, aspect=20)
            bar.ax.tick_params(labelsize=6)
            bar.ax.locator_params(nbins=4)
    for place in axes.flat:
        place.set_axis_off()
    if shared:
        style.colour_bar(axes, images[0], "value of the map")
    return axes


def _areas_of(text) -> dict[str, tuple[int, int]]:
    """{"v1": (8, 8), "v4": (6, 8)} from "v1 8x8, v4 6x8", as written by the analysis `sheet`."""
    text = text.decode() if isinstance(text, bytes) else text
    sizes = {}
    for part in filter(None, text.split(", ")):
        name, size = part.split(" ")
        rows, cols = size.split("x")
        sizes[name] = (int(rows), int(cols))
    return sizes


@style.figure
def spatial_order(analysis, *, ax=None):
    """Moran's I of every map against the range that permuted places give (2 deviations).

    analysis : Analysis of `sheet`, a run that has it, or a mapping from label to such (networks to
    compare). Returns the Axes.
    """
    ax = style.new_axes(ax)
    several = isinstance(analysis, Mapping)
    found = {label: analysis_of(one, "sheet") for label, one in (analysis if several else {"": analysis}).items()}
    deviations = []
    for number, (label, one) in enumerate(found.items()):
        table = one.table("moran")
        order = np.sort(table["moran_i"][np.isfinite(table["moran_i"])])[::-1]
        known = table["null_deviation"][np.isfinite(table["null_deviation"])]
        deviations.append(known.mean() if len(known) else 0)
        _, marker, dash = style.series(number)
        ranks = np.arange(1, len(order) + 1)
        ax.plot(ranks, order, marker=marker, linestyle=dash, label=label or "maps", markersize=3)
    if not any(len(line.get_xdata()) for line in ax.lines):
        style.say_undefined(ax, "Moran's I of all maps")
    if (widest := max(deviations)) > 0:
        ax.axhspan(-2 * widest, 2 * widest, color=style.PALE, lw=0, zorder=0, label="places permuted, ± 2 deviations")
    ax.axhline(0, color=style.GREY, linewidth=0.6, zorder=0)
    ax.set_xlabel("map, by rank")
    ax.set_ylabel("Moran's I (0: no order on the sheet)")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()
    return ax


@style.figure
@takes(analysis_of, "modularity")
def modularity(analysis, *, ax=None):
    """Modularity of weights and of activity, with the mean and two deviations of each null.

    analysis : Analysis of `modularity`, or a run that has it. Returns the Axes.
    """
    ax = style.new_axes(ax, 3.9, 3.0)
    table = analysis.table("modularity")
    place = np.arange(table.n_rows)
    if not table.n_rows:
        raise _core.UsageError(f"{analysis.directory}: the table of modularities is empty")
    ax.bar(place - 0.2, table["modularity"], 0.38, color=style.COLOURS["blue"], label="network")
    ax.bar(place + 0.2, table["null_mean"], 0.38, color=style.PALE, label="null: mean and 2 deviations",
           yerr=2 * table["null_deviation"], error_kw={"capsize": 3, "ecolor": style.INK, "elinewidth": 1})  # fmt: skip
    for x, row in zip(place, table.rows()):
        height = style.largest(row["modularity"], row["null_mean"], row["null_mean"] + 2 * row["null_deviation"])
        said = f"p = {row['p']:.2g}" if np.isfinite(row["modularity"]) else "undefined"
        ax.annotate(said, (x, height), xytext=(0, 4), textcoords="offset points",
                    ha="center", fontsize=7)  # fmt: skip
    names = [f"{g}\n{n} communities" for g, n in zip(table["graph"], table["communities"])]
    ax.set_xticks(place, names)
    top = style.largest(table["modularity"], table["null_mean"] + 2 * table["null_deviation"], least=0.1)
    ax.set_ylim(-style.largest(-table["modularity"]), 1.15 * top)
    ax.set_ylabel("modularity Q")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=2, borderaxespad=0.2)
    return ax
