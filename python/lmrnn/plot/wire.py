"""Recurrent weights on the sheet (`weights`)."""

from __future__ import annotations

import numpy as np

from . import style
from .inputs import analysis_of, takes


@style.figure
@takes(analysis_of, "weights")
def weight_structure(analysis, *, ax=None):
    """Weight against distance, length of wire by weight, and eigenvalues before and after training.

    analysis : Analysis of `weights`, or a run that has it. ax : three Axes, one to divide, or a
    Figure. Returns an array of three Axes.
    """
    axes = style.new_grid(ax, 1, 3, 9.2, 2.9)[0]
    distance = analysis.table("distance")
    axes[0].errorbar(distance["distance"], distance["mean"], yerr=distance["deviation"], fmt="o",
                     label="mean and deviation", capsize=3)
    axes[0].plot(distance["distance"], distance["mean_magnitude"], "s--", label="mean magnitude",
                 color=style.COLOURS["orange"])
    axes[0].axhline(0, color=style.PALE, linewidth=0.8, zorder=0)
    axes[0].set_xlabel("distance on the sheet")
    axes[0].set_ylabel("recurrent weight")
    axes[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1))

    wire = analysis.table("wire_length")
    middle = (wire["least_magnitude"] + wire["most_magnitude"]) / 2
    error = 2 * wire["deviation_of_length"] / np.sqrt(wire["synapses"])
    axes[1].errorbar(middle, wire["mean_length"], yerr=error, fmt="o", capsize=2, elinewidth=1)
    axes[1].set_title("bars: 2 standard errors")
    axes[1].set_xlabel("magnitude of the weight")
    axes[1].set_ylabel("mean length of wire")

    table = analysis.table("spectrum")
    for when, marker in (("untrained", "x"), ("trained", "o")):
        rows = table.where(table["when"] == when)
        if rows.n_rows:
            axes[2].plot(rows["real"], rows["imaginary"], marker, markersize=2.2, label=when, mew=0.6)
    angle = np.linspace(0, 2 * np.pi, 200)
    axes[2].plot(np.cos(angle), np.sin(angle), color=style.GREY, linewidth=0.8)
    axes[2].set_aspect("equal", adjustable="datalim")
    axes[2].set_xlabel("real part")
    axes[2].set_ylabel("imaginary part")
    axes[2].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncol=2, title="eigenvalues of W")
    return axes
