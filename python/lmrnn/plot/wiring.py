"""Which synapses exist, and where things are on the sheet."""

from __future__ import annotations

import numpy as np

from .. import _core
from . import style
from .inputs import mask_of, sheet_of, takes


@style.figure
@takes(mask_of)
def mask(mask, *, ax=None):
    """The matrix of a mask: a dot where target (down) has a source (across).

    mask : a Mask, an array, a Network, a Run, or a path of one of the last two. Returns the Axes.
    """
    ax = style.new_axes(ax, 3.6, 3.6)
    n_targets, n_sources = mask.shape
    style.on_white(ax.imshow(mask.to_dense(), cmap="Greys", vmin=0, vmax=1, aspect="equal"))
    ax.set_xlabel("source")
    ax.set_ylabel("target")
    ax.set_xticks([0, n_sources - 1])
    ax.set_yticks([0, n_targets - 1])
    ax.set_title(f"{mask.n_synapses:,} synapses, {100 * mask.density:.3g}% of all pairs")
    _framed(ax)
    return ax


@style.figure
def neighbourhood(mask, sheet=None, unit: int | None = None, *, ax=None):
    """Sources of one unit (by default the middle one; a dot) on the sheet. With areas, their sheets
    are side by side, and the middle one is that of the first.

    mask : as for `mask`. sheet : needed for a Mask or an array; a Run knows its own. Returns the
    Axes.
    """
    sheet, mask = sheet_of(mask, sheet), mask_of(mask)
    ax = style.new_axes(ax, 3.4, 3.4)
    first = next(iter(sheet.areas.values()), sheet)
    unit = first.rows // 2 * first.cols + first.cols // 2 if unit is None else unit
    present = np.zeros(sheet.n_units)
    present[mask.sources_of(unit)] = 1
    image = ax.imshow(side_by_side(present, sheet), cmap="Blues", vmin=0, vmax=1.6, aspect="equal")
    style.on_white(image)
    row, col = place_of(unit, sheet)
    ax.plot(col, row, "o", color=style.COLOURS["vermillion"], markersize=5)
    ax.set_title(f"{len(mask.sources_of(unit))} sources of unit {unit}", pad=18 if sheet.areas else None)
    _sheet_ticks(ax, sheet)
    return ax


@style.figure
def sheet_map(values, sheet, *, label: str = "", signed: bool = False, ax=None):
    """A number per unit, on the sheet, or on those of areas side by side. `signed`: colours that are
    symmetric about 0.

    values : (unit) or (row, col). sheet : a Sheet, or a Run or Trainer on one. Returns the Axes.
    """
    if not isinstance(sheet, _core.Sheet):
        sheet = sheet_of(sheet, None)
    values = np.asarray(values, dtype=float)
    if values.size != sheet.n_units:
        raise _core.UsageError(
            f"values: {values.size} of them, but the sheet has "
            + (f"{sheet.n_units} units in areas" if sheet.areas else f"{sheet.rows} x {sheet.cols} units")
        )
    values = side_by_side(values, sheet)
    ax = style.new_axes(ax, 4.0, 3.4)
    largest = style.largest(np.abs(values)) if signed else None
    image = ax.imshow(
        values,
        cmap=style.DIVERGING if signed else style.SEQUENTIAL,
        vmin=-largest if signed else None,
        vmax=largest,
        aspect="equal",
    )
    style.colour_bar(ax, image, label)
    _sheet_ticks(ax, sheet)
    return ax


@style.figure
def areas(mask, sheet=None, *, ax=None):
    """How densely areas are connected: share of the pairs of units from one area (across) onto another
    (down) that have a synapse, with the number of synapses.

    mask : as for `mask`. sheet : needed for a Mask or an array; a Run knows its own. Returns the
    Axes.
    """
    sheet, mask = sheet_of(mask, sheet), mask_of(mask)
    names = list(sheet.areas)
    if not names:
        raise _core.UsageError("this network has one sheet and no areas; draw its mask with lmrnn.plot.mask")
    found = mask.statistics(sheet)
    density, counts = np.zeros((len(names), len(names))), np.zeros((len(names), len(names)), int)
    for i, to in enumerate(names):
        for j, source in enumerate(names):
            pair = found["areas"][to] if i == j else found["between"][source, to]
            density[i, j], counts[i, j] = pair["density"], pair["n_synapses"]
    ax = style.new_axes(ax, 1.6 + 0.8 * len(names), 1.2 + 0.7 * len(names))
    image = ax.imshow(density, cmap=style.SEQUENTIAL, vmin=0, aspect="equal")
    for (i, j), n in np.ndenumerate(counts):
        light = density[i, j] > 0.5 * density.max()
        ax.text(j, i, f"{n:,}", ha="center", va="center", fontsize=7, color="black" if light else "white")
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel("from")
    ax.set_ylabel("to")
    style.colour_bar(ax, image, "density")
    _framed(ax)
    return ax


GAP = 1
"""Empty columns between the sheets of areas."""


def side_by_side(values, sheet) -> np.ndarray:
    """(row, column) of a number per unit; with areas, their sheets from left to right, NaN between
    and below them."""
    values = np.asarray(values, dtype=float).reshape(-1)
    if not sheet.areas:
        return values.reshape(sheet.rows, sheet.cols)
    parts, tallest = list(sheet.areas.values()), max(area.rows for area in sheet.areas.values())
    shown = np.full((tallest, sum(area.cols for area in parts) + GAP * (len(parts) - 1)), np.nan)
    first = left = 0
    for area in parts:
        own = values[first : first + area.n_units].reshape(area.rows, area.cols)
        shown[: area.rows, left : left + area.cols] = own
        first, left = first + area.n_units, left + area.cols + GAP
    return shown


def place_of(unit: int, sheet) -> tuple[int, int]:
    """Row and column of a unit in `side_by_side`."""
    if not sheet.areas:
        return divmod(unit, sheet.cols)
    first = left = 0
    for area in sheet.areas.values():
        if unit < first + area.n_units:
            row, col = divmod(unit - first, area.cols)
            return row, left + col
        first, left = first + area.n_units, left + area.cols + GAP
    raise _core.UsageError(f"unit {unit}: the areas have {sheet.n_units} units; give 0 to {sheet.n_units - 1}")


def name_areas(ax, sizes: dict[str, tuple[int, int]], *, fontsize: float = 8) -> None:
    """Draws a frame around each sheet of `side_by_side`, with its name above; sizes: (rows, cols)."""
    from matplotlib.patches import Rectangle

    left = 0
    for name, (rows, cols) in sizes.items():
        ax.add_patch(Rectangle((left - 0.5, -0.5), cols, rows, fill=False, linewidth=0.8, clip_on=False))
        ax.text(left + (cols - 1) / 2, -0.8, name, ha="center", va="bottom", fontsize=fontsize)
        left += cols + GAP
    ax.set_axis_off()


def _sheet_ticks(ax, sheet):
    if sheet.areas:
        name_areas(ax, {name: (area.rows, area.cols) for name, area in sheet.areas.items()})
        return
    ax.set_xticks([0, sheet.cols - 1])
    ax.set_yticks([0, sheet.rows - 1])
    ax.set_xlabel("column of the sheet")
    ax.set_ylabel("row of the sheet")
    _framed(ax)


def _framed(ax):
    ax.spines[["top", "right"]].set_visible(True)
