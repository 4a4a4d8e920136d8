"""How objects of the core are displayed: text, HTML in notebooks, and keys to complete.

Pictures need matplotlib; without it, notebooks show the text.
"""

from __future__ import annotations

import html
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import _core


def table_html(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, caption: str = "") -> str:
    """A plain HTML table, which notebooks format like those of pandas."""
    head = "".join(f"<th>{html.escape(str(c))}</th>" for c in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell(v))}</td>" for v in row) + "</tr>" for row in rows
    )
    title = f"<caption style='text-align:left'>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def table_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns of text, numbers to the right."""
    shown = [[cell(v) for v in row] for row in rows]
    widths = [max(len(str(c)), *(len(row[i]) for row in shown), 0) for i, c in enumerate(columns)]
    number = [all(_is_number(row[i]) for row in shown) for i in range(len(columns))]

    def line(cells):
        parts = [f"{c:>{w}}" if n else f"{c:<{w}}" for c, w, n in zip(cells, widths, number)]
        return "  ".join(parts).rstrip()

    return "\n".join([line([str(c) for c in columns]), *map(line, shown)])


def cell(value: Any) -> str:
    """A value as shown in tables."""
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 else value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return str(value)


def _is_number(text: str) -> bool:
    if text == "…":  # rows that are left out
        return True
    try:
        float(text or 0)
    except ValueError:
        return False
    return True


def pairs_html(title: str, pairs: dict[str, Any]) -> str:
    """A title, then one value per line."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{html.escape(str(k))}</th>"
        f"<td style='text-align:left'>{html.escape(cell(v))}</td></tr>"
        for k, v in pairs.items()
    )
    return f"<b>{html.escape(title)}</b><table>{rows}</table>"


def picture(draw: Callable[[], Any]) -> bytes | None:
    """A PNG of what `draw` draws; None without matplotlib."""
    try:
        from .plot import style
    except ModuleNotFoundError:
        return None
    import matplotlib

    buffer = io.BytesIO()
    with style.unregistered(), matplotlib.rc_context(style.RC):
        style.figure_of(draw()).savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


# Text ------------------------------------------------------------------------------------------------


def _degrees(radians: float) -> str:
    import math

    return f"{round(math.degrees(radians), 1):g}°"


def _conditions(c: _core.Conditions) -> str:
    parts = [f"modality={c.modality}", f"direction={c.direction:.4g} ({_degrees(c.direction)})"]
    parts.append("directions=(" + ", ".join(f"{d:.4g} ({_degrees(d)})" for d in c.directions) + ")")
    parts.append(f"strength={[[round(s, 4) for s in row] for row in c.strength]}, choice={c.choice}")
    parts.append(f"sample={c.sample:.4g} ({_degrees(c.sample)}), test={c.test:.4g} ({_degrees(c.test)})")
    parts.append(f"match={c.match}")
    durations = ", ".join(f"{name!r}: {ms:g}" for name, ms in c.durations.items())
    return f"Conditions({', '.join(parts)}, durations={{{durations}}}; angles in rad, durations in ms)"


def _ceiling(c: _core.Ceiling) -> str:
    return f"Ceiling(decision_accuracy={c.decision_accuracy!r}, trial_accuracy={c.trial_accuracy!r})"


def _trial_batch(b: _core.TrialBatch) -> str:
    n_steps, n_trials, n_channels = b.inputs.shape
    return f"TrialBatch({n_trials} trials, at most {n_steps} steps, {n_channels} channels)"


def _progress(p: _core.Progress) -> str:
    text = f"Progress(step {p.step} of {p.n_steps}, loss {p.loss:.4g}"
    if p.evaluation is not None:
        text += f", accuracy {p.evaluation.mean_accuracy:.3f}"
        text += f", {p.evaluation.n_solved} of {len(p.evaluation)} tasks solved"
    return f"{text})"


# Notebooks -------------------------------------------------------------------------------------------


def _trial_png(self) -> bytes | None:
    def draw():
        from . import plot

        return plot.trial(self)

    return picture(draw)


def _mask_png(self) -> bytes | None:
    def draw():
        from . import plot

        return plot.mask(self)

    # In a large matrix, dots would be too small to see.
    return picture(draw) if max(self.shape) <= 4096 else None


def _battery_html(self) -> str:
    rows = [[t.name, t.family, t.base, " ".join(t.periods)] for t in map(self.__getitem__, self.names[:150])]
    title = f"{len(self)} tasks, {self.n_ring} directions on the ring, steps of {self.dt:g} ms"
    return table_html(["task", "family", "base task", "periods"], rows, caption=title)


def _network_html(self) -> str:
    m = self.recurrent
    return pairs_html("Network", {
        "units": self.n_units,
        "recurrent synapses": f"{m.n_synapses:,} ({100 * m.density:.3g}% of all pairs)",
        "input channels": self.n_channels,
        "rules": self.n_rules,
        "classes": self.n_classes,
        "parameters": f"{self.n_parameters:,}",
        "activation": self.activation,
        "alpha = dt / tau": self.alpha,
        "state equation": self.equation,
        "recurrent weights stored": self.representation,
    })  # fmt: skip


def _ceiling_html(self) -> str:
    rows = [[name, getattr(self, name).value, getattr(self, name).standard_error]
            for name in ("decision_accuracy", "trial_accuracy")]  # fmt: skip
    return table_html(["ceiling", "value", "standard error"], rows)


def _conditions_html(self) -> str:
    pairs: dict[str, Any] = {"modality": self.modality, "direction": f"{self.direction:.4g} rad ({_degrees(self.direction)})"}
    for i, angle in enumerate(self.directions):
        pairs[f"directions[{i}]"] = f"{angle:.4g} rad ({_degrees(angle)})"
    pairs |= {"strength[modality][stimulus]": self.strength, "choice": self.choice, "match": self.match}
    pairs |= {name: f"{getattr(self, name):.4g} rad ({_degrees(getattr(self, name))})" for name in ("sample", "test")}
    pairs |= {f"duration of {name}": f"{ms:g} ms" for name, ms in self.durations.items()}
    return pairs_html("Conditions", pairs)


def _trial_batch_html(self) -> str:
    arrays = ("inputs", "rules", "targets", "periods", "mask", "lengths", "tasks", "responses")
    rows = [[n, str(getattr(self, n).shape), str(getattr(self, n).dtype)] for n in arrays]
    return table_html(["array", "shape", "type"], rows, caption=repr(self))


def _as_html_text(self) -> str:
    return f"<code>{html.escape(repr(self))}</code>"


def install() -> None:
    """Gives the core's classes their texts. lmrnn calls it once."""
    texts = {
        _core.Conditions: _conditions, _core.Ceiling: _ceiling, _core.TrialBatch: _trial_batch,
        _core.Progress: _progress,
    }  # fmt: skip
    for cls, text in texts.items():
        cls.__repr__ = text
    pages = {
        _core.Battery: _battery_html, _core.Network: _network_html, _core.Ceiling: _ceiling_html,
        _core.Conditions: _conditions_html, _core.TrialBatch: _trial_batch_html,
        _core.Progress: _as_html_text, _core.Task: _task_html, _core.Sheet: _as_html_text,
    }  # fmt: skip
    for cls, page in pages.items():
        cls._repr_html_ = page
    _core.Trial._repr_png_ = _trial_png
    _core.Mask._repr_png_ = _mask_png
    _core.Battery._ipython_key_completions_ = lambda self: self.names
    _core.Battery.__contains__ = lambda self, name: name in self.names
    _core.Battery.__iter__ = lambda self: map(self.__getitem__, range(len(self)))


def _task_html(self) -> str:
    return f"<b>{html.escape(self.name)}</b><pre>{html.escape(self.describe())}</pre>"
