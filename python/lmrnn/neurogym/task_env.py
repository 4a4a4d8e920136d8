"""Environments with one trial after another, like NeuroGym's."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np

from .. import _core
from ..gym import REWARDS
from .timing import Timing, as_neurogym, common_names

_settings: dict[str, Any] = {}

# Keywords of the published factories that choose between tasks. Here only the name does.
_IN_THE_NAME = {
    "anti", "reaction", "dly", "integrate", "seq", "w_mod", "stim_mod", "delaycomparison",
    "matchto", "matchgo",
}  # fmt: skip
# Methods of NeuroGym with which tasks build their trials.
_BUILDERS = {
    "add_ob", "add_period", "add_randn", "set_groundtruth", "set_ob", "sample_time", "set_top",
}  # fmt: skip


def configure(**keywords: Any) -> None:
    """Sets keys of [battery] for all environments made from now on; without keywords, resets to the defaults.

    E.g. configure(semantics={"base": "published"}, seed=0), configure(timing="neurogym").
    """
    _settings.clear()
    _settings.update(keywords)


class OneTrialAfterAnother(gymnasium.Env):
    """The step of all environments here: judges the answer; after a trial, the next one begins."""

    def step(self, action):
        reward, over, info = self._answer(action)
        if over:
            info["trial"] = self.new_trial()
        return self.ob[self.t_ind].copy(), reward, False, False, info


class TaskEnv(OneTrialAfterAnother):
    """A task whose trials follow each other without end.

    `new_trial()` makes the next trial; then `ob` (time, channel) float32 are its observations and
    `gt` (time) int64 its targets. `step` goes through the trials: a response in the decision ends
    the trial, one in the fixation costs `rewards["abort"]`, and the next trial begins by itself.

    Parameters
    ----------
    task : name of a task, or lmrnn.Task
    dt, dim_ring, sigma : time step in ms, directions on the ring, scale of the input noise
    rewards : mapping, optional
        Those of `abort`, `correct` and `fail` to change.
    timing : mapping, optional
        Durations by period, in NeuroGym's notation. The attribute of this name has all of them; changes there take
        effect from the next trial on.
    split : "train", "validation" or "test"
    table : "modcog" or "neurogym", optional
        Source of the durations that `timing` does not set; `timing="neurogym"` sets it, too.
    keywords : keys of [battery]
    """

    metadata = {"render_modes": []}
    render_mode = None

    def __init__(
        self,
        task: str | _core.Task,
        *,
        dt: float | None = None,
        dim_ring: int | None = None,
        sigma: float | None = None,
        rewards: Mapping[str, float] | None = None,
        timing: Mapping[str, Any] | str | None = None,
        split: str = "train",
        table: str | None = None,
        **keywords: Any,
    ):
        _refuse(task, keywords)
        names = {"dt": dt, "n_ring": dim_ring, "input_noise": sigma}
        keywords = {**_settings, **keywords, **{k: v for k, v in names.items() if v is not None}}
        if isinstance(timing, str):
            table, timing = timing, None
        if table is not None:
            keywords["timing"] = table
        self.split, self.rewards = split, _rewards(rewards)
        if isinstance(task, str):
            task = _core.Battery(task, **keywords)[0]
        self._plain = self.task = task
        self.timing = as_neurogym(task.durations) | dict(timing or {})
        self._settle_timing()

        battery = task.battery
        self.dt, self.dim_ring = battery.dt, battery.n_ring
        self.dt = int(self.dt) if self.dt == int(self.dt) else self.dt
        self.sigma = battery.noise_deviation
        self.theta = np.arange(self.dim_ring) * (2 * np.pi / self.dim_ring)
        match = task.family == "match"
        self.choices = ["match", "non-match"] if match else np.arange(self.dim_ring)
        self._make_spaces(battery)
        self.abort, self.r_tmax = False, 0
        self.num_tr = self.t = self.t_ind = self.performance = 0
        self.ob = self.gt = self.trial = None
        self.seed()

    def _make_spaces(self, battery: _core.Battery) -> None:
        n = self.dim_ring
        shape = (battery.n_channels,)
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, shape, np.float32)
        self.observation_space.name = {
            "fixation": 0,
            "stimulus_mod1": range(1, n + 1),
            "stimulus_mod2": range(n + 1, 2 * n + 1),
        }
        self.action_space = gymnasium.spaces.Discrete(battery.n_classes)
        self.action_space.name = {"fixation": 0, "choice": range(1, n + 1)}

    # Trials ------------------------------------------------------------------------------------

    def seed(self, seed: int | None = None) -> list[int | None]:
        """Starts the trials again; the same seed gives the same trials."""
        seed = seed if seed is None else _core._check_seed(seed)
        self._seed = _whole(None) if seed is None else seed
        self._number = -1
        self.rng = np.random.RandomState(_words([self._seed]))
        if seed is not None:
            self.action_space.seed(seed % 2**32)
        for value in self.timing.values():
            if callable(getattr(value, "seed", None)):
                value.seed(seed)
        return [seed]

    def new_trial(self, **conditions: Any) -> dict[str, Any]:
        """Makes the next trial; keywords are members of lmrnn.Conditions to fix.

        As in NeuroGym, `ground_truth` sets the response (its direction) of a reach task, or "match" or "non-match".
        Returns the content of `env.trial`: the conditions of the trial.
        """
        self._settle_timing()
        conditions = dict(conditions)
        wanted = conditions.pop("ground_truth", None)
        if "durations" in conditions:
            conditions["durations"] = common_names(conditions["durations"])
        trial = self._next(wanted)
        if self._timing.drawn or conditions or wanted is not None:
            trial = self._changed(trial, conditions, wanted)
        self._show(trial)
        self.num_tr += 1
        return self.trial

    def _next(self, wanted: Any) -> _core.Trial:
        if wanted is not None:
            self._check_wanted(wanted)
        while True:
            self._number += 1
            trial = self.task.trial(seed=self._seed, number=self._number, split=self.split)
            if self.task.family != "match" or wanted is None:
                return trial
            if trial.conditions.match == (wanted == "match"):
                return trial

    def _check_wanted(self, wanted: Any) -> None:
        family = self.task.family
        if family == "reach" and wanted in range(self.dim_ring):
            return
        if family == "match" and wanted in ("match", "non-match"):
            return
        remedy = {
            "reach": f"it must be a direction, 0 to {self.dim_ring - 1}",
            "match": 'it must be "match" or "non-match"',
        }.get(family, "the answer follows from the stimuli; fix directions and strength instead")
        raise _core.UsageError(
            f"new_trial: ground_truth = {wanted!r} of {self.task.name}: {remedy}"
        )

    def _changed(self, trial: _core.Trial, conditions: dict, wanted: Any) -> _core.Trial:
        """The trial with these conditions, with the durations that `timing` draws, and with this response."""
        settled = trial.conditions
        drawn = self._timing.draw(settled.durations, self.task.battery, self.rng)
        conditions["durations"] = {**drawn, **conditions.get("durations", {})}
        noise = _whole([self._seed, self._number])
        trial = self._composed(settled, noise, conditions)
        if wanted is None or self.task.family != "reach":
            return trial
        turn = (int(wanted) - trial.response) * 2 * np.pi / self.dim_ring
        conditions["direction"] = float((trial.conditions.direction + turn) % (2 * np.pi))
        return self._composed(settled, noise, conditions)

    def _composed(self, settled: _core.Conditions, noise: int, conditions: dict) -> _core.Trial:
        for name in conditions:
            if not hasattr(settled, name):
                raise _core.UsageError(
                    f'new_trial: no condition "{name}"; there are ground_truth and the members of '
                    "lmrnn.Conditions (modality, direction, strength, durations, ...)"
                )
        return self.task.compose(settled, seed=noise, **conditions)

    def _show(self, trial: _core.Trial) -> None:
        # Copies, so that scripts may write into them as in NeuroGym.
        self.ob, self.gt = trial.inputs.copy(), trial.targets.astype(np.int64)
        self.start_ind = {name: first for name, first, _ in trial.periods}
        self.end_ind = {name: last for name, _, last in trial.periods}
        self.start_t = {name: first * self.dt for name, first in self.start_ind.items()}
        self.end_t = {name: last * self.dt for name, last in self.end_ind.items()}
        self.tmax = len(self.gt) * self.dt
        self.trial = _as_dict(self.task, trial, self.dim_ring)
        if self.task.family in ("reach", "match"):
            ring = f"stimulus_mod{trial.conditions.modality + 1}"
            self.observation_space.name["stimulus"] = np.array(self.observation_space.name[ring])

    def _settle_timing(self) -> None:
        """Makes the task again if `timing` was changed."""
        entries = {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in self.timing.items()
        }
        if entries == self.__dict__.get("_settled"):
            return
        timing = Timing(self._plain, entries)
        usual = Timing(self._plain, as_neurogym(self._plain.durations)).core
        own = {name: value for name, value in timing.core.items() if value != usual[name]}
        task = self._plain
        if own:
            name, battery = task.name, task.battery
            config = battery.config
            durations = {**config["durations"], name: {**config["durations"].get(name, {}), **own}}
            task = _core._make_battery({**config, "durations": durations}, _seed_of(battery))[name]
        self.task, self._timing, self._settled = task, timing, entries

    def has_drawn_timing(self) -> bool:
        """Whether a duration is drawn here and not by the core."""
        self._settle_timing()
        return bool(self._timing.drawn)

    # Steps -------------------------------------------------------------------------------------

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """As in NeuroGym, a first trial and one step of fixation: the observation is `ob[1]`."""
        if seed is not None:
            seed = _core._check_seed(seed)
            self.seed(seed)
        super().reset(seed=seed)
        self.num_tr = self.t = self.t_ind = 0
        self.new_trial()
        return _first_observation(self, options), {}

    def _answer(self, action) -> tuple[float, bool, dict[str, Any]]:
        """(reward, whether the trial is over, info) of an action."""
        if self.ob is None:
            raise gymnasium.error.ResetNeeded("call reset before the first step")
        target, reward, over = self.gt[self.t_ind], 0.0, False
        if action != 0 and self.in_period("fixation"):
            reward, over = self.rewards["abort"], self.abort
        elif action != 0 and self.in_period("decision"):
            self.performance = int(action == target)
            reward, over = self.rewards["correct" if action == target else "fail"], True
        self.t_ind += 1
        if self.t_ind == len(self.gt) and not over:
            reward, over = reward + self.r_tmax, True
        info = {"new_trial": over, "gt": target}
        if over:
            info["performance"], self.performance, self.t_ind = self.performance, 0, 0
        self.t = self.t_ind * self.dt
        return reward, over, info

    def in_period(self, period: str, t: float | None = None) -> bool:
        """Whether time t (ms from the beginning of the trial; now, if not given) is in a period."""
        t = self.t if t is None else t
        return self.start_t[period] <= t < self.end_t[period]

    def view_ob(self, period: str | None = None) -> np.ndarray:
        """Observations of a period of the present trial."""
        return self.ob if period is None else self.ob[self._span(period)]

    def view_groundtruth(self, period: str) -> np.ndarray:
        return self.gt[self._span(period)]

    def _span(self, period: str) -> slice:
        return slice(self.start_ind[period], self.end_ind[period])

    @property
    def ob_now(self) -> np.ndarray:
        return self.ob[self.t_ind]

    @property
    def gt_now(self) -> np.int64:
        return self.gt[self.t_ind]

    # Copies ------------------------------------------------------------------------------------

    def __deepcopy__(self, memo) -> TaskEnv:
        # Tasks are immutable; a copy continues on its own with the same trials.
        other = object.__new__(type(self))
        memo[id(self)] = other
        for name, value in self.__getstate__().items():
            shared = name in ("task", "_plain", "trial")
            other.__dict__[name] = value if shared else copy.deepcopy(value, memo)
        return other

    def __getstate__(self) -> dict[str, Any]:
        # The object that draws durations belongs to one environment; a copy makes its own from `timing`.
        return {k: v for k, v in self.__dict__.items() if k not in ("_timing", "_settled")}

    def __getattr__(self, name: str):
        if name in _BUILDERS:
            raise AttributeError(
                f"{name}: trials are composed by the core, not by the environment; change "
                "conditions with new_trial(...) or env.task.compose(...), or write your own task "
                "with lmrnn.data.OwnTasks"
            )
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __str__(self) -> str:
        return f"<{self.task.name}>"


def _first_observation(env: gymnasium.Env, options: dict | None) -> np.ndarray:
    """The observation that `reset` returns. NeuroGym's wrappers pass their own step as `step_fn`."""
    options = options or {}
    if options.get("no_step", False):
        return env.observation_space.sample()
    step = options.get("step_fn") or env.step
    return step(0)[0]


def _refuse(task: str | _core.Task, keywords: Mapping[str, Any]) -> None:
    """Raises UsageError for keywords of the published factories that are not used here."""
    name = task if isinstance(task, str) else task.name
    for key in keywords:
        if key in _IN_THE_NAME:
            raise _core.UsageError(
                f"{name}: {key} is settled by the name of the task; make the task that you want, "
                'e.g. "dlyanti", "dmcseqr"'
            )
    if "cohs" in keywords:
        raise _core.UsageError(
            f"{name}: cohs cannot be changed, so that ceilings stay known; for trials of your own "
            "strengths: env.new_trial(strength=[[a, b], [c, d]])"
        )


def _rewards(changes: Mapping[str, float] | None) -> dict[str, float]:
    unknown = set(changes or {}) - set(REWARDS)
    if unknown:
        raise _core.UsageError(f"rewards: {sorted(unknown)} must be among {sorted(REWARDS)}")
    return REWARDS | dict(changes or {})


def _seed_of(battery: _core.Battery) -> int:
    return battery.__reduce__()[1][1]


def _words(entropy: list[int] | None) -> np.ndarray:
    """Four 32-bit words from a seed and numbers; random ones for None."""
    return np.random.SeedSequence(entropy).generate_state(4)


def _whole(entropy: list[int] | None) -> int:
    """A seed below 2^63 from these."""
    high, low, *_ = map(int, _words(entropy))
    return (high << 32 | low) >> 1


def _as_dict(task: _core.Task, trial: _core.Trial, n_ring: int) -> dict[str, Any]:
    """The conditions of a trial under the names of NeuroGym and Mod-Cog."""
    c = trial.conditions
    known: dict[str, Any] = {"task": task.name, "conditions": c, "response": trial.response}
    known |= {"integrate": task.interval, "seq": task.sequence}
    if task.family == "reach":
        return known | {"ground_truth": trial.response, "anti": "anti" in task.base}
    if task.family == "match":
        match = "match" if c.match else "non-match"
        return known | {"ground_truth": match, "sample_theta": c.sample, "test_theta": c.test}
    known |= {"theta1": c.directions[0], "theta2": c.directions[1]}
    for modality, strengths in enumerate(c.strength, start=1):
        if any(strengths):
            for stimulus, strength in enumerate(strengths, start=1):
                known[f"coh{stimulus}_mod{modality}"] = strength
    if task.family == "decision":
        known["stim_period"] = c.durations["stimulus"]
    return known


__all__ = ["TaskEnv", "configure"]
