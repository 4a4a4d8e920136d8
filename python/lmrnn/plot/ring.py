"""Evidence for a ring attractor (`lmrnn analyze RUN ring`)."""

from __future__ import annotations

import numpy as np

from . import style
from .inputs import analysis_of, takes


@style.figure
@takes(analysis_of, "ring")
def ring(analysis, *, ax=None):
    """Decoded angle over the delay, one line per direction; the states of the ring on their first two principal
    components; and error and variance over time. The wheel shows which colour means which direction.

    analysis : Analysis of `ring`, or a run that has it. ax : three Axes, one to divide, or a Figure.
    Returns an array of three Axes.
    """
    axes = style.new_grid(ax, 1, 3, 9.8, 3.0)[0]
    with analysis.recording("ring") as file:
        decoded = file["decoded_angle"][:]  # (time, trial)
        direction = file["direction"][:]
        states = file["ring_states"][:]
    over_time = analysis.table("over_time")
    seconds = over_time["time_ms"] / 1000
    half = len(direction) // 2  # one modality is enough for the figure
    colours = style.direction_colours(direction)
    for trial in range(0, half, max(1, half // 32)):
        angle = np.degrees(np.mod(decoded[:, trial], 2 * np.pi))
        # A line that crosses 0° continues at 360°, without a stroke in between.
        angle[1:][np.abs(np.diff(angle)) > 180] = np.nan
        axes[0].plot(seconds, angle, color=colours[trial], linewidth=1)
    axes[0].set_xlabel("time in the delay (s)")
    axes[0].set_ylabel("decoded angle")
    axes[0].set_ylim(0, 360)
    style.degrees(axes[0], across=False)

    mean, components, share = style.components(states[:half])
    axes[1].scatter(*((states[:half] - mean) @ components.T).T, c=colours[:half], s=14)
    style.component_axes(axes[1], share)
    axes[1].set_title("states 2 s into the delay")
    style.direction_key(axes[1], "stimulus")

    axes[2].plot(seconds, over_time["median_error"], label="median error")
    axes[2].plot(seconds, np.sqrt(over_time["variance"]), "--", label="deviation with noise")
    # Half way to the next of 16 directions, for any n_ring.
    axes[2].axhline(11.25, color=style.GREY, linewidth=0.8, linestyle=":", label="limit of test 1, 11.25°")
    axes[2].set_ylim(0, None)
    axes[2].set_xlabel("time in the delay (s)")
    axes[2].set_ylabel("degrees")
    axes[2].legend(fontsize=7)
    return axes
