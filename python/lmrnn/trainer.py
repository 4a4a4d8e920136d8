"""Training by the C++ core."""

from __future__ import annotations

import fcntl
import html
import os
import shutil
import signal
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from os import PathLike
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from . import _core
from .calls import explained
from .data import BatchSource
from .progress import shower
from .run import Run
from .writing import told, written

Callback = Callable[[_core.Progress], Any]
"""Called after every step with a Progress. Answer True to stop: a checkpoint is saved first."""


class Trainer:
    """Trains a network in a run directory. The directory is locked while this object lives.

    The same configuration gives the same bits for any number of threads, and whether or not a run
    was interrupted in between.

    Parameters
    ----------
    config : path or mapping
        A TOML file, or the same keys as nested dictionaries.
    directory : path
        The run directory, which must not exist yet, unless `exist_ok` or `overwrite` says otherwise.
    seed : int, optional
        The seed of everything random; needed here or in `config`.
    overrides : mapping, optional
        Values by dotted key, e.g. {"wiring.radius": 3}; they override `config`.
    mask : optional
        Your own recurrent synapses instead of [wiring]: anything that lmrnn.Mask accepts, or the result of
        lmrnn.wirings.read. The mask is saved next to the run directory, as DIRECTORY.wiring.npz, and the run's
        configuration names this file. If there is such a file, it must hold this mask.
    data : lmrnn.data.BatchSource, optional
        Custom tasks or streams instead of [battery].
    threads : int
        0: one per processor that this process may use.
    exist_ok : bool
        Continue the run in the directory, if it has the same configuration: an unfinished run resumes from its newest
        checkpoint, and `run()` returns at once for a finished one. So you can run a notebook's cell twice.
    overwrite : bool
        Delete the run in the directory, once the new one has begun.

    Raises UsageError for an invalid configuration, and for a directory that is not empty.
    """

    @explained
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
        exist_ok: bool = False,
        overwrite: bool = False,
    ):
        overrides, directory = dict(overrides or {}), Path(directory)
        if exist_ok and overwrite:
            raise _core.UsageError("exist_ok, overwrite: they contradict each other; give one of them")
        if seed is not None:
            overrides["seed"] = seed
        if mask is not None:
            overrides |= _mask_overrides(_mask_path(directory))
        if overwrite:
            # What cannot begin must delete nothing, so the old run is only set aside until the new one has begun.
            resolved = _resolved(config, overrides, data)
            if mask is not None:
                _checked_mask(mask, resolved)
            _refuse_files_of(directory, resolved)
            with _set_aside(directory, with_mask=mask is not None):
                self._start(resolved, directory, threads, mask, data)
            return
        if exist_ok and (directory / "config.toml").is_file():
            if mask is not None:
                overrides["wiring.path"] = _require_same_mask(mask, directory)
            self._take_up(_resolved(config, overrides, data), directory, threads, data)
            return
        _refuse_full(directory)
        self._start(_resolved(config, overrides, data), directory, threads, mask, data)

    def _start(self, resolved, directory: Path, threads: int, mask, data) -> None:
        with _saved_mask(mask, resolved, directory) if mask is not None else nullcontext():
            self._begin(_core.Trainer.start(resolved, directory, threads, data))

    def _begin(self, trainer) -> None:
        self._trainer, self._running = trainer, False
        _OPEN[os.path.realpath(trainer.directory)] = self
        self._warn()

    def _take_up(self, resolved, directory: Path, threads: int, data) -> None:
        _let_go(directory)
        run = Run(directory)
        differing = _differences(resolved, run.config)
        if differing:
            raise _core.UsageError(
                f"{directory}: holds a run of another configuration ({', '.join(differing)}); use another "
                "directory, or overwrite=True to delete that run"
            )
        _core.require_same_files(directory, resolved)
        if run.done:
            _core.require_same_inputs(directory, data)
            self._trainer, self._running = _Finished(run), False
            self.outcome = run.summary["outcome"]
        else:
            self._begin(_core.Trainer.resume(directory, threads, data))

    @classmethod
    @explained
    def resume(
        cls, directory: str | PathLike, *, data: BatchSource | None = None, threads: int = 0
    ) -> Trainer:
        """Resumes an interrupted run from its newest checkpoint; needs the same `data`.

        Raises UsageError for a finished run, and for a directory that is not a run."""
        self = cls.__new__(cls)
        if (Path(directory) / "DONE").is_file():
            raise _core.UsageError(
                f"{directory}: the run is finished, there is nothing to resume; read it with "
                f"lmrnn.Run({str(directory)!r})"
            )
        _let_go(Path(directory))
        self._begin(_core.Trainer.resume(Path(directory), threads, data))
        return self

    def _warn(self) -> None:
        for notice in self.notices:
            warnings.warn(notice, stacklevel=5)

    def __reduce_ex__(self, protocol):
        return self._trainer.__reduce__()  # raises: a directory has only one Trainer

    @explained
    def run(
        self, callbacks: Callback | Iterable[Callback] = (), *, progress: bool | str | None = None
    ) -> Run:
        """Trains to the end, a criterion, or until a callback answers True.

        progress : True shows a bar with loss, accuracy and solved tasks (in a notebook tqdm's, if it is installed
            with ipywidgets), "curve" in a notebook also the learning curve so far, False nothing. By default, notebooks
            and terminals show a bar.

        Releases the GIL. After Ctrl-C or an exception in a callback, the step finishes, a checkpoint is saved and the
        exception is raised again: you can resume the run. SIGTERM does the same in the main thread and then ends the
        process, as it would without a trainer; if you have your own handler, it is called instead, and an exception
        from it is treated like Ctrl-C. A second SIGTERM ends the process at once. Call `run` only once. Raises
        RunError, with a remedy, if training or the untrained network diverges.
        """
        called = [callbacks] if callable(callbacks) else list(callbacks)
        for callback in called:
            if not callable(callback):
                raise TypeError(
                    f"Trainer.run: callbacks: expected functions of a Progress, got {type(callback).__name__}"
                )
        if isinstance(self._trainer, _Finished):
            return Run(self.directory)
        shown = shower(progress)
        if shown is not None:
            called.append(shown.update)
        self._running = True
        try:
            with _sigterm_as_request() as asked:
                self.outcome = self._trainer.run(_all(called) if called else None, asked)
        finally:
            self._running = False
            if shown is not None:
                shown.close()
        return Run(self.directory)

    @property
    def directory(self) -> Path:
        return Path(self._trainer.directory)

    @property
    def config(self) -> dict[str, Any]:
        """The whole configuration, including defaults."""
        return self._trainer.config

    @property
    def battery(self) -> _core.Battery:
        return self._trainer.battery

    @property
    def step(self) -> int:
        """Number of optimiser steps done."""
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
        """A copy of the present network."""
        return self._trainer.network()

    def _state(self) -> str:
        if self._trainer.released:
            return "given up: its directory was taken over by another Trainer"
        steps = self.config["train"]["steps"]
        state = "finished" if isinstance(self._trainer, _Finished) else f"step {self.step} of {steps}"
        evaluation = self.evaluation
        if evaluation is not None:
            state += f", accuracy {evaluation.mean_accuracy:.3f}, {evaluation.n_solved} of {len(evaluation)} solved"
        return state

    def __repr__(self) -> str:
        return f"Trainer({str(self.directory)!r}, {self._state()})"

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"


_OPEN: weakref.WeakValueDictionary[str, Trainer] = weakref.WeakValueDictionary()
"""The Trainers of this process by the real path of their directory."""


class _Finished:
    """A finished run that `exist_ok` found, with the attributes that Trainer needs of the core's trainer."""

    notices: list[str] = []
    last_evaluation = None
    released = False

    def __init__(self, run: Run):
        self._run = run
        self.directory, self.config = str(run.directory), run.config
        self.step = run.checkpoints[-1] if run.checkpoints else 0

    @property
    def battery(self):
        return self._run.battery

    def network(self):
        return self._run.network()


def _resolved(config, overrides: Mapping[str, Any], data) -> dict[str, Any]:
    """The whole configuration. It need not name your own data, on which some checks depend."""
    name = getattr(data, "name", None)
    if not isinstance(name, str) or not name:  # the core says what is wrong with it
        return _core.resolve_config(config, overrides)
    return _core.resolve_config_for(config, overrides, name)


def _let_go(directory: Path) -> None:
    """Frees a directory from a Trainer of this process that is not training, e.g. of an earlier run of the same
    notebook cell. Raises UsageError if a Trainer is training there, in this or another process."""
    other = _OPEN.pop(os.path.realpath(directory), None)
    if other is not None and other._running:
        _OPEN[os.path.realpath(directory)] = other
        raise _core.UsageError(f"{directory}: a Trainer of this process is training in it; wait for it")
    if other is not None:
        # Dropping the reference would not do: the traceback of an interrupted cell also holds the core's trainer.
        other._trainer.release()
    lock = directory / "lock"
    if not lock.is_file():
        return
    with open(lock) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise _core.UsageError(
                f"{directory}: another process is training in it; wait for it, or use another directory"
            ) from None


def _refuse_files_of(directory: Path, config: Mapping[str, Any]) -> None:
    """Refuses a configuration that reads a file of the run that is to be deleted."""
    run = directory.resolve()
    paths = {"init_from": config["init_from"]}
    wiring = config["wiring"]
    paths |= {f"wiring.{key}": value for key, value in wiring.items() if key.endswith("path")}
    paths |= {f"wiring.{key}.path": wiring[key].get("path") for key in ("plastic", "initial")}
    for key, path in paths.items():
        if path and not _core.is_in_zoo(path) and (Path(path).resolve() == run or run in Path(path).resolve().parents):
            raise _core.UsageError(
                f"{key} = {str(path)!r}: is in the run that overwrite=True deletes; use another directory for this run"
            )


@contextmanager
def _set_aside(directory: Path, with_mask: bool) -> Iterator[None]:
    """Deletes the run in a directory (`with_mask`: also the saved mask of this run) once the block has succeeded; puts
    it back if the block raises. Raises UsageError for a directory that holds something else."""
    if not directory.exists() or not any(directory.iterdir()):
        yield
        return
    if not (directory / "config.toml").is_file() or not (directory / "provenance.json").is_file():
        raise _core.UsageError(
            f"{directory}: overwrite=True deletes runs only, and this directory holds something else; "
            "use another directory"
        )
    if directory.is_symlink():
        raise _core.UsageError(f"{directory}: is a symbolic link; overwrite=True needs the directory that it leads to")
    _let_go(directory)
    ending, mask = f".old-{os.getpid()}", _mask_path(directory)
    moved = [(directory, _beside(directory, ending))]
    if with_mask and mask.is_file() and os.path.basename(Run(directory).config["wiring"]["path"]) == mask.name:
        moved.append((mask, _beside(mask, ending)))
    with told(directory, "set aside", "use another directory, or change its permissions"):
        for path, aside in moved:
            path.rename(aside)
    try:
        yield
    except BaseException:
        if directory.is_dir():  # what the new run had begun to write
            shutil.rmtree(directory)
        for path, aside in moved:
            aside.replace(path)
        raise
    for _, aside in moved:
        try:
            shutil.rmtree(aside) if aside.is_dir() else aside.unlink()
        except OSError as error:  # the new run is there, so this is no reason to stop
            warnings.warn(
                f"{aside}: the old run cannot be deleted ({error.strerror}); delete it yourself", stacklevel=6
            )


def _refuse_full(directory: Path) -> None:
    if not directory.is_dir() or not any(directory.iterdir()):
        return
    path = str(directory)
    if (directory / "DONE").is_file():
        raise _core.UsageError(
            f"{directory}: holds a finished run; read it with lmrnn.Run({path!r}), use another directory, "
            "or give Trainer exist_ok=True to take it as it is, overwrite=True to delete it"
        )
    if (directory / "config.toml").is_file():
        raise _core.UsageError(
            f"{directory}: holds an unfinished run; resume it with lmrnn.Trainer.resume({path!r}), use another "
            "directory, or give Trainer exist_ok=True to continue it, overwrite=True to delete it"
        )


def _differences(a: Mapping[str, Any], b: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Dotted keys in which two configurations differ."""
    found = []
    for key in dict.fromkeys([*a, *b]):
        x, y = a.get(key), b.get(key)
        if isinstance(x, Mapping) and isinstance(y, Mapping):
            found += _differences(x, y, f"{prefix}{key}.")
        elif x != y:
            found.append(f"{prefix}{key}: {y!r} there, {x!r} here")
    return found


def _beside(directory: Path, ending: str) -> Path:
    """The directory's path with an ending."""
    if directory.name in ("", ".."):
        directory = Path(os.path.abspath(directory))
    return directory.with_name(directory.name + ending)


def _mask_path(directory: Path) -> Path:
    """Path of the saved mask of a run whose mask was given as an array."""
    return _beside(directory, ".wiring.npz")


def _require_same_mask(mask, directory: Path) -> str:
    """Checks that an earlier run has this mask. Returns the path in the run's configuration."""
    config = Run(directory).config["wiring"]
    wanted = mask if isinstance(mask, _core.Mask) else _core.Mask(mask)
    path = _mask_path(directory)
    saved = _core.Mask(np.load(path)["mask"]) if path.is_file() else None
    # The run may have begun in another working directory, to which its path is relative.
    if os.path.basename(config["path"]) != path.name or saved != wanted:
        raise _core.UsageError(
            f"{directory}: holds a run with another mask; use another directory, or overwrite=True to "
            "delete that run"
        )
    return config["path"]


@contextmanager
def _sigterm_as_request() -> Iterator[Callable[[], bool] | None]:
    """Yields a function that returns whether SIGTERM was received. If it was, the process ends by it afterwards.

    Yields None if Python cannot handle signals here (outside the main thread), or if other code handles SIGTERM: its
    handler is called while the trainer runs.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield None
        return
    received = []

    def note(number, frame):
        received.append(number)
        signal.signal(number, signal.SIG_DFL)  # a second one ends the process at once

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


def _checked_mask(mask, config: dict[str, Any]) -> np.ndarray:
    """(target, source) array, checked to have as many units as the configuration."""
    if not isinstance(mask, _core.Mask):
        mask = _core._mask_from(mask, "mask")
    dense = mask.to_dense()
    wiring = config["wiring"]
    sizes = [{**wiring, **area} for area in wiring.get("areas", [{}])]
    n = sum(size["rows"] * size["cols"] for size in sizes)
    if dense.shape != (n, n):
        units = "wiring.areas have" if "areas" in wiring else "wiring.rows x wiring.cols are"
        raise _core.UsageError(f"mask: {dense.shape[0]} x {dense.shape[1]}, but {units} {n} units")
    return dense


@contextmanager
def _saved_mask(mask, config: dict[str, Any], directory: Path) -> Iterator[None]:
    """Saves a mask next to the run directory; takes it away again if the block, which begins the run, raises. A file
    that is there already must hold this mask."""
    dense = _checked_mask(mask, config)
    _refuse_full(directory)
    path = _mask_path(directory)
    if path.exists():
        _require_mask(path, dense)
        yield
        return
    with written(path, "use another directory for the run") as temporary:
        np.savez_compressed(temporary, mask=dense.astype(np.uint8))
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _require_mask(path: Path, dense: np.ndarray) -> None:
    try:
        with np.load(path) as arrays:
            same = np.array_equal(arrays["mask"] != 0, dense != 0)
    except (OSError, ValueError, KeyError, BadZipFile):
        same = False
    if not same:
        raise _core.UsageError(
            f"{path}: holds something else than this mask, which would be saved there; move that file, or use another "
            "directory"
        )


def _mask_overrides(path: Path) -> dict[str, Any]:
    """The keys with which a run uses a saved mask."""
    return {"wiring.kind": "file", "wiring.path": str(path), "wiring.dataset": "mask"}


def _all(callbacks: list[Callback]) -> Callback:
    def call(progress: _core.Progress) -> bool:
        # Calls all callbacks, whatever the others return.
        return any([callback(progress) is True for callback in callbacks])

    return call
