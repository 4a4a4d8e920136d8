"""A wiring that was read from a file, with everything that the file has about it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from .._core import Mask, Sheet, UsageError
from ..writing import written
from . import layout


@dataclass(frozen=True, eq=False, repr=False)
class Wiring:
    """A mask, and other data from its file. You can use a Wiring wherever lmrnn takes a mask."""

    mask: Mask
    weights: np.ndarray | None = None
    """(synapse) float64, in the order of the mask; None if the file has none but 0 and 1."""
    names: list[str] | None = None
    """(unit) names or identifiers, in the order of the units."""
    coordinates: np.ndarray | None = None
    """(unit, dimension), in the units of the file."""
    types: list[str] | None = None
    """(unit) types of cells."""
    excitatory: np.ndarray | None = None
    """(unit) bool: excitatory, else inhibitory."""
    where: str = ""
    """File and dataset."""
    orientation: str = "target-source"
    """What comes first in the file: "target-source" or "source-target"."""
    stated_by: str = ""
    """Who says so: "the file", "you", or nobody."""
    notes: tuple[str, ...] = ()
    """What a careful reader should know: duplicates, numbers from 1, and so on."""

    @property
    def n_units(self) -> int:
        return self.mask.shape[0]

    @property
    def signs(self) -> np.ndarray | None:
        """(unit) 1 if all outgoing weights of a unit are positive, -1 if all are negative, otherwise 0; None without
        weights."""
        if self.weights is None:
            return None
        sources = self.mask.sources
        positive = np.bincount(sources, self.weights > 0, self.mask.shape[1]) > 0
        negative = np.bincount(sources, self.weights < 0, self.mask.shape[1]) > 0
        return positive.astype(np.int8) - negative.astype(np.int8)

    @property
    def matrix(self) -> np.ndarray:
        """(target, source) float64 weights; 1 if the file has none."""
        dense = np.zeros(self.mask.shape)
        dense[self.mask.targets, self.mask.sources] = 1.0 if self.weights is None else self.weights
        return dense

    def take(self, units) -> Wiring:
        """Only these units, in this order: numbers, names, or one bool per unit. Synapses of other units are
        removed."""
        units = self._numbers(units)
        matrix, present = self.matrix[np.ix_(units, units)], self.mask.to_dense()[np.ix_(units, units)]
        if not present.any():
            raise UsageError("take: there is no synapse between these units; take others")
        mask = Mask(present)
        return self.replace(
            mask=mask,
            weights=None if self.weights is None else matrix[mask.targets, mask.sources],
            names=None if self.names is None else [self.names[i] for i in units],
            coordinates=None if self.coordinates is None else self.coordinates[units],
            types=None if self.types is None else [self.types[i] for i in units],
            excitatory=None if self.excitatory is None else self.excitatory[units],
        )

    def on_sheet(self, rows: int, cols: int) -> Wiring:
        """Orders the units so that neighbours in space are near each other on a sheet of rows x cols, for maps and
        pictures: into columns by their longest direction, within a column by the second longest. Distances of the
        coordinates do not change."""
        if self.coordinates is None:
            raise UsageError("on_sheet: this wiring has no coordinates; set them with replace(coordinates=...)")
        return self.take(layout.order_on_sheet(self.coordinates, rows, cols))

    def scaled(self, spectral_radius: float = 0.9) -> Wiring:
        """All weights times one factor, so that the recurrent weights have this spectral radius when training starts.
        If no weight is negative and `excitatory` is known, weights of inhibitory units count as negative, as in
        training. Weights of the usual size make activity grow if most have the same sign, because they do not
        cancel."""
        if self.weights is None:
            raise UsageError("scaled: this wiring has no weights; set them with replace(weights=...)")
        if not 0 < spectral_radius < np.inf:
            raise UsageError(f"scaled: spectral_radius = {spectral_radius:g}; give a number above 0, e.g. 0.9")
        matrix = self.matrix
        if self.excitatory is not None and not (self.weights < 0).any():
            matrix = matrix * np.where(self.excitatory, 1, -1)
        radius = np.abs(np.linalg.eigvals(matrix)).max()
        # Without cycles, all eigenvalues are 0 up to rounding.
        if radius <= 1e-9 * np.abs(matrix).max():
            raise UsageError("scaled: the spectral radius is 0, since no activity returns to its unit")
        return self.replace(weights=self.weights * (spectral_radius / radius))

    def sheet(self, rows: int | None = None, cols: int | None = None) -> Sheet:
        """A sheet with the units; with coordinates, distances are straight lines between them."""
        rows, cols = self._rows_and_cols(rows, cols)
        if self.coordinates is None:
            return Sheet(rows, cols)
        return Sheet(rows, cols, "l2", "open", coordinates=self.coordinates)

    def compare(self, *, seed: int) -> dict[str, dict[str, float]]:
        """Statistics of this wiring next to two with the same number of synapses. "shuffled" has its units and degrees.
        "local", on the coordinates (without these, on a sheet), has the same autapses, and the other synapses are
        between the closest pairs; among pairs at equal distances, those first in the order of the units."""
        sheet = self.sheet()
        others = {"wiring": self.mask, "shuffled": self.mask.shuffled(seed=seed)}
        others["local"] = Mask(layout.closest_pairs(self.mask.to_dense(), layout.distances(sheet)))
        return {name: mask.statistics(sheet) for name, mask in others.items()}

    def keys(self, path: str | PathLike, *, rows: int | None = None, cols: int | None = None) -> dict:
        """[wiring] of a configuration that uses everything that `save(path)` writes. Remove or change what you do not
        want, e.g. remove `weights_path` to draw the weights. `gains` is not included. If all weights are whole numbers,
        such as counts of contacts, they are scaled (`weights_scale`)."""
        rows, cols = self._rows_and_cols(rows, cols)
        path = str(path)
        keys = {"kind": "file", "path": path, "rows": rows, "cols": cols}
        if self.coordinates is not None:
            keys |= {"coordinates_path": path, "metric": "l2", "boundary": "open"}
        if self.weights is not None:
            keys |= {"weights_path": path}
            if np.array_equal(self.weights, np.round(self.weights)):
                keys |= {"weights_scale": "fan-in"}
        if self.types is not None:
            keys |= {"types_path": path}
        if self.excitatory is not None:
            keys |= {"excitatory_placement": "file", "excitatory_path": path}
        return keys

    def _rows_and_cols(self, rows, cols):
        if rows is None and cols is None:
            return layout.rows_and_cols(self.n_units)
        if min(size for size in (rows, cols) if size is not None) < 1:
            raise UsageError(f"rows = {rows}, cols = {cols}; give whole numbers of at least 1")
        rows = rows if rows is not None else self.n_units // cols
        cols = cols if cols is not None else self.n_units // rows
        if rows * cols != self.n_units:
            raise UsageError(f"{rows} x {cols} are not {self.n_units} units; give rows and cols that fit")
        return rows, cols

    def _numbers(self, units) -> np.ndarray:
        units = list(units)
        if units and all(isinstance(unit, str) for unit in units):
            if self.names is None:
                raise UsageError("take: the units of this wiring have no names; give numbers")
            place = {name: i for i, name in enumerate(self.names)}
            n_named = Counter(self.names)
            for unit in units:
                if n_named[unit] == 0:
                    raise UsageError(f"take: no unit is named {unit!r}")
                if n_named[unit] > 1:
                    raise UsageError(f"take: {n_named[unit]} units are named {unit!r}; give their numbers")
            units = [place[unit] for unit in units]
        array = np.asarray(units)
        if array.dtype == bool:
            if len(array) != self.n_units:
                raise UsageError(f"take: {len(array)} values of bool for {self.n_units} units")
            return np.flatnonzero(array)
        if array.ndim != 1 or array.dtype.kind not in "iu" or len(set(array.tolist())) != len(array):
            raise UsageError("take: give each unit once, by number or name")
        if len(array) and not (0 <= array.min() and array.max() < self.n_units):
            raise UsageError(f"take: units are numbered from 0 to {self.n_units - 1}")
        return array

    def describe(self) -> str:
        """Several lines of text. The first explains the orientation, with a unit as example."""
        n_in = np.bincount(self.mask.targets, minlength=self.mask.shape[0])
        n_out = np.bincount(self.mask.sources, minlength=self.mask.shape[1])
        lines = [self._direction(n_in, n_out)]
        n_autapses = int((self.mask.targets == self.mask.sources).sum())
        lines.append(
            f"{self.n_units} units, {self.mask.n_synapses} synapses ({n_autapses} autapses), density "
            f"{self.mask.density:.4g}"
        )
        lines.append(
            f"a unit receives from {n_in.min()} to {n_in.max()} units and sends to {n_out.min()} to "
            f"{n_out.max()}"
        )
        if self.weights is not None:
            lines.append(
                f"weights from {self.weights.min():g} to {self.weights.max():g}, "
                f"{int((self.weights < 0).sum())} of them negative"
            )
        if self.names is not None:
            shown = ", ".join(self.names[:4]) + (", ..." if len(self.names) > 4 else "")
            lines.append(f"units in this order: {shown}")
        if self.coordinates is not None:
            lines.append(f"coordinates in {self.coordinates.shape[1]} dimensions")
        if self.types is not None:
            lines.append(f"{len(set(self.types))} types of cells")
        if self.excitatory is not None:
            n = int(self.excitatory.sum())
            lines.append(f"{n} excitatory units, {self.n_units - n} inhibitory")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    def _direction(self, n_in, n_out) -> str:
        dense_way = "symmetric, so the orientation does not matter"
        pairs = set(zip(self.mask.targets.tolist(), self.mask.sources.tolist()))
        if any((source, target) not in pairs for target, source in pairs):
            by = f"said by {self.stated_by}" if self.stated_by else "not stated by the file"
            other = "source-target" if self.orientation == "target-source" else "target-source"
            dense_way = f"read as {self.orientation}, {by}"
            if not self.stated_by:
                dense_way += f'; if that is wrong, say orientation "{other}"'
        unit = int(np.argmax(np.abs(n_in - n_out))) if len(n_in) == len(n_out) else 0
        name = f" ({self.names[unit]})" if self.names is not None else ""
        return (
            f"{self.where}: unit {unit}{name} receives from {n_in[unit]} units and sends to "
            f"{n_out[unit]}: {dense_way}"
        )

    def save(self, path: str | PathLike) -> None:
        """Writes .npz: `mask` (target, source) uint8, which wiring.path reads, and other known data: `weights` (target,
        source), `names`, `coordinates`, `signs`, `types` (unit) as numbers in the alphabetical order of `type_names`,
        `excitatory` (unit), `source`. `keys` returns the keys that read it."""
        path = Path(path)
        if path.suffix != ".npz":
            raise UsageError(f"{path}: the name must end in .npz")
        arrays = {"mask": self.mask.to_dense().astype(np.uint8), "source": np.array(self.where)}
        if self.weights is not None:
            arrays |= {"weights": self.matrix, "signs": self.signs}
        if self.names is not None:
            arrays["names"] = np.array(self.names)
        if self.coordinates is not None:
            arrays["coordinates"] = self.coordinates
        if self.types is not None:
            names = sorted(set(self.types))
            number = {name: i for i, name in enumerate(names)}
            arrays["types"] = np.array([number[name] for name in self.types], np.int32)
            arrays["type_names"] = np.array(names)
        if self.excitatory is not None:
            arrays["excitatory"] = self.excitatory.astype(np.uint8)
        with written(path) as temporary:
            np.savez_compressed(temporary, **arrays)

    def replace(self, **changes) -> Wiring:
        """A copy with some fields changed, e.g. with `types` from a table."""
        return dataclasses.replace(self, **changes)

    def __post_init__(self):
        n = self.n_units
        for name in ("weights", "coordinates", "excitatory"):
            if np.ma.is_masked(getattr(self, name)):  # np.asarray would drop the mask
                raise UsageError(f"{name}: some of its entries are masked; give array.filled with the number that you mean")
        for name in ("names", "coordinates", "types", "excitatory"):
            value = getattr(self, name)
            if value is not None and len(value) != n:
                raise UsageError(f"{name}: {len(value)} for {n} units; give one for each unit")
        if self.weights is not None and np.shape(self.weights) != (self.mask.n_synapses,):
            raise UsageError(
                f"weights: shape {np.shape(self.weights)}, but the mask has {self.mask.n_synapses} synapses"
            )
        if self.weights is not None and not np.isfinite(self.weights).all():
            raise UsageError("weights: some are not finite; give a number for every synapse")
        if self.excitatory is not None:
            types = np.asarray(self.excitatory)
            if types.ndim != 1:
                raise UsageError(f"excitatory: shape {types.shape}; give (unit)")
            if not np.isin(types, (0, 1)).all():
                raise UsageError("excitatory: write True for excitatory units and False for inhibitory ones")
            object.__setattr__(self, "excitatory", types.astype(bool))
        if self.types is not None:
            object.__setattr__(self, "types", [str(name) for name in self.types])
        if self.coordinates is not None:
            object.__setattr__(self, "coordinates", np.asarray(self.coordinates, np.float64))
            if self.coordinates.ndim != 2:
                raise UsageError(f"coordinates: shape {self.coordinates.shape}; give (unit, dimension)")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Wiring):
            return NotImplemented
        same = lambda a, b: (a is None) == (b is None) and (a is None or np.array_equal(a, b))  # noqa: E731
        return (
            self.mask == other.mask
            and same(self.weights, other.weights)
            and self.names == other.names
            and same(self.coordinates, other.coordinates)
            and self.types == other.types
            and same(self.excitatory, other.excitatory)
        )

    __hash__ = None

    def __repr__(self) -> str:
        return f"Wiring({self.mask!r}, {self.where!r}, {self.orientation})"

    def __str__(self) -> str:
        return self.describe()
