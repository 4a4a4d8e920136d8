"""Two runs next to each other."""

from __future__ import annotations

import numpy as np

from ... import plot
from ..html import Markup, Section, figure, halves, join, table


def section(run, *, other) -> Section:
    runs = _labelled(run, other)
    a, b = runs
    shared, of_a, of_b = _tasks(run, other)
    pieces = []
    if shared:
        # Means over different tasks cannot be compared.
        same = len(shared) == len(of_a) == len(of_b)
        caption = "" if same else (f": means over the {_count(len(shared))} that both have, of {len(of_a)} of {a} and "
                                   f"{len(of_b)} of {b}")  # fmt: skip
        curves = plot.learning_curves(runs, tasks=None if same else shared)
        pieces.append(
            halves(
                figure(plot.task_comparison(runs), "Decision accuracy of both, by task."),
                figure(curves, f"Learning of both{caption}."),
            )
        )
    elif run.metrics.n_rows and other.metrics.n_rows:
        if of_a and of_b:
            words = "The runs have no evaluated task in common, so their scores cannot be compared."
            pieces.append(Markup("<p>") + words + Markup("</p>"))
        pieces.append(figure(plot.learning_curves(runs, y="loss"), "Loss of both."))
    differing = _differences(_settings(run), _settings(other))
    caption = "Keys of the configuration that differ." if differing else "The configurations are the same."
    pieces.append(table(["key", a, b], differing, caption=caption))
    if shared:
        pieces.append(_scores(runs, shared))
    return Section("Comparison", join(*pieces))


def _tasks(run, other):
    """Tasks that both were evaluated on, and those of each."""
    of_a, of_b = ([*one.scores["task"]] if one.scores.n_rows else [] for one in (run, other))
    return [str(name) for name in of_a if name in of_b], of_a, of_b


def _count(n: int) -> str:
    return f"{n} task{'s' * (n != 1)}"


def _labelled(run, other):
    if run.name != other.name:
        return {run.name: run, other.name: other}
    return {str(run.directory): run, str(other.directory): other}


def _settings(run) -> dict:
    """The configuration; of the battery of your own data, only how long a step is, since nothing else is used."""
    return run.config | {"battery": {"dt": run.config["battery"]["dt"]}} if run.source else run.config


def _differences(a, b, prefix=""):
    rows = []
    for key in dict.fromkeys([*a, *b]):
        x, y = a.get(key, ""), b.get(key, "")
        if isinstance(x, dict) and isinstance(y, dict):
            rows += _differences(x, y, f"{prefix}{key}.")
        elif x != y:
            rows.append([f"{prefix}{key}", str(x), str(y)])
    return rows


def _scores(runs, shared) -> Markup:
    """A row per task that both have. Both ceilings if any differ: they depend on noise, durations and trials."""
    a, b = runs
    of = [{row["task"]: row for row in run.scores.rows()} for run in runs.values()]
    accuracy = np.array([[rows[name]["decision_accuracy"] for name in shared] for rows in of])
    ceilings = np.array([[rows[name]["decision_ceiling"] for name in shared] for rows in of])
    differ = bool((np.ptp(ceilings, axis=0) > 5e-5).any())
    columns = [f"ceiling, {a}", f"ceiling, {b}"] if differ else ["ceiling"]
    rows = [
        [name, *both, both[1] - both[0], *(ceiling if differ else ceiling[:1])]
        for name, both, ceiling in zip(shared, accuracy.T, ceilings.T)
    ]
    means = accuracy.mean(axis=1)
    caption = (
        "Decision accuracy; the difference is the second minus the first. "
        f"Mean of {_count(len(shared))}: {means[0]:.3f} and {means[1]:.3f}, difference {means[1] - means[0]:+.3f}."
        + (" Each run has its own ceilings, by its noise, durations and trials." if differ else "")
    )
    formats = dict.fromkeys([a, b, *columns], ".3f") | {"difference": "+.3f"}
    return table(["task", a, b, "difference", *columns], rows, caption=caption, formats=formats)
