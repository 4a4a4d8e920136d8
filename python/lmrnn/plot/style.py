"""The house style: colours, sizes, and everything that all figures share.

Colours: Okabe & Ito's palette, which people with any of the common colour vision deficiencies can
tell apart; its yellow is left out (too pale for lines). Continuous maps: viridis; signed: PuOr.
"""

from __future__ import annotations

import functools
import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.gridspec import SubplotSpec

from .. import _core
from ..calls import explained
from ..writing import written

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
CYCLIC = "twilight_shifted"
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
DASHES = ["-", "--", "-.", ":"]

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
    "pdf.fonttype": 42,  # text stays text
    "svg.fonttype": "none",
}

_registers: ContextVar[bool] = ContextVar("registers", default=True)


_Function = TypeVar("_Function", bound=Callable[..., Any])


def figure(function: _Function) -> _Function:
    """Decorator of all figure functions: draws in the house style."""

    told = explained(function)

    @functools.wraps(function)
    def styled(*arguments, **options):
        if _registers.get() and _in_notebook():
            _load_backend()
        with matplotlib.rc_context(RC):
            return told(*arguments, **options)

    return styled  # type: ignore[return-value]


@functools.cache
def _load_backend() -> None:
    """Loads the backend before a context of settings begins. Jupyter's backend turns interactive mode on when it is
    loaded, with the first figure; the end of the context would undo that, and later figures would not be shown."""
    import matplotlib.pyplot as plt

    if not plt.get_fignums():
        plt.switch_backend(matplotlib.get_backend())


@contextmanager
def unregistered() -> Iterator[None]:
    """Within this context, pyplot does not register new figures: they are not shown, and are freed."""
    token = _registers.set(False)
    try:
        yield
    finally:
        _registers.reset(token)


def new_figure(width: float, height: float) -> Figure:
    """A figure. If pyplot is in use, or in a notebook, pyplot shows it like its own figures."""
    if _registers.get() and ("matplotlib.pyplot" in sys.modules or _in_notebook()):
        import matplotlib.pyplot as plt

        return plt.figure(figsize=(width, height), layout="constrained")
    return Figure(figsize=(width, height), layout="constrained")


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    return getattr(running, "kernel", None) is not None


def new_axes(ax: Axes | None = None, width: float = WIDTH, height: float = HEIGHT) -> Axes:
    """`ax`, or the one Axes of a new figure. A Figure or a SubFigure as `ax` gets one Axes."""
    if ax is None:
        return new_figure(width, height).add_subplot()
    if isinstance(ax, FigureBase):
        return ax.add_subplot()
    if not isinstance(ax, Axes):
        raise _core.UsageError(f"ax: expected one matplotlib Axes, got {_what(ax)}")
    return ax


def new_grid(ax, rows: int, columns: int, width: float, height: float, **options) -> np.ndarray:
    """(rows, columns) Axes: of a new figure; in place of the Figure, SubFigure or Axes `ax`; or `ax` itself, if it has
    as many Axes. `options`: for Figure.subplots."""
    if ax is None:
        return new_figure(width, height).subplots(rows, columns, squeeze=False, **options)
    if isinstance(ax, FigureBase):
        return ax.subplots(rows, columns, squeeze=False, **options)
    if isinstance(ax, Axes):
        return _divided(ax, rows, columns, options)
    given = np.array(ax, dtype=object).ravel()
    if given.size != rows * columns or not all(isinstance(one, Axes) for one in given):
        raise _core.UsageError(
            f"ax: this figure has {rows * columns} panels; give as many Axes, one Axes to divide, or a "
            f"Figure; got {_what(ax)}"
        )
    return given.reshape(rows, columns)


def _divided(ax: Axes, rows: int, columns: int, options) -> np.ndarray:
    place = ax.get_subplotspec()
    if not isinstance(place, SubplotSpec):
        raise _core.UsageError("ax: cannot be divided into panels; make it with plt.subplots, or give a Figure")
    ratios = options.pop("gridspec_kw", {})
    ax.remove()
    return place.subgridspec(rows, columns, **ratios).subplots(squeeze=False, **options)


def _what(thing) -> str:
    size = f" of {len(thing)}" if hasattr(thing, "__len__") and not isinstance(thing, str) else ""
    return f"{type(thing).__name__}{size}"


def series(number: int) -> tuple[str, str, str]:
    """The colour, marker and dash of line `number`. 49 lines differ in their colour or marker; the dash changes with
    every round of the colours."""
    colours = list(COLOURS.values())
    turn = number // len(colours)
    # Without the shift, lines whose numbers differ by 7 would share colour and marker: there are 7 of both.
    marker = MARKERS[(number + turn) % len(MARKERS)]
    return colours[number % len(colours)], marker, DASHES[turn % len(DASHES)]


def share_top(ax: Axes) -> float:
    """The upper end of an axis of shares of a ceiling: 1.04, or more if a line is higher, because measured shares may
    be above 1."""
    highest = largest(*(line.get_ydata() for line in ax.lines))
    return 1.04 if highest <= 1.04 else 1.02 * highest


def words(key: str) -> str:
    """A name of a configuration, a column or a network as words: local4 -> local 4. Minus signs stay: 1e-05."""
    text = re.sub(r"(?<![^\s=])-(?=[\d.])|(?<=\de)-(?=\d)", "−", str(key))
    text = re.sub(r"[_-]+", " ", text).replace("−", "-")
    return re.sub(r"(?<!\de)(?<=[a-z])(?=\d)", " ", text).strip()


def name_ticks(ax: Axes, names, *, across: bool = True) -> None:
    """A name at each of 0, 1, 2, ... along one side; in a small font if there are many."""
    size = 8 if len(names) <= 30 else 6 if across else 5
    if across:
        ax.set_xticks(range(len(names)), names, rotation=90, fontsize=size)
    else:
        ax.set_yticks(range(len(names)), names, fontsize=size)


def degrees(ax: Axes, *, across: bool = True) -> None:
    """Makes one axis of `ax` an angle, from 0° to 360°."""
    axis = ax.xaxis if across else ax.yaxis
    axis.set_ticks([0, 90, 180, 270, 360], ["0°", "90°", "180°", "270°", "360°"])


def share_limits(ax: Axes) -> None:
    """Makes the vertical axis one of shares, with room for values at 0 and at 1."""
    ax.set_ylim(-0.03, 1.03)


def largest(*values, least: float = 0.0) -> float:
    """The largest finite one of numbers and arrays, but at least `least`."""
    finite = [part[np.isfinite(part)] for part in (np.ravel(value).astype(float) for value in values)]
    return float(max(part.max(initial=least) for part in finite))


def say_undefined(ax: Axes, what: str) -> None:
    """Writes "undefined" where there are no values, e.g. for a network whose units are all silent."""
    ax.text(0.5, 0.5, f"{what}: undefined", transform=ax.transAxes, ha="center", va="center", color=GREY)


def colour_bar(ax, mappable, label: str, **options):
    """A colour bar for one Axes, or for an array of them."""
    axes = ax if isinstance(ax, Axes) else [one for one in np.ravel(ax)]
    options = {"shrink": 0.9, "pad": 0.02, "aspect": 30, **options}
    bar = figure_of(ax).colorbar(mappable, ax=axes, **options)
    bar.set_label(label)
    bar.outline.set_visible(False)
    return bar


def on_white(image) -> None:
    """Marks an image whose low end is white, so that a dark page can invert it."""
    n = sum(len(ax.images) for ax in figure_of(image.axes).axes)
    image.set_gid(f"on-white-{n}")


def direction_key(ax: Axes, label: str = "direction") -> None:
    """A wheel of colours in a corner of `ax` that shows which colour means which direction."""
    wheel = ax.inset_axes([1.0, 0.72, 0.26, 0.28], projection="polar")
    edges = np.linspace(0, 2 * np.pi, 65)
    middle = (edges[:-1] + edges[1:]) / 2
    wheel.pcolormesh(edges, [0.55, 1], middle[None, :], cmap=CYCLIC, vmin=0, vmax=2 * np.pi, rasterized=True)
    wheel.set_rorigin(0)
    wheel.set_ylim(0, 1)
    wheel.set_yticks([])
    wheel.set_xticks([0, np.pi / 2, np.pi, 1.5 * np.pi], ["0°", "90°", "180°", "270°"], fontsize=6)
    wheel.tick_params(pad=-3)
    wheel.spines["polar"].set_visible(False)
    wheel.grid(False)
    wheel.set_title(label, fontsize=7, loc="center", pad=6)


def direction_colours(angles) -> np.ndarray:
    """(angle, 4): the colour of each direction, in rad, as in `direction_key`."""
    return matplotlib.colormaps[CYCLIC](np.mod(angles, 2 * np.pi) / (2 * np.pi))


def components(states: np.ndarray, n: int = 2):
    """The first `n` principal components of (sample, unit) states: their mean, (n, unit) axes, and the share of the
    variance that each explains. Ignores samples that are not finite; returns zeros if there are no others."""
    states = states[np.isfinite(states).all(axis=1)]
    if not len(states):
        return np.zeros(states.shape[1]), np.zeros((n, states.shape[1])), np.zeros(n)
    mean = states.mean(axis=0, dtype=float)  # float32 sums over millions of samples lose digits
    _, size, axes = np.linalg.svd(states - mean, full_matrices=False)
    total = max(float((size**2).sum()), 1e-300)
    share, found = np.zeros(n), np.zeros((n, states.shape[1]))
    k = min(n, len(axes))
    found[:k], share[:k] = axes[:k], size[:k] ** 2 / total
    return mean, found, share


def component_axes(ax: Axes, share) -> None:
    """Labels and equal scales of a plane of principal components."""
    ax.set_xlabel(f"component 1 ({100 * share[0]:.0f}% of variance)")
    ax.set_ylabel(f"component 2 ({100 * share[1]:.0f}%)")
    ax.set_aspect("equal", adjustable="datalim")


def figure_of(axes) -> Figure:
    """The figure of one Axes or of an array of them."""
    first = axes if isinstance(axes, (Axes, FigureBase)) else list(np.ravel(np.array(axes, dtype=object)))[0]
    found = first if isinstance(first, FigureBase) else first.figure
    while found is not found.figure and found.figure is not None:
        found = found.figure  # a SubFigure cannot be saved by itself
    return found


@figure
def save(axes, path: str | Path, *, dpi: int = 200) -> Path:
    """Writes the figure of `axes`: SVG or PDF (vector; text stays text), or PNG, by the ending of `path`. Makes the
    folder if it does not exist.

    The same figure gives the same bytes, because there are no time stamps. Raises UsageError for other endings,
    RunError if
    the file cannot be written.
    """
    path = Path(path)
    found = figure_of(axes)
    known = sorted(found.canvas.get_supported_filetypes())
    if path.suffix.lower().lstrip(".") not in known:
        raise _core.UsageError(f"{path}: cannot save as {path.suffix or 'a file without ending'}; "
                               f"use one of .{', .'.join(known)}")  # fmt: skip
    salt = hashlib.sha256(path.name.encode()).hexdigest()
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix)
    written_to = written(path, "choose another file (with lmrnn plot: --out)")
    with written_to as temporary, matplotlib.rc_context({"svg.hashsalt": salt}):
        found.savefig(temporary, dpi=dpi, metadata=metadata)
    return path
