"""The result of reading any format: the entries of a matrix, and what is known about them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .._core import Mask, UsageError
from .wiring import Wiring

TARGET_SOURCE, SOURCE_TARGET = "target-source", "source-target"
ORIENTATIONS = (TARGET_SOURCE, SOURCE_TARGET)


@dataclass
class Table:
    """The entries of a matrix (n_rows, n_columns) that are in the file; all others are 0."""

    where: str
    """Path and dataset, for messages."""
    shape: tuple[int, int]
    rows: np.ndarray
    """(entry)"""
    columns: np.ndarray
    """(entry)"""
    values: np.ndarray
    """(entry) numbers"""
    orientation: str | None = None
    """What the format or the file defines; None: nothing."""
    names: list[str] | None = None
    coordinates: np.ndarray | None = None
    types: list[str] | None = None
    excitatory: np.ndarray | None = None
    notes: list[str] = field(default_factory=list)
    square: bool = True

    @classmethod
    def of_matrix(cls, where: str, matrix, **known) -> Table:
        """From a dense two-dimensional array or a sparse matrix of SciPy."""
        if hasattr(matrix, "tocoo"):
            entries = matrix.tocoo()
            if entries.ndim != 2:
                raise UsageError(f"{where}: {dimensions(entries.shape)}")
            if not entries.has_canonical_format if hasattr(entries, "has_canonical_format") else True:
                entries.sum_duplicates()
            values = numbers(entries.data, where)
            return cls(where, entries.shape, entries.row, entries.col, values, **known)
        matrix = np.asarray(matrix)
        if matrix.ndim != 2:
            raise UsageError(f"{where}: {dimensions(matrix.shape)}")
        matrix = numbers(matrix, where)
        rows, columns = np.nonzero(matrix)
        return cls(where, matrix.shape, rows, columns, matrix[rows, columns], **known)

    def wiring(self, orientation: str | None, threshold: float | None, density: float | None) -> Wiring:
        self._check(threshold, density)
        kept = self._kept(threshold, density)
        stated = self._orientation(orientation)
        first, second = self.rows[kept], self.columns[kept]
        n_first, n_second = self.shape
        if stated == SOURCE_TARGET:
            first, second, n_first, n_second = second, first, n_second, n_first
        order = np.lexsort((second, first))
        pairs = np.column_stack([first, second])[order]
        mask = Mask.from_pairs(n_first, n_second, pairs)
        weights = self.values[kept][order]
        return Wiring(
            mask=mask,
            weights=None if np.all(weights == 1) else weights.astype(np.float64),
            names=self.names,
            coordinates=self.coordinates,
            types=self.types,
            excitatory=self.excitatory,
            where=self.where,
            orientation=stated,
            stated_by="the file" if self.orientation else "you" if orientation else "",
            notes=tuple(self.notes),
        )

    def _check(self, threshold, density):
        n_rows, n_columns = self.shape
        if self.square and n_rows != n_columns:
            raise UsageError(
                f"{self.where}: a matrix of {n_rows} x {n_columns}; a wiring between the units of one "
                "network is square. Pass the array itself to lmrnn.Mask for inputs or readouts"
            )
        bad = np.flatnonzero(~np.isfinite(self.values))
        if len(bad):
            row, column = self.rows[bad[0]], self.columns[bad[0]]
            raise UsageError(
                f"{self.where}: {self.values[bad[0]]} at [{row}, {column}]; write 0 for no synapse "
                "(NaN is often the fill value of chunks that were never written)"
            )
        if threshold is not None and density is not None:
            raise UsageError(f"{self.where}: give threshold or density, not both")
        if threshold is not None and not threshold >= 0:
            raise UsageError(f"{self.where}: threshold = {threshold}; it must be a number >= 0")
        if density is not None and not 0 < density <= 1:
            raise UsageError(f"{self.where}: density = {density}; it must be above 0 and at most 1")

    def _kept(self, threshold, density) -> np.ndarray:
        magnitude = np.abs(self.values.astype(np.float64))
        present = magnitude > (threshold or 0)
        n_present = int(present.sum())
        if n_present == 0:
            which = "no edge" if threshold is None else f"no entry above the threshold {threshold}"
            raise UsageError(f"{self.where}: there is {which}; a wiring needs at least one synapse")
        if density is not None:
            wanted = round(density * self.shape[0] * self.shape[1])
            if not 0 < wanted <= n_present:
                raise UsageError(
                    f"{self.where}: density = {density} asks for {wanted} of {n_present} entries that "
                    f"are not 0; at most {n_present / self.shape[0] / self.shape[1]:.4g} is possible"
                )
            # Ties keep the order of the file, so that the same file gives the same mask.
            order = np.lexsort((self.columns, self.rows, -magnitude))
            self.notes.append(f"the {wanted} entries of the largest magnitude are synapses")
            return np.sort(order[:wanted])
        if threshold is not None:
            self.notes.append(f"entries with a magnitude above {threshold:g} are synapses")
        elif self._is_correlation(present, magnitude):
            raise UsageError(
                f"{self.where}: no entry off the diagonal is 0, and they differ, as in a matrix of "
                "correlations or distances; which ones are synapses? Give a threshold (magnitude) or "
                "a density, e.g. density=0.04"
            )
        return np.flatnonzero(present)

    def _is_correlation(self, present, magnitude) -> bool:
        off = present & (self.rows != self.columns)
        n_rows, n_columns = self.shape
        n_off = n_rows * n_columns - min(n_rows, n_columns)
        return n_off > 2 and int(off.sum()) == n_off and len(np.unique(magnitude[off])) > 1

    def _orientation(self, wanted: str | None) -> str:
        if wanted is not None and wanted not in ORIENTATIONS:
            raise UsageError(
                f'orientation = "{wanted}"; write "target-source" (rows, or the first column, are '
                'targets) or "source-target"'
            )
        if wanted and self.orientation and wanted != self.orientation:
            raise UsageError(
                f'{self.where}: orientation = "{wanted}", but the file says {self.orientation}; leave '
                "the orientation out"
            )
        return wanted or self.orientation or TARGET_SOURCE


def numbers(array: np.ndarray, where: str) -> np.ndarray:
    """The array in the machine's byte order. Raises UsageError if it is not numeric."""
    if array.dtype.kind not in "biuf":
        kind = {"c": "complex numbers", "O": "Python objects", "V": "records"}.get(array.dtype.kind, "text")
        raise UsageError(f"{where}: holds {kind} ({array.dtype}); save an array of bool or numbers")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def dimensions(shape) -> str:
    return (
        f"an array of {len(shape)} dimensions {tuple(int(n) for n in shape)}; a wiring has two, target "
        "and source. Save the part that is the mask as an array of its own"
    )
