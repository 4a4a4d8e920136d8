"""Tasks and streams of one's own, in NumPy, trained by the core.

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

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import numpy as np

from . import _core

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
    """Tasks of one's own as a BatchSource: rows are filled with trials end to end, the last one cut.

    Parameters
    ----------
    name : str
    tasks : mapping from name to function
        Each returns one Trial. With more than one task, each has a rule input.
    n_channels, n_classes : int
    seed : int
        Of the trials; the same trials for networks of different seeds.
    """

    def __init__(
        self,
        name: str,
        tasks: Mapping[str, Callable[[np.random.Generator], Trial]],
        *,
        n_channels: int,
        n_classes: int,
        seed: int,
    ):
        self.name, self.seed = name, seed
        self.tasks = list(tasks)
        self.functions = list(tasks.values())
        self.n_channels, self.n_classes = n_channels, n_classes
        self.n_rules = len(self.tasks) if len(self.tasks) > 1 else 0

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
            self._fill(made, row, steps, rng)
        return {**made, "rules": made["tasks"]} if self.n_rules else made

    def trial(self, task: str, rng: np.random.Generator) -> Trial:
        """One checked trial of a task. Raises UsageError if its function returns something else."""
        made = Trial(*self.functions[self.tasks.index(task)](rng))
        inputs, targets = np.asarray(made.inputs), np.asarray(made.targets)
        if inputs.ndim != 2 or inputs.shape[1] != self.n_channels or len(inputs) == 0:
            raise _core.UsageError(
                f"{task}: inputs of shape {inputs.shape}; expected (time, {self.n_channels})"
            )
        mask = np.ones(len(inputs)) if made.mask is None else np.asarray(made.mask)
        scored = mask > 0 if made.scored is None else np.asarray(made.scored)
        for name, array in (("targets", targets), ("mask", mask), ("scored", scored)):
            if array.shape != inputs.shape[:1]:
                raise _core.UsageError(
                    f"{task}: {name} of shape {array.shape} for {len(inputs)} time steps"
                )
        return Trial(inputs, targets, mask, scored)

    def _fill(self, made, row, steps, rng) -> None:
        at = 0
        while at < steps:
            task = int(rng.integers(len(self.tasks)))
            trial = self.trial(self.tasks[task], rng)
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
