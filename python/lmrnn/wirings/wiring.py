"""A wiring as it was read, with all that its file knew about it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from .._core import Mask, UsageError


@dataclass(frozen=True, eq=False, repr=False)
class Wiring:
    """A mask, and what its file knew. Wherever lmrnn takes a mask, it takes a Wiring."""

    mask: Mask
    weights: np.ndarray | None = None
    """(synapse) float64, in the order of the mask; None if the file has none but 0 and 1."""
    names: list[str] | None = None
    """(unit) names or identifiers, in the order of the units."""
    coordinates: np.ndarray | None = None
    """(unit, dimension), in the units of the file."""
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
        """(unit) 1 if all that a unit sends is positive, -1 if all is negative, else 0; None without
        weights."""
        if self.weights is None:
            return None
        sources = self.mask.sources
        positive = np.bincount(sources, self.weights > 0, self.mask.shape[1]) > 0
        negative = np.bincount(sources, self.weights < 0, self.mask.shape[1]) > 0
        return positive.astype(np.int8) - negative.astype(np.int8)

    @property
    def matrix(self) -> np.ndarray:
        """(target, source) float64 weights; 1 where the file has none."""
        dense = np.zeros(self.mask.shape)
        dense[self.mask.targets, self.mask.sources] = 1.0 if self.weights is None else self.weights
        return dense

    def describe(self) -> str:
        """Several lines. The first says which way the file was read, by the example of a unit."""
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
        """Writes .npz: `mask` (target, source) uint8, which wiring.path reads, and what else is known:
        `weights` (target, source), `names`, `coordinates`, `signs`, `source`."""
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
        temporary = path.with_name(path.name + ".tmp.npz")
        np.savez_compressed(temporary, **arrays)
        temporary.replace(path)

    def replace(self, **changes) -> Wiring:
        return dataclasses.replace(self, **changes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Wiring):
            return NotImplemented
        same = lambda a, b: (a is None) == (b is None) and (a is None or np.array_equal(a, b))  # noqa: E731
        return (
            self.mask == other.mask
            and same(self.weights, other.weights)
            and self.names == other.names
            and same(self.coordinates, other.coordinates)
        )

    __hash__ = None

    def __repr__(self) -> str:
        return f"Wiring({self.mask!r}, {self.where!r}, {self.orientation})"

    def __str__(self) -> str:
        return self.describe()
