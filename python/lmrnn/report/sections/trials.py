"""Held-out trials with the network's answers, right and wrong."""

from __future__ import annotations

import numpy as np

from ... import plot
from ...plot.trial import answer
from ..html import Markup, Section, figure, grid, join

NOTE = Markup(
    "<p>The panel above the last shows the probability that the network gives to each direction "
    "(blue) and the target (outlined); the last, the probability of fixating. Tasks from the best to "
    "the worst; of each task that has one among its first 50 test trials, a trial that failed.</p>"
)
LOOKED_AT = 50
"""Trials of a task in which a failed one is looked for."""


def section(run) -> Section | None:
    if run.source:
        return None  # only the program with the data can make trials
    network, figures = run.network(), []
    for name in chosen_tasks(run):
        right, wrong = find_trials(run, network, name)
        for number, verdict in ((right, "right"), (wrong, "wrong")):
            if number is not None:
                trial = run.battery[name].trial(seed=run.seed, number=number)
                figures.append(figure(plot.trial(trial, network), f"{name}: answered {verdict} (test trial {number})."))
    return Section("Trials", join(NOTE, grid(*figures)))


def find_trials(run, network, task: str) -> tuple[int | None, int | None]:
    """The numbers of the first test trial that is answered right throughout the decision and of the first that is not;
    None if there is no such trial."""
    found: list[int | None] = [None, None]
    for number in range(LOOKED_AT):
        trial = run.battery[task].trial(seed=run.seed, number=number)
        decision = [(first, last) for name, first, last in trial.periods if name == "decision"]
        first, last = decision[-1] if decision else (0, len(trial))
        answers = answer(trial, network).argmax(axis=1)
        wrong = bool((answers != np.asarray(trial.targets))[first:last].any())
        if found[wrong] is None:
            found[wrong] = number
        if None not in found:
            break
    return found[0], found[1]


def chosen_tasks(run, n: int = 4) -> list[str]:
    """The best and the worst task, and some between them."""
    scores = run.scores
    if not scores.n_rows:
        return run.battery.names[:n]
    order = np.argsort(-scores["share_of_ceiling"], kind="stable")
    picked = np.unique(np.linspace(0, len(order) - 1, min(n, len(order))).round().astype(int))
    return [str(scores["task"][order[i]]) for i in picked]
