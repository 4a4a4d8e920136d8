"""Pieces of HTML that sections are made of: figures, tables, lists of values."""

from __future__ import annotations

import hashlib
import io
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
import matplotlib
from markupsafe import Markup, escape

from ..plot import style


COLUMN = 345
"""Points; wider figures get the whole width of the page, and scroll where that is too narrow."""


@dataclass
class Section:
    title: str
    body: Markup

    @property
    def anchor(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@cache
def _environment() -> jinja2.Environment:
    templates = files(__package__) / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (templates / name).read_text("utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = lambda name: Markup((templates / name).read_text("utf-8"))
    return environment


def render(template: str, **values: Any) -> Markup:
    return Markup(_environment().get_template(template).render(**values))


# Colours of the house style that change with the page, which is dark for readers who prefer it.
_OF_THE_PAGE = {
    "#222222": "var(--ink)",
    "#000000": "var(--ink)",
    "#d9d9d9": "var(--pale)",
    "#ffffff": "var(--paper)",
    "#eeeeee": "var(--shade)",
    "#666666": "var(--soft)",
    "#555555": "var(--soft)",
}


def figure(axes, caption: str) -> Markup:
    """A figure of lmrnn.plot, inlined as SVG, which scales with the page."""
    salt = hashlib.sha256(caption.encode()).hexdigest()[:12]
    buffer = io.StringIO()
    made = style.figure_of(axes)
    with matplotlib.rc_context({**style.RC, "svg.hashsalt": salt}):
        made.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    width = float(re.search(r'width="([0-9.]+)pt"', svg)[1])
    # Ids must be unique within the page, but every figure defines its own glyphs.
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{salt}-", svg)
    svg = re.sub(
        r'width="[0-9.]+pt"|height="[0-9.]+pt"', "", svg.split(">", 1)[0]
    ) + ">" + svg.split(">", 1)[1]
    for colour, variable in _OF_THE_PAGE.items():
        svg = svg.replace(colour, variable)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(caption)}"', 1)
    return render(
        "figure.html",
        svg=Markup(svg),
        caption=caption,
        width=round(width * 2),
        least=math.ceil(width) if width > COLUMN else 0,
        wide=width > COLUMN,
        name=re.sub(r"[^a-z0-9]+", "-", caption.lower()).strip("-")[:60],
    )


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    caption: str = "",
    formats: Mapping[str, str] | None = None,
    minor: Collection[str] = (),
) -> Markup:
    """A table whose columns sort on a click. `formats`: format specification by column; `minor`: columns that are
    hidden on a phone."""
    formats = formats or {}
    cells = [
        [_cell(value, formats.get(column, "")) for column, value in zip(columns, row)]
        for row in rows
    ]
    return render("table.html", columns=columns, rows=cells, caption=caption, minor=minor)


def _cell(value: Any, specification: str) -> dict[str, Any]:
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool):
        return {"text": "yes" if value else "no", "key": int(value), "number": False}
    if isinstance(value, (int, float)):
        missing = isinstance(value, float) and math.isnan(value)
        text = "" if missing else format(value, specification) if specification else _number(value)
        return {"text": text, "key": "" if missing else value, "number": True}
    return {"text": str(value), "key": str(value), "number": False}


def _number(value: int | float) -> str:
    """Four digits: 112.5, 0.7123; all of those before the point: 12,345."""
    whole = isinstance(value, int) or 1e4 <= abs(value) < 1e15
    return format(value, ",.0f" if whole and isinstance(value, float) else "," if whole else ".4g")


def values(pairs: Mapping[str, Any]) -> Markup:
    """Names and values, one per line."""
    return render("values.html", pairs=pairs)


def folded(summary: str, body: Markup) -> Markup:
    """A part that is closed until the reader clicks on it."""
    return render("folded.html", summary=summary, body=body)


def code(text: str) -> Markup:
    return Markup("<pre><code>") + escape(text) + Markup("</code></pre>")


def join(*pieces: Markup | str) -> Markup:
    return Markup("\n").join(pieces)


def grid(*pieces: Markup) -> Markup:
    """Pieces side by side if there is room."""
    return Markup('<div class="grid">') + join(*pieces) + Markup("</div>")


def halves(*pieces: Markup) -> Markup:
    """Two on a row of a desktop, one on a phone."""
    return Markup('<div class="grid halves">') + join(*pieces) + Markup("</div>")
