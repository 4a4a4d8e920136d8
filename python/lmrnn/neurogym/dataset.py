"""NeuroGym's Dataset: trials packed into rows, batch after batch."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from .. import _core
from ..stream import Stream
from .envs import ScheduleEnvs, TaskEnv
from .schedules import RandomSchedule


class Dataset:
    """`inputs, targets = dataset()`: (time, row, channel) float32 and (time, row) int64.

    Every row is a sequence of trials that goes on from batch to batch, in mid-trial.

    env : an environment, or the name of a task; batch_size : rows; seq_len : time steps of a batch;
    batch_first : (row, time, ...); max_batch : how many batches iteration yields;
    cache_len : taken for NeuroGym's sake, and not needed.

    Random schedules of distinct tasks, the usual case, are filled by the C++ core.
    """

    def __init__(
        self,
        env,
        env_kwargs: dict[str, Any] | None = None,
        batch_size: int = 1,
        seq_len: int | None = None,
        max_batch: float = np.inf,
        batch_first: bool = False,
        cache_len: int | None = None,
    ):
        if isinstance(env, str):
            name = env.removeprefix("lmrnn/").removesuffix("-v0")
            env = TaskEnv(name, **(env_kwargs or {}))
        self.env = env
        self.batch_size, self.seq_len = batch_size, 100 if seq_len is None else seq_len
        self.batch_first, self.max_batch = batch_first, max_batch
        self._batches = 0
        self.seed()

    def seed(self, seed: int | None = None) -> None:
        """Begins anew, with the same batches for the same seed."""
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1)[0])
        self._rows = _core_rows(self, seed) or _PythonRows(self, seed)

    def __call__(self) -> tuple[np.ndarray, np.ndarray]:
        inputs, targets = self._rows.next()
        targets = targets.astype(np.int64)
        if self.batch_first:
            return inputs.swapaxes(0, 1), targets.T
        return inputs, targets

    def __iter__(self) -> Dataset:
        return self

    def __next__(self) -> tuple[np.ndarray, np.ndarray]:
        self._batches += 1
        if self._batches > self.max_batch:
            raise StopIteration
        return self()


class _CoreRows:
    """Rows that the core fills."""

    def __init__(self, stream: Stream, columns: np.ndarray | None):
        self._stream = iter(stream)
        self._columns = columns  # of the rule input of each task of the battery

    def next(self) -> tuple[np.ndarray, np.ndarray]:
        batch = next(self._stream)
        if self._columns is None:
            return batch.inputs, batch.targets
        rule = np.zeros((*batch.targets.shape, len(self._columns)), dtype=np.float32)
        np.put_along_axis(rule, self._columns[batch.info["tasks"]][..., None], 1, axis=-1)
        return np.concatenate([batch.inputs, rule], axis=-1), batch.targets


def _core_rows(dataset: Dataset, seed: int) -> _CoreRows | None:
    """None where only Python knows what comes next."""
    env = dataset.env
    scheduled = type(env) is ScheduleEnvs and type(env.schedule) is RandomSchedule
    envs = env.envs if scheduled else [env]
    if any(type(one) is not TaskEnv for one in envs):
        return None
    names = [one.task.name for one in envs]
    configs = [{**one.task.battery.config, "tasks": ""} for one in envs]
    if len(set(names)) < len(names) or any(config != configs[0] for config in configs):
        return None
    config = configs[0]
    config["tasks"] = ",".join(names)
    # A random schedule never chooses the same task twice running.
    config["semantics"] = {**config["semantics"], "task_order": "published"}
    battery = _core._make_battery(config, seed)
    stream = Stream(
        battery,
        batch=dataset.batch_size,
        steps=dataset.seq_len,
        seed=seed,
        mode="continue",
        rules="index",
    )
    with_rule = scheduled and env.env_input
    return _CoreRows(stream, np.array([names.index(n) for n in battery.names]) if with_rule else None)


class _PythonRows:
    """Rows of any environment that has new_trial, ob and gt: one copy of it per row."""

    def __init__(self, dataset: Dataset, seed: int):
        self._steps = dataset.seq_len
        self._envs = [copy.deepcopy(dataset.env) for _ in range(dataset.batch_size)]
        states = np.random.SeedSequence(seed).generate_state(dataset.batch_size)
        for env, state in zip(self._envs, states):
            env.seed(int(state))
            env.reset()
        self._left = [(env.ob, env.gt) for env in self._envs]

    def next(self) -> tuple[np.ndarray, np.ndarray]:
        rows = [self._row(number) for number in range(len(self._envs))]
        inputs, targets = zip(*rows)
        return np.stack(inputs, axis=1), np.stack(targets, axis=1)

    def _row(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        env = self._envs[number]
        pieces = [self._left[number]]
        length = len(pieces[0][0])
        while length < self._steps:
            env.new_trial()
            pieces.append((env.ob, env.gt))
            length += len(env.ob)
        inputs = np.concatenate([ob for ob, _ in pieces])
        targets = np.concatenate([gt for _, gt in pieces])
        self._left[number] = inputs[self._steps :], targets[self._steps :]
        return inputs[: self._steps], targets[: self._steps]


__all__ = ["Dataset"]
