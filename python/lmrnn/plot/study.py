"""Results of a study. All functions take an lmrnn.Study, or the path of its directory, and return an array of Axes, one
per panel. `ax`: as many Axes as panels, one to divide, or a Figure."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import EngFormatter, LogFormatter

from .. import _core
from . import style
from .density import percent_axis
from .inputs import study_of, takes

CONTROLS = ("random", "blocks", "rewired", "shuffled", "ticket", "reinitialised")
"""Kinds of wiring without a sheet, and how levels begin whose kind the study file does not say: lines along density
leave them out."""

MEASURES = {
    "area": "mean over training",
    "final_share": "at the end",
    "final_accuracy": "accuracy at the end",
    "tasks_solved": "tasks solved",
}
OVER = {"step": "optimiser steps", "trials": "trials", "multiply_adds": "multiply-adds"}
LABELS = {
    "final_share": "share of ceiling at the end,\nmean of tasks",
    "area": "share of ceiling,\nmean over training",
    "tasks_solved": "tasks solved at the end",
    "held_out_share": "share of ceiling on tasks that were not trained",
    "wire": "wire: sum of length · |weight|",
}


_MOST_MARKERS = 40  # per line; more would hide it and its band


@style.figure
@takes(study_of)
def study_curves(study, over: str = "step", *, ax=None):
    """Mean share of the ceiling over `over`, a line per network, with its bootstrap band; a marker at
    every evaluation, or at every second, third ... if there are more than 40. Dotted where only some of the runs are
    left, because a criterion ended the others; diverged runs count with their last evaluation.

    `over`: "step", "trials" (begun) or "multiply_adds" (of training so far, forward and backward, without evaluations;
    on a logarithmic axis). Raises UsageError for anything else, and if the multiply-adds of the study are unknown:
    results of earlier versions, growing batches.
    """
    if over not in OVER:
        raise _core.UsageError(f"study_curves: over={over!r}; one of {', '.join(OVER)}")
    axes = _panels(study.panels, ax=ax)
    points = defaultdict(list)
    for row in study.table("curves").rows():
        points[study.panel(row), str(row[study.axis])].append(
            [row.get(over, np.nan), row["mean_share"], row["lower"], row["upper"], row["runs"]]
        )
    if not points:
        raise _core.UsageError(f"{study.name}: no run has an evaluation, e.g. because all diverged before their first")
    if not any(np.isfinite(point[0]) for line in points.values() for point in line):
        raise _core.UsageError(
            f"{study.name}: its tables have no {OVER[over]}: batches grow, or an earlier version made "
            'the results; use over="step" or over="trials"'
        )
    for place, panel in zip(axes, study.panels):
        for level in study.levels_of(panel):
            if not points[panel, level]:
                continue  # all runs diverged before their first evaluation
            step, mean, lower, upper, runs = np.array(points[panel, level], dtype=float).T
            colour, marker, dash = style.series(study.levels.index(level))
            every = -(-len(step) // _MOST_MARKERS)
            whole = int(np.flatnonzero(runs == runs.max())[-1]) + 1
            place.plot(step[:whole], mean[:whole], color=colour, linestyle=dash, marker=marker, markersize=2.5,
                       markevery=every, linewidth=1.2, label=level_words(study, level))  # fmt: skip
            place.plot(step[whole - 1 :], mean[whole - 1 :], color=colour, linestyle=":", linewidth=1.2)
            place.fill_between(step, lower, upper, color=colour, alpha=0.2, lw=0)
        place.axhline(1, color=style.GREY, linewidth=0.8, linestyle=":")
        place.set_xlabel(OVER[over])
        if over == "multiply_adds":
            place.set_xscale("log")
        else:
            place.set_xlim(left=0)
    top = max(style.share_top(place) for place in axes)  # one for all, because panels share the axis
    for place in axes:
        place.set_ylim(0, top)
    _finish(axes, "share of ceiling, mean of tasks", study.axis)
    return axes


@style.figure
@takes(study_of)
def study_density(study, measures=("area", "final_share"), label="share of ceiling", *, ax=None):
    """Measures against the density of recurrent synapses, with bootstrap intervals; networks on a
    sheet are joined by a line.

    Times that no run of a cell reached are left out; if only some runs did, the mean is a lower bound.
    Raises UsageError if the networks of no panel differ in density, or if the study lacks a measure.
    """
    _check(study, *measures)
    panels = [panel for panel in study.panels if study.differ(panel, "density")]
    if not panels:
        raise _core.UsageError(f"{study.name}: networks do not differ in density")
    axes = _panels(panels, ax=ax)
    for place, panel in zip(axes, panels):
        for number, measure in enumerate(measures):
            _along_density(place, study, panel, measure, number)
        percent_axis(place)
        if all(measure.startswith(("trials_", "steps_")) for measure in measures):
            place.yaxis.set_major_formatter(EngFormatter(sep=""))  # 200k, not 2e5 above the axis
    _finish(axes, label, "filled: on a sheet\nopen: controls")
    return axes


def _is_control(study, level: str) -> bool:
    table = study.registered.get("axis", {}).get(study.axis, {})
    keys = table.get(level, {}) if isinstance(table, dict) else {}
    wiring = keys.get("wiring", {}) if isinstance(keys, dict) else {}
    return str(wiring.get("kind", level)).startswith(CONTROLS)


_PAIRS = (("o", "s"), ("^", "D"), ("v", "P"))
"""Markers of networks on a sheet and of controls; the next pair where colours repeat."""


def _along_density(ax, study, panel, measure, number):
    colour, _, dash = style.series(number)
    on_sheet, of_controls = _PAIRS[number // len(style.COLOURS) % len(_PAIRS)]
    for control, marker, line in ((False, on_sheet, dash), (True, of_controls, "none")):
        levels = [
            level
            for level in study.levels_of(panel)
            if _is_control(study, level) == control and study.reached(panel, level, measure)
        ]
        if not levels:
            continue
        density = 100 * study.values(panel, "density", levels)[0]
        order = np.argsort(density)
        mean, lower, upper = study.values(panel, measure, levels)[:, order]
        ax.errorbar(
            density[order],
            mean,
            np.clip([mean - lower, upper - mean], 0, None),
            color=colour,
            marker=marker,
            linestyle=line,
            capsize=1.5,
            markerfacecolor="white" if control else colour,
            label=None if control else measure_words(measure),
        )


@style.figure
@takes(study_of)
def study_units(study, measures=("final_share", "tasks_solved"), *, ax=None):
    """Measures of the first panel against the number of units; networks whose names differ in their
    last digits only (autapse32, autapse64) are joined by a line. One Axes per measure.

    Raises UsageError if all networks have the same number of units, or if the study lacks a measure.
    """
    _check(study, *measures)
    if not study.differ(study.panels[0], "units"):
        raise _core.UsageError(f"{study.name}: networks do not differ in their number of units")
    axes = style.new_grid(ax, 1, len(measures), 3.1 * len(measures) + 1.2, 2.7)[0]
    panel = study.panels[0]
    families = defaultdict(list)
    for level in study.levels_of(panel):
        families[level.rstrip("0123456789")].append(level)
    for place, measure in zip(axes, measures):
        for number, (family, levels) in enumerate(families.items()):
            colour, marker, dash = style.series(number)
            n_units = study.values(panel, "units", levels)[0]
            mean, lower, upper = study.values(panel, measure, levels)
            error = np.clip([mean - lower, upper - mean], 0, None)
            place.errorbar(n_units, mean, error, color=colour, marker=marker, linestyle=dash, capsize=1.5,
                           label=style.words(family) or "all")  # fmt: skip
        place.set_xscale("log", base=2)
        counts = sorted({n for levels in families.values() for n in study.values(panel, "units", levels)[0]})
        place.set_xticks(counts if len(counts) <= 6 else counts[:: -(-len(counts) // 6)])
        place.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        place.xaxis.set_minor_formatter(lambda value, _: "")
        low, high = place.get_ylim()
        place.set_ylim(low if _is_negative(study, panel, measure) else 0, max(high, 1))
        place.set(xlabel="units", ylabel=LABELS.get(measure, measure_words(measure)))
    _legend_beside(axes, study.axis)
    return axes


@style.figure
@takes(study_of)
def study_cells(study, measure: str = "final_share", *, ax=None):
    """One measure of all cells with its bootstrap interval: a row per panel, a marker per network.

    Returns one Axes. Raises UsageError if the study has no such measure.
    """
    _check(study, measure)
    found = [
        (panel, level) for panel in study.panels for level in study.levels_of(panel)
        if np.isfinite(study.value(panel, level, measure)["mean"])
    ]  # fmt: skip
    if not found:
        raise _core.UsageError(f"{study.name}: no cell has a value of {measure!r}")
    rows = [panel for panel in study.panels if any(panel == other for other, _ in found)]
    ax = style.new_axes(ax, 5.8, 1.1 + 0.26 * len(rows))
    for number, level in enumerate(study.levels):
        panels = [panel for panel, other in found if other == level]
        mean, lower, upper = study.values_in(panels, level, measure)
        # Shifts the markers of a row, because intervals would otherwise hide each other.
        shift = 0.5 * ((number + 0.5) / len(study.levels) - 0.5)
        colour, marker, _ = style.series(number)
        ax.errorbar(
            mean, [rows.index(panel) + shift for panel in panels],
            xerr=np.clip([mean - lower, upper - mean], 0, None), linestyle="none", capsize=1.5,
            marker=marker, color=colour, label=level_words(study, level),
        )  # fmt: skip
    ax.set_yticks(range(len(rows)), [style.words(panel) or "all" for panel in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    if any(_is_negative(study, panel, measure) for panel in rows):
        ax.axvline(0, color=style.GREY, linewidth=0.8, zorder=0)
    else:
        ax.set_xlim(left=0)
    ax.set_xlabel(LABELS.get(measure, measure_words(measure)).replace("\n", " "))
    ax.grid(axis="x", color=style.PALE, linewidth=0.6)
    _legend_beside([ax], study.axis)
    return ax


@style.figure
@takes(study_of)
def study_wire(study, measure: str = "final_share", *, ax=None):
    """One measure against the wire of the last evaluated network, on a logarithmic axis: a marker per
    network with the bootstrap intervals of both. Networks of autapses have no wire and are left out.

    Raises UsageError if the study has no such measure, or if no network has wire and a value of it.
    """
    _check(study, measure)
    found = [
        (panel, level) for panel in study.panels for level in study.levels_of(panel)
        if "wire" in study.measures and study.value(panel, level, "wire")["mean"] > 0
        and np.isfinite(study.value(panel, level, measure)["mean"])
    ]  # fmt: skip
    if not found:
        raise _core.UsageError(
            f"{study.name}: no network has wire and a value of {measure!r}; autapses have no wire, networks with "
            "several areas only with wiring.between_length, and results of earlier versions do not know it"
        )
    panels = [panel for panel in study.panels if any(panel == other for other, _ in found)]
    axes = _panels(panels, ax=ax)
    for place, panel in zip(axes, panels):
        for level in (level for other, level in found if other == panel):
            colour, marker, _ = style.series(study.levels.index(level))
            (x, *across), (y, *along) = (study.values(panel, m, [level])[:, 0] for m in ("wire", measure))
            place.errorbar(
                x, y, xerr=[[x - across[0]], [across[1] - x]], yerr=[[y - along[0]], [along[1] - y]],
                linestyle="none", capsize=1.5, marker=marker, color=colour, label=level_words(study, level),
            )  # fmt: skip
        place.set_xscale("log")
        place.xaxis.set_major_formatter(LogFormatter())  # 1000, not 10^3
        place.xaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.4)))
        place.set_xlabel(LABELS["wire"])
    _finish(axes, LABELS.get(measure, measure_words(measure)), study.axis)
    return axes


@style.figure
@takes(study_of)
def study_rates(study, *, ax=None):
    """The scores of tuning at every value of `tuning.key` (the learning rate, unless the study sets another), a row per
    network, a frame around the best; grey: not tried. A score is a mean over the tuning seeds, for
    times the geometric mean. Of times and wire, less is better.

    Raises UsageError if nothing was tuned.
    """
    tuning = study.table("tuning")
    if not tuning.n_rows:
        raise _core.UsageError(f"{study.name}: nothing was tuned")
    by = {
        (study.panel(row), str(row[study.axis]), row["value"]): row
        for row in tuning.rows()
        if np.isfinite(row["score"])
    }
    if not by:
        raise _core.UsageError(f"{study.name}: no tuning run has a score, so there is nothing to draw")
    panels = [panel for panel in study.panels if any(key[0] == panel for key in by)]
    rates = sorted({rate for _, _, rate in by})
    key = tuned_words(study)
    measure = study.config.get("tuning", {}).get("measure", "area")
    is_time = measure.startswith(("steps_to_", "trials_to_"))
    for row in by.values():
        # Scores in tuning.csv are better if they are greater: minus the wire, minus the logarithm of a time.
        row["shown"] = np.exp(-row["score"]) if is_time else -row["score"] if measure == "wire" else row["score"]
    scores = [row["shown"] for row in by.values()]
    axes = _panels(panels, height=0.8 + 0.2 * len(study.levels), ax=ax)
    for place, panel in zip(axes, panels):
        shown = np.full((len(study.levels), len(rates)), np.nan)
        for y, level in enumerate(study.levels):
            for x, rate in enumerate(rates):
                row = by.get((panel, level, rate))
                if row is None:
                    continue
                shown[y, x] = row["shown"]
                dark = row["shown"] < (min(scores) + max(scores)) / 2
                place.text(x, y, f"{row['shown']:,.0f}" if is_time else f"{row['shown']:.2f}", ha="center", va="center", fontsize=7,
                           color="white" if dark else style.INK)  # fmt: skip
                if row["best"]:
                    place.add_patch(Rectangle((x - 0.47, y - 0.45), 0.94, 0.9, fill=False, linewidth=1.5,
                                              edgecolor=style.COLOURS["vermillion"]))  # fmt: skip
        place.set_facecolor("#eeeeee")
        image = place.imshow(shown, vmin=min(scores), vmax=max(scores))
        place.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates], rotation=90 if len(rates) > 5 else 0)
        place.set_yticks(range(len(study.levels)), [level_words(study, level) for level in study.levels])
        place.set_xlabel(key)
        place.tick_params(length=0)
    style.colour_bar(axes, image, measure_words(measure) if is_time or measure == "wire" else "score on the tuning seeds")
    return axes


def measure_words(measure: str) -> str:
    """A measure in words: steps_to_97.5 -> steps to 97.5%."""
    percent = "%" if "_to_" in measure else ""
    return MEASURES.get(measure, style.words(measure) + percent)


def tuned_words(study) -> str:
    """The key that was tuned, in words: optimiser.learning_rate -> learning rate."""
    return style.words(study.table("tuning")["key"][0].rsplit(".", 1)[-1])


def _is_negative(study, panel: str, measure: str) -> bool:
    """Whether a mean or the lower end of an interval is below 0, so that an axis must not begin there."""
    return bool((study.values(panel, measure, study.levels_of(panel)) < 0).any())


def _check(study, *measures) -> None:
    for measure in measures:
        if measure not in study.measures:
            raise _core.UsageError(f"{study.name}: no measure {measure!r}; it has {', '.join(study.measures)}")


def level_words(study, level: str) -> str:
    """A network of a study in words; says what its number means if the study file does."""
    table = study.registered.get("axis", {}).get(study.axis, {})
    wiring = table.get(level, {}).get("wiring", {}) if isinstance(table, dict) else {}
    name = level.rstrip("0123456789")
    number = level[len(name) :]
    if not number or not name or not isinstance(wiring, dict):
        return style.words(level)
    if str(wiring.get("radius", "")).removesuffix(".0") == number:
        return f"{style.words(name)}, radius {number}"
    units = wiring.get("rows", 0) * wiring.get("cols", 0)
    if units and "areas" not in wiring and str(units) == number:
        return f"{style.words(name)}, {number} units"
    return style.words(level)


def _panels(names, height=2.5, ax=None):
    """Axes of a figure of up to three columns, with a title each if there are several."""
    columns = min(len(names), 3)
    rows = -(-len(names) // columns)
    width = 5.8 if columns == 1 else 2.7 * columns + 1.4
    if isinstance(ax, (list, tuple, np.ndarray)):
        axes = style.new_grid(ax, len(names), 1, 1, 1)[:, 0]
    else:
        axes = style.new_grid(ax, rows, columns, width, height * rows + 0.4, sharey=True).ravel()
    for spare in axes[len(names) :]:
        spare.remove()
    axes = axes[: len(names)]
    if len(names) > 1:
        for place, name in zip(axes, names):
            place.set_title(style.words(name))
    return axes


def _finish(axes, label, title):
    for place in axes:
        if place.get_subplotspec() is None or place.get_subplotspec().is_first_col():
            place.set_ylabel(label)
    _legend_beside(axes, title)


def _legend_beside(axes, title):
    """One legend for all panels, each entry once."""
    entries = {
        label: handle for place in axes for handle, label in zip(*place.get_legend_handles_labels())
    }
    axes[0].figure.legend(
        entries.values(), entries.keys(), loc="outside right upper", title=title, title_fontsize=8
    )
