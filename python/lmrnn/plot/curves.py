"""Learning over time, with bands over seeds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .. import _core
from . import style
from .inputs import run_of

LABELS = {
    "mean_share_of_ceiling": "accuracy\n(share of ceiling, mean of tasks)",
    "worst_share_of_ceiling": "accuracy of the worst task\n(share of ceiling)",
    "mean_accuracy": "accuracy (mean of tasks)",
    "mean_trial_accuracy": "trial accuracy (mean of tasks)",
    "tasks_solved": "tasks solved",
    "tasks_passed": "tasks at 95% of their ceiling",
    "loss": "loss",
    "gradient_norm": "norm of the gradient",
    "learning_rate": "learning rate",
    "step": "optimiser steps",
    "trials": "trials",
    "seconds": "seconds",
}
_OF_TASKS = {
    "mean_share_of_ceiling": ("decision_accuracy", "decision_ceiling"),
    "mean_accuracy": ("decision_accuracy", None),
    "mean_trial_accuracy": ("trial_accuracy", None),
}
_MEAN_OF = {
    "mean_share_of_ceiling": "share_of_ceiling",
    "mean_accuracy": "decision_accuracy",
    "mean_trial_accuracy": "trial_accuracy",
}
"""The columns of tasks.csv whose means are in metrics.csv."""


@style.figure
def learning_curves(
    runs, *, y: str = "mean_share_of_ceiling", x: str = "step", interval: str = "range", tasks=None, ax=None
):
    """A column of metrics.csv against another, one line per label; a marker at every evaluation.

    Curves of scores begin at step 0 with the untrained network (Run.untrained_scores), which is evaluated for the
    figure. If that is impossible for a run, its curve begins at the first evaluation.

    runs : a Run or the path of one, a list of them (one line each), or a mapping from label to one or to several
        that differ in their seeds: then the line is their mean. Where only some of them have values, because others are
        shorter, the mean is dotted.
    interval : the band around a mean: "range", from the least to the largest run; "deviation", one standard
        deviation; "95%", Student's interval for the mean; "none". A line of one run has the 95% interval from its
        numbers of held-out trials if y is a mean over tasks, unless "none".
    tasks : names of tasks that all runs have; then y is the mean over them instead of over all tasks of a run, so that
        runs with different batteries can be compared. Needs x="step" and a y that is a mean over tasks.

    Returns the Axes. Raises UsageError if no run has values, e.g. before the first evaluation.
    """
    if interval not in ("range", "deviation", "95%", "none"):
        raise _core.UsageError(f'interval = {interval!r}; it must be one of "range", "deviation", "95%", "none"')
    groups = _groups(runs)
    if tasks is not None:
        if y not in _MEAN_OF or x != "step":
            raise _core.UsageError(f'tasks = ...: needs x = "step" and y one of {", ".join(_MEAN_OF)}; '
                                   f"got x = {x!r}, y = {y!r}")  # fmt: skip
        tasks = [tasks] if isinstance(tasks, str) else list(tasks)
        for run in (run for members in groups.values() for run in members):
            _check_tasks(run, tasks)
    curves = {label: _curves(members, x, y, tasks) for label, members in groups.items()}
    if not any(curves.values()):
        remedy = '; y="loss" has some from the first logged step' if y != "loss" else ""
        raise _core.UsageError(f"no run has values of {y} yet{remedy}")
    ax = style.new_axes(ax)
    for number, (label, members) in enumerate(groups.items()):
        known = curves[label]
        if not known:
            continue
        missing = f" ({len(known)} of {len(members)} runs)" if len(known) < len(members) else ""
        # Also different dashes, because lines must be distinguishable without colours.
        _, marker, dash = style.series(number)
        marker = marker if y in _EVALUATED else ""
        options = {"linestyle": dash, "marker": marker, "markersize": 3.2, "label": label + missing}
        if len(known) == 1:
            _one(ax, known[0], options, interval, _run_with(members, x, y, tasks), y, tasks)
        else:
            _several(ax, known, options, interval)
    _finish(ax, x, y)
    if tasks is not None:
        ax.set_ylabel(ax.get_ylabel().replace("mean of tasks", f"mean of {len(tasks)} task{'s' * (len(tasks) != 1)}"))
    if len(groups) > 1:
        ax.legend()
    return ax


_EVALUATED = {
    "mean_accuracy", "mean_trial_accuracy", "mean_share_of_ceiling", "worst_share_of_ceiling",
    "tasks_passed", "tasks_solved",
}  # fmt: skip


def _one(ax, curve, options, interval, run, y, tasks):
    (line,) = ax.plot(*curve, **options)
    error = _error(run, y, tasks)
    if interval != "none" and error is not None and len(error) == len(curve[1]):
        ax.fill_between(curve[0], curve[1] - error, curve[1] + error, color=line.get_color(), alpha=0.2, lw=0)


def _several(ax, curves, options, interval):
    """The mean of curves; dotted where some have already ended."""
    grid = np.unique(np.concatenate([curve[0] for curve in curves]))
    values = np.array([np.interp(grid, *curve, left=np.nan, right=np.nan) for curve in curves])
    n = np.isfinite(values).sum(axis=0)
    mean = np.nanmean(values, axis=0)
    everywhere = n == len(curves)
    (line,) = ax.plot(grid, np.where(everywhere, mean, np.nan), **options)
    colour = line.get_color()
    if not everywhere.all():
        part = ~everywhere
        # The dotted part begins where the solid one ends.
        part[:-1] |= ~everywhere[1:]
        part[1:] |= ~everywhere[:-1]
        ax.plot(grid, np.where(part, mean, np.nan), ":", color=colour, linewidth=1)
    if interval != "none":
        lower, upper = _band(values, n, interval)
        ax.fill_between(grid, lower, upper, color=colour, alpha=0.2, lw=0)


def _band(values, n, interval):
    if interval == "range":
        return np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    mean = np.nanmean(values, axis=0)
    squares = np.nansum((values - mean) ** 2, axis=0)
    half = np.sqrt(squares / np.maximum(n - 1, 1))
    if interval == "95%":
        half *= np.array([_student(k - 1) for k in n]) / np.sqrt(n)
    half = np.where(n > 1, half, np.nan)
    return mean - half, mean + half


_STUDENT = [np.nan, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]


def _student(freedom: int) -> float:
    """97.5% quantile of Student's distribution; beyond a table, Peizer and Pratt's expansion."""
    if freedom < len(_STUDENT):
        return _STUDENT[max(freedom, 0)]
    z = 1.959964
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def _check_tasks(run, tasks) -> None:
    known = list(dict.fromkeys(run.tasks["task"])) if run.tasks.n_rows else []
    missing = [name for name in tasks if name not in known]
    if not tasks or (known and missing):
        raise _core.UsageError(f"tasks: {', '.join(map(repr, missing)) or 'no task'}; {run.directory} was evaluated on "
                               f"{', '.join(known) or 'none yet'}")  # fmt: skip


def _rows_of(run, tasks):
    """Rows of tasks.csv, all of them or those of `tasks`."""
    table = run.tasks
    return table if tasks is None or not table.n_rows else table.where(np.isin(table["task"], tasks))


def _error(run, y, tasks) -> np.ndarray | None:
    """(evaluation) half the 95% interval of the mean over tasks, from the numbers of trials."""
    if y not in _OF_TASKS or not run.tasks.n_rows:
        return None
    key, ceiling = _OF_TASKS[y]
    table = _rows_of(run, tasks)
    p, n = table[key].astype(float), table["trials"].astype(float)
    scale = table[ceiling].astype(float) if ceiling else np.ones(len(p))
    errors = [_half_width(p[now], n[now], scale[now]) for now in
              (table["step"] == step for step in np.unique(table["step"]))]  # fmt: skip
    if (start := _start(run)) is not None:
        shown = [task for task in start if tasks is None or task.name in tasks]
        p = np.array([getattr(task, key) for task in shown])
        scale = [task.ceiling.decision_accuracy.value if ceiling else 1 for task in shown]
        errors.insert(0, _half_width(p, np.array([task.n_trials for task in shown]), np.array(scale)))
    return np.array(errors)


def _half_width(p, n, scale) -> float:
    """Half of the 95% interval of the mean over tasks of p / scale; p: shares of n trials."""
    variance = p * (1 - p) / n / np.maximum(scale, 1e-9) ** 2
    return 1.96 * np.sqrt(variance.sum()) / len(p)


_OF_UNTRAINED = {"tasks_passed": "n_passed", "tasks_solved": "n_solved"}


def _start(run) -> _core.Evaluation | None:
    """The scores before the first step; None if the initial network cannot be made again."""
    try:
        return run.untrained_scores
    except (_core.UsageError, _core.RunError):
        return None


def _finish(ax, x, y):
    if "ceiling" in y:
        ax.axhline(1, color=style.GREY, linewidth=0.8, linestyle=":")
        ax.set_ylim(0, style.share_top(ax))
    elif "accuracy" in y:
        ax.set_ylim(0, 1.02)
    elif y in ("loss", "tasks_solved", "tasks_passed"):
        ax.set_ylim(bottom=0)
    if y == "tasks_solved":
        ax.yaxis.get_major_locator().set_params(integer=True)
    ax.set_xlim(left=0)
    ax.set_xlabel(LABELS.get(x, style.words(x)))
    ax.set_ylabel(LABELS.get(y, style.words(y)))


def _groups(runs) -> dict[str, list]:
    if isinstance(runs, Mapping):
        return {
            str(label): [run_of(m) for m in (member if isinstance(member, (list, tuple)) else [member])]
            for label, member in runs.items()
        }
    if isinstance(runs, (list, tuple)):
        found = [run_of(run) for run in runs]
        names = [run.name for run in found]
        # Runs of different studies can have the same name; their folders tell them apart.
        return {
            run.name if names.count(run.name) == 1 else str(run.directory): [run] for run in found
        }
    run = run_of(runs)
    return {run.name: [run]}


def _curves(members, x, y, tasks):
    return [curve for run in members if len((curve := _curve(run, x, y, tasks))[0])]


def _run_with(members, x, y, tasks):
    return next(run for run in members if len(_curve(run, x, y, tasks)[0]))


def _curve_of(run, y, tasks):
    """Steps and means over `tasks`."""
    table = _rows_of(run, tasks)
    if not table.n_rows:
        return np.zeros(0), np.zeros(0)
    across = np.unique(table["step"])
    up = np.array([table[_MEAN_OF[y]][table["step"] == step].mean() for step in across])
    if (start := _start(run)) is not None:
        column = _MEAN_OF[y]
        across = np.append(0, across)
        up = np.append(np.mean([getattr(task, column) for task in start if task.name in tasks]), up)
    return across.astype(float), up


def _curve(run, x, y, tasks):
    if tasks is not None:
        return _curve_of(run, y, tasks)
    metrics = run.metrics
    for column in (x, y):
        if metrics and column not in metrics:
            raise _core.UsageError(
                f"{run.directory}: metrics.csv has no column {column!r}; it has {', '.join(metrics)}"
            )
    if not metrics.n_rows:
        return np.zeros(0), np.zeros(0)
    known = ~np.isnan(metrics[y].astype(float))
    across, up = metrics[x][known].astype(float), metrics[y][known].astype(float)
    if y in _EVALUATED and len(up) and x in ("step", "trials", "seconds"):
        if (start := _start(run)) is not None:
            across = np.append(0, across)
            up = np.append(getattr(start, _OF_UNTRAINED.get(y, y)), up)
    return across, up
