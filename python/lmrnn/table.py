"""CSV files as columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np

from . import _core
from .display import table_html, table_text

MOST_ROWS = 60
"""Rows that a table shows of itself; from longer ones, the first and the last half of them."""


class Table(dict):
    """Columns by name: arrays of int64 (uint64 for seeds from 2**63) or float64 if every cell is a number (empty: NaN),
    otherwise of str. Tasks are always text."""

    @classmethod
    def read(
        cls, path: str | Path, renamed: Mapping[str, str] | None = None, text: Collection[str] = ()
    ) -> Table:
        """Reads a CSV file. `renamed`: new names of columns by those of earlier versions. `text`: columns that stay
        text even if every cell is a number. A last line without an end is still being written, and left out.

        Raises UsageError if the file is missing or damaged."""
        path = Path(path)
        try:
            content = path.read_text("utf-8")
        except FileNotFoundError:
            raise _core.UsageError(f"{path}: is missing; copy its folder again, or make it again") from None
        rows = list(csv.reader(io.StringIO(content[: content.rfind("\n") + 1], newline="")))
        if not rows:
            return cls()
        header, body = rows[0], rows[1:]
        for line, row in enumerate(body, start=2):
            if len(row) != len(header):
                raise _core.UsageError(
                    f"{path}:{line}: has {len(row)} cells, where the header has {len(header)}: the file is damaged; "
                    "copy it again, or make it again"
                )
        names = [(renamed or {}).get(name, name) for name in header]
        columns = {name: [row[i] for row in body] for i, name in enumerate(names)}
        return cls(
            {
                name: np.array(cells, dtype=str) if name in text or _holds_tasks(name) else _column(cells)
                for name, cells in columns.items()
            }
        )

    @property
    def n_rows(self) -> int:
        return len(next(iter(self.values()))) if self else 0

    def rows(self) -> Iterator[dict]:
        for i in range(self.n_rows):
            yield {name: column[i] for name, column in self.items()}

    def where(self, kept: np.ndarray) -> Table:
        """The rows where `kept` (row) is true."""
        return Table({name: column[kept] for name, column in self.items()})

    def to_pandas(self):
        """A pandas.DataFrame of the same columns. Needs pandas."""
        import pandas

        return pandas.DataFrame(dict(self))

    def _shown(self) -> tuple[list, str]:
        if self.n_rows <= MOST_ROWS:
            return [list(row.values()) for row in self.rows()], ""
        half = MOST_ROWS // 2
        places = [*range(half), *range(self.n_rows - half, self.n_rows)]
        rows = [[column[i] for column in self.values()] for i in places]
        rows.insert(half, ["…"] * len(self))
        return rows, f"{self.n_rows} rows"

    def __repr__(self) -> str:
        rows, note = self._shown()
        if not self:
            return "Table without columns"
        return table_text(list(self), rows) + (f"\n{note}" if note else "")

    def _repr_html_(self) -> str:
        rows, note = self._shown()
        return table_html(list(self), rows, caption=note)


def _holds_tasks(column: str) -> bool:
    return "task" in column.split("_")


def _column(cells: list[str]) -> np.ndarray:
    for whole in (np.int64, np.uint64):
        try:
            return np.array([int(cell) for cell in cells], dtype=whole)
        except (ValueError, OverflowError):
            pass
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells])
    except ValueError:
        return np.array(cells, dtype=str)
