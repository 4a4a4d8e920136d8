"""The house style, in one place: colours, sizes, and what every figure has in common.

Colours: Okabe & Ito's palette, which people with any of the common colour vision deficiencies can
tell apart; its yellow is left out (too pale for lines). Continuous maps: viridis; signed: PuOr.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "black": "#000000",
}
INK = "#222222"
GREY = "#8A8A8A"
PALE = "#D9D9D9"
SEQUENTIAL = "viridis"
DIVERGING = "PuOr"

WIDTH = 4.6
"""Inches; one column of a page. Figures are `WIDTH` wide unless a function says otherwise."""
HEIGHT = 2.9

RC = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": matplotlib.cycler(color=list(COLOURS.values())),
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 4,
    "image.cmap": SEQUENTIAL,
    "image.interpolation": "nearest",
    "image.aspect": "auto",
    "figure.dpi": 120,
    "savefig.bbox": "tight",
    "savefig.pad_inches": 0.04,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
}


def figure(function):
    """Decorator of every figure function: it draws in the house style."""

    @functools.wraps(function)
    def styled(*arguments, **options):
        with matplotlib.rc_context(RC):
            return function(*arguments, **options)

    return styled


def new_axes(ax: Axes | None = None, width: float = WIDTH, height: float = HEIGHT) -> Axes:
    """`ax`, or the one Axes of a new figure that belongs to no window."""
    if ax is not None:
        return ax
    return Figure(figsize=(width, height), layout="constrained").add_subplot()


def new_stack(heights: list[float], width: float = WIDTH, height: float = HEIGHT):
    """Axes one above the other that share the horizontal one."""
    made = Figure(figsize=(width, height), layout="constrained")
    return made.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights})


def name_ticks(ax: Axes, names, *, across: bool = True) -> None:
    """A name at each of 0, 1, 2, ... along one side; small where there are many."""
    size = 8 if len(names) <= 30 else 6 if across else 5
    if across:
        ax.set_xticks(range(len(names)), names, rotation=90, fontsize=size)
    else:
        ax.set_yticks(range(len(names)), names, fontsize=size)


def colour_bar(ax: Axes, mappable, label: str) -> None:
    bar = ax.figure.colorbar(mappable, ax=ax, shrink=0.9, pad=0.02, aspect=30)
    bar.set_label(label)
    bar.outline.set_visible(False)


def figure_of(axes) -> Figure:
    """The figure of one Axes or of an array of them."""
    return (axes if isinstance(axes, Axes) else list(getattr(axes, "flat", axes))[0]).figure


@figure
def save(axes, path: str | Path, *, dpi: int = 200) -> Path:
    """Writes the figure of `axes`: SVG or PDF (vector), or PNG, by the ending of `path`.

    The same figure gives the same bytes: no time stamps.
    """
    path = Path(path)
    salt = hashlib.sha256(path.name.encode()).hexdigest()
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix)
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        figure_of(axes).savefig(path, dpi=dpi, metadata=metadata)
    return path
