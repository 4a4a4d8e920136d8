"""Learning over time, with bands over seeds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from . import style

LABELS = {
    "mean_share_of_ceiling": "accuracy\n(share of ceiling, mean of tasks)",
    "worst_share_of_ceiling": "accuracy of the worst task\n(share of ceiling)",
    "mean_accuracy": "accuracy (mean of tasks)",
    "mean_trial_accuracy": "trial accuracy (mean of tasks)",
    "tasks_solved": "tasks solved",
    "loss": "loss",
    "gradient_norm": "norm of the gradient",
    "learning_rate": "learning rate",
    "step": "optimiser steps",
    "trials": "trials",
    "seconds": "seconds",
}


@style.figure
def learning_curves(runs, *, y: str = "mean_share_of_ceiling", x: str = "step", ax=None):
    """A column of metrics.csv against another, one line per label.

    runs : a Run, a list of Runs (one line each), or a mapping from label to a Run or to Runs that
        differ in their seeds: then the line is their mean, and the band runs from the least to the
        largest.
    """
    ax = style.new_axes(ax)
    groups = _groups(runs)
    # Different dashes too: lines must differ without colours.
    dashes = ["-", "--", "-.", ":"]
    for number, (label, members) in enumerate(groups.items()):
        curves = [_curve(run, x, y) for run in members]
        grid = max((curve[0] for curve in curves), key=len)
        values = np.array([np.interp(grid, *curve, right=np.nan) for curve in curves])
        mean = values.mean(axis=0)
        dash = dashes[number // len(style.COLOURS) % len(dashes)]
        (line,) = ax.plot(grid, mean, dash, label=label)
        if len(members) > 1:
            ax.fill_between(
                grid, values.min(axis=0), values.max(axis=0), color=line.get_color(), alpha=0.2, lw=0
            )
    if "ceiling" in y:
        ax.axhline(1, color=style.GREY, linewidth=0.8, linestyle=":")
        ax.set_ylim(0, 1.04)
    elif y == "loss":
        ax.set_ylim(bottom=0)
    ax.set_xlim(left=0)
    ax.set_xlabel(LABELS.get(x, x))
    ax.set_ylabel(LABELS.get(y, y))
    if len(groups) > 1:
        ax.legend()
    return ax


def _groups(runs) -> dict[str, list]:
    if hasattr(runs, "metrics"):
        return {runs.name: [runs]}
    if not isinstance(runs, Mapping):
        return {run.name: [run] for run in runs}
    return {
        label: [member] if hasattr(member, "metrics") else list(member)
        for label, member in runs.items()
    }


def _curve(run, x, y):
    known = ~np.isnan(run.metrics[y].astype(float))
    return run.metrics[x][known].astype(float), run.metrics[y][known].astype(float)
