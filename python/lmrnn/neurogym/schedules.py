"""Selects which of several tasks comes next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .timing import random_state


class BaseSchedule:
    """n: number of tasks. A call returns the number of the next one."""

    def __init__(self, n: int):
        self.n = n
        self.rng = np.random.RandomState()
        self.reset()

    def seed(self, seed: int | None = None) -> None:
        self.rng = random_state(seed)

    def reset(self) -> None:
        self.total_count = 0
        self.count = 0
        self.i = 0

    def __call__(self) -> int:
        self.i = self._next()
        self.total_count += 1
        return self.i

    def _next(self) -> int:
        raise NotImplementedError

    def _another(self) -> int:
        """Any task except the present one, with equal chance."""
        if self.n == 1:
            return 0
        i = self.rng.randint(self.n - 1)
        return int(i + (i >= self.i))


class SequentialSchedule(BaseSchedule):
    """The tasks in order, again and again."""

    def _next(self) -> int:
        self.count = 1
        return (self.i + 1) % self.n


class RandomSchedule(BaseSchedule):
    """A random task, never the same twice in a row."""

    def _next(self) -> int:
        return self._another()


class _BlockSchedule(BaseSchedule):
    def __init__(self, n: int, block_lens: Sequence[int]):
        if len(block_lens) != n:
            raise ValueError(f"block_lens: {len(block_lens)} lengths for {n} tasks")
        self.block_lens = block_lens
        super().__init__(n)

    def _next(self) -> int:
        if self.count < self.block_lens[self.i]:
            self.count += 1
            return self.i
        self.count = 1
        return self._next_block()

    def _next_block(self) -> int:
        raise NotImplementedError


class SequentialBlockSchedule(_BlockSchedule):
    """block_lens[i] trials of task i, one task after the other."""

    def _next_block(self) -> int:
        return (self.i + 1) % self.n


class RandomBlockSchedule(_BlockSchedule):
    """block_lens[i] trials of task i, tasks at random."""

    def _next_block(self) -> int:
        return self._another()
