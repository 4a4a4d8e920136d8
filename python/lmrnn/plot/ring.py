"""Evidence for a ring attractor (`lmrnn analyze RUN ring`)."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from . import style


@style.figure
def ring(analysis):
    """Decoded angle over the delay, one line per direction; the states of the ring on their first
    two principal components; and error and variance over time. Returns three Axes.

    analysis : Analysis of `ring`.
    """
    axes = Figure(figsize=(9.2, 2.9), layout="constrained").subplots(1, 3)
    with analysis.recording("ring") as file:
        decoded = file["decoded_angle"][:]  # (time, trial)
        direction = file["direction"][:]
        states = file["ring_states"][:]
    over_time = analysis.table("over_time")
    seconds = over_time["time_ms"] / 1000
    half = len(direction) // 2  # one modality is enough to look at
    colours = plt.get_cmap("twilight")(direction / (2 * np.pi))
    shown = range(0, half, max(1, half // 32))
    for trial in shown:
        turned = np.unwrap(decoded[:, trial])
        nearest = np.round((turned[0] - direction[trial]) / (2 * np.pi)) * 2 * np.pi
        axes[0].plot(seconds, np.degrees(turned - nearest), color=colours[trial], linewidth=1)
    axes[0].set_xlabel("time in the delay (s)")
    axes[0].set_ylabel("decoded angle (degrees)")
    axes[0].set_yticks([0, 90, 180, 270, 360])

    ring_states = states[:half] - states[:half].mean(axis=0)
    _, _, components = np.linalg.svd(ring_states, full_matrices=False)
    points = ring_states @ components[:2].T
    axes[1].scatter(*points.T, c=colours[:half], s=14)
    axes[1].set_aspect("equal", adjustable="datalim")
    axes[1].set_xlabel("component 1")
    axes[1].set_ylabel("component 2")
    axes[1].set_title("states 2 s into the delay")

    axes[2].plot(seconds, over_time["median_error"], label="median error")
    deviation = np.sqrt(over_time["variance"])
    axes[2].plot(seconds, deviation, "--", label="deviation with noise")
    axes[2].axhline(11.25, color=style.GREY, linewidth=0.8, linestyle=":")
    axes[2].set_ylim(0, None)
    axes[2].set_xlabel("time in the delay (s)")
    axes[2].set_ylabel("degrees")
    axes[2].legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=2, borderaxespad=0.2)
    return axes
