"""Progress of a training: a bar in the terminal or in a notebook, and a live learning curve."""

from __future__ import annotations

import sys
import time
from typing import Any

from . import _core

EVERY = 0.2
"""Seconds between two updates of a bar."""


def shower(progress: bool | str | None):
    """The object that shows the progress of a training, with `update(Progress)` and `close()`, from the argument of
    `Trainer.run`; None for nothing. Raises UsageError for other values."""
    if progress not in (None, True, False, "bar", "curve"):
        raise _core.UsageError(f'progress = {progress!r}; it must be one of True, False, "bar", "curve"')
    notebook = _in_notebook()
    if progress is False or (progress is None and not notebook and not _is_terminal(sys.stderr)):
        return None
    if progress == "curve" and notebook:
        return Curve()
    if notebook:
        return _tqdm_notebook() or NotebookBar()
    return TerminalBar()


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    return getattr(running, "kernel", None) is not None


def _is_terminal(stream) -> bool:
    return stream is not None and hasattr(stream, "isatty") and stream.isatty()


def words(p: _core.Progress) -> str:
    """Loss, accuracy and solved tasks."""
    text = f"loss {p.loss:.4f}"
    if p.evaluation is not None:
        e = p.evaluation
        text += f"  accuracy {e.mean_accuracy:.3f} ({100 * e.mean_share_of_ceiling:.1f}% of ceiling)"
        text += f"  solved {e.n_solved}/{len(e)}"
    return text


def clock(seconds: float) -> str:
    """h:mm:ss, or m:ss."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class _Slow:
    """Updates at most every `EVERY` seconds, at evaluations, and at the end."""

    def __init__(self):
        self._next = 0.0

    def update(self, p: _core.Progress) -> None:
        now = time.monotonic()
        if now >= self._next or p.evaluated_now or p.step == p.n_steps:
            self._next = now + EVERY
            self.show(p)

    def show(self, p: _core.Progress) -> None:
        raise NotImplementedError

    def close(self) -> None:
        pass


class TerminalBar(_Slow):
    """One line on stderr, rewritten; if stderr is not a terminal, a line per evaluation."""

    def __init__(self):
        super().__init__()
        self._terminal = _is_terminal(sys.stderr)
        self._open = False

    def show(self, p: _core.Progress) -> None:
        left = f", {clock(p.seconds_left)} left" if p.seconds_left and p.step < p.n_steps else ""
        text = f"step {p.step}/{p.n_steps}{left}  {words(p)}"
        if not self._terminal:
            if p.evaluated_now or p.step == p.n_steps:
                print(text, file=sys.stderr, flush=True)
            return
        filled = round(20 * p.step / max(p.n_steps, 1))
        print(f"\r{'█' * filled}{'░' * (20 - filled)} {text}\x1b[K", end="", file=sys.stderr, flush=True)
        self._open = True

    def close(self) -> None:
        if self._open:
            print(file=sys.stderr, flush=True)


class NotebookBar(_Slow):
    """A bar in the output of a notebook's cell, without widgets."""

    def __init__(self):
        super().__init__()
        self._handle: Any = None

    def show(self, p: _core.Progress) -> None:
        from IPython.display import HTML, display

        left = f", {clock(p.seconds_left)} left" if p.seconds_left and p.step < p.n_steps else ""
        page = HTML(
            f'<progress value="{p.step}" max="{p.n_steps}" style="width:16em"></progress> '
            f"step {p.step} of {p.n_steps}{left} &middot; {words(p)}"
        )
        if self._handle is None:
            self._handle = display(page, display_id=True)
        else:
            self._handle.update(page)


class Curve(NotebookBar):
    """The bar, and below it the learning curve so far, redrawn at every evaluation."""

    def __init__(self):
        super().__init__()
        self._points: list[tuple[int, float, int]] = []
        self._picture: Any = None

    def show(self, p: _core.Progress) -> None:
        super().show(p)
        if not p.evaluated_now:
            return
        from IPython.display import Image, display

        from .display import picture

        e = p.evaluation
        self._points.append((p.step, e.mean_share_of_ceiling, e.n_solved))
        png = picture(lambda: self._draw(p))
        if png is None:
            return
        if self._picture is None:
            self._picture = display(Image(png), display_id=True)
        else:
            self._picture.update(Image(png))

    def _draw(self, p):
        from .plot import curves, style

        ax = style.new_axes()
        steps, shares, solved = zip(*self._points)
        ax.plot(steps, shares, "o-")
        curves._finish(ax, "step", "mean_share_of_ceiling")
        ax.set_xlim(0, p.n_steps)
        ax.set_title(f"{solved[-1]} of {len(p.evaluation)} tasks solved")
        return ax


class _Tqdm(_Slow):
    def __init__(self, bar):
        super().__init__()
        self._bar = bar

    def show(self, p: _core.Progress) -> None:
        self._bar.total = p.n_steps
        self._bar.set_postfix_str(words(p), refresh=False)
        self._bar.update(p.step - self._bar.n)

    def close(self) -> None:
        self._bar.close()


def _tqdm_notebook():
    """tqdm's bar of widgets; None if tqdm or ipywidgets is missing."""
    try:
        import ipywidgets  # noqa: F401
        from tqdm.notebook import tqdm
    except ImportError:
        return None
    return _Tqdm(tqdm(total=0, unit="step"))
