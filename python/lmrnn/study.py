"""Studies as objects: reads the tables that `lmrnn study collect` wrote."""

from __future__ import annotations

import sys
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from . import _core
from .display import pairs_html
from .table import Table

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAMES = frozenset(
    "a axis b cell commit error hash host key kind level measure outcome processor run scale simd stage started state "
    "task verdict version where".split()
)
"""Columns that hold text. A level called "8" or "1e3" is a name, not a number."""


class Study:
    """The directory of a study, e.g. runs/e4-small, with its tables by cell.

    A *cell* has a level on every axis. The axis `network`, or if there is none the first one, is the one that figures
    compare (`axis`, `levels`); every combination of levels of the other axes is a *panel*, named by its levels. A study
    without axes has one cell, `run`, and compares `cell`. Raises UsageError if the directory has no tables.
    """

    def __init__(self, directory: str | PathLike):
        self.directory = Path(directory)
        if not (self.directory / "tables/cells.csv").is_file():
            raise _core.UsageError(
                f"{directory}: has no tables of a study; lmrnn study collect STUDY.toml makes them"
            )
        columns = list(Table.read(self.directory / "tables/cells.csv"))
        self.axes = columns[1 : columns.index("measure")]
        if not self.cells.n_rows:
            raise _core.UsageError(f"{directory}: no reporting run has finished yet; run lmrnn study run STUDY.toml")
        self.axis = "network" if "network" in self.axes else next(iter(self.axes), "cell")
        self._by = {
            (self.panel(row), str(row[self.axis]), row["measure"]): _without_interval_of_one(row)
            for row in self.cells.rows()
        }
        self.panels = list(dict.fromkeys(key[0] for key in self._by))
        self.levels = list(dict.fromkeys(key[1] for key in self._by))

    @property
    def name(self) -> str:
        return self.directory.resolve().name

    def __repr__(self) -> str:
        return (
            f"Study({str(self.directory)!r}, axes {self.axes}, {len(self.panels)} panels of "
            f"{len(self.levels)} levels of {self.axis})"
        )

    def _repr_html_(self) -> str:
        pairs = {"claim": self.config["claim"]} if "claim" in self.config else {}
        pairs |= {"axes": ", ".join(self.axes), self.axis: ", ".join(self.levels)}
        counts = self.table("cells")
        pairs["runs"] = int(sum(r["runs"] for r in counts.rows() if r["measure"] == "final_share"))
        return pairs_html(f"Study {self.name}", pairs)

    @cached_property
    def registered(self) -> dict[str, Any]:
        """The study file as it was before the first run; empty if no run has begun in this directory."""
        return self._toml("registered.toml")

    @cached_property
    def config(self) -> dict[str, Any]:
        """The study file as it was when the tables were made, with its defaults; as registered if an earlier version
        made them."""
        return self._toml("collected.toml") or self.registered

    def _toml(self, name: str) -> dict[str, Any]:
        path = self.directory / name
        return tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}

    def table(self, name: str) -> Table:
        """Any table by name: cells, curves, contrasts, best, tuning, tasks, survival, runs, states,
        times. Empty if the study has none of that name. Names and levels are text."""
        path = self.directory / "tables" / f"{name}.csv"
        # An axis may have the name of a number in tables without columns for axes.
        axes = () if name in ("contrasts", "best", "states", "times") else self.axes
        return Table.read(path, text=NAMES.union(axes)) if path.is_file() else Table()

    @cached_property
    def cells(self) -> Table:
        return self.table("cells")

    @cached_property
    def measures(self) -> list[str]:
        """Names of all measures of `cells`."""
        return list(dict.fromkeys(str(measure) for measure in self.cells["measure"]))

    def marks(self, of: str = "steps") -> list[str]:
        """The measures of `statistics.marks`, of "steps" or "trials": steps_to_50, steps_to_80, ..."""
        return [measure for measure in self.measures if measure.startswith(f"{of}_to_")]

    def panel(self, row) -> str:
        """The name of a row's panel, for any table with columns for the axes: the levels of the other axes and, for
        axes that are keys (optimiser.learning_rate), also the key."""
        parts = []
        for axis in self.axes:
            if axis != self.axis:
                key = axis.rsplit(".", 1)[-1].replace("_", " ") + " " if "." in axis else ""
                parts.append(f"{key}{row[axis]}")
        return ", ".join(parts)

    def levels_of(self, panel: str) -> list[str]:
        """The levels of `axis` in a panel, in the order of the study file."""
        if panel not in self.panels:
            raise _core.UsageError(f"{self.name}: no panel {panel!r}; it has {_listed(self.panels)}")
        return [level for level in self.levels if (panel, level, "area") in self._by]

    def _row(self, panel: str, level: str, measure: str) -> dict[str, Any]:
        """The row of a cell and a measure. Raises UsageError that lists what there is."""
        if (row := self._by.get((panel, level, measure))) is not None:
            return row
        if level not in (levels := self.levels_of(panel)):
            where = f" in panel {panel!r}" if panel else ""
            raise _core.UsageError(f"{self.name}: no level {level!r} of {self.axis}{where}; it has {_listed(levels)}")
        measures = [name for one, other, name in self._by if (one, other) == (panel, level)]
        raise _core.UsageError(f"{self.name}: no measure {measure!r}; it has {', '.join(measures)}")

    def value(self, panel: str, level: str, measure: str) -> dict[str, Any]:
        """The row of a cell and a measure: mean, lower, upper, runs, censored, horizon, median. A cell with one run has
        no interval: lower and upper are NaN. Raises UsageError for a panel, level or measure that the study does not
        have, as the other functions of cells do."""
        return self._row(panel, level, measure)

    def values(self, panel: str, measure: str, levels: list[str]) -> np.ndarray:
        """(3, level): mean and bootstrap interval over runs; NaN instead of the interval of one run."""
        return _estimates([self._row(panel, level, measure) for level in levels])

    def values_in(self, panels: list[str], level: str, measure: str) -> np.ndarray:
        """(3, panel): mean and bootstrap interval over runs of one level; NaN instead of the interval of one run."""
        return _estimates([self._row(panel, level, measure) for panel in panels])

    def reached(self, panel: str, level: str, measure: str) -> bool:
        """Whether any run of the cell has the measure; false for a mark that no run reached."""
        row = self._row(panel, level, measure)
        return not row["censored"] == row["runs"]

    def text(self, panel: str, level: str, measure: str) -> str:
        """A mean with its interval, as reports and pages show it; the value alone if there is one run. For a mark, also
        how many runs missed it, and a sign that the restricted mean is then a lower bound. Empty if there is none."""
        row = self._row(panel, level, measure)
        if not self.reached(panel, level, measure):
            return f"not within {row['horizon']:g}"
        if np.isnan(row["mean"]):
            return ""
        mean, lower, upper = (f"{float(f'{row[k]:.3g}'):g}" for k in ("mean", "lower", "upper"))
        missed = f"{row['censored']:g} of {row['runs']} never" if row["censored"] > 0 else ""
        interval = f"{lower} to {upper}" if np.isfinite([row["lower"], row["upper"]]).all() else ""
        more = "; ".join(words for words in (interval, missed) if words)
        return f"{'≥ ' if missed else ''}{mean}" + (f" ({more})" if more else "")

    def differ(self, panel: str, measure: str) -> bool:
        """Whether the levels of a panel differ in the mean of a measure."""
        return len(set(self.values(panel, measure, self.levels_of(panel))[0])) > 1


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names))


def _without_interval_of_one(row: dict[str, Any]) -> dict[str, Any]:
    """Earlier versions wrote the value itself as both ends of the interval of one run."""
    return row | {"lower": np.nan, "upper": np.nan} if row["runs"] == 1 else row


def _estimates(rows: list[dict[str, Any]]) -> np.ndarray:
    return np.array([[float(row[k]) for row in rows] for k in ("mean", "lower", "upper")])
