"""Fixed points (`fixed-points`), and activity sorted by direction (`record`)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from . import style

_MARKERS = {
    "attractor": ("o", style.COLOURS["blue"]),
    "marginal": ("s", style.COLOURS["green"]),
    "rotation": ("D", style.COLOURS["purple"]),
    "saddle": ("^", style.COLOURS["vermillion"]),
    "repeller": ("x", style.COLOURS["black"]),
}


@style.figure
def fixed_points(analysis, task):
    """The points of a task on their first two principal components, and their leading eigenvalues.
    Returns two Axes.

    analysis : Analysis of `fixed-points`; task : name of a task.
    """
    table = analysis.table("fixed_points")
    table = table.where(table["task"] == task)
    axes = Figure(figsize=(7.2, 3.3), layout="constrained").subplots(1, 2)
    axes[0].set_title(f"{task}: {table.n_rows} points")
    axes[0].set_xlabel("component 1")
    axes[0].set_ylabel("component 2")
    angle = np.linspace(0, 2 * np.pi, 200)
    axes[1].plot(np.cos(angle), np.sin(angle), color=style.GREY, linewidth=0.8)
    axes[1].set_aspect("equal", adjustable="datalim")
    axes[1].set_xlabel("real part")
    axes[1].set_ylabel("imaginary part")
    axes[1].set_title("leading eigenvalues")
    if table.n_rows == 0:
        return axes
    with analysis.recording("fixed_points") as file:
        states = file[f"{task}/states"][:]
        values = file[f"{task}/eigenvalues_real"][:] + 1j * file[f"{task}/eigenvalues_imaginary"][:]
    centred = states - states.mean(axis=0)
    _, _, components = np.linalg.svd(centred, full_matrices=False)
    points = centred @ components[:2].T
    if points.shape[1] < 2:
        points = np.column_stack([points, np.zeros(len(points))])
    for stability, (marker, colour) in _MARKERS.items():
        which = table["stability"] == stability
        if not which.any():
            continue
        axes[0].plot(*points[which].T, marker, color=colour, linestyle="none", label=stability)
        some = values[which].ravel()
        axes[1].plot(some.real, some.imag, marker, color=colour, linestyle="none", markersize=2.5)
    axes[0].legend()
    return axes


@style.figure
def activity_by_direction(analysis, task, *, ax=None):
    """Activity at the end of the delay, unit by direction of the stimulus; units are sorted by the
    direction that they prefer, and each is scaled to its own largest activity.

    analysis : Analysis of `record`, best with directions > 0; task : a reach task with a delay.
    """
    ax = style.new_axes(ax)
    with analysis.recording("recording") as file:
        states, periods = file[f"{task}/states"], file[f"{task}/periods"][:]
        direction = file[f"{task}/conditions/direction"][:]
        last = [np.flatnonzero(periods[:, k] == 2)[-1] for k in range(periods.shape[1])]
        activity = np.stack([states[t, :, k] for k, t in enumerate(last)])  # (trial, unit)
    angles = np.unique(np.round(direction, 9))
    by_angle = np.stack([activity[np.isclose(direction, a)].mean(axis=0) for a in angles])
    span = by_angle.max(axis=0) - by_angle.min(axis=0)
    tuned = span > 0.05 * span.max()
    by_angle = by_angle[:, tuned] / np.abs(by_angle[:, tuned]).max(axis=0)
    weight = by_angle - by_angle.min(axis=0)
    preferred = np.angle((weight * np.exp(1j * angles)[:, None]).sum(axis=0)) % (2 * np.pi)
    image = ax.imshow(by_angle[:, np.argsort(preferred)].T, extent=(0, 360, tuned.sum(), 0))
    ax.set_xticks([0, 90, 180, 270, 360])
    ax.set_xlabel("direction of the stimulus (degrees)")
    ax.set_ylabel("unit, by preferred direction")
    ax.set_title(f"{task}: {tuned.sum()} of {tuned.size} units are tuned")
    style.colour_bar(ax, image, "activity / largest")
    return ax
