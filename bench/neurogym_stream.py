"""The peer of W5: NeuroGym generating 64 x 350 steps of the 82 tasks of Mod-Cog.

Usage is that of the README of github.com/mikailkhona/Mod_Cog (Khona et al. 2023): a list of 82 environments,
ScheduleEnvs with a RandomSchedule and the rule as one-hot input, and a Dataset, here of 64 rows of 350 steps. The
classes are NeuroGym's, from PyPI: Dataset, ScheduleEnvs, RandomSchedule, and the three families of its yang19
collection. PyPI's NeuroGym does not have the modifiers int and seq, nor is Mod_Cog itself on PyPI; so this file gives
the families the timing of Mod_Cog and adds what the modifiers do there: a delay drawn per trial and a displaced
stimulus or response (int), and a response that moves during the decision (seq). Where the published code loops over the
steps of a decision in Python, this one uses one array operation, to the peer's advantage. Differences that remain:
NeuroGym's own families restrict input noise to the two rings (published: all channels), and an 83rd and 84th
environment that the README lists twice are left out.

Same line protocol as peers/worker.py: "generate K" and "memory".
"""

import json
import sys
import time

import gymnasium
import numpy as np
from neurogym import Dataset
from neurogym.envs.collections import yang19
from neurogym.utils import scheduler
from neurogym.wrappers.block import ScheduleEnvs

# Otherwise every access through a wrapper formats a warning that is never shown.
gymnasium.logger.set_level(gymnasium.logger.ERROR)

OMEGA = 0.01  # per ms: radians in Reach, directions elsewhere (sic)
INT_DELAYS = np.arange(0, 1200, 100)  # ms


class Modifiers:
    """int and seq for a family of yang19; `integrate` and `sequence` are -1, 0 or +1."""

    def __init__(self, integrate=0, sequence=0, **kwargs):
        super().__init__(**kwargs)
        self.integrate, self.sequence = integrate, sequence
        self.n_ring = len(self.theta)

    def move_response(self):
        """Displaces the target of the decision, and makes it move."""
        first = self.start_ind["decision"]
        start = self.gt[first]
        if start == 0:  # a trial without a response
            return
        steps = np.arange(self.end_ind["decision"] - first)
        moved = np.trunc(self.sequence * steps * OMEGA * self.dt)
        self.gt[first : self.end_ind["decision"]] = np.mod(
            start + self.response_shift() + moved, self.n_ring
        )

    def response_shift(self):
        return self.integrate * OMEGA * self.timing["delay"] if self.integrate else 0


class Reach(Modifiers, yang19._Reach):
    """int displaces the stimulus, so the observation is composed here."""

    def _new_trial(self, **kwargs):
        if self.integrate:
            self.timing["delay"] = int(self.rng.choice(INT_DELAYS))
            trial = self.displaced_trial()
        else:
            trial = super()._new_trial(**kwargs)
        self.move_response()
        return trial

    def displaced_trial(self):
        response = self.rng.choice(self.choices)
        angle = self.theta[response] + self.integrate * OMEGA * self.timing["delay"]
        angle = np.mod(angle + np.pi * self.anti, 2 * np.pi)
        self.add_period(["fixation", "stimulus", "delay", "decision"])
        self.add_ob(1, period=["fixation", "stimulus", "delay"], where="fixation")
        self.add_ob(yang19._gaussianbump(angle, self.theta, 1), "stimulus", where="stimulus")
        self.set_groundtruth(response, period="decision", where="choice")
        return {"ground_truth": response, "anti": self.anti}

    def response_shift(self):
        return 0


class Decision(Modifiers, yang19._DMFamily):
    def _new_trial(self, **kwargs):
        trial = super()._new_trial(**kwargs)
        self.move_response()
        return trial


class Match(Modifiers, yang19._DelayMatch1DResponse):
    def _new_trial(self, **kwargs):
        if self.integrate:
            self.timing["delay"] = int(self.rng.choice(INT_DELAYS))
        trial = super()._new_trial(**kwargs)
        self.move_response()
        return trial


def in_both_modalities(make):
    """As in the collection: one environment per modality, in turn."""
    envs = [
        yang19._MultiModalityStimulus(make(), modality=modality, n_modality=2)
        for modality in (0, 1)
    ]
    return ScheduleEnvs(envs, scheduler.RandomSchedule(len(envs)), env_input=False)


def reach(anti=False, reaction=False):
    def make(integrate=0, sequence=0):
        decision = 1000 if sequence and not reaction else 500
        timing = {"delay": 500, "decision": decision}
        return in_both_modalities(
            lambda: Reach(
                anti=anti, reaction=reaction, timing=timing, integrate=integrate, sequence=sequence
            )
        )

    return make


def decide(weights, shown, delayed):
    def make(integrate=0, sequence=0):
        timing = {"fixation": ("uniform", (200, 500)), "decision": 1000 if sequence else 200}
        if delayed:
            timing["delay"] = 500
        return Decision(
            w_mod=weights, stim_mod=shown, delaycomparison=delayed, timing=timing,
            cohs=[0.3, 0.6, 1.0] if delayed else [0.08, 0.16, 0.32, 0.64],
            integrate=integrate, sequence=sequence,
        )  # fmt: skip

    return make


def match(to, go):
    def make(integrate=0, sequence=0):
        timing = {"delay": np.random.uniform(200, 1200)}
        timing["decision"] = 1000 if sequence else 900
        return in_both_modalities(
            lambda: Match(
                matchto=to, matchgo=go, timing=timing, integrate=integrate, sequence=sequence
            )
        )

    return make


FIRST, SECOND, BOTH = (True, False), (False, True), (True, True)
DECISIONS = (
    ((1, 1), FIRST), ((1, 1), SECOND), ((1, 0), BOTH), ((0, 1), BOTH), ((1, 1), BOTH),
)  # fmt: skip
WITHOUT_DELAY = [
    reach(), reach(reaction=True), reach(anti=True), reach(anti=True, reaction=True),
    *(decide(weights, shown, delayed=False) for weights, shown in DECISIONS),
]  # fmt: skip
WITH_DELAY = [
    reach(), reach(anti=True),
    *(decide(weights, shown, delayed=True) for weights, shown in DECISIONS),
    match("sample", True), match("sample", False), match("category", True),
    match("category", False),
]  # fmt: skip


def make_environments():
    bases = WITHOUT_DELAY + WITH_DELAY
    envs = [make() for make in bases]
    envs += [make(integrate=sign) for make in WITH_DELAY for sign in (1, -1)]
    envs += [make(sequence=sign) for make in bases for sign in (1, -1)]
    return envs


class Generator:
    def __init__(self, batch, steps):
        envs = make_environments()
        schedule = scheduler.RandomSchedule(len(envs))
        self.n_tasks = len(envs)
        self.dataset = Dataset(
            ScheduleEnvs(envs, schedule=schedule, env_input=True), batch_size=batch, seq_len=steps
        )
        self.cells = batch * steps

    def describe(self):
        return {
            "tasks": self.n_tasks,
            "channels": self.dataset.env.observation_space.shape[0],
            "cells": self.cells,
            "mean_trial_steps": self.mean_trial_steps(),
        }

    def mean_trial_steps(self, n_trials=2000):
        env = self.dataset.envs[0]
        n_steps = 0
        for _ in range(n_trials):
            env.new_trial()
            n_steps += len(env.gt)
        return n_steps / n_trials

    def generate(self, count):
        seconds = []
        for _ in range(count):
            start = time.perf_counter()
            self.dataset()
            seconds.append(time.perf_counter() - start)
        return {"seconds": seconds}


def main():
    answers, sys.stdout = sys.stdout, sys.stderr
    generator = Generator(*map(int, sys.argv[1:]))
    print(json.dumps(generator.describe()), file=answers, flush=True)
    for line in sys.stdin:
        _, count = line.split()
        print(json.dumps(generator.generate(int(count))), file=answers, flush=True)


if __name__ == "__main__":
    main()
