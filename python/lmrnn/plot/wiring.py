"""Which synapses exist, and what lies where on the sheet."""

from __future__ import annotations

import numpy as np

from .. import _core
from . import style
from .inputs import mask_of, sheet_of, takes


@style.figure
@takes(mask_of)
def mask(mask, *, ax=None):
    """The matrix of a mask: a dot where target (down) has a source (across).

    mask : a Mask, an array, a Network, a Run, or the path of one of the latter. Returns the Axes.
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
    """Sources of one unit (by default the middle one; a dot) on the sheet.

    mask : as for `mask`. sheet : needed for a Mask or an array; a Run knows its own. Returns the
    Axes.
    """
    sheet, mask = sheet_of(mask, sheet), mask_of(mask)
    ax = style.new_axes(ax, 3.4, 3.4)
    unit = sheet.rows // 2 * sheet.cols + sheet.cols // 2 if unit is None else unit
    present = np.zeros(sheet.rows * sheet.cols)
    present[mask.sources_of(unit)] = 1
    shown = present.reshape(sheet.rows, sheet.cols)
    style.on_white(ax.imshow(shown, cmap="Blues", vmin=0, vmax=1.6, aspect="equal"))
    row, col = divmod(unit, sheet.cols)
    ax.plot(col, row, "o", color=style.COLOURS["vermillion"], markersize=5)
    ax.set_title(f"{len(mask.sources_of(unit))} sources of unit {unit}")
    _sheet_ticks(ax, sheet)
    return ax


@style.figure
def sheet_map(values, sheet, *, label: str = "", signed: bool = False, ax=None):
    """A number per unit, on the sheet. `signed`: colours that are symmetric about 0.

    values : (unit) or (row, col). sheet : a Sheet, or a Run or Trainer on one. Returns the Axes.
    """
    if not isinstance(sheet, _core.Sheet):
        sheet = sheet_of(sheet, None)
    values = np.asarray(values, dtype=float)
    if values.size != sheet.n_units:
        raise _core.UsageError(
            f"values: {values.size} of them, but the sheet has {sheet.rows} x {sheet.cols} units"
        )
    values = values.reshape(sheet.rows, sheet.cols)
    ax = style.new_axes(ax, 4.0, 3.4)
    largest = np.nanmax(np.abs(values)) if signed else None
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


def _sheet_ticks(ax, sheet):
    ax.set_xticks([0, sheet.cols - 1])
    ax.set_yticks([0, sheet.rows - 1])
    ax.set_xlabel("column of the sheet")
    ax.set_ylabel("row of the sheet")
    _framed(ax)


def _framed(ax):
    ax.spines[["top", "right"]].set_visible(True)
