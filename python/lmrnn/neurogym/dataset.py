"""NeuroGym's Dataset: trials packed into rows, batch after batch."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium
import numpy as np

from .. import _core
from ..stream import Stream
from .multi import ScheduleEnvs
from .registration import make
from .schedules import RandomSchedule
from .task_env import TaskEnv


class Dataset:
    """`inputs, targets = dataset()`: (time, row, channel) float32 and (time, row) int64.

    Every row is a sequence of trials that continues from batch to batch, in the middle of a trial.

    env : an environment, or the name of a task; batch_size : rows; seq_len : time steps of a batch, default 1000;
        batch_first : (row, time, ...); max_batch : batches of an epoch, None for no end; cache_len : accepted for
        compatibility, but ignored.

    An epoch is `max_batch` calls, by `for` or by `dataset()`; then comes one StopIteration, and the
    next epoch continues where this one ended. `dataset.env` is a copy of `env` that no row uses.

    Random schedules of distinct tasks, the usual case, are filled by the C++ core.
    """

    def __init__(
        self,
        env,
        env_kwargs: dict[str, Any] | None = None,
        batch_size: int = 1,
        seq_len: int | None = None,
        max_batch: float | None = None,
        batch_first: bool = False,
        cache_len: int | None = None,
    ):
        if isinstance(env, str):
            env = make(env, **(env_kwargs or {}))
        elif not isinstance(env, gymnasium.Env):
            raise TypeError(
                "Dataset: env must be an environment or the name of a task, not "
                f"{type(env).__name__}"
            )
        self.env = copy.deepcopy(env)
        self.batch_size, self.seq_len = batch_size, 1000 if seq_len is None else seq_len
        self.batch_first = batch_first
        self.max_batch = np.inf if max_batch is None else max_batch
        shape = [batch_size, self.seq_len] if batch_first else [self.seq_len, batch_size]
        self.inputs_shape = shape + list(self.env.observation_space.shape)
        self.target_shape = shape + list(self.env.action_space.shape)
        self._i_batch = 0
        self.seed()

    def seed(self, seed: int | None = None) -> None:
        """Starts again; the same seed gives the same batches."""
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1)[0])
        seed = _core._check_seed(seed)
        self._rows = _core_rows(self, seed) or _PythonRows(self, seed)

    def __call__(self, **conditions: Any) -> tuple[np.ndarray, np.ndarray]:
        if conditions:
            raise _core.UsageError(
                f"dataset({', '.join(conditions)}=...): rows are sequences of random trials; for a "
                "trial of given conditions: dataset.env.new_trial(...), then dataset.env.ob and .gt"
            )
        return next(self)

    def __iter__(self) -> Dataset:
        return self

    def __next__(self) -> tuple[np.ndarray, np.ndarray]:
        self._i_batch += 1
        if self._i_batch > self.max_batch:
            self._i_batch = 0
            raise StopIteration
        inputs, targets = self._rows.next()
        if self.batch_first:
            return inputs.swapaxes(0, 1), targets.swapaxes(0, 1)
        return inputs, targets

    @property
    def envs(self):
        raise AttributeError(
            "Dataset has no envs: rows are filled without one environment each. dataset.env is one "
            "to look at; for other trials make another Dataset"
        )


class _CoreRows:
    """Rows that the core fills."""

    def __init__(self, stream: Stream, columns: np.ndarray | None, n_columns: int):
        self._stream, self._number = stream, 0  # an iterator could not be copied
        self._columns, self._n_columns = columns, n_columns  # of each task of the battery

    def next(self) -> tuple[np.ndarray, np.ndarray]:
        batch = self._stream[self._number]
        self._number += 1
        targets = batch.targets.astype(np.int64)
        if self._columns is None:
            return batch.inputs, targets
        rule = np.zeros((*targets.shape, self._n_columns), dtype=np.float32)
        np.put_along_axis(rule, self._columns[batch.info["tasks"]][..., None], 1, axis=-1)
        return np.concatenate([batch.inputs, rule], axis=-1), targets


def _core_rows(dataset: Dataset, seed: int) -> _CoreRows | None:
    """The core's rows; None if only Python knows which trial comes next."""
    env = dataset.env
    scheduled = type(env) is ScheduleEnvs and type(env.schedule) is RandomSchedule
    envs = env.envs if scheduled else [env]
    if any(type(one) is not TaskEnv or one.has_drawn_timing() for one in envs):
        return None
    n_columns = len(envs)
    if scheduled:
        envs = envs[: env.schedule.n]  # the schedule never selects the others
    battery = _battery_of(envs, seed)
    if battery is None:
        return None
    stream = Stream(
        battery,
        batch=dataset.batch_size,
        steps=dataset.seq_len,
        seed=seed,
        split=envs[0].split,
        mode="continue",
        rules="index",
    )
    if not (scheduled and env.env_input):
        return _CoreRows(stream, None, 0)
    names = [one.task.name for one in envs]
    return _CoreRows(stream, np.array([names.index(n) for n in battery.names]), n_columns)


def _battery_of(envs: list[TaskEnv], seed: int) -> _core.Battery | None:
    """The battery of all their tasks, if they differ only in their durations."""
    names = [env.task.name for env in envs]
    configs = [{**env.task.battery.config, "tasks": "", "durations": {}} for env in envs]
    splits = {env.split for env in envs}
    if len(set(names)) < len(names) or len(splits) > 1 or any(c != configs[0] for c in configs):
        return None
    config = {**configs[0], "tasks": ",".join(names), "durations": {}}
    for env in envs:
        durations = env.task.battery.config["durations"]
        if set(durations) - {env.task.name}:  # of a family: the other tasks may not have these
            if any(e.task.battery.config["durations"] != durations for e in envs):
                return None
        config["durations"].update(durations)
    # A random schedule never chooses the same task twice running.
    config["semantics"] = {**config["semantics"], "task_order": "published"}
    return _core._make_battery(config, seed)


class _PythonRows:
    """Rows of any environment with new_trial, ob and gt: one copy of it per row."""

    def __init__(self, dataset: Dataset, seed: int):
        self._steps = dataset.seq_len
        self._dtypes = dataset.env.observation_space.dtype, dataset.env.action_space.dtype
        self._envs = [copy.deepcopy(dataset.env) for _ in range(dataset.batch_size)]
        states = np.random.SeedSequence(seed).generate_state(dataset.batch_size)
        for env, state in zip(self._envs, states):
            _of(env, "seed")(int(state))
            env.reset()
        self._left = [(_of(env, "ob"), _of(env, "gt")) for env in self._envs]

    def next(self) -> tuple[np.ndarray, np.ndarray]:
        rows = [self._row(number) for number in range(len(self._envs))]
        stacked = [np.stack(arrays, axis=1) for arrays in zip(*rows)]
        inputs, targets = (a.astype(t, copy=False) for a, t in zip(stacked, self._dtypes))
        return inputs, targets

    def _row(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        env = self._envs[number]
        pieces = [self._left[number]]
        length = len(pieces[0][0])
        while length < self._steps:
            _of(env, "new_trial")()
            pieces.append((_of(env, "ob"), _of(env, "gt")))
            length += len(pieces[-1][0])
        inputs = np.concatenate([ob for ob, _ in pieces])
        targets = np.concatenate([gt for _, gt in pieces])
        self._left[number] = inputs[self._steps :], targets[self._steps :]
        return inputs[: self._steps], targets[: self._steps]


def _of(env: gymnasium.Env, name: str) -> Any:
    """An attribute of an environment, also through gymnasium's wrappers."""
    return env.get_wrapper_attr(name) if isinstance(env, gymnasium.Wrapper) else getattr(env, name)


__all__ = ["Dataset"]
