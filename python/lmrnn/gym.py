"""Every task as a Gymnasium environment: `gymnasium.make("lmrnn/dlygointr-v0")` after
`import lmrnn.gym`, or `gymnasium.make("lmrnn.gym:lmrnn/dlygointr-v0")` without it.

Needs the extra "gymnasium": pip install 'lmrnn[gymnasium]'.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import gymnasium
import numpy as np

from . import _core

REWARDS = {"abort": -0.1, "correct": 1.0, "fail": 0.0}


class TaskEnv(gymnasium.Env):
    """One task; an episode is one trial.

    Observation: (channel) float32, cue, ring of modality 0, ring of modality 1. Action: the class, 0 to fixate, 1 + k
    to respond in direction k. Reward of a step: before the decision, `abort` for any response; in the decision,
    `correct` for the target's class and `fail` for another. The trial continues to its end after any action. `info` has
    `gt`, the target of the step that the action answered, and `period`, the period of that step.

    Trial k after `reset(seed=s)` is trial k of the split in seed s: the same on every machine. `reset` has no options.
    `step` raises gymnasium.error.InvalidAction for an action outside `action_space`.

    Parameters
    ----------
    task : name of a task, or lmrnn.Task
    rewards : mapping, optional
        Those of `abort`, `correct` and `fail` to change.
    split : "train", "validation" or "test"
    render_mode : only None; nothing is rendered
    keywords : keys of [battery], e.g. dt=20, n_ring=32, semantics={"base": "published"}; only with the name of a
        task, because an lmrnn.Task already has a battery
    """

    metadata = {"render_modes": []}
    render_mode = None

    def __init__(
        self,
        task: str | _core.Task,
        *,
        rewards: dict[str, float] | None = None,
        split: str = "train",
        render_mode: str | None = None,
        **keywords: Any,
    ):
        if render_mode is not None:
            raise _core.UsageError(
                f"TaskEnv: render_mode = {render_mode!r}; the tasks cannot be rendered, so leave render_mode out"
            )
        unknown = set(rewards or {}) - set(REWARDS)
        if unknown:
            raise _core.UsageError(f"rewards: {sorted(unknown)} must be among {sorted(REWARDS)}")
        for name, value in (rewards or {}).items():
            if not isinstance(value, (int, float, np.number)) or not math.isfinite(value):
                raise _core.UsageError(f"rewards: {name} = {value!r}; give a finite number")
        if not isinstance(task, str):
            if not isinstance(task, _core.Task):
                raise _core.UsageError(f"TaskEnv: task is a {type(task).__name__}; give its name or an lmrnn.Task")
            if keywords:
                raise _core.UsageError(
                    f"TaskEnv: {', '.join(keywords)} given, but {task.name} already has a battery with its own "
                    "settings; give them to the Battery that the task is from, or give the task's name"
                )
        if isinstance(task, str):
            task = _core.Battery(task, **keywords)[0]
        self.task, self.split, self.rewards = task, split, REWARDS | (rewards or {})
        battery = task.battery
        # Two bumps of 0.8 at most can add up in a channel; noise of 12 standard deviations does not occur.
        bound = 2 + 12 * battery.noise_deviation
        self.observation_space = gymnasium.spaces.Box(
            -bound, bound, shape=(battery.n_channels,), dtype=np.float32
        )
        self.action_space = gymnasium.spaces.Discrete(battery.n_classes)
        self._seed: int | None = None
        self._number = -1
        self.trial: _core.Trial | None = None
        self.t_ind = 0

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        if options:  # Gymnasium's checker passes {}
            names = ", ".join(map(str, options))
            raise _core.UsageError(f"TaskEnv: reset has no options, but {names} given; leave options out")
        if seed is not None:
            seed = _core._check_seed(seed)
        super().reset(seed=seed)
        self._next_trial(seed)
        return self.trial.inputs[0].copy(), {"trial": self._number}

    def step(self, action):
        if self.trial is None:
            raise gymnasium.error.ResetNeeded("call reset before the first step")
        if self.t_ind >= len(self.trial):
            raise gymnasium.error.ResetNeeded("the trial is over; call reset")
        action = self._checked(action)
        target = int(self.trial.targets[self.t_ind])
        period = self._period()
        reward = self._reward(action, target, period)
        self.t_ind += 1
        over = self.t_ind == len(self.trial)
        shown = self.trial.inputs[min(self.t_ind, len(self.trial) - 1)].copy()
        return shown, reward, over, False, {"gt": target, "period": period}

    def _checked(self, action) -> int:
        try:
            number = operator.index(action)  # accepts NumPy's integers and 0-d arrays, but not 1.7
        except TypeError:
            number = -1
        if not 0 <= number < self.action_space.n:
            raise gymnasium.error.InvalidAction(
                f"action = {action!r}; the action space is {self.action_space}: give a whole number from 0 to "
                f"{self.action_space.n - 1}"
            )
        return number

    def _next_trial(self, seed: int | None = None) -> None:
        if seed is not None:
            self._seed, self._number = seed, -1
        elif self._seed is None:
            self._seed = int(self.np_random.integers(2**63))
        self._number += 1
        self.trial = self.task.trial(seed=self._seed, number=self._number, split=self.split)
        self.t_ind = 0

    def _period(self) -> str:
        spans = self.trial.periods
        return next(name for name, first, last in spans if first <= self.t_ind < last)

    def _reward(self, action: int, target: int, period: str) -> float:
        if period != "decision":
            return self.rewards["abort"] if action != 0 else 0.0
        return self.rewards["correct" if action == target else "fail"]


def _register() -> None:
    for name in _core.select_tasks("modcog132"):
        gymnasium.register(f"lmrnn/{name}-v0", entry_point=f"{__name__}:TaskEnv", kwargs={"task": name})


_register()
