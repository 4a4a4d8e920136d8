"""One self-contained HTML file about a run or a study.

    lmrnn report runs/quickstart                # or: python -m lmrnn.report runs/quickstart
    lmrnn.report.write_report("runs/quickstart")

It needs no network to open: styles, the script that sorts tables, and all figures (SVG) are inside. `catalogue` lists
its sections; each is one file under `sections`.
Needs the extra "report": pip install 'lmrnn[report]'.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from .. import __version__, _core
from ..writing import written

__all__ = ["main", "write_report"]


def write_report(
    subject: str | PathLike, out: str | PathLike | None = None, *, against: str | PathLike | None = None
) -> Path:
    """Writes the report of a run or study directory; by default to report.html within it, or to runs/NAME/report.html
    for "zoo:NAME".

    against : a second run to compare with the first one. Raises UsageError if `subject` is neither a run nor a
        study, or if `against` is not a run; RunError if the page cannot be written.
    """
    from ..plot import style
    from .catalogue import find_subject
    from .html import render

    if out is not None and Path(out).suffix.lower() not in (".html", ".htm"):
        raise _core.UsageError(f"{out}: a report is an HTML file; give a name that ends in .html")
    found = find_subject(subject, against)
    with style.unregistered():
        sections = [section for make in found.sections if (section := make(found.content)) is not None]
    path = Path(out) if out is not None else Path(_core.output_folder(subject)) / "report.html"
    page = render("page.html", title=found.title, sections=sections, version=__version__)
    with written(path, "choose another file with --out (in Python: out=)") as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def main(arguments: list[str] | None = None) -> int:
    """The program lmrnn-report, which `lmrnn report` calls."""
    from .command import run

    return run(arguments)
