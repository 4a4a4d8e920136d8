"""Fixed points (`fixed-points`), trajectories and activity sorted by direction (`record`)."""

from __future__ import annotations

import numpy as np

from .. import _core
from ..analysis import Analysis
from ..points import FixedPoints
from . import style
from .inputs import analysis_of, takes

_MARKERS = {
    "attractor": ("o", style.COLOURS["blue"]),
    "marginal": ("s", style.COLOURS["green"]),
    "rotation": ("D", style.COLOURS["purple"]),
    "saddle": ("^", style.COLOURS["vermillion"]),
    "repeller": ("X", style.COLOURS["black"]),
}
_PERIODS = ("fixation", "stimulus", "delay", "second stimulus", "decision")
_PERIOD_MARKERS = ("o", "^", "s", "v", "D")


@style.figure
@takes(lambda thing: thing if isinstance(thing, FixedPoints) else analysis_of(thing, "fixed-points"))
def fixed_points(analysis, task=None, *, recording=None, ax=None):
    """The points of a task on two principal components, with trajectories of trials through them,
    and their leading eigenvalues.

    The plane is that of the trajectories if there are any, otherwise that of the points.

    analysis : Analysis of `fixed-points`, or a run that has it, and task : name of a task. Or the result of
        lmrnn.fixed_points for any cell, without a task.
    recording : Analysis of `record` for the trajectories, or False for none; by default that of the same run, if it
        has one. Or states (time, row, unit), with NaN for missing values.
    ax : two Axes, one to divide, or a Figure.

    Returns an array of two Axes.
    """
    of_any_cell = isinstance(analysis, FixedPoints)
    if of_any_cell == (task is not None):
        raise _core.UsageError(
            "plot.fixed_points: points of a cell are of no task; leave task out" if of_any_cell
            else "plot.fixed_points: which task? Give its name"
        )  # fmt: skip
    table, points, values = _points_of(analysis, task)
    axes = style.new_grid(ax, 1, 2, 7.6, 3.4)[0]
    _unit_circle(axes[1])
    axes[1].set_title("leading eigenvalues of one step")
    if hasattr(recording, "shape"):
        states = np.asarray(recording).transpose(1, 0, 2)
    else:
        states = None if of_any_cell else _states_of(recording, analysis, task)
    plane = points if states is None else states.reshape(-1, states.shape[-1])
    plane = plane[np.isfinite(plane).all(axis=1)]
    if len(plane):
        mean, components, share = style.components(plane)
        if states is not None:
            for path in states:
                axes[0].plot(*((path - mean) @ components.T).T, color=style.PALE, linewidth=0.8, zorder=1)
        placed = (points.reshape(-1, plane.shape[1]) - mean) @ components.T
        for stability, (marker, colour) in _MARKERS.items():
            which = table["stability"] == stability
            if not which.any():
                continue
            label = f"{stability} ({which.sum()})"
            axes[0].plot(*placed[which].T, marker, color=colour, linestyle="none", label=label, zorder=2)
            some = values[which].ravel()
            axes[1].plot(some.real, some.imag, marker, color=colour, linestyle="none", markersize=2.5)
        style.component_axes(axes[0], share)
    axes[0].set_title((f"{task}: " if task else "") + f"{table.n_rows} fixed and slow points"
                      + (", trials in grey" if states is not None else ""))  # fmt: skip
    if axes[0].get_legend_handles_labels()[0]:
        axes[0].legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncol=3, handletextpad=0.1)
    return axes


_MOST_EIGENVALUES = 10


def _points_of(analysis, task):
    """The table, the points (point, unit) and their leading eigenvalues (point, eigenvalue)."""
    if isinstance(analysis, FixedPoints):
        return analysis.table, analysis.states, analysis.eigenvalues[:, :_MOST_EIGENVALUES]
    table = analysis.table("fixed_points")
    table = table.where(table["task"] == task)
    if not table.n_rows:
        return table, np.zeros((0, 2)), np.zeros((0, 1))
    with analysis.recording("fixed_points") as file:
        values = file[f"{task}/eigenvalues_real"][:] + 1j * file[f"{task}/eigenvalues_imaginary"][:]
        return table, file[f"{task}/states"][:], values


def _states_of(recording, analysis, task) -> np.ndarray | None:
    """(trial, time, unit) of a recording, NaN in the padding; None without one."""
    if recording is False:
        return None
    if recording is None:
        beside = analysis.directory.parent / "record"
        if not (beside / "summary.json").is_file():
            return None
        recording = Analysis(beside)
    recording = analysis_of(recording, "record")
    with recording.recording("recording") as file:
        if task not in file:
            return None
        states, mask = file[f"{task}/states"][:], file[f"{task}/mask"][:]
    states = np.where(mask[:, None, :] > 0, states, np.nan)
    return states.transpose(2, 0, 1)


def _unit_circle(ax) -> None:
    angle = np.linspace(0, 2 * np.pi, 200)
    ax.plot(np.cos(angle), np.sin(angle), color=style.GREY, linewidth=0.8)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel("real part")
    ax.set_ylabel("imaginary part")


@style.figure
@takes(analysis_of, "record")
def trajectories(analysis, task, *, trials: int = 32, ax=None):
    """Activity of a task's trials on its first two principal components: a line per trial, coloured
    by the direction of the right answer (grey: keep fixating), a marker where each period begins.

    analysis : Analysis of `record`, or a run that has it; task : a name; trials : the largest number to draw.
    Returns the Axes.
    """
    with analysis.recording("recording") as file:
        if task not in file:
            raise _core.UsageError(f"{analysis.directory}: no task {task!r}; it has {', '.join(file)}")
        group = file[task]
        periods, responses = group["periods"][:], group["responses"][:]
        n_ring = group["logits"].shape[1] - 1
    paths = _states_of(analysis, analysis, task)[:trials]
    samples = paths.reshape(-1, paths.shape[-1])
    mean, components, share = style.components(samples[np.isfinite(samples).all(axis=1)])
    ax = style.new_axes(ax, 4.6, 3.6)
    colours = style.direction_colours(2 * np.pi * np.maximum(responses, 0) / n_ring)
    colours[responses < 0] = style.matplotlib.colors.to_rgba(style.GREY)
    seen = set()
    for path, colour, period in zip(paths, colours, periods.T):
        placed = (path - mean) @ components.T
        ax.plot(*placed.T, color=colour, linewidth=1)
        known = np.flatnonzero(np.isfinite(placed[:, 0]))
        for p in np.unique(period[known]):
            t = known[period[known] == p][0]
            label = None if p in seen else f"{_PERIODS[p]} begins"
            seen.add(p)
            ax.plot(*placed[t], _PERIOD_MARKERS[p], color=colour, markersize=4, mec=style.INK, mew=0.4,
                    label=label, linestyle="none")  # fmt: skip
    style.component_axes(ax, share)
    ax.set_title(f"{task}: {len(paths)} trials")
    if seen:
        legend = ax.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 0.6), handletextpad=0.1)
        for handle in legend.legend_handles if hasattr(legend, "legend_handles") else legend.legendHandles:
            handle.set_markerfacecolor("white")
    style.direction_key(ax, "right answer")
    return ax


@style.figure
@takes(analysis_of, "record")
def activity_by_direction(analysis, task, *, ax=None):
    """Activity at the end of the delay, unit by direction of the stimulus; units are sorted by the
    direction that they prefer, and each is scaled to its own largest activity.

    analysis : Analysis of `record`, best with directions > 0, or a run that has it; task : a reach
    task with a delay. Returns the Axes.
    """
    with analysis.recording("recording") as file:
        if f"{task}/conditions/direction" not in file:
            reach = [name for name in file if "direction" in file[f"{name}/conditions"]]
            raise _core.UsageError(
                f"{task!r}: not a recorded task with one direction; those are {', '.join(reach) or 'none'}"
            )
        seen = "rates" if f"{task}/rates" in file else "states"  # of voltages: what other units see
        states, periods = file[f"{task}/{seen}"], file[f"{task}/periods"][:]
        direction = file[f"{task}/conditions/direction"][:]
        last = [_last_of_delay(periods[:, k], task) for k in range(periods.shape[1])]
        activity = np.stack([states[t, :, k] for k, t in enumerate(last)])  # (trial, unit)
    angles = np.unique(np.round(direction, 9))
    by_angle = np.stack([activity[np.isclose(direction, a)].mean(axis=0) for a in angles])
    span = by_angle.max(axis=0) - by_angle.min(axis=0)
    tuned = span > 0.05 * span.max()
    ax = style.new_axes(ax)
    ax.set_xlabel("direction of the stimulus")
    ax.set_ylabel("unit, by preferred direction")
    ax.set_title(f"{task}: {tuned.sum()} of {tuned.size} units are tuned")
    if not tuned.any():
        style.say_undefined(ax, "preferred directions")
        return ax
    by_angle = by_angle[:, tuned] / np.abs(by_angle[:, tuned]).max(axis=0)
    weight = by_angle - by_angle.min(axis=0)
    preferred = np.angle((weight * np.exp(1j * angles)[:, None]).sum(axis=0)) % (2 * np.pi)
    # A column per direction that was shown, as wide as the gap to its neighbours.
    at = np.degrees(angles)
    between = (at[:-1] + at[1:]) / 2
    first, last = (at[1] - at[0], at[-1] - at[-2]) if len(at) > 1 else (360, 360)
    edges = np.concatenate([[at[0] - first / 2], between, [at[-1] + last / 2]])
    ordered = by_angle[:, np.argsort(preferred)].T
    low = min(float(ordered.min()), 0.0)
    image = ax.pcolormesh(edges, np.arange(tuned.sum() + 1), ordered, vmin=low, vmax=1, rasterized=True)
    ax.invert_yaxis()
    style.degrees(ax)
    ax.set_xlim(edges[0], edges[-1])
    style.colour_bar(ax, image, "activity / largest of the unit")
    return ax


def _last_of_delay(periods, task) -> int:
    """The last step of the delay, or of the stimulus in a trial without one."""
    for period in (2, 1):
        found = np.flatnonzero(periods == period)
        if len(found):
            return int(found[-1])
    raise _core.UsageError(f"{task}: a recorded trial has neither a stimulus nor a delay")
