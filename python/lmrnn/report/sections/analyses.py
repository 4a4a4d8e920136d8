"""Analyses that have no section of their own: their tables as they are."""

from __future__ import annotations

from ...table import Table
from ..html import Markup, Section, escape, folded, join, table

MOST_ROWS = 200


def section(run) -> Section | None:
    pieces = []
    for name in run.analyses:
        for path in sorted(run.analysis(name).glob("*.csv")):
            pieces.append(_table(name, path))
    return Section("Analyses", join(*pieces)) if pieces else None


def _table(name, path) -> Markup:
    content = Table.read(path)
    rows = [list(row.values()) for row in content.rows()]
    caption = "" if len(rows) <= MOST_ROWS else f"The first {MOST_ROWS} of {len(rows)} rows."
    body = table(list(content), rows[:MOST_ROWS], caption=caption)
    heading = f"{name}: {path.stem}"
    if len(rows) > 12:
        return folded(f"{heading} ({len(rows)} rows)", body)
    return join(Markup("<h3>") + escape(heading) + Markup("</h3>"), body)
