"""Scores by task: over time, and at the end."""

from __future__ import annotations

import re
from collections.abc import Mapping

import matplotlib
import numpy as np

from .. import _core
from ..table import Table
from . import style
from .inputs import PATH, run_of, takes

LABELS = {
    "share_of_ceiling": "accuracy (share of ceiling)",
    "decision_accuracy": "decision accuracy",
    "trial_accuracy": "trial accuracy",
}


@style.figure
@takes(run_of)
def task_heat_map(run, *, y: str = "share_of_ceiling", ax=None):
    """Accuracy of every task (down) at every evaluation (across, to scale), as a share of its ceiling. The last ten
    percent take half of the colours.

    run : a Run or the path of one. Returns the Axes.
    """
    table = run.tasks
    if not table.n_rows:
        raise _core.UsageError(f"{run.directory}: no evaluation yet, so there are no scores to draw")
    steps = np.unique(table["step"]).astype(float)
    names = list(dict.fromkeys(table["task"]))
    values = table[y].reshape(len(steps), len(names)).T
    ax = style.new_axes(ax, style.WIDTH, 1.2 + 0.145 * len(names))
    mesh = ax.pcolormesh(
        _edges(steps), np.arange(len(names) + 1), np.clip(values, 0, 1), norm=_LastTenPercent(),
        rasterized=True,
    )  # fmt: skip
    size = 7 if len(names) <= 40 else 5.5
    ax.set_yticks(np.arange(len(names)) + 0.5, names, fontsize=size)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0, steps[-1])
    ax.set_xlabel("optimiser steps (a cell ends at its evaluation)")
    bar = style.colour_bar(ax, mesh, LABELS.get(y, style.words(y)))
    bar.set_ticks([0, 0.3, 0.6, 0.9, 0.925, 0.95, 0.975, 1])
    bar.ax.axhline(0.9, color="white", linewidth=0.8)
    return ax


class _LastTenPercent(matplotlib.colors.Normalize):
    """0 ... 0.9 takes half of the colours, 0.9 ... 1 the other half."""

    def __init__(self):
        super().__init__(0, 1)

    def __call__(self, value, clip=None):
        return np.ma.masked_invalid(np.interp(np.ma.filled(value, np.nan), [0, 0.9, 1], [0, 0.5, 1]))

    def inverse(self, value):
        return np.interp(value, [0, 0.5, 1], [0, 0.9, 1])


def _edges(steps):
    """Edges of cells that end at their evaluations: a cell shows what was reached by then. The first begins at 0."""
    first = 0.0 if steps[0] > 0 else -0.01 * max(steps[-1], 1)
    return np.concatenate([[first], steps])


@style.figure
def task_bars(scores, *, ax=None):
    """Decision accuracy of every task, with the 95% interval that its number of trials gives,
    against what an ideal observer would reach (black ticks) and what guessing would (grey ticks).

    scores : a Run (its last evaluation), the path of one, an Evaluation, or a Table with the columns of
    tasks.csv (`Run.scores`, `lmrnn.zoo(NAME).test_scores`). Returns the Axes.
    """
    names, accuracy, lower, ceiling, solved = _scores(scores)
    good = "passed" if isinstance(scores, Table) and "solved" not in scores else "solved"
    ax = style.new_axes(ax, style.WIDTH, 0.9 + 0.145 * len(names))
    rows = np.arange(len(names))
    colours = np.where(solved, style.COLOURS["blue"], style.COLOURS["sky"])
    ax.barh(rows, accuracy, height=0.72, color=colours)
    ax.hlines(rows, lower, accuracy, color=style.INK, linewidth=0.8)
    ax.vlines(ceiling, rows - 0.45, rows + 0.45, color=style.INK, linewidth=1.4)
    ax.vlines([_chance(name) for name in names], rows - 0.36, rows + 0.36, color="#555555", linewidth=1)
    size = 7 if len(names) <= 40 else 5.5
    ax.set_yticks(rows, names, fontsize=size)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlim(0, 1.02)
    ax.set_xlabel(f"decision accuracy\n(dark: {good}; black tick: ceiling; line: to the lower 95% bound;\n"
                  "grey tick: chance)", fontsize=8)  # fmt: skip
    return ax


@style.figure
def task_grid(scores, *, ax=None):
    """The whole battery at a glance: base tasks (down) by modifiers (across), each cell the accuracy of one task as a
    share of its ceiling, in percent. The last ten percent take half of the colours. A cell is empty if the battery has
    no such task, or if the network was not scored on it.

    scores : a Run (its last evaluation), the path of one, an Evaluation, or a Table with the columns of
    tasks.csv (`Run.scores`, `lmrnn.zoo(NAME).test_scores`). Returns the Axes.
    """
    names, accuracy, _, ceiling, _ = _scores(scores)
    where = [_base_and_modifiers(name) for name in names]
    bases = list(dict.fromkeys(base for base, _ in where))
    modifiers = sorted({modifier for _, modifier in where}, key=lambda m: (len(m), m))
    grid = np.full((len(bases), len(modifiers)), np.nan)
    for (base, modifier), share in zip(where, np.asarray(accuracy) / np.asarray(ceiling)):
        grid[bases.index(base), modifiers.index(modifier)] = share
    width = max(style.WIDTH, 1.7 + 0.52 * len(modifiers))
    ax = style.new_axes(ax, width, 0.9 + 0.17 * len(bases))
    mesh = ax.pcolormesh(np.clip(grid, 0, 1), norm=_LastTenPercent(), edgecolors="white", linewidth=0.8)
    for (row, column), share in np.ndenumerate(grid):
        if np.isfinite(share):
            ax.text(
                column + 0.5, row + 0.5, f"{100 * share:.0f}", ha="center", va="center", fontsize=6,
                color=style.INK if share > 0.93 else "white",
            )  # fmt: skip
    ax.set_yticks(np.arange(len(bases)) + 0.5, bases, fontsize=7)
    ax.set_xticks(np.arange(len(modifiers)) + 0.5, [m or "base" for m in modifiers], fontsize=7)
    ax.xaxis.tick_top()
    ax.invert_yaxis()
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    bar = style.colour_bar(ax, mesh, LABELS["share_of_ceiling"])
    bar.set_ticks([0, 0.3, 0.6, 0.9, 0.925, 0.95, 0.975, 1])
    bar.ax.axhline(0.9, color="white", linewidth=0.8)
    return ax


def _base_and_modifiers(name: str) -> tuple[str, str]:
    """("dlygo", "intrseqr") of "dlygointrseqr"."""
    modifiers = re.search(r"(?:(?:int|seq)[rl])*$", name).group()
    return name[: len(name) - len(modifiers)], modifiers


@style.figure
def task_comparison(runs, *, ax=None):
    """Decision accuracy of every task for several runs, a marker each, against what an ideal observer
    would reach (black ticks; where the ceilings of the runs differ, a tick in the colour of each).

    runs : a mapping from label to a Run, the path of one, or an Evaluation. Draws only tasks that all of them have.
    Returns the Axes. Raises UsageError if they have none in common.
    """
    if not isinstance(runs, Mapping) or not runs:
        raise _core.UsageError("runs: expected a mapping from labels to runs, e.g. {'local': run, 'dense': other}")
    found = {str(label): _scores(one) for label, one in runs.items()}
    first = next(iter(found.values()))
    common = [name for name in first[0] if all(name in scores[0] for scores in found.values())]
    if not common:
        raise _core.UsageError("runs: they have no evaluated task in common")
    n_lines = -(-len(found) // 2)  # of the legend
    ax = style.new_axes(ax, style.WIDTH, 1.1 + 0.145 * len(common) + 0.17 * (n_lines - 1))
    rows = np.arange(len(common))
    places = [[list(scores[0]).index(name) for name in common] for scores in found.values()]
    each = [np.asarray(scores[1])[where] for scores, where in zip(found.values(), places)]
    ceilings = np.array([np.asarray(scores[3])[where] for scores, where in zip(found.values(), places)])
    # As exact as lmrnn compare prints them.
    differ = np.ptp(ceilings, axis=0) > 5e-5
    ax.vlines(ceilings[0][~differ], rows[~differ] - 0.45, rows[~differ] + 0.45, color=style.INK, linewidth=1.4)
    for number, (label, accuracy) in enumerate(zip(found, each)):
        colour, marker, dash = style.series(number)
        ax.vlines(ceilings[number][differ], rows[differ] - 0.45, rows[differ] + 0.45, color=colour,
                  linestyle=dash, linewidth=1.4)  # fmt: skip
        ax.plot(accuracy, rows, marker, color=colour, linestyle="none", label=label, markersize=4.5)
    ax.hlines(rows, np.min(each, axis=0), np.max(each, axis=0), color=style.PALE, linewidth=2, zorder=0)
    size = 7 if len(common) <= 40 else 5.5
    ax.set_yticks(rows, common, fontsize=size)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(common) - 0.4, -0.6)
    ax.set_xlim(0, 1.02)
    tick = "black tick: ceiling; coloured: each run's own" if differ.any() else "tick: ceiling"
    ax.set_xlabel(f"decision accuracy ({tick})")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=2, borderaxespad=0.2)
    return ax


def _chance(name: str) -> float:
    """Accuracy of a network that guesses: a match task has two possible answers."""
    return 0.5 if name.startswith(("dms", "dnms", "dmc", "dnmc")) else np.nan


def _scores(scores):
    """Names, accuracies, their lower bounds, ceilings, and whether each is solved (or passed)."""
    if isinstance(scores, Table):
        return _columns(scores)
    if isinstance(scores, PATH) or (hasattr(scores, "directory") and not hasattr(scores, "scores")):
        scores = run_of(scores)
    if hasattr(scores, "metrics"):
        table = scores.scores
        if not table.n_rows:
            raise _core.UsageError(f"{scores.directory}: no evaluation yet, so there are no scores to draw")
        return _columns(table)
    tasks = scores.tasks
    return (
        [task.name for task in tasks],
        np.array([task.decision_accuracy for task in tasks]),
        np.array([task.decision_lower for task in tasks]),
        np.array([float(task.ceiling.decision_accuracy) for task in tasks]),
        np.array([task.solved for task in tasks]),
    )


def _columns(table):
    return (
        list(table["task"]),
        table["decision_accuracy"],
        table["decision_lower"],
        table["decision_ceiling"],
        table["solved" if "solved" in table else "passed"].astype(bool),
    )
