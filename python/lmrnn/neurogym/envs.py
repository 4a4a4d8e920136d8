"""Environments that make one trial after the other, as NeuroGym's do."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from .. import _core, gym

_settings: dict[str, Any] = {}


def configure(**keywords: Any) -> None:
    """Keys of [battery] for all environments that are made from now on; without any: the defaults.

    E.g. configure(semantics={"base": "published"}, seed=0), configure(timing="neurogym").
    """
    _settings.clear()
    _settings.update(keywords)


class TaskEnv(gym.TaskEnv):
    """A task whose trials follow each other without end.

    `new_trial()` makes the next trial; then `ob` (time, channel) are its observations and `gt`
    (time) its targets.
    """

    def __init__(
        self,
        task: str,
        *,
        dt: float = 100,
        dim_ring: int = 16,
        sigma: float = 1.0,
        rewards: dict[str, float] | None = None,
        **keywords: Any,
    ):
        keywords = {**_settings, **keywords, "dt": dt, "n_ring": dim_ring, "input_noise": sigma}
        super().__init__(task, rewards=rewards, **keywords)
        self.dt, self.dim_ring = dt, dim_ring
        self.ob = self.gt = None

    def seed(self, seed: int | None = None) -> list[int | None]:
        """Trials begin anew: the same ones for the same seed."""
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1)[0])
        self._seed, self._number = seed, -1
        return [seed]

    def new_trial(self, **conditions: Any) -> dict[str, Any]:
        """Makes the next trial; keywords are members of lmrnn.Conditions to fix."""
        self._next_trial()
        if conditions:
            noise = (self._seed + self._number) % 2**63
            self.trial = self.task.compose(self.trial.conditions, seed=noise, **conditions)
        self.ob, self.gt = self.trial.inputs, self.trial.targets
        spans = self.trial.periods
        self.start_ind = {name: first for name, first, _ in spans}
        self.end_ind = {name: last for name, _, last in spans}
        return {
            "task": self.task.name,
            "ground_truth": self.trial.response,
            "conditions": self.trial.conditions,
        }

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        if seed is not None:
            self.seed(seed)
        self.new_trial()
        return self.ob[0].copy(), {}

    def step(self, action):
        shown, reward, over, _, info = super().step(action)
        if over:
            self.new_trial()
            shown = self.ob[0].copy()
        # NeuroGym's environments never end by themselves.
        return shown, reward, False, False, info | {"new_trial": over}

    @property
    def timing(self) -> dict[str, Any]:
        """Names of the periods of the task."""
        return dict.fromkeys(self.task.periods)

    def __deepcopy__(self, memo) -> TaskEnv:
        # Tasks are immutable; a copy goes on with the same trials.
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        return copy


class MultiEnvs(gymnasium.Env):
    """Several tasks, of which `set_i` chooses one.

    envs : environments of equal shapes; env_input : whether one channel per environment is added,
        1 for the one that is on.
    """

    metadata = {"render_modes": []}
    render_mode = None

    def __init__(self, envs, env_input: bool = False):
        self.envs, self.env_input = list(envs), env_input
        for env in self.envs[1:]:
            if (
                env.observation_space.shape != self.envs[0].observation_space.shape
                or env.action_space.n != self.envs[0].action_space.n
            ):
                raise ValueError("the environments must have equal observations and actions")
        self.i_env = 0
        self.action_space = self.envs[0].action_space
        self.observation_space = self.envs[0].observation_space
        if env_input:
            size = self.observation_space.shape[0] + len(self.envs)
            bound = float(self.observation_space.high.max())
            self.observation_space = gymnasium.spaces.Box(-bound, bound, (size,), np.float32)

    @property
    def env(self) -> TaskEnv:
        """The environment that is on."""
        return self.envs[self.i_env]

    @property
    def unwrapped(self) -> TaskEnv:
        return self.env

    def set_i(self, i: int) -> None:
        self.i_env = i

    def seed(self, seed: int | None = None) -> None:
        for number, env in enumerate(self.envs):
            env.seed(None if seed is None else _derived(seed, number))

    def new_trial(self, **conditions: Any) -> dict[str, Any]:
        trial = self.env.new_trial(**conditions)
        if self.env_input:
            self.env.ob = self._with_rule(self.env.ob)
        return trial

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        if seed is not None:
            self.seed(seed)
        self.new_trial()
        return self.ob[0].copy(), {}

    def step(self, action):
        shown, reward, over, _, info = gym.TaskEnv.step(self.env, action)
        if over:
            self.new_trial()
            return self.ob[0].copy(), reward, False, False, info | {"new_trial": True}
        if self.env_input:
            shown = self._with_rule(shown[None])[0]
        return shown, reward, False, False, info | {"new_trial": False}

    def _with_rule(self, ob: np.ndarray) -> np.ndarray:
        rule = np.zeros((len(ob), len(self.envs)), dtype=np.float32)
        rule[:, self.i_env] = 1
        return np.concatenate([ob, rule], axis=1)

    def __getattr__(self, name: str):
        # ob, gt, trial, dt, start_ind, ... are those of the environment that is on.
        if name.startswith("_") or name in ("envs", "i_env"):
            raise AttributeError(name)
        return getattr(self.envs[self.i_env], name)


class ScheduleEnvs(MultiEnvs):
    """Several tasks, of which a schedule chooses one for each trial."""

    def __init__(self, envs, schedule, env_input: bool = False):
        super().__init__(envs, env_input)
        self.schedule = schedule
        self.next_i_env = 0

    def seed(self, seed: int | None = None) -> None:
        super().seed(seed)
        self.schedule.seed(None if seed is None else _derived(seed, len(self.envs)))

    def set_i(self, i: int) -> None:
        """Task i comes next, now."""
        self.i_env = self.next_i_env = i
        self.schedule.i = i

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        if seed is not None:
            self.seed(seed)
        self.schedule.reset()
        self.next_i_env = self.schedule()
        return super().reset()

    def new_trial(self, **conditions: Any) -> dict[str, Any]:
        self.i_env = self.next_i_env
        trial = super().new_trial(**conditions)
        self.next_i_env = self.schedule()
        return trial


def _derived(seed: int, number: int) -> int:
    """A seed for part `number` of something that has a seed."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
