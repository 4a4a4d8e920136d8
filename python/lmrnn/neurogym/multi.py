"""Several environments, one of which is active at a time, like NeuroGym's wrappers."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from .. import _core
from .task_env import OneTrialAfterAnother, _first_observation, _words


class MultiEnvs(OneTrialAfterAnother):
    """Several tasks; `set_i` selects one.

    envs : environments of equal shapes; env_input : whether to add a channel per environment, which is 1 for the
        active one.
    """

    metadata = {"render_modes": []}
    render_mode = None

    def __init__(self, envs, env_input: bool = False):
        self.envs, self.env_input = list(envs), env_input
        self.i_env = 0
        self.action_space = self.envs[0].action_space
        self._widened = None
        if env_input:
            _require_equal_shapes(self.envs)
            size = self.envs[0].observation_space.shape[0] + len(self.envs)
            self._widened = gymnasium.spaces.Box(-np.inf, np.inf, (size,), np.float32)

    @property
    def env(self):
        """The active environment."""
        return self.envs[self.i_env]

    @property
    def unwrapped(self):
        return self.env.unwrapped

    @property
    def observation_space(self) -> gymnasium.spaces.Box:
        return self.env.observation_space if self._widened is None else self._widened

    def set_i(self, i: int) -> None:
        self.i_env = range(len(self.envs))[i]

    def seed(self, seed: int | None = None) -> None:
        seed = seed if seed is None else _core._check_seed(seed)
        for number, env in enumerate(self.envs):
            env.seed(None if seed is None else _derived(seed, number))

    def new_trial(self, **conditions: Any) -> dict[str, Any]:
        trial = self.env.new_trial(**conditions)
        if self.env_input:
            task = self.unwrapped
            rule = np.zeros((len(task.ob), len(self.envs)), dtype=task.ob.dtype)
            rule[:, self.i_env] = 1
            task.ob = np.concatenate([task.ob, rule], axis=1)
        return trial

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        if seed is not None:
            self.seed(seed)
        self.env.reset()
        return self._begin(options)

    def _begin(self, options: dict | None):
        task = self.unwrapped
        task.num_tr = task.t = task.t_ind = 0
        self.new_trial()
        return _first_observation(self, options), {}

    def _answer(self, action) -> tuple[float, bool, dict[str, Any]]:
        return self.env._answer(action)

    def __getattr__(self, name: str):
        # ob, gt, trial, dt, start_ind, ... are those of the active environment.
        if name.startswith("_") or name in ("envs", "i_env"):
            raise AttributeError(name)
        return getattr(self.envs[self.i_env], name)


class ScheduleEnvs(MultiEnvs):
    """Several tasks; a schedule selects one for each trial."""

    def __init__(self, envs, schedule, env_input: bool = False):
        super().__init__(envs, env_input)
        self.schedule = schedule
        self.next_i_env = 0
        n = getattr(schedule, "n", len(self.envs))
        if n > len(self.envs):
            raise IndexError(
                f"ScheduleEnvs: the schedule chooses among {n} environments, but there are "
                f"{len(self.envs)}; make it {type(schedule).__name__}({len(self.envs)})"
            )

    def seed(self, seed: int | None = None) -> None:
        super().seed(seed)
        self.schedule.seed(None if seed is None else _derived(seed, len(self.envs)))

    def set_i(self, i: int) -> None:
        """Task i is next, immediately."""
        super().set_i(i)
        self.next_i_env = self.schedule.i = self.i_env

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        if seed is not None:
            self.seed(seed)
        self.schedule.reset()
        self.next_i_env = self.schedule()
        for i, env in enumerate(self.envs):
            if i != self.next_i_env:
                env.reset()
        self.i_env = self.next_i_env
        return self._begin(options)

    def new_trial(self, **conditions: Any) -> dict[str, Any]:
        self.i_env = self.next_i_env
        trial = super().new_trial(**conditions)
        self.next_i_env = self.schedule()
        return trial

    def __str__(self) -> str:
        return "\n\t".join(["<ScheduleEnvs", *map(str, self.envs)]) + "\n>"


def _require_equal_shapes(envs: list) -> None:
    for env in envs[1:]:
        if (
            env.observation_space.shape != envs[0].observation_space.shape
            or env.action_space.n != envs[0].action_space.n
        ):
            raise ValueError("the environments must have equal observations and actions")


def _derived(seed: int, number: int) -> int:
    """A seed for part `number` of something that has a seed."""
    return int(_words([seed, number])[0])
