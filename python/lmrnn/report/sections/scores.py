"""Every task's score against its ceiling."""

from __future__ import annotations

from ... import _core, plot
from ...zoo_run import ZooRun
from ..html import Markup, Section, escape, figure, folded, halves, join, table

COLUMNS = {
    "task": "task",
    "decision accuracy": "decision_accuracy",
    "ceiling": "decision_ceiling",
    "share of ceiling": "share_of_ceiling",
    "trial accuracy": "trial_accuracy",
    "trial ceiling": "trial_ceiling",
}
MINOR = {"trial accuracy", "trial ceiling"}
"""Columns that a phone leaves out."""
FORMATS = {name: ".3f" for name in COLUMNS if name != "task"}

NOTE = Markup(
    "<p>Decision accuracy is the share of right steps in the decision period; trial accuracy the "
    "share of trials that are right throughout. The ceiling is what an ideal observer would reach "
    "with this noise.</p>"
)
FOOTER = Markup("<p>") + escape(_core.solved_definition) + Markup(".</p>")


def section(run) -> Section | None:
    """Scores of the last evaluation; for a network of the zoo, those on the test split."""
    tested = isinstance(run, ZooRun)
    scores = run.test_scores if tested else run.scores
    if not scores.n_rows:
        return None
    good = "passed" if tested else "solved"  # solved would need two evaluations
    rows = [[*(row[key] for key in COLUMNS.values()), bool(row[good])] for row in scores.rows()]
    trials = "Test trials" if tested else f"Held-out trials after {scores['step'][0]:,} steps"
    least, most = scores["trials"].min(), scores["trials"].max()  # they differ for data of your own
    caption = f"{trials}, {least:,} per task." if least == most else f"{trials}, {least:,} to {most:,} per task."
    bars = figure(plot.task_bars(scores), "Decision accuracy by task, against its ceiling.")
    curve = figure(plot.learning_curves(run), "Accuracy on held-out trials, mean of all tasks.")
    content = table([*COLUMNS, good], rows, caption=caption, formats=FORMATS, minor=MINOR)
    if len(rows) > 30:
        content = folded(f"Table of all {len(rows)} tasks", content)
    return Section("Scores", join(headline(run), halves(bars, curve), content, _note(run), FOOTER))


def _note(run) -> Markup:
    if not run.source:
        return NOTE
    targets = run.network().metadata.get("targets")
    right = (f"Targets are {targets}: a step is right if every output is within the tolerance of its target. "
             if targets else "")  # fmt: skip
    return Markup("<p>") + escape(
        f"{right}Decision accuracy is the share of right steps among those that are scored; trial accuracy the "
        "share of trials that are right at all of them. There is no ideal observer: ceilings are 1."
    ) + Markup("</p>")  # fmt: skip


def headline(run) -> Markup:
    """One sentence: what the run reached."""
    if isinstance(run, ZooRun):
        n = run.about
        text = (
            f"On {n['test_trials']:,} test trials per task: {n['tasks_passed']} of {n['n_tasks']} tasks passed; "
            f"{100 * n['mean_share_of_ceiling']:.1f}% of the ceiling on average, "
            f"{100 * n['worst_share_of_ceiling']:.1f}% on the worst task; "
            f"after {n['steps']:,} steps ({_duration(n['seconds'])})."
        )
    elif run.done:
        s = run.summary
        text = (
            f"{100 * s['mean_share_of_ceiling']:.1f}% of the ceiling on average, "
            f"{100 * s['worst_share_of_ceiling']:.1f}% on the worst task; "
            f"{s['tasks_solved']} of {s['tasks']} tasks solved, "
            f"after {s['steps']:,} steps and {s['trials']:,} trials ({_duration(s['seconds'])})."
        )
    else:
        text = f"Not finished: {run.checkpoints[-1]:,} of {run.config['train']['steps']:,} steps."
    return Markup('<p class="lead">') + escape(text) + Markup("</p>")


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
