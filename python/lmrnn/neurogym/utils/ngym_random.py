"""NeuroGym's random durations."""

from __future__ import annotations

import numpy as np

from ..timing import random_state, truncated_exponential


class TruncExp:
    """A duration for `timing`: exponential, drawn again until it is in [vmin, vmax)."""

    def __init__(self, vmean: float, vmin: float = 0, vmax: float = np.inf):
        self.vmean, self.vmin, self.vmax = vmean, vmin, vmax
        self.rng = np.random.RandomState()

    def seed(self, seed: int | None = None) -> None:
        self.rng = random_state(seed)

    def __call__(self) -> float:
        return truncated_exponential(self.rng, self.vmean, self.vmin, self.vmax)


__all__ = ["TruncExp"]
