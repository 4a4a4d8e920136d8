"""Held-out trials, and what the network answers."""

from __future__ import annotations

import numpy as np

from ... import plot
from ..html import Markup, Section, figure, grid, join

NOTE = Markup(
    "<p>The last panel shows the probability that the network gives to each direction (blue) and "
    "the target (outlined). Tasks from the best to the worst.</p>"
)


def section(run) -> Section | None:
    if run.source:
        return None  # only the program that brought the data can make trials of them
    network = run.network()
    figures = [
        figure(
            plot.trial(run.battery[name].trial(seed=run.seed), network),
            f"{name}: the first trial of the test set.",
        )
        for name in chosen_tasks(run)
    ]
    return Section("Trials", join(NOTE, grid(*figures)))


def chosen_tasks(run, n: int = 6) -> list[str]:
    """The best and the worst task, and some between them."""
    scores = run.scores
    if not scores.n_rows:
        return run.battery.names[:n]
    order = np.argsort(-scores["share_of_ceiling"], kind="stable")
    picked = np.unique(np.linspace(0, len(order) - 1, min(n, len(order))).round().astype(int))
    return [str(scores["task"][order[i]]) for i in picked]
