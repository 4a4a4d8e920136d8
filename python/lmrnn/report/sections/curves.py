"""Learning over time."""

from __future__ import annotations

from ... import plot
from ..html import Section, figure, grid, halves, join


def section(run) -> Section | None:
    if not run.metrics.n_rows:
        return None
    loss = figure(plot.learning_curves(run, y="loss"), "Loss of the training batches.")
    figures = [loss]
    if run.tasks.n_rows:
        heat = figure(plot.task_heat_map(run), "Accuracy of every task over time.")
        pieces = [halves(heat, loss)]
        if run.tasks["solved"].any():
            raster = plot.solved_raster(run)
            pieces.append(figure(raster, "Evaluations at which each task was solved."))
        return Section("Learning", join(*pieces))
    return Section("Learning", grid(*figures))
