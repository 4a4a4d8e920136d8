"""Endless batches of trials for training."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from . import _core
from .calls import explained

PERIODS = ("fixation", "stimulus", "delay", "second_stimulus", "decision")


def _shapes_of(arrays: NamedTuple) -> str:
    """A tuple of arrays as text: names and shapes, because pages of numbers help nobody."""
    return f"{type(arrays).__name__}({', '.join(f'{k}={_shape(v)}' for k, v in arrays._asdict().items())})"


def _shape(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {_shape(v)}" for k, v in value.items()) + "}"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{value.dtype} {tuple(value.shape)}"
    return repr(value)


class Batch(NamedTuple):
    """One batch; in time-major layout, the first two indices of every array are (time, row)."""

    inputs: np.ndarray
    """(time, row, channel) float32. With dense rules, one channel per rule comes last."""
    targets: np.ndarray
    """(time, row) int32 class: 0 is fixate, 1 + k respond in direction k."""
    mask: np.ndarray
    """(time, row) float32: weight of the step in the loss."""
    info: dict[str, Any]
    """`rules` (time, row, slot), `tasks`, `periods`, `trial_starts` (time, row); and `number`, the batch's."""

    def __repr__(self) -> str:
        return _shapes_of(self)


class Stream:
    """Rows of fixed length, filled with trials of a battery end to end, the last one cut.

    Batch b depends only on (seed, split, b): `stream[b]` equals the batch that iteration reaches after b others, on any
    machine. Iterating yields batches `first`, `first + 1`, ... without end. A second loop starts at `first` again; to
    continue, pass `first=` with the number of batches that you have seen.

    Parameters
    ----------
    battery : Battery
    batch, steps : int
        Rows in a batch, time steps in a row.
    seed : int
    split : "train", "validation" or "test"
        Splits share no trials.
    layout : "time-major" or "batch-first"
        (time, row, ...) or (row, time, ...).
    rules : "dense" or "index"
        Whether the rule is one-hot in the last channels of `inputs`, or only in info["rules"].
    weights : mapping, optional
        Weights in `mask` by period, e.g. {"decision": 5}; periods not named have 1.
    mode : "restart" or "continue"
        Whether rows begin with a fresh trial, or continue where the same row of the last batch stopped.
    trials_per_task : int
        > 0: a finite data set of this many trials per task, which repeats.
    first : int
        Number of the first batch of iteration.
    """

    @explained
    def __init__(
        self,
        battery: _core.Battery,
        *,
        batch: int = 64,
        steps: int = 350,
        seed: int,
        split: str = "train",
        layout: str = "time-major",
        rules: str = "dense",
        weights: Mapping[str, float] | None = None,
        mode: str = "restart",
        trials_per_task: int = 0,
        first: int = 0,
    ):
        _one_of(layout, "layout", ("time-major", "batch-first"))
        _one_of(rules, "rules", ("dense", "index"))
        self.battery = battery
        self.seed, self.split, self.mode = seed, split, mode
        self.layout, self.rules, self.first = layout, rules, first
        self.batch, self.steps = batch, steps
        self._period_weights = _period_weights(weights or {})
        self._options = dict(
            batch=batch, steps=steps, seed=seed, split=split, layout=layout, rules=rules,
            weights=weights, mode=mode, trials_per_task=trials_per_task, first=first,
        )  # fmt: skip
        self._stream = _core.PackedStream(
            battery,
            seed=seed,
            split=split,
            batch=batch,
            steps=steps,
            mode=mode,
            trials_per_task=trials_per_task,
        )

    @property
    def n_channels(self) -> int:
        """Input channels, without rules, as everywhere in lmrnn."""
        return self.battery.n_channels

    @property
    def n_inputs(self) -> int:
        """Width of `inputs`: the channels, and with dense rules one more for every rule."""
        dense = self.battery.n_rules if self.rules == "dense" else 0
        return self.battery.n_channels + dense

    @property
    def n_classes(self) -> int:
        return self.battery.n_classes

    def __getitem__(self, number: int) -> Batch:
        """Batch number `number`, from 0 to 2**32 - 1. Raises IndexError for others, TypeError for slices."""
        number = operator.index(number)
        if not 0 <= number < 2**32:
            raise IndexError(f"batch {number} does not exist; a stream has those from 0 to 2**32 - 1")
        arrays = self._stream.fill(number, self.layout == "batch-first", self.rules == "dense")
        inputs, targets = arrays.pop("inputs"), arrays.pop("targets")
        mask = self._period_weights[arrays["periods"]]
        return Batch(inputs, targets, mask, {**arrays, "number": number})

    def __iter__(self) -> Iterator[Batch]:
        number = self.first
        while True:
            yield self[number]
            number += 1

    def __getstate__(self):  # for pickle: workers of a DataLoader make their own
        return self.battery, self._options

    def __setstate__(self, state):
        battery, options = state
        self.__init__(battery, **options)

    def __repr__(self) -> str:
        return (
            f"Stream({self.battery!r}, batch={self.batch}, steps={self.steps}, seed={self.seed}, "
            f"split={self.split!r}, layout={self.layout!r}, rules={self.rules!r})"
        )


def _one_of(value: str, name: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise _core.UsageError(f"{name} = {value!r}; it must be one of {', '.join(known)}")


def _period_weights(weights: Mapping[str, float]) -> np.ndarray:
    for name, weight in weights.items():
        _one_of(name, "weights", PERIODS)
        if not 0 <= weight < float("inf"):
            raise _core.UsageError(f"weights: {name}: {weight!r}; give a finite number that is at least 0")
    return np.array([weights.get(name, 1.0) for name in PERIODS], dtype=np.float32)
