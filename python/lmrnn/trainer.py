"""Training by the C++ core."""

from __future__ import annotations

import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from . import _core
from .data import BatchSource
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
    mask : optional
        Your own recurrent synapses, instead of [wiring]: whatever lmrnn.Mask is made from, or what
        lmrnn.wirings.read has read. The mask is saved next to the run directory, as
        DIRECTORY.wiring.npz, which the run's configuration names.
    data : lmrnn.data.BatchSource, optional
        Tasks or streams of one's own, in place of [battery].
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
        mask: Any = None,
        data: BatchSource | None = None,
        threads: int = 0,
    ):
        overrides, directory = dict(overrides or {}), Path(directory)
        if seed is not None:
            overrides["seed"] = seed
        if mask is not None:
            overrides |= _save_mask(mask, _core.resolve_config(config, overrides), directory)
        resolved = _core.resolve_config(config, overrides)
        self._trainer = _core.Trainer.start(resolved, directory, threads, data)
        self._warn()

    @classmethod
    def resume(
        cls, directory: str | PathLike, *, data: BatchSource | None = None, threads: int = 0
    ) -> Trainer:
        """Goes on with an interrupted run, from its newest checkpoint; with the same `data`."""
        self = cls.__new__(cls)
        self._trainer = _core.Trainer.resume(Path(directory), threads, data)
        self._warn()
        return self

    def _warn(self) -> None:
        for notice in self.notices:
            warnings.warn(notice, stacklevel=3)

    def __reduce_ex__(self, protocol):
        return self._trainer.__reduce__()  # raises: there is one Trainer to a directory

    def run(self, callbacks: Callback | Iterable[Callback] = ()) -> Run:
        """Trains to the end, a criterion, or until a callback answers True.

        Releases the GIL. Ctrl-C and exceptions of callbacks let the step finish, save a checkpoint
        and are raised again: you can resume the run. SIGTERM does the same in the main thread and
        then ends the process, as it would without a trainer; a handler of your own is called in its
        place, and what it raises is treated like Ctrl-C. A second SIGTERM ends the process at once.
        To be called once. Raises RunError if training diverges, or the
        untrained network does, and says how to avoid it.
        """
        called = [callbacks] if callable(callbacks) else list(callbacks)
        with _sigterm_as_request() as asked:
            self.outcome = self._trainer.run(_all(called) if called else None, asked)
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
        """What you should know, also given as warnings: rows shorter than trials; an untrained network
        whose activity grows to a loss above 1000; a resumed run that began on another SIMD target."""
        return self._trainer.notices

    def network(self) -> _core.Network:
        """A copy of the network as it is now."""
        return self._trainer.network()


@contextmanager
def _sigterm_as_request() -> Iterator[Callable[[], bool] | None]:
    """Yields a function that says whether SIGTERM has come. Afterwards the process ends by it.

    Yields None where Python lets nobody handle signals (outside the main thread), and where somebody
    else handles SIGTERM: their handler is called while the trainer runs.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield None
        return
    received = []

    def note(number, frame):
        received.append(number)
        signal.signal(number, signal.SIG_DFL)  # a second one does not wait for the step

    signal.signal(signal.SIGTERM, note)
    try:
        yield lambda: bool(received)
    finally:
        if signal.getsignal(signal.SIGTERM) is note:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if received:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
            signal.raise_signal(signal.SIGTERM)


def _save_mask(mask, config: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Saves a mask beside the run directory; the overrides that make a run use it."""
    if not isinstance(mask, _core.Mask):
        mask = _core._mask_from(mask, "mask")
    dense = mask.to_dense()
    n = config["wiring"]["rows"] * config["wiring"]["cols"]
    if dense.shape != (n, n):
        raise _core.UsageError(
            f"mask: {dense.shape[0]} x {dense.shape[1]}, but wiring.rows x wiring.cols are {n} units"
        )
    if directory.exists() and any(directory.iterdir()):
        raise _core.UsageError(f"{directory}: there is something in it; use another directory")
    path = directory.with_name(directory.name + ".wiring.npz")
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, mask=dense.astype(np.uint8))
    return {"wiring.kind": "file", "wiring.path": str(path), "wiring.dataset": "mask"}


def _all(callbacks: list[Callback]) -> Callback:
    def call(progress: _core.Progress) -> bool:
        # Every one is called, whatever the others answer.
        return any([callback(progress) is True for callback in callbacks])

    return call
