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

Runs are as reproducible as the function is: it must take its randomness from `rng`, which is a
function of (seed, split, batch, row, trial), and from nowhere else.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import numpy as np

from . import _core
from .calls import explained

SPLITS = ("train", "validation", "test")


class Trial(NamedTuple):
    """What a task's function returns; a plain tuple (inputs, targets) will do."""

    inputs: np.ndarray
    """(time, channel)"""
    targets: np.ndarray
    """(time) class"""
    mask: np.ndarray | None = None
    """(time) weight of each step in the loss; 1 unless given."""
    scored: np.ndarray | None = None
    """(time) whether the step counts for accuracy; those with weight unless given."""


class BatchSource(Protocol):
    """What lmrnn.Trainer takes as `data`. `arrays` must be a function of its arguments alone."""

    name: str
    """What the run's configuration calls these data."""
    n_channels: int
    n_classes: int
    n_rules: int
    """Rule inputs, one of which is on at a time; 0: none."""
    tasks: list[str]

    def arrays(self, split: str, batch: int, steps: int, rows: int) -> dict[str, np.ndarray]:
        """One batch of a split: `inputs` (time, row, channel) float32; `targets` (time, row) int32;
        `mask` (time, row) float32, weights in the loss; `trial_starts`, `scored` (time, row) uint8;
        `tasks` (time, row) int32, numbers in the list; `rules` (time, row) int32, -1 for none, if
        n_rules > 0."""


class OwnTasks:
    """Custom tasks as a BatchSource: rows hold trials end to end, and the last one is cut.

    Parameters
    ----------
    name : str
    tasks : mapping from name to function, or one function
        Each returns one Trial. With more than one task, each has a rule input.
    n_channels, n_classes : int, optional
        By default what 100 trials of each task have: the width of their inputs, and one more than
        their largest target. Give them if a class is rarer than that.
    seed : int
        Of the trials; the same trials for networks of different seeds.
    """

    @explained
    def __init__(
        self,
        name: str,
        tasks: Mapping[str, Callable[[np.random.Generator], Trial]] | Callable[[np.random.Generator], Trial],
        *,
        n_channels: int | None = None,
        n_classes: int | None = None,
        seed: int,
    ):
        self.name, self.seed = name, _core._check_seed(seed)
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
        for row in range(rows):
            key = [self.seed, SPLITS.index(split), batch, row]
            rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
            self._fill(made, row, steps, rng, f"row {row} of {split} batch {batch}")
        return {**made, "rules": made["tasks"]} if self.n_rules else made

    def _infer_sizes(self) -> None:
        widths, largest = {}, 0
        for number, (task, function) in enumerate(zip(self.tasks, self.functions)):
            for k in range(100):
                key = np.random.SeedSequence([self.seed, len(SPLITS), number, k])
                made = Trial(*function(np.random.Generator(np.random.Philox(key))))
                shape = np.shape(made.inputs)
                if len(shape) != 2:
                    raise _core.UsageError(f"{task}: inputs of shape {shape}; expected (time, channel)")
                widths.setdefault(shape[1], task)
                largest = max(largest, int(np.max(made.targets, initial=0)))
        if self.n_channels is None:
            if len(widths) > 1:
                told = ", ".join(f"{n} in {task}" for n, task in widths.items())
                raise _core.UsageError(f"{self.name}: trials must have the same number of channels; {told}")
            self.n_channels = next(iter(widths))
        if self.n_classes is None:
            self.n_classes = largest + 1

    def __repr__(self) -> str:
        return (
            f"OwnTasks({self.name!r}, {self.tasks}, n_channels={self.n_channels}, "
            f"n_classes={self.n_classes}, seed={self.seed})"
        )

    def trial(self, task: str, rng: np.random.Generator) -> Trial:
        """One checked trial of a task, its arrays as float32 and int32.

        Raises UsageError, naming the step, for arrays of other shapes, for inputs that are not
        finite, for targets that are no class, and for a mask below 0.
        """
        made = Trial(*self.functions[self.tasks.index(task)](rng))
        inputs = _core._finite_numbers(made.inputs, f"{task}: inputs", ["step", "channel"])
        if inputs.ndim != 2 or inputs.shape[1] != self.n_channels or len(inputs) == 0:
            raise _core.UsageError(
                f"{task}: inputs of shape {inputs.shape}; expected (time, {self.n_channels})"
            )
        targets = _core._whole_numbers(made.targets, f"{task}: targets", ["step"], self.n_classes)
        mask = np.ones(len(inputs)) if made.mask is None else made.mask
        mask = _core._finite_numbers(mask, f"{task}: mask", ["step"], least=0)
        scored = mask > 0 if made.scored is None else made.scored
        scored = _core._whole_numbers(scored, f"{task}: scored", ["step"], 2)
        for name, array in (("targets", targets), ("mask", mask), ("scored", scored)):
            if array.shape != inputs.shape[:1]:
                raise _core.UsageError(
                    f"{task}: {name} of shape {array.shape} for {len(inputs)} time steps"
                )
        return Trial(inputs, targets, mask, scored)

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
            # A trial that is cut short is learned from, and not scored.
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
