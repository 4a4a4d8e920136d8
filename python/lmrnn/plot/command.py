"""The program lmrnn-plot, which `lmrnn plot` calls: one figure of a run or a study."""

from __future__ import annotations

import argparse
import difflib
import inspect
from pathlib import Path

from .. import UsageError, _core, plot
from ..program import run_verb

NOT_FIGURES = {"COLOURS", "save", "psychometric_fit", "sheet_map"}
OF_TASKS = {"activity_by_direction", "confusion", "fixed_points", "trajectories", "trial"}
OF_SEVERAL = {"learning_curves", "accuracy_against_density", "spatial_order", "eigenvalues", "weight_histogram", "task_comparison"}


def figures() -> dict[str, str]:
    """Name and meaning of every figure that can be drawn from a path."""
    names = [name for name in plot.__all__ if name not in NOT_FIGURES]
    return {name: _meaning(getattr(plot, name)) for name in names}


def main(arguments: list[str] | None = None) -> int:
    """Draws the figure that the command line asks for; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="lmrnn plot",
        description="Draw one figure of a run or a study.",
        epilog="Example:\n  lmrnn plot runs/quickstart learning_curves --out curves.pdf",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("subject", nargs="?", metavar="RUN|STUDY|zoo:NAME")
    parser.add_argument("figure", nargs="?", metavar="FIGURE", help="name of the figure; see --list")
    parser.add_argument("--list", action="store_true", help="list the figures")
    parser.add_argument("--out", metavar="FILE", help=".pdf, .svg or .png; default: FIGURE.pdf")
    parser.add_argument("--task", metavar="TASK", help="the task, for figures of one task")
    parser.add_argument("--with", metavar="RUN", action="append", default=[], dest="others",
                        help="another run in the same figure; may be repeated")  # fmt: skip
    options = parser.parse_args(arguments)
    if options.list:
        return run_verb("plot", lambda: "\n".join(f"{n:<26} {meaning}" for n, meaning in figures().items()))
    return run_verb("plot", lambda: draw(options.subject, options.figure, options.out, options.task, options.others))


def draw(subject, figure, out=None, task=None, others=()) -> Path:
    """Draws `figure` of `subject` into `out`. Raises UsageError if it cannot be drawn."""
    known = figures()
    if subject in known and figure not in known:  # lmrnn plot learning_curves runs/x
        raise UsageError(f"the run comes first; did you mean lmrnn plot {figure or 'RUN'} {subject}?")
    if not subject or not figure:
        raise UsageError("give a run or a study and the name of a figure; see lmrnn plot --list")
    if figure not in known:
        near = difflib.get_close_matches(figure.replace("-", "_"), known, 1)
        hint = f'did you mean "{near[0]}"?' if near else "see lmrnn plot --list"
        raise UsageError(f'unknown figure "{figure}"; {hint}')
    if not Path(_core.resolve_zoo(subject)).exists():
        raise UsageError(f"{subject}: no such directory; give the directory of a run or a study, or zoo:NAME")
    if others and figure not in OF_SEVERAL:
        raise UsageError(f"--with: {figure} shows one run; {', '.join(sorted(OF_SEVERAL))} show several")
    if task and figure not in OF_TASKS:
        raise UsageError(f"--task: {figure} is not a figure of one task; {', '.join(sorted(OF_TASKS))} are")
    if figure in OF_TASKS and not task:
        raise UsageError(f"{figure} shows one task; choose it with --task")
    return plot.save(_axes(subject, figure, task, others), out or f"{figure}.pdf")


def _axes(subject, figure, task, others):
    function = getattr(plot, figure)
    if figure == "trial":
        from ..run import Run

        run = Run(subject)
        return plot.trial(run.battery[task].trial(seed=run.seed), run)
    if task:
        return function(subject, task)
    if figure in OF_SEVERAL and others:
        paths = [subject, *others]
        if figure == "accuracy_against_density":
            return function(paths)
        return function(dict(zip(_labels(paths), paths)))
    if figure == "task_comparison":
        return function({Path(subject).resolve().name: subject})
    return function([subject] if figure == "accuracy_against_density" else subject)


def _labels(paths: list) -> list[str]:
    """Names of folders; paths if two folders have the same name, numbered if even these are the same."""
    names = [Path(path).resolve().name for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    if len(set(names)) < len(names):
        names = [f"{name} ({k})" for k, name in enumerate(names, 1)]
    return names


def _meaning(function) -> str:
    text = inspect.getdoc(function) or ""
    return " ".join(text.split("\n\n")[0].split()).split(". ")[0].rstrip(".")
