#!/usr/bin/env bash
# NeuroGym 2.3.1: copies of an environment, each seeded, share one unseeded generator. (2026-11-28)
#
# A good guess: copy.deepcopy(env) is independent of env, and .seed(1) makes its trials repeatable.
# Instead:      the decision tasks of yang19 keep `lambda: self.rng.uniform(200, 500)` in
#               env.timing. deepcopy copies no functions, so that the copy's fixation is drawn from
#               the generator of the ORIGINAL environment. Dataset(env) makes its rows by deepcopy:
#               all rows draw from that one, and Dataset.seed() does not reach it. Environments
#               made from a name (each row its own) are not affected, nor is a task whose `timing`
#               was given as ("uniform", ...).
# What to do:   timing={"fixation": ("uniform", (200, 500))}
. "$(dirname "$0")/neurogym.inc"
observe <<'PYTHON'
import copy

import neurogym
from neurogym.envs.collections import yang19

def lengths(env):
    env.seed(1)
    found = []
    for _ in range(12):
        env.new_trial()
        found.append(len(env.gt))
    return found

print("neurogym", neurogym.__version__)
env = yang19.dm2()
same_env = lengths(env) == lengths(env)
first, second = (lengths(copy.deepcopy(env)) for _ in range(2))
print("steps of the trials of a copy seeded with 1:      ", first)
print("steps of the trials of another copy seeded with 1:", second)
env = yang19.dm2(timing={"fixation": ("uniform", (200, 500))})
named = [lengths(copy.deepcopy(env)) for _ in range(2)]
print("with (\"uniform\", (200, 500)):                     ", *named, sep="\n  ")
assert same_env and first != second and named[0] == named[1]
PYTHON
