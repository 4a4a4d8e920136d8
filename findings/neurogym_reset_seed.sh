#!/usr/bin/env bash
# NeuroGym 2.3.1 on Gymnasium 0.29.1: reset(seed=...) does not seed the trials, but does undo the
# seed of the actions. (2026-11-28)
#
# A good guess: Gymnasium's rule holds: env.reset(seed=3) twice gives the same observations, and a
#               seed of env.action_space stays what it was set to.
# Instead:      the seed goes to Gymnasium's own generator, which no task draws from; trials
#               differ. Every reset also calls action_space.seed(0): a random agent seeded with 1
#               and one seeded with 2 do the same after the first reset, in every episode.
# What to do:   env.seed(3), then env.reset(); draw actions from a generator of your own.
. "$(dirname "$0")/neurogym.inc"
observe <<'PYTHON'
import gymnasium
import neurogym
import numpy as np

def observations(begin):
    env = neurogym.make("yang19.dm1-v0").unwrapped
    begin(env)
    return np.stack([env.step(0)[0] for _ in range(30)])

def actions(seed):
    env = neurogym.make("yang19.dm1-v0")
    env.action_space.seed(seed)
    env.reset()
    return [int(env.action_space.sample()) for _ in range(10)]

by_reset = [observations(lambda env: env.reset(seed=3)) for _ in range(2)]
by_seed = [observations(lambda env: (env.seed(3), env.reset())) for _ in range(2)]
print("neurogym", neurogym.__version__, "gymnasium", gymnasium.__version__)
print("reset(seed=3) twice, same observations:      ", np.array_equal(*by_reset))
print("seed(3) and reset() twice, same observations:", np.array_equal(*by_seed))
print("random actions after reset, space seeded 1:", actions(1))
print("random actions after reset, space seeded 2:", actions(2))
assert not np.array_equal(*by_reset) and np.array_equal(*by_seed) and actions(1) == actions(2)
PYTHON
