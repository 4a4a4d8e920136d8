"""What the network answers (`psychometric`, `confusion`, `extrapolation`, `pruning`), and when it
learned to."""

from __future__ import annotations

import math

import numpy as np

from .. import _core
from ..table import Table
from . import style
from .inputs import analysis_of, run_of, table_of, takes

_AXES = {
    "evidence": ("difference of strengths, first − second", "chose the first"),
    "delay": ("delay (ms)", "accuracy"),
    "direction": ("direction of the stimulus", "accuracy"),
}


@style.figure
@takes(table_of, "psychometric", "psychometric")
def psychometric(analysis, *, tasks=None, ax=None):
    """Choice against evidence with the fitted curve and the ideal observer's (dotted), accuracy
    against delay, and accuracy against direction; bars are 95% intervals. Only the panels for which
    there are data.

    analysis : Analysis of `psychometric`, a run that has it, or the result of lmrnn.psychometric for any model.
        tasks : names; default: in each panel, the first four that have such a curve. ax : as many Axes as panels, one
        to divide, or a Figure. Returns an array of one to three Axes. See `psychometric_fit` for the numbers.
    """
    chosen = {
        axis: names
        for axis in _AXES
        if (names := _tasks_along(analysis, axis, tasks))
    }
    if not chosen:
        raise _core.UsageError(f"these data hold no psychometric curve of {tasks or 'any task'}")
    axes = style.new_grid(ax, 1, len(chosen), 0.5 + 2.9 * len(chosen), 3.1)[0]
    for place, (axis, names) in zip(axes, chosen.items()):
        part = analysis.where(analysis["axis"] == axis)
        for number, name in enumerate(names):
            rows = part.where(part["task"] == name)
            rows = rows.where(np.argsort(rows["x"], kind="stable"))
            colour, marker, _ = style.series(number)
            _CURVES[axis](place, rows, name, colour, marker)
        place.set_xlabel(_AXES[axis][0])
        place.set_ylabel(_AXES[axis][1])
        style.share_limits(place)
        if axis == "evidence":
            place.legend(fontsize=6.5, loc="lower right", handlelength=1, borderaxespad=0.1)
        else:
            place.legend(fontsize=7, loc="lower left")
        if axis == "direction":
            style.degrees(place)
            place.set_title("filled: trained directions; open: between them", fontsize=8)
    return axes


def _tasks_along(table, axis, tasks):
    part = table.where(table["axis"] == axis)
    names = [str(t) for t in dict.fromkeys(part["task"]) if tasks is None or t in tasks]
    return names if tasks else names[:4]


def _along_evidence(ax, rows, name, colour, marker):
    fit = _fit(rows["x"], rows["chose_first"], rows["trials"])
    y, lower, upper = (rows[k] for k in ("chose_first", "chose_first_lower", "chose_first_upper"))
    ax.errorbar(rows["x"], y, yerr=np.clip([y - lower, upper - y], 0, None), fmt=marker, color=colour,
                markersize=3.5, elinewidth=1, label=f"{name}: {_fit_words(fit)}")  # fmt: skip
    grid = np.linspace(rows["x"].min(), rows["x"].max(), 200)
    if fit:
        ax.plot(grid, _phi((grid - fit["bias"]) / fit["deviation"]), color=colour, linewidth=1.2)
    known = np.isfinite(rows["ideal"])
    if known.any():
        ideal = np.where(rows["x"] > 0, rows["ideal"], 1 - rows["ideal"])[known]
        best = _fit(rows["x"][known], ideal, rows["trials"][known])
        curve = _phi((grid - best["bias"]) / best["deviation"]) if best else None
        shown = (grid, curve) if best else (rows["x"][known], ideal)
        first = not any(line.get_label() == "ideal observer" for line in ax.lines)
        ax.plot(*shown, ":", color=colour, linewidth=1.2, label="ideal observer" if first else None)


def _along_delay(ax, rows, name, colour, marker):
    y = rows["accuracy"]
    ax.errorbar(rows["x"], y, yerr=np.clip([y - rows["lower"], rows["upper"] - y], 0, None),
                fmt=f"{marker}-", color=colour, markersize=3.5, linewidth=1.2, label=name)  # fmt: skip


def _along_direction(ax, rows, name, colour, marker):
    """Every third row, from the first, is a trained direction."""
    trained = np.arange(rows.n_rows) % 3 == 0
    options = {"color": colour, "markersize": 3, "linestyle": "none", "mew": 0.8}
    ax.plot(rows["x"], rows["accuracy"], "-", color=colour, linewidth=0.5, alpha=0.5)
    ax.plot(rows["x"][trained], rows["accuracy"][trained], marker, label=name, **options)
    ax.plot(rows["x"][~trained], rows["accuracy"][~trained], marker, mfc="white", **options)


_CURVES = {"evidence": _along_evidence, "delay": _along_delay, "direction": _along_direction}


@takes(table_of, "psychometric", "psychometric")
def psychometric_fit(analysis, *, tasks=None) -> Table:
    """Cumulative Gaussians fitted to choice against evidence, by maximum likelihood.

    Columns: `task`; `bias`, the evidence at which both choices are equally likely; `deviation` of the Gaussian;
    `threshold`, the distance from the bias at which three of four choices are right (0.674 deviations); `slope`, the
    steepest, per unit of evidence. NaN if all choices were the same. If they jump
    between two levels, as perfect choices do, no curve is steep enough: half a trial is then added to either side of the
    levels next to the jump. The deviation is finite, but says only that it is small.
    """
    part = analysis.where(analysis["axis"] == "evidence")
    names = [t for t in dict.fromkeys(part["task"]) if tasks is None or t in tasks]
    keys = ("bias", "deviation", "threshold", "slope")
    fits = []
    for name in names:
        rows = part.where(part["task"] == name)
        fits.append(_fit(rows["x"], rows["chose_first"], rows["trials"]) or dict.fromkeys(keys, np.nan))
    return Table({"task": np.array(names, dtype=str), **{k: np.array([f[k] for f in fits]) for k in keys}})


def _fit(x, share, trials) -> dict[str, float]:
    """A probit regression by maximum likelihood; empty if all choices are the same, or the fitted curve does not rise."""
    x, share, trials = (np.asarray(v, dtype=float) for v in (x, share, trials))
    if not np.isfinite(share).all() or np.ptp(share) == 0:
        return {}
    half_more = (share * trials + 0.5) / (trials + 1)  # half a trial on either side
    start = _probit(x, half_more, trials, [0.0, 1.0 / max(x.std(), 1e-9)])
    if start is None or start[1] <= 0:
        return {}
    if x[share > 0].min() >= x[share < 1].max():
        # The steeper the curve, the likelier these choices. Next to the jump, half a trial makes it finite.
        for place in (x[share == 0].max(initial=-np.inf), x[share == 1].min(initial=np.inf)):
            share = np.where(x == place, half_more, share)
    weights = _probit(x, share, trials, start)
    if weights is None or weights[1] <= 0:
        return {}
    deviation = 1 / weights[1]
    return {
        "bias": float(-weights[0] * deviation),
        "deviation": float(deviation),
        "threshold": float(0.6744897501960817 * deviation),
        "slope": float(1 / (deviation * math.sqrt(2 * math.pi))),
    }


def _probit(x, share, trials, start):
    """Intercept and slope of the largest likelihood, by Fisher scoring with halved steps; None if it does not converge."""
    design = np.column_stack([np.ones_like(x), x])

    def likelihood(weights):
        p = np.clip(_phi(design @ weights), 1e-300, 1)
        q = np.clip(_phi(-(design @ weights)), 1e-300, 1)
        return float(np.sum(trials * (share * np.log(p) + (1 - share) * np.log(q))))

    weights = np.array(start, dtype=float)
    best = likelihood(weights)
    for _ in range(100):
        drive = np.clip(design @ weights, -6, 6)
        p = np.clip(_phi(drive), 1e-9, 1 - 1e-9)
        density = np.exp(-(drive**2) / 2) / math.sqrt(2 * math.pi)
        information = trials * density**2 / (p * (1 - p))
        score = design.T @ (trials * (share - p) * density / (p * (1 - p)))
        try:
            step = np.linalg.solve(design.T @ (information[:, None] * design), score)
        except np.linalg.LinAlgError:
            return None
        if np.abs(step).max() < 1e-7 * np.abs(weights).max():
            return weights
        for _ in range(30):
            if (after := likelihood(weights + step)) >= best:
                break
            step = step / 2
        else:
            return weights  # as good as numbers of this size allow
        weights, best = weights + step, after
    return None


def _phi(x):
    return 0.5 * (1 + np.vectorize(math.erf, otypes=[float])(np.asarray(x) / math.sqrt(2)))


def _fit_words(fit) -> str:
    return f"threshold {fit['threshold']:.2g},\nslope {fit['slope']:.2g}" if fit else "no fit"


@style.figure
@takes(analysis_of, "confusion")
def confusion(analysis, task, *, ax=None):
    """Share of answers by right class, in degrees; the first row and column, apart, are fixation.

    analysis : Analysis of `confusion`, or a run that has it. task : a name. Returns the Axes.
    """
    ax = style.new_axes(ax, 3.9, 3.3)
    with analysis.recording("confusion") as file:
        if task not in file:
            raise _core.UsageError(f"{analysis.directory}: no task {task!r}; it has {', '.join(file)}")
        counts = file[task][:].astype(float)
    total = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)
    n_ring = len(counts) - 1
    image = ax.imshow(share, vmin=0, vmax=1, aspect="equal")
    ax.set_facecolor("#eeeeee")
    places = [0, *(1 + n_ring * k // 4 for k in range(4))]
    names = ["fixate", *(f"{360 * (p - 1) / n_ring:g}°" for p in places[1:])]
    ax.set_xticks(places, names, rotation=90)
    ax.set_yticks(places, names)
    for side in (ax.axvline, ax.axhline):
        side(0.5, color="white", linewidth=1)
    ax.set_xlabel("answered")
    ax.set_ylabel("right answer")
    right = 100 * np.trace(counts) / max(counts.sum(), 1)
    grey = " (grey: never the right answer)" if np.isnan(share).any() else ""
    ax.set_title(f"{task}: {right:.3g}% right{grey}", fontsize=8)
    style.colour_bar(ax, image, "share of answers")
    return ax


# A configuration's `recurrent_noise` is per step; at tau = dt the two are equal.
_NOISE = "recurrent noise (× √(τ / dt): deviation per step)"


@style.figure
@takes(analysis_of, "extrapolation")
def extrapolation(analysis, *, ax=None):
    """Mean accuracy over tasks against delay, input noise and recurrent noise; thin lines: tasks;
    the dotted line: what the network was trained with.

    analysis : Analysis of `extrapolation`, or a run that has it. ax : three Axes, one to divide, or
    a Figure. Returns an array of three Axes.
    """
    axes = style.new_grid(ax, 1, 3, 9.2, 2.9, sharey=True)[0]
    table, means = analysis.table("extrapolation"), analysis.table("means")
    labels = {"delay": ("delay / trained delay", 1), "input_noise": ("input noise / trained noise", 1),
              "recurrent_noise": (_NOISE, None)}  # fmt: skip
    for place, (axis, (label, trained)) in zip(axes, labels.items()):
        part = table.where(table["axis"] == axis)
        for task in dict.fromkeys(part["task"]):
            rows = part.where(part["task"] == task)
            place.plot(rows["value"], rows["accuracy"], color=style.PALE, linewidth=0.6)
        rows = means.where(means["axis"] == axis)
        place.plot(rows["value"], rows["mean_accuracy"], "o-", color=style.COLOURS["blue"])
        if trained is not None:
            place.axvline(trained, color=style.GREY, linewidth=0.8, linestyle=":")
        place.set_xticks(rows["value"], [f"{value:g}" for value in rows["value"]])
        place.set_xlabel(label)
        style.share_limits(place)
    axes[0].set_ylabel("accuracy")
    axes[0].set_title("blue: mean of tasks; grey: tasks")
    return axes


@style.figure
@takes(analysis_of, "pruning")
def pruning(analysis, *, ax=None):
    """Mean accuracy against the share of synapses or units removed, without retraining.

    analysis : Analysis of `pruning`, or a run that has it. Returns the Axes.
    """
    ax = style.new_axes(ax)
    table = analysis.table("curve")
    for number, what in enumerate(dict.fromkeys(table["what"])):
        rows = table.where(table["what"] == what)
        order = np.argsort(rows["removed_share"])
        marker = style.MARKERS[number % len(style.MARKERS)]
        ax.plot(100 * rows["removed_share"][order], rows["mean_accuracy"][order], f"{marker}-", label=what)
    ax.set_xlabel("removed (%)")
    ax.set_ylabel("accuracy, mean of tasks")
    ax.set_ylim(0, 1.02)
    ax.legend()
    return ax


@style.figure
@takes(run_of)
def solved_raster(run, *, ax=None):
    """The evaluations at which each task was solved (filled; open: not), tasks in the order in which
    they first were.

    run : a Run or the path of one. Returns the Axes.
    """
    table = run.tasks
    if not table.n_rows:
        raise _core.UsageError(f"{run.directory}: no evaluation yet, so there is nothing to draw")
    tasks, steps = list(dict.fromkeys(table["task"])), np.unique(table["step"])
    solved = np.zeros((len(tasks), len(steps)), bool)
    index = {task: i for i, task in enumerate(tasks)}
    column = {step: i for i, step in enumerate(steps)}
    for row in table.rows():
        solved[index[row["task"]], column[row["step"]]] = bool(row["solved"])
    first = np.where(solved.any(axis=1), solved.argmax(axis=1), len(steps))
    order = np.argsort(first, kind="stable")
    ax = style.new_axes(ax, style.WIDTH, max(style.HEIGHT, 0.13 * len(tasks) + 0.6))
    for which, options in ((solved, {}), (~solved, {"mfc": "none", "mec": style.PALE, "mew": 0.6})):
        rows, columns = np.nonzero(which[order])
        ax.plot(steps[columns], rows, "s", **{"color": style.COLOURS["blue"], "markersize": 3, **options})
    style.name_ticks(ax, np.array(tasks)[order], across=False)
    ax.set_ylim(len(tasks) - 0.5, -0.5)
    ax.set_xlim(0, steps.max() * 1.03)
    ax.set_xlabel("optimiser steps")
    ax.set_title(f"{solved[:, -1].sum()} of {len(tasks)} tasks solved at the end")
    return ax
