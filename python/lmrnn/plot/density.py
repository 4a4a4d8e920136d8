"""What sparsity does to accuracy."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from . import style


@style.figure
def accuracy_against_density(runs, *, y: str = "mean_share_of_ceiling", ax=None):
    """Final accuracy against the density of the wiring, one point per run; runs of the same density
    are joined by their mean and a band from the least to the largest.

    runs : list of finished Runs, or a mapping from label to such a list.
    """
    ax = style.new_axes(ax)
    labelled = runs if hasattr(runs, "items") else {"": runs}
    for label, members in labelled.items():
        by_density = defaultdict(list)
        for run in members:
            by_density[round(run.network().recurrent.density, 12)].append(run.summary[y])
        density = np.array(sorted(by_density))
        values = [np.array(by_density[d]) for d in density]
        (line,) = ax.plot(100 * density, [v.mean() for v in values], "-o", label=label)
        ax.fill_between(
            100 * density,
            [v.min() for v in values],
            [v.max() for v in values],
            color=line.get_color(),
            alpha=0.2,
            lw=0,
        )
        for d, v in zip(density, values):
            ax.plot(np.full(len(v), 100 * d), v, ".", color=line.get_color(), alpha=0.5)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}%")
    ax.set_xlabel("density of recurrent synapses")
    ax.set_ylabel("final accuracy\n(share of ceiling, mean of tasks)")
    if len(labelled) > 1:
        ax.legend()
    return ax
