"""What reports consist of.

A section is a function that takes a Run (or what stands for a study) and returns a
`html.Section`, or None if it has nothing to show. It lives in a file of its own under sections/
and has one line below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import Run, UsageError
from .html import Section
from .sections import analyses, curves, overview, provenance, scores, trials, weights, wiring

Make = Callable[[Any], "Section | None"]

# In the order of the page.
RUN_SECTIONS: list[Make] = [
    overview.section,
    scores.section,
    curves.section,
    trials.section,
    wiring.section,
    weights.section,
    analyses.section,
    provenance.section,
]


@dataclass
class Subject:
    title: str
    content: Any
    sections: list[Make]


def find_subject(path: Path) -> Subject:
    """What the report of a directory is about. Raises UsageError if it is no run."""
    if not path.is_dir():
        raise UsageError(f"{path}: no such directory; give a run directory")
    run = Run(path)
    return Subject(run.name, run, RUN_SECTIONS)
