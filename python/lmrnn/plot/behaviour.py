"""What the network answers (`psychometric`, `confusion`, `extrapolation`, `pruning`), and when it
learned to."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from . import style


@style.figure
def psychometric(analysis, *, tasks=None):
    """Choice against evidence with the ideal observer's curve, accuracy against delay, and accuracy
    against direction; bars are 95% intervals. Returns three Axes.

    tasks : names; default: the first four tasks that have such a curve, in each panel.
    """
    axes = Figure(figsize=(9.2, 2.9), layout="constrained").subplots(1, 3)
    table = analysis.table("psychometric")
    panels = {"evidence": "chose_first", "delay": "accuracy", "direction": "accuracy"}
    labels = {"evidence": "difference of strengths", "delay": "delay (ms)",
              "direction": "direction (degrees)"}
    for ax, (axis, y) in zip(axes, panels.items()):
        part = table.where(table["axis"] == axis)
        names = [t for t in dict.fromkeys(part["task"]) if tasks is None or t in tasks]
        lower, upper = ("chose_first_lower", "chose_first_upper") if axis == "evidence" else (
            "lower", "upper")
        for name, colour in zip(names[: len(tasks) if tasks else 4], style.COLOURS.values()):
            rows = part.where(part["task"] == name)
            if axis == "direction":
                _by_direction(ax, rows, name, colour)
                continue
            error = [rows[y] - rows[lower], rows[upper] - rows[y]]
            ax.errorbar(rows["x"], rows[y], yerr=np.clip(error, 0, None), fmt=".-", color=colour,
                        label=name, linewidth=1.2)
            if axis == "evidence":
                ideal = np.where(rows["x"] > 0, rows["ideal"], 1 - rows["ideal"])
                ax.plot(rows["x"], ideal, ":", color=colour, linewidth=1)
        ax.set_xlabel(labels[axis])
        ax.set_ylabel("chose the first" if axis == "evidence" else "accuracy")
        ax.set_ylim(-0.03, 1.03)
        if names:
            ax.legend(fontsize=7)
    if len(table.where(table["axis"] == "evidence")["x"]):
        axes[0].set_title("dotted: ideal observer")
    axes[2].set_xticks([0, 90, 180, 270, 360])
    axes[2].set_title("line: trained; crosses: in between")
    return axes


def _by_direction(ax, rows, name, colour):
    """Trained directions are every third row, from the first."""
    trained = np.arange(rows.n_rows) % 3 == 0
    ax.plot(rows["x"][trained], rows["accuracy"][trained], ".-", color=colour, label=name, linewidth=1.2)
    ax.plot(rows["x"][~trained], rows["accuracy"][~trained], "x", color=colour, markersize=3, mew=0.8)


@style.figure
def confusion(analysis, task, *, ax=None):
    """Share of answers by right class; class 0 is fixation."""
    ax = style.new_axes(ax, 3.8, 3.2)
    with analysis.recording("confusion") as file:
        counts = file[task][:].astype(float)
    total = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)
    image = ax.imshow(share, vmin=0, vmax=1, aspect="equal")
    ax.set_xticks(range(0, len(counts), max(1, len(counts) // 4)))
    ax.set_yticks(range(0, len(counts), max(1, len(counts) // 4)))
    ax.set_xlabel("answered")
    ax.set_ylabel("right")
    ax.set_title(task)
    style.colour_bar(ax, image, "share")
    return ax


@style.figure
def extrapolation(analysis):
    """Mean accuracy over tasks against delay, input noise and recurrent noise; thin lines: tasks.
    Returns three Axes."""
    axes = Figure(figsize=(9.2, 2.9), layout="constrained").subplots(1, 3, sharey=True)
    table, means = analysis.table("extrapolation"), analysis.table("means")
    labels = {"delay": "delay / trained delay", "input_noise": "input noise / trained noise",
              "recurrent_noise": "noise inside f"}
    for ax, (axis, label) in zip(axes, labels.items()):
        part = table.where(table["axis"] == axis)
        for task in dict.fromkeys(part["task"]):
            rows = part.where(part["task"] == task)
            ax.plot(rows["value"], rows["accuracy"], color=style.PALE, linewidth=0.6)
        rows = means.where(means["axis"] == axis)
        ax.plot(rows["value"], rows["mean_accuracy"], "o-", color=style.COLOURS["blue"])
        ax.set_xticks(rows["value"], [f"{value:g}" for value in rows["value"]])
        ax.set_xlabel(label)
        ax.set_ylim(-0.03, 1.03)
    axes[0].set_ylabel("accuracy")
    axes[0].set_title("blue: mean of tasks; grey: tasks")
    return axes


@style.figure
def pruning(analysis, *, ax=None):
    """Mean accuracy against the share of synapses or units removed, without retraining."""
    ax = style.new_axes(ax)
    table = analysis.table("curve")
    for what in dict.fromkeys(table["what"]):
        rows = table.where(table["what"] == what)
        order = np.argsort(rows["removed_share"])
        ax.plot(100 * rows["removed_share"][order], rows["mean_accuracy"][order], "o-", label=what)
    ax.set_xlabel("removed (%)")
    ax.set_ylabel("accuracy, mean of tasks")
    ax.set_ylim(0, 1.02)
    ax.legend()
    return ax


@style.figure
def solved_raster(run, *, ax=None):
    """The evaluations at which each task was solved, tasks in the order in which they first were.

    run : a Run.
    """
    table = run.tasks
    tasks, steps = list(dict.fromkeys(table["task"])), np.unique(table["step"])
    solved = np.zeros((len(tasks), len(steps)), bool)
    index = {task: i for i, task in enumerate(tasks)}
    column = {step: i for i, step in enumerate(steps)}
    for row in table.rows():
        solved[index[row["task"]], column[row["step"]]] = bool(row["solved"])
    first = np.where(solved.any(axis=1), solved.argmax(axis=1), len(steps))
    order = np.argsort(first, kind="stable")
    ax = style.new_axes(ax, style.WIDTH, max(style.HEIGHT, 0.11 * len(tasks) + 0.6))
    rows, columns = np.nonzero(solved[order])
    ax.plot(steps[columns], rows, "s", color=style.COLOURS["blue"], markersize=3)
    style.name_ticks(ax, np.array(tasks)[order], across=False)
    ax.set_ylim(len(tasks) - 0.5, -0.5)
    ax.set_xlim(0, steps.max() * 1.03)
    ax.set_xlabel("step")
    ax.set_title(f"{solved[:, -1].sum()} of {len(tasks)} tasks solved at the end")
    return ax
