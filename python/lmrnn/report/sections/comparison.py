"""Two runs next to each other."""

from __future__ import annotations

from ... import plot
from ..html import Section, figure, halves, join, table


def section(run, *, other) -> Section:
    runs = _labelled(run, other)
    pieces = []
    if run.tasks.n_rows and other.tasks.n_rows:
        pieces.append(
            halves(
                figure(plot.task_comparison(runs), "Decision accuracy of both, by task."),
                figure(plot.learning_curves(runs), "Learning of both."),
            )
        )
    elif run.metrics.n_rows and other.metrics.n_rows:
        pieces.append(figure(plot.learning_curves(runs, y="loss"), "Loss of both."))
    a, b = runs
    differing = _differences(run.config, other.config)
    caption = "Keys of the configuration that differ." if differing else "The configurations are the same."
    pieces.append(table(["key", a, b], differing, caption=caption))
    if rows := _scores(run, other):
        pieces.append(table(["task", a, b, "difference", "ceiling"], rows,
                            caption="Decision accuracy; the difference is the second minus the first.",
                            formats=dict.fromkeys([a, b, "ceiling"], ".3f") | {"difference": "+.3f"}))  # fmt: skip
    return Section("Comparison", join(*pieces))


def _labelled(run, other):
    if run.name != other.name:
        return {run.name: run, other.name: other}
    return {str(run.directory): run, str(other.directory): other}


def _differences(a, b, prefix=""):
    rows = []
    for key in dict.fromkeys([*a, *b]):
        x, y = a.get(key, ""), b.get(key, "")
        if isinstance(x, dict) and isinstance(y, dict):
            rows += _differences(x, y, f"{prefix}{key}.")
        elif x != y:
            rows.append([f"{prefix}{key}", str(x), str(y)])
    return rows


def _scores(run, other):
    known = {row["task"]: row for row in other.scores.rows()}
    return [
        [row["task"], row["decision_accuracy"], known[row["task"]]["decision_accuracy"],
         known[row["task"]]["decision_accuracy"] - row["decision_accuracy"], row["decision_ceiling"]]
        for row in run.scores.rows()
        if row["task"] in known
    ]  # fmt: skip
