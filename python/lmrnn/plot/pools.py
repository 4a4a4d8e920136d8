"""Pools of uncoupled units (`autapse`), and what lesions cost."""

from __future__ import annotations

import numpy as np

from .. import _core
from . import style
from .inputs import analysis_of, run_of, takes

CLASSES = ["relay", "leaky memory", "integrator", "grower", "silent"]


@style.figure
@takes(analysis_of, "autapse")
def unit_classes(analysis, *, ax=None):
    """Histogram of lambda by class of unit.

    analysis : Analysis of `autapse`, or a run that has it. Returns the Axes.
    """
    ax = style.new_axes(ax)
    units = analysis.table("units")
    finite = np.isfinite(units["lambda"])
    known = units["lambda"][finite]
    if not len(known):
        style.say_undefined(ax, "λ of all units")
    low, high = (known.min(), known.max()) if len(known) else (0, 1)
    bins = np.linspace(low, high if high > low else low + 1, 50)
    groups = [units["lambda"][finite & (units["class"] == name)] for name in CLASSES]
    labels = [f"{name} ({np.sum(units['class'] == name)})" for name in CLASSES]
    colours = [style.COLOURS[c] for c in ("sky", "blue", "green", "vermillion")] + [style.PALE]
    ax.hist(groups, bins=bins, stacked=True, label=labels, color=colours)
    ax.axvline(1, color=style.GREY, linewidth=0.8, linestyle=":")
    ax.set_xlabel(r"$\lambda$ while active (1: remembers for ever)")
    ax.set_ylabel("units")
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.legend(title="class (units)", title_fontsize=8)
    return ax


@style.figure
def lesions(analysis, *, group: str | None = None, ax=None):
    """Points of accuracy lost (red) or gained (blue), group of units by task. A dot marks what was
    predicted (autapse).

    analysis : Analysis of `autapse` (groups: classes of units) or of `variance` (groups: clusters),
    or a run that has one of them. group : "class" or "cluster", if a run has both. Returns the Axes.
    """
    analysis = _with_lesions(analysis, group)
    table = analysis.table("lesions")
    group = "class" if "class" in table else "cluster"
    groups, tasks = list(dict.fromkeys(table[group])), list(dict.fromkeys(table["task"]))
    cost = np.reshape(table["cost"].astype(float), (len(groups), len(tasks)))
    ax = style.new_axes(ax, max(style.WIDTH, 0.15 * len(tasks) + 2), 1.5 + 0.3 * len(groups))
    most = style.largest(np.abs(cost), least=20)
    image = ax.imshow(cost, cmap="RdBu_r", vmin=-most, vmax=most)
    if "predicted" in table:
        predicted = np.reshape(table["predicted"] == "true", cost.shape)
        ax.plot(*np.nonzero(predicted)[::-1], ".", color=style.INK, markersize=5)
        ax.set_title("dot: predicted to lose", fontsize=8)
    sizes = np.reshape(table["units"], cost.shape)[:, 0]
    ax.set_yticks(range(len(groups)), [f"{_group_words(g)} ({n})" for g, n in zip(groups, sizes)])
    style.name_ticks(ax, tasks)
    ax.set_ylabel(f"{group} removed (units)")
    bar = style.colour_bar(ax, image, "points lost")
    bar.ax.set_ylim(-style.largest(-cost), style.largest(cost, least=20))  # limit to the part in use
    if not np.isfinite(cost).any():
        style.say_undefined(ax, "cost")
    return ax


def _group_words(name) -> str:
    return str(name) if not str(name).isdigit() else f"cluster {int(name) + 1}"


def _with_lesions(thing, group):
    kinds = {"class": ["autapse"], "cluster": ["variance"], None: ["autapse", "variance"]}
    if group not in kinds:
        raise _core.UsageError(f'group: {group!r} is neither "class" nor "cluster"')
    for kind in kinds[group][:-1]:
        try:
            return analysis_of(thing, kind)
        except _core.UsageError:
            run_of(thing)  # raises if it is not a run either
    return analysis_of(thing, kinds[group][-1])
