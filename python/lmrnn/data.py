"""Custom tasks and streams, written in NumPy and trained by the core.

A task is a function that makes one trial:

    def delayed_copy(rng):                            # rng: numpy.random.Generator
        signal = rng.integers(4)
        inputs = np.zeros((12, 5), dtype=np.float32)  # (time, channel)
        inputs[2:4, signal] = 1
        inputs[8:, 4] = 1                             # go
        targets = np.zeros(12, dtype=np.int32)        # (time) class
        targets[8:] = 1 + signal
        return lmrnn.data.Trial(inputs, targets, scored=targets > 0)

    data = lmrnn.data.OwnTasks("copy", {"delayed copy": delayed_copy}, n_channels=5, n_classes=5,
                                seed=0)
    lmrnn.Trainer(config, "runs/copy", seed=1, data=data).run()

For continuous outputs, a function returns targets (time, output), OwnTasks gets a `tolerance`, and the configuration
must have loss.kind = "least-squares".

A run is only as reproducible as the function: it must take all its randomness from `rng`, which depends only on (seed,
split, batch, row, trial).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import numpy as np

from . import _core
from .calls import explained
from .stream import _shapes_of

SPLITS = ("train", "validation", "test")


class Trial(NamedTuple):
    """The return value of a task's function; a plain tuple (inputs, targets) works, too."""

    inputs: np.ndarray
    """(time, channel)"""
    targets: np.ndarray
    """(time) class; or (time, output) what the outputs should be, if they are continuous"""
    mask: np.ndarray | None = None
    """(time) weight of each step in the loss; 1 unless given."""
    scored: np.ndarray | None = None
    """(time) whether the step counts for accuracy; those with weight unless given."""

    def __repr__(self) -> str:
        return _shapes_of(self)


class BatchSource(Protocol):
    """The type of `data` in lmrnn.Trainer. `arrays` must depend only on its arguments."""

    name: str
    """What the run's configuration calls these data."""
    n_channels: int
    n_classes: int
    """Or the number of outputs, if targets are continuous. Those need an attribute `tolerance`, too:
    how far every output may be from its target in a step that counts as right."""
    n_rules: int
    """Rule inputs, one of which is on at a time; 0: none."""
    tasks: list[str]

    def arrays(self, split: str, batch: int, steps: int, rows: int) -> dict[str, np.ndarray]:
        """One batch of a split: `inputs` (time, row, channel) float32; `targets` (time, row) int32, or
        (time, row, output) float32 if there is a `tolerance`; `mask` (time, row) float32, weights in
        the loss; `trial_starts`, `scored` (time, row) uint8;
        `tasks` (time, row) int32, numbers in the list; `rules` (time, row) int32, -1 for none, if
        n_rules > 0."""


def _tolerance(name: str, given) -> float:
    try:
        tolerance = float(given)
    except (TypeError, ValueError):
        tolerance = float("nan")
    if not (0 < tolerance < float("inf")):
        raise _core.UsageError(f"{name}: tolerance = {given!r}; give a finite number above 0")
    return tolerance


class OwnTasks:
    """Custom tasks as a BatchSource: rows hold trials end to end, and the last one is cut.

    Parameters
    ----------
    name : str
    tasks : mapping from name to function, or one function
        Each returns one Trial. If there are several tasks, each has a rule input.
    n_channels, n_classes : int, optional
        By default as in 100 trials of each task: the width of their inputs, and one more than their largest target, or
        the width of continuous targets. Set them if a class is too rare for that.
    tolerance : float, optional
        For continuous targets (time, output), and only for them: a step that is scored is right if every output is
        within `tolerance` of its target, in the targets' own units. It defines `accuracy` and `solved`, but does not
        change the loss, the sum of the squared differences of outputs and targets. The configuration must have
        loss.kind = "least-squares".
    seed : int
        Seed of the trials; they are the same for networks of different seeds.
    """

    @explained
    def __init__(
        self,
        name: str,
        tasks: Mapping[str, Callable[[np.random.Generator], Trial]] | Callable[[np.random.Generator], Trial],
        *,
        n_channels: int | None = None,
        n_classes: int | None = None,
        tolerance: float | None = None,
        seed: int,
    ):
        self.name, self.seed = name, _core._check_seed(seed)
        self.tolerance = None if tolerance is None else _tolerance(name, tolerance)
        if callable(tasks):
            tasks = {name: tasks}
        if not isinstance(tasks, Mapping) or not tasks or not all(map(callable, tasks.values())):
            raise _core.UsageError(
                f"{name}: tasks: expected a function, or a mapping from names to functions that return one "
                "Trial each"
            )
        self.tasks = list(tasks)
        self.functions = list(tasks.values())
        self.n_channels, self.n_classes = n_channels, n_classes
        if n_channels is None or n_classes is None:
            self._infer_sizes()
        self.n_rules = len(self.tasks) if len(self.tasks) > 1 else 0
        self._warned: set[str] = set()

    def arrays(self, split: str, batch: int, steps: int, rows: int) -> dict[str, np.ndarray]:
        made = {
            "inputs": np.zeros((steps, rows, self.n_channels), dtype=np.float32),
            "targets": np.zeros((steps, rows), dtype=np.int32),
            "mask": np.zeros((steps, rows), dtype=np.float32),
            "scored": np.zeros((steps, rows), dtype=np.uint8),
            "trial_starts": np.zeros((steps, rows), dtype=np.uint8),
            "tasks": np.zeros((steps, rows), dtype=np.int32),
        }
        if self.tolerance is not None:
            made["targets"] = np.zeros((steps, rows, self.n_classes), dtype=np.float32)
        for row in range(rows):
            key = [self.seed, SPLITS.index(split), batch, row]
            rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
            self._fill(made, row, steps, rng, f"row {row} of {split} batch {batch}")
        return {**made, "rules": made["tasks"]} if self.n_rules else made

    def _infer_sizes(self) -> None:
        widths, outputs, largest = {}, {}, 0
        for number, task in enumerate(self.tasks):
            for k in range(100):
                key = np.random.SeedSequence([self.seed, len(SPLITS), number, k])
                made = self._returned(task, np.random.Generator(np.random.Philox(key)))
                shape = np.shape(made.inputs)
                if len(shape) != 2:
                    raise _core.UsageError(f"{task}: inputs of shape {shape}; expected (time, channel)")
                widths.setdefault(shape[1], task)
                targets = self._checked_targets(task, made.targets)
                if self.tolerance is None:
                    largest = max(largest, int(targets.max(initial=0)))
                else:
                    outputs.setdefault(targets.shape[1], task)
        if self.n_channels is None:
            self.n_channels = self._only(widths, "channels")
        if self.n_classes is None:
            self.n_classes = largest + 1 if self.tolerance is None else self._only(outputs, "outputs")

    def _only(self, numbers: dict[int, str], what: str) -> int:
        if len(numbers) > 1:
            told = ", ".join(f"{n} in {task}" for n, task in numbers.items())
            raise _core.UsageError(f"{self.name}: trials must have the same number of {what}; {told}")
        return next(iter(numbers))

    def _check_kind(self, task: str, targets) -> None:
        """Checks that either all tasks have classes or all have continuous targets."""
        shape = np.shape(targets)
        if len(shape) == 2 and self.tolerance is None:
            raise _core.UsageError(
                f"{task}: targets of shape {shape}; give classes, (time), or, for continuous targets (time, "
                "output), also the tolerance of their scores: OwnTasks(..., tolerance=0.1)"
            )
        if len(shape) != 2 and self.tolerance is not None:
            raise _core.UsageError(
                f"{task}: targets of shape {shape}; with a tolerance, targets are continuous, (time, output), "
                "in all tasks; for classes, (time), leave the tolerance out"
            )

    def __repr__(self) -> str:
        tolerance = "" if self.tolerance is None else f"tolerance={self.tolerance:g}, "
        return (
            f"OwnTasks({self.name!r}, {self.tasks}, n_channels={self.n_channels}, "
            f"n_classes={self.n_classes}, {tolerance}seed={self.seed})"
        )

    def _returned(self, task: str, rng: np.random.Generator) -> Trial:
        """Calls a task's function and checks that it returned a Trial."""
        made = self.functions[self.tasks.index(task)](rng)
        if not isinstance(made, (tuple, list)) or not 2 <= len(made) <= len(Trial._fields):
            size = f" of {len(made)}" if isinstance(made, (tuple, list)) else ""
            what = "None" if made is None else f"a value of type {type(made).__name__}{size}"
            raise _core.UsageError(
                f"{task}: the function returned {what}; it must return "
                "lmrnn.data.Trial(inputs, targets), or a tuple of these, mask and scored"
            )
        made = Trial(*made)
        for name, array in (("inputs", made.inputs), ("targets", made.targets)):
            if array is None:
                raise _core.UsageError(f"{task}: {name}: None; give an array whose first dimension is time")
            try:
                np.shape(array)
            except ValueError:  # rows of different lengths, which the core reports
                _core._finite_numbers(array, f"{task}: {name}", ["step"])
        return made

    def trial(self, task: str, rng: np.random.Generator) -> Trial:
        """One checked trial of a task, its arrays as float32 and int32.

        Raises UsageError if the function does not return a Trial, and, naming the step, for arrays of other shapes, for
        inputs and continuous targets that are not finite, for targets that are not classes, and for a mask below 0.
        """
        made = self._returned(task, rng)
        inputs = _core._finite_numbers(made.inputs, f"{task}: inputs", ["step", "channel"])
        if inputs.ndim != 2 or inputs.shape[1] != self.n_channels or len(inputs) == 0:
            raise _core.UsageError(
                f"{task}: inputs of shape {inputs.shape}; expected (time, {self.n_channels})"
            )
        targets = self._checked_targets(task, made.targets)
        per_output = () if self.tolerance is None else ("targets",)
        mask = np.ones(len(inputs)) if made.mask is None else made.mask
        mask = _core._finite_numbers(mask, f"{task}: mask", ["step"], least=0)
        scored = mask > 0 if made.scored is None else made.scored
        scored = _core._whole_numbers(scored, f"{task}: scored", ["step"], 2)
        for name, array in (("targets", targets), ("mask", mask), ("scored", scored)):
            if array.shape[: 1 if name in per_output else None] != inputs.shape[:1]:
                raise _core.UsageError(
                    f"{task}: {name} of shape {array.shape} for {len(inputs)} time steps"
                )
        return Trial(inputs, targets, mask, scored)

    def _checked_targets(self, task: str, targets):
        self._check_kind(task, targets)
        if self.tolerance is None:
            # Without n_classes, the classes are counted later.
            end = 2**31 - 1 if self.n_classes is None else self.n_classes
            try:
                return _core._whole_numbers(targets, f"{task}: targets", ["step"], end)
            except _core.UsageError as error:
                given = np.asarray(targets)
                if given.dtype.kind != "f" or not (given % 1).any():
                    raise
                raise _core.UsageError(
                    f"{error}; continuous targets are (time, output), with OwnTasks(..., tolerance=0.1)"
                ) from None
        checked = _core._finite_numbers(targets, f"{task}: targets", ["step", "output"])
        if self.n_classes is not None and checked.shape[1] != self.n_classes:
            raise _core.UsageError(
                f"{task}: targets of shape {checked.shape}; expected (time, {self.n_classes})"
            )
        return checked

    def _fill(self, made, row, steps, rng, place) -> None:
        at = number = 0
        while at < steps:
            task = int(rng.integers(len(self.tasks)))
            try:
                trial = self.trial(self.tasks[task], rng)
            except _core.UsageError as error:
                raise _core.UsageError(f"{error} (trial {number} of {place})") from None
            if len(trial.inputs) > steps:
                self._warn_of_long_trials(self.tasks[task], len(trial.inputs), steps)
            n = min(len(trial.inputs), steps - at)
            here = slice(at, at + n)
            made["inputs"][here, row] = trial.inputs[:n]
            made["targets"][here, row] = trial.targets[:n]
            made["mask"][here, row] = trial.mask[:n]
            # A trial that is cut off is trained on, but not scored.
            made["scored"][here, row] = trial.scored[:n] if n == len(trial.inputs) else 0
            made["trial_starts"][at, row] = 1
            made["tasks"][here, row] = task
            at += n
            number += 1

    def _warn_of_long_trials(self, task: str, needed: int, steps: int) -> None:
        if task not in self._warned:
            self._warned.add(task)
            warnings.warn(
                f"{task}: a trial of {needed} steps does not fit into rows of stream.row_steps = {steps}; "
                "its end is not trained on, and it is never scored. Make stream.row_steps larger or the "
                "trials shorter",
                stacklevel=2,
            )
