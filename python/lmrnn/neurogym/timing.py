"""Converts NeuroGym's durations of periods to those of the battery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import numpy as np

from .. import _core

# Conditions have the same period names in all families; tasks use the names of NeuroGym.
COMMON_NAMES = {
    "stim1": "stimulus",
    "sample": "stimulus",
    "stim2": "second_stimulus",
    "test": "second_stimulus",
}
# Periods that NeuroGym's reaction-time tasks list in `timing` but never show.
NEVER_SHOWN = ("stimulus", "delay")


def common_names(durations: Mapping[str, Any]) -> dict[str, Any]:
    """The same durations under the names of lmrnn.Conditions."""
    return {COMMON_NAMES.get(name, name): ms for name, ms in durations.items()}


def as_neurogym(durations: Mapping[str, Any]) -> dict[str, Any]:
    """Task.durations in the notation of NeuroGym's `env.timing`."""
    return {name: _as_neurogym(duration) for name, duration in durations.items()}


def _as_neurogym(duration: Any) -> Any:
    if isinstance(duration, Mapping):
        kind, values = next(iter(duration.items()))
        return (kind, tuple(values) if kind == "uniform" else list(values))
    return int(duration) if duration == int(duration) else duration


class Timing:
    """The entries of `env.timing`: those that the core draws, and those that are drawn here."""

    def __init__(self, task: _core.Task, entries: Mapping[str, Any]):
        known = list(task.periods)
        silent = NEVER_SHOWN if task.family == "reach" else ()
        for name in entries:
            if name not in known and name not in silent:
                raise _core.UsageError(
                    f'timing: {task.name} has no period "{name}"; there are {", ".join(known)}'
                )
        self.core: dict[str, Any] = {}
        """Durations for the battery."""
        self.drawn: dict[str, Callable] = {}
        """f(rng, start): duration in ms of a period that begins at `start`."""
        for name in known:
            if name in entries:
                self._read(name, entries[name])

    def _read(self, name: str, value: Any) -> None:
        if isinstance(value, Real):
            self.core[name] = float(value)
        elif isinstance(value, Mapping):
            self.core[name] = dict(value)
        elif callable(value):
            self.drawn[name] = lambda rng, start: value()
        elif isinstance(value, (tuple, list, np.ndarray)) and len(value) > 0:
            if isinstance(value[0], Real):
                self.core[name] = {"choice": [float(ms) for ms in value]}
            else:
                self._read_distribution(name, *_pair(name, value))
        else:
            raise _unreadable(name, value)

    def _read_distribution(self, name: str, kind: str, arguments: Any) -> None:
        if kind == "constant":
            self.core[name] = float(arguments)
        elif kind in ("uniform", "choice"):
            self.core[name] = {kind: [float(ms) for ms in arguments]}
        elif kind == "truncated_exponential":
            bounds = [float(ms) for ms in np.atleast_1d(arguments)]
            self.drawn[name] = lambda rng, start: truncated_exponential(rng, *bounds)
        elif kind == "until":
            end = float(arguments)
            self.drawn[name] = lambda rng, start: _until(name, end, start)
        else:
            raise _unreadable(name, (kind, arguments))

    def draw(
        self, durations: Mapping[str, float], battery: _core.Battery, rng
    ) -> dict[str, float]:
        """Durations of one trial, by common name: `durations`, updated with those that are drawn here."""
        chosen, start = {}, 0.0
        by_task_name = {COMMON_NAMES.get(name, name): name for name in self.drawn}
        for common in ("fixation", "stimulus", "delay", "second_stimulus", "decision"):
            ms = durations.get(common, 0.0)
            if common in by_task_name:
                name = by_task_name[common]
                ms = chosen[common] = float(self.drawn[name](rng, start))
                if not 0 <= ms < np.inf:
                    raise _core.UsageError(f"timing: {name} was drawn as {ms} ms; it must be ≥ 0")
            start += battery.n_steps(ms) * battery.dt
        return chosen


def random_state(seed: int | None) -> np.random.RandomState:
    """NumPy's old generator, which NeuroGym uses; accepts every seed that lmrnn accepts."""
    if seed is not None:
        seed = _core._check_seed(seed)
        if seed >= 2**32:  # RandomState accepts these only in parts
            seed = [seed % 2**32, seed >> 32]
    return np.random.RandomState(seed)


def truncated_exponential(rng, mean: float, low: float = 0, high: float = np.inf) -> float:
    """An exponential of this mean, drawn until it is in [low, high); high if that is empty."""
    while low < high:
        ms = rng.exponential(mean)
        if low <= ms < high:
            return ms
    return high


def _until(name: str, end: float, start: float) -> float:
    if end < start:
        raise _core.UsageError(f"timing: {name} is to last until {end} ms but begins at {start} ms")
    return end - start


def _pair(name: str, value: Any) -> tuple[str, Any]:
    if len(value) != 2:
        raise _unreadable(name, value)
    return value[0], value[1]


def _unreadable(name: str, value: Any) -> _core.UsageError:
    return _core.UsageError(
        f"timing: {name} = {value!r} is not a duration; write a number of ms, a list of them, a "
        'function, ("constant", ms), ("uniform", (low, high)), ("choice", [...]), '
        '("truncated_exponential", [mean, low, high]) or ("until", ms)'
    )
