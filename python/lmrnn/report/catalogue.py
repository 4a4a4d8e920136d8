"""The contents of reports.

A section is a function that takes a Run or a Study and returns a `html.Section`, or None if it has nothing to show. It
is in sections/ and has one line below.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from .. import Run, Study, UsageError, _core
from ..zoo_run import ZooRun
from .html import Section
from .sections import analyses, comparison, curves, overview, provenance, scores, study, trials, weights, wiring

Make = Callable[[Any], Section | None]

# In the order of the page: first what readers want to know first.
RUN_SECTIONS: list[Make] = [
    scores.section,
    curves.section,
    trials.section,
    overview.section,
    wiring.section,
    weights.section,
    analyses.section,
    provenance.section,
]
STUDY_SECTIONS: list[Make] = [
    study.claim,
    study.results,
    study.learning,
    study.density,
    study.units,
    study.wire,
    study.tuning,
    study.contrasts,
    study.best,
]


@dataclass
class Subject:
    title: str
    content: Any
    sections: list[Make]


def find_subject(subject: str | PathLike, against: str | PathLike | None = None) -> Subject:
    """The subject of a report: a directory or "zoo:NAME", compared with the run `against`, if given. Raises UsageError
    if it is neither a run nor a study."""
    path = Path(_core.resolve_zoo(subject))
    if not path.is_dir():
        raise UsageError(f"{path}: no such directory; give the directory of a run or a study")
    if (path / "runs").is_dir() or (path / "tables").is_dir():
        if against is not None:
            raise UsageError(f"--against: {path} is a study; two runs can be compared")
        found = Study(path)
        return Subject(found.name, found, STUDY_SECTIONS)
    if not (path / "config.toml").is_file():
        raise UsageError(
            f"{path}: is the directory of neither a run nor a study; give what lmrnn train or "
            "lmrnn study run made"
        )
    run = _run(subject)
    if against is None:
        return Subject(run.name, run, RUN_SECTIONS)
    other = _run(against)
    if other.directory.resolve() == run.directory.resolve():
        raise UsageError(f"--against: {path} is the run itself; name another one")
    first = functools.partial(comparison.section, other=other)
    return Subject(f"{run.name} against {other.name}", run, [first, *RUN_SECTIONS])


def _run(subject: str | PathLike) -> Run:
    return ZooRun(subject) if str(subject).startswith("zoo:") else Run(subject)
