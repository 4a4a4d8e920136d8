"""Units in space, and on a sheet."""

from __future__ import annotations

import numpy as np

from .._core import Sheet, UsageError


def rows_and_cols(n_units: int) -> tuple[int, int]:
    """The sheet that is closest to a square."""
    rows = max(k for k in range(1, int(n_units**0.5) + 1) if n_units % k == 0)
    return rows, n_units // rows


def order_on_sheet(coordinates, rows: int, cols: int) -> np.ndarray:
    """(place) the unit at each place of a sheet, row by row.

    Units are sorted along the direction in which they spread most and cut into `cols` columns; those
    of a column are sorted along the second direction. The signs of the directions are chosen so that
    their largest component is positive, and equal positions keep the order of the units.
    """
    coordinates = np.asarray(coordinates, np.float64)
    n = len(coordinates)
    if rows < 1 or cols < 1 or rows * cols != n:
        raise UsageError(f"on_sheet: {rows} x {cols} places for {n} units; give rows and cols that fit")
    if not np.isfinite(coordinates).all():
        unit = np.flatnonzero(~np.isfinite(coordinates).all(axis=1))[0]
        raise UsageError(f"on_sheet: the place of unit {unit} is not finite; estimate it, or take() the others")
    centred = coordinates - coordinates.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    largest = np.abs(directions).argmax(axis=1)
    directions *= np.sign(directions[np.arange(len(directions)), largest])[:, None]
    along = centred @ directions.T
    columns = np.argsort(along[:, 0], kind="stable").reshape(cols, rows)
    second = along[:, min(1, along.shape[1] - 1)]
    for column in columns:
        column[:] = np.sort(column)[np.argsort(second[np.sort(column)], kind="stable")]
    return columns.T.reshape(-1)


def distances(sheet: Sheet) -> np.ndarray:
    """(unit, unit) distances on the sheet."""
    return np.array([sheet.distances_from(unit).ravel() for unit in range(sheet.n_units)])


def closest_pairs(mask: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """A mask (target, source) with the diagonal of `mask` and the same number of other synapses, between the closest
    pairs."""
    n = len(mask)
    between = ~np.eye(n, dtype=bool)
    n_synapses = int(np.count_nonzero(mask & between))
    targets, sources = np.nonzero(between)
    nearest = np.argsort(distance[targets, sources], kind="stable")[:n_synapses]
    local = np.zeros((n, n), dtype=bool)
    local[targets[nearest], sources[nearest]] = True
    return local | (np.asarray(mask, bool) & ~between)
