"""The effect of sparsity on accuracy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from .. import _core
from . import style
from .curves import LABELS
from .inputs import run_of


@style.figure
def accuracy_against_density(runs, *, y: str = "mean_share_of_ceiling", ax=None):
    """Final accuracy against the density of the wiring, one point per run; runs of the same density
    are joined by their mean and a band from the least to the largest.

    runs : list of finished Runs or their paths, or a mapping from label to such a list. y : a number of
    Run.summary. Returns the Axes. Raises UsageError for a run that is not finished.
    """
    ax = style.new_axes(ax)
    groups = runs if isinstance(runs, Mapping) else {"": runs}
    for number, (label, members) in enumerate(groups.items()):
        _, marker, dash = style.series(number)
        by_density = defaultdict(list)
        for run in map(run_of, members if isinstance(members, (list, tuple)) else [members]):
            final = _final(run, y)
            by_density[round(run.network().recurrent.density, 12)].append(final)
        density = np.array(sorted(by_density))
        values = [np.array(by_density[d]) for d in density]
        means = [v.mean() for v in values]
        (line,) = ax.plot(100 * density, means, marker=marker, linestyle=dash, label=label)
        low, high = [v.min() for v in values], [v.max() for v in values]
        ax.fill_between(100 * density, low, high, color=line.get_color(), alpha=0.2, lw=0)
        for d, v in zip(density, values):
            ax.plot(np.full(len(v), 100 * d), v, ".", color=line.get_color(), alpha=0.5)
    percent_axis(ax)
    words = LABELS.get(y, style.words(y))
    ax.set_ylabel(f"final {words}" if words.startswith("accuracy") else words)
    if len(groups) > 1:
        ax.legend()
    return ax


def _final(run, y: str) -> float:
    if not run.done:
        raise _core.UsageError(
            f"{run.directory}: is not finished, so it has no final accuracy; finish it with "
            f"lmrnn train --resume {run.directory}, or leave it out"
        )
    numbers = [key for key, value in run.summary.items() if isinstance(value, (int, float))]
    if y not in numbers:
        raise _core.UsageError(f"y = {y!r}: not in the summary of {run.directory}; it has {', '.join(numbers)}")
    return run.summary[y]


def percent_axis(ax) -> None:
    """Makes the horizontal axis a density in %, logarithmic, with at least two labels."""
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, 8), max(high, 130))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}%")
    ax.xaxis.set_minor_formatter(lambda value, _: "")
    ax.set_xlabel("density of recurrent synapses")
