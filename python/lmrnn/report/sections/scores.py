"""Every task's score against its ceiling."""

from __future__ import annotations

from ... import plot
from ..html import Markup, Section, figure, folded, join, table

COLUMNS = {
    "task": "task",
    "decision accuracy": "decision_accuracy",
    "ceiling": "decision_ceiling",
    "share of ceiling": "share_of_ceiling",
    "trial accuracy": "trial_accuracy",
    "trial ceiling": "trial_ceiling",
    "solved": "solved",
}
FORMATS = {name: ".3f" for name in COLUMNS if name not in ("task", "solved")}

NOTE = Markup(
    "<p>Decision accuracy is the share of right steps in the decision period; trial accuracy the "
    "share of trials that are right throughout. The ceiling is what an ideal observer would reach "
    "with this noise. Solved: the lower 95% bound of the accuracy is at least 95% of the ceiling, "
    "over 1000 or more trials, twice running.</p>"
)


def section(run) -> Section | None:
    scores = run.scores
    if not scores.n_rows:
        return None
    rows = [
        [bool(row[key]) if key == "solved" else row[key] for key in COLUMNS.values()]
        for row in scores.rows()
    ]
    caption = f"Held-out trials after {scores['step'][0]:,} steps, {scores['trials'][0]:,} per task."
    bars = figure(plot.task_bars(run), "Decision accuracy by task, against its ceiling.")
    content = table(list(COLUMNS), rows, caption=caption, formats=FORMATS)
    if len(rows) > 30:
        content = folded(f"Table of all {len(rows)} tasks", content)
    return Section("Scores", join(NOTE, content, bars))
