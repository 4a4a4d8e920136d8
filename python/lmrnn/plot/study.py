"""What came out of a study. All functions take an lmrnn.Study and return an array of Axes, one per
panel."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from . import style

CONTROLS = ("random", "blocks", "rewired", "ticket", "reinitialised")
"""Networks whose names begin so have no sheet: lines along density leave them out."""


@style.figure
def study_curves(study):
    """Mean share of the ceiling over steps, a line per network, with its bootstrap band."""
    axes = _panels(study.panels)
    points = defaultdict(list)
    for row in study.table("curves").rows():
        points[study.panel(row), str(row[study.axis])].append(
            [row["step"], row["mean_share"], row["lower"], row["upper"]]
        )
    colours = list(style.COLOURS.values())
    for ax, panel in zip(axes, study.panels):
        for level in study.levels_of(panel):
            if not points[panel, level]:
                continue  # all runs diverged before their first evaluation
            step, mean, lower, upper = np.array(points[panel, level], dtype=float).T
            number = study.levels.index(level)
            colour = colours[number % len(colours)]
            # Dashes too: there are more lines than colours.
            dashes = ["-", "--", ":"][number // len(colours) % 3]
            ax.plot(step, mean, dashes, color=colour, label=level)
            ax.fill_between(step, lower, upper, color=colour, alpha=0.2, lw=0)
        ax.axhline(1, color=style.GREY, linewidth=0.8, linestyle=":")
        ax.set(xlabel="optimiser steps", ylim=(0, 1.04))
        ax.set_xlim(left=0)
    _finish(axes, "share of ceiling, mean of tasks")
    return axes


@style.figure
def study_density(study, measures=("area", "final_share"), label="share of ceiling"):
    """Measures against the density of recurrent synapses, with bootstrap intervals; networks on a
    sheet are joined by a line.

    Times that no run of a cell reached are left out; where only some did, the mean is a lower bound.
    Raises ValueError if the networks of no panel differ in density.
    """
    panels = [panel for panel in study.panels if study.differ(panel, "density")]
    if not panels:
        raise ValueError(f"{study.name}: networks do not differ in density")
    axes = _panels(panels)
    for ax, panel in zip(axes, panels):
        for measure, colour in zip(measures, style.COLOURS.values()):
            _along_density(ax, study, panel, measure, colour)
        ax.set_xscale("log")
        ax.set_xlim(min(ax.get_xlim()[0], 8), 130)  # at least two labelled decades
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}%")
        ax.xaxis.set_minor_formatter(lambda value, _: "")
        ax.set_xlabel("density of recurrent synapses")
    _finish(axes, label)
    return axes


def _along_density(ax, study, panel, measure, colour):
    for control, marker, line in ((False, "o", "-"), (True, "s", "none")):
        levels = [
            level
            for level in study.levels_of(panel)
            if level.startswith(CONTROLS) == control and study.reached(panel, level, measure)
        ]
        if not levels:
            continue
        density = 100 * study.values(panel, "density", levels)[0]
        order = np.argsort(density)
        mean, lower, upper = study.values(panel, measure, levels)[:, order]
        ax.errorbar(
            density[order],
            mean,
            np.array([mean - lower, upper - mean]),
            color=colour,
            marker=marker,
            linestyle=line,
            capsize=1.5,
            markerfacecolor="white" if control else colour,
            label=f"{measure.replace('_', ' ')}, {'controls' if control else 'on a sheet'}",
        )


@style.figure
def study_units(study, measures=("final_share", "tasks_solved")):
    """Measures of the first panel against the number of units; networks whose names differ in their
    last digits only (autapse32, autapse64) are joined by a line. One Axes per measure."""
    figure = Figure(figsize=(7, 2.7), layout="constrained")
    axes = figure.subplots(1, len(measures), squeeze=False)[0]
    panel = study.panels[0]
    families = defaultdict(list)
    for level in study.levels_of(panel):
        families[level.rstrip("0123456789")].append(level)
    for ax, measure in zip(axes, measures):
        for (family, levels), colour in zip(families.items(), style.COLOURS.values()):
            n_units = study.values(panel, "units", levels)[0]
            mean, lower, upper = study.values(panel, measure, levels)
            ax.errorbar(
                n_units, mean, np.array([mean - lower, upper - mean]), color=colour, marker="o", capsize=1.5,
                label=family,
            )
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.set(xlabel="units", ylabel=measure.replace("_", " "))
    _legend_beside(axes)
    return axes


@style.figure
def study_rates(study):
    """What tuning saw: the score at every learning rate, a row per network, a frame around the best.

    Raises ValueError if nothing was tuned.
    """
    tuning = study.table("tuning")
    if not tuning.n_rows:
        raise ValueError(f"{study.name}: nothing was tuned")
    by = {
        (study.panel(row), str(row[study.axis]), row["value"]): row
        for row in tuning.rows()
        if np.isfinite(row["score"])
    }
    panels = [panel for panel in study.panels if any(key[0] == panel for key in by)]
    rates = sorted({rate for _, _, rate in by})
    scores = [row["score"] for row in by.values()]
    axes = _panels(panels, height=0.6 + 0.2 * len(study.levels))
    for ax, panel in zip(axes, panels):
        shown = np.full((len(study.levels), len(rates)), np.nan)
        for y, level in enumerate(study.levels):
            for x, rate in enumerate(rates):
                row = by.get((panel, level, rate))
                if row is None:
                    continue
                shown[y, x] = row["score"]
                dark = row["score"] < (min(scores) + max(scores)) / 2
                ax.text(x, y, f"{row['score']:.2f}", ha="center", va="center", fontsize=7,
                        color="white" if dark else style.INK)
                if row["best"]:
                    ax.add_patch(Rectangle((x - 0.47, y - 0.45), 0.94, 0.9, fill=False, linewidth=1.5,
                                           edgecolor=style.COLOURS["vermillion"]))
        ax.imshow(shown, vmin=min(scores), vmax=max(scores))
        ax.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
        ax.set_yticks(range(len(study.levels)), study.levels)
        ax.set_xlabel("learning rate")
        ax.tick_params(length=0)
    return axes


def _panels(names, height=2.5):
    """Axes of a figure of up to three columns, with a title each if there are several."""
    columns = min(len(names), 3)
    rows = -(-len(names) // columns)
    width = 5.8 if columns == 1 else 2.7 * columns + 1.2
    figure = Figure(figsize=(width, height * rows + 0.4), layout="constrained")
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for spare in axes[len(names) :]:
        spare.remove()
    axes = axes[: len(names)]
    if len(names) > 1:
        for ax, name in zip(axes, names):
            ax.set_title(name)
    return axes


def _finish(axes, label):
    for ax in axes:
        if ax.get_subplotspec().is_first_col():
            ax.set_ylabel(label)
    _legend_beside(axes)


def _legend_beside(axes):
    """One legend for all panels, each entry once."""
    entries = {
        label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels())
    }
    axes[0].figure.legend(entries.values(), entries.keys(), loc="outside right upper")
