"""Training by the C++ core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from . import _core
from .run import Run

Callback = Callable[[_core.Progress], Any]
"""Called after every step with a Progress. Answer True to stop: a checkpoint is saved first."""


class Trainer:
    """Trains a network in a run directory, which it locks for as long as it lives.

    The same configuration gives the same bits for any number of threads, and whether or not a run
    was interrupted in between.

    Parameters
    ----------
    config : path or mapping
        A TOML file, or the same keys as nested dictionaries.
    directory : path
        The run directory, which must not exist yet.
    seed : int, optional
        Of everything random; needed here or in `config`.
    overrides : mapping, optional
        Values by dotted key, e.g. {"wiring.radius": 3}; they win over `config`.
    threads : int
        0: one per processor that this process may use.
    """

    def __init__(
        self,
        config: str | PathLike | Mapping[str, Any],
        directory: str | PathLike,
        *,
        seed: int | None = None,
        overrides: Mapping[str, Any] | None = None,
        threads: int = 0,
    ):
        overrides = dict(overrides or {})
        if seed is not None:
            overrides["seed"] = seed
        resolved = _core.resolve_config(config, overrides)
        self._trainer = _core.Trainer.start(resolved, Path(directory), threads)

    @classmethod
    def resume(cls, directory: str | PathLike, *, threads: int = 0) -> Trainer:
        """Goes on with an interrupted run, from its newest checkpoint."""
        self = cls.__new__(cls)
        self._trainer = _core.Trainer.resume(Path(directory), threads)
        return self

    def run(self, callbacks: Callback | Iterable[Callback] = ()) -> Run:
        """Trains to the end, a criterion, or until a callback answers True.

        Releases the GIL. Ctrl-C and exceptions of callbacks save a checkpoint and are raised again:
        the run can be resumed. To be called once. Raises RunError if training diverges.
        """
        called = [callbacks] if callable(callbacks) else list(callbacks)
        self.outcome = self._trainer.run(_all(called) if called else None)
        return Run(self.directory)

    @property
    def directory(self) -> Path:
        return Path(self._trainer.directory)

    @property
    def config(self) -> dict[str, Any]:
        """The whole configuration, defaults included."""
        return self._trainer.config

    @property
    def battery(self) -> _core.Battery:
        return self._trainer.battery

    @property
    def step(self) -> int:
        """Optimiser steps done."""
        return self._trainer.step

    @property
    def evaluation(self) -> _core.Evaluation | None:
        """The last evaluation."""
        return self._trainer.last_evaluation

    @property
    def notices(self) -> list[str]:
        """What a resumed run should know, e.g. that it began on another SIMD target."""
        return self._trainer.notices

    def network(self) -> _core.Network:
        """A copy of the network as it is now."""
        return self._trainer.network()


def _all(callbacks: list[Callback]) -> Callback:
    def call(progress: _core.Progress) -> bool:
        # Every one is called, whatever the others answer.
        return any([callback(progress) is True for callback in callbacks])

    return call
