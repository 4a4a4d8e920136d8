"""Scores by task: over time, and in the end."""

from __future__ import annotations

import numpy as np

from . import style


@style.figure
def task_heat_map(run, *, y: str = "share_of_ceiling", ax=None):
    """Accuracy of every task (down) at every evaluation (across), as a share of its ceiling."""
    table = run.tasks
    steps = np.unique(table["step"])
    names = list(dict.fromkeys(table["task"]))
    values = table[y].reshape(len(steps), len(names)).T
    ax = style.new_axes(ax, style.WIDTH, 1.2 + 0.145 * len(names))
    mesh = ax.pcolormesh(
        _edges(steps), np.arange(len(names) + 1), values, vmin=0, vmax=1, rasterized=True
    )
    ax.set_yticks(np.arange(len(names)) + 0.5, names, fontsize=7)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("optimiser steps")
    style.colour_bar(ax, mesh, "accuracy (share of ceiling)")
    return ax


def _edges(steps):
    """Cells that end at their evaluation: what was reached by then."""
    return np.concatenate([[2 * steps[0] - steps[1] if len(steps) > 1 else 0], steps])


@style.figure
def task_bars(scores, *, ax=None):
    """Decision accuracy of every task against what an ideal observer would reach (black ticks).

    scores : a Run (its last evaluation) or an Evaluation.
    """
    names, accuracy, ceiling, solved = _scores(scores)
    ax = style.new_axes(ax, style.WIDTH, 0.9 + 0.145 * len(names))
    rows = np.arange(len(names))
    colours = np.where(solved, style.COLOURS["blue"], style.COLOURS["sky"])
    ax.barh(rows, accuracy, height=0.72, color=colours)
    ax.vlines(ceiling, rows - 0.45, rows + 0.45, color=style.INK, linewidth=1.4)
    ax.set_yticks(rows, names, fontsize=7)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlim(0, 1.02)
    ax.set_xlabel("decision accuracy (dark: solved; tick: ceiling)")
    return ax


def _scores(scores):
    if hasattr(scores, "scores"):
        table = scores.scores
        return (
            list(table["task"]),
            table["decision_accuracy"],
            table["decision_ceiling"],
            table["solved"].astype(bool),
        )
    tasks = scores.tasks
    return (
        [task.name for task in tasks],
        np.array([task.decision_accuracy for task in tasks]),
        np.array([float(task.ceiling.decision_accuracy) for task in tasks]),
        np.array([task.solved for task in tasks]),
    )
