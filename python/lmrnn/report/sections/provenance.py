"""The origin of the numbers: builds, machines, and the whole configuration."""

from __future__ import annotations

from ... import methods, to_toml
from ..html import Markup, Section, code, escape, folded, join, table


def section(run) -> Section:
    sessions = run.provenance["sessions"]
    columns = list(dict.fromkeys(key for session in sessions for key in session))
    rows = [[session.get(key, "") for key in columns] for session in sessions]
    heads = [column.replace("_", " ") for column in columns]
    return Section(
        "Provenance",
        join(
            table(heads, rows, caption="Sessions of this run."),
            folded("A paragraph for the methods", Markup("<p>") + escape(methods(run)) + Markup("</p>")),
            folded("The whole configuration", code(to_toml(run.config))),
        ),
    )
