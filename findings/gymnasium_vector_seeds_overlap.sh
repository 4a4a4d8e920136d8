#!/usr/bin/env bash
# Gymnasium 1.4.0: vector environments with neighbouring seeds share nearly all trials. (2026-11-28)
#
# A good guess: SyncVectorEnv with 8 copies, reset(seed=1) and reset(seed=2), give 16 independent
#               streams, as numpy.random.SeedSequence(seed).spawn(8) does.
# Instead:      copy i gets seed + i. Seeds 1 and 2 have 7 of 8 copies in common, one place along.
#               Replicates with seeds 1, 2, 3, ... are nearly one experiment, and a test set with
#               seed 1 beside a training set with seed 0 is made of trained trials.
# What to do:   give one seed per copy, reset(seed=[...]), from
#               numpy.random.SeedSequence(seed).generate_state(8).tolist().
. "$(dirname "$0")/packages.inc" numpy==2.4.6 gymnasium==1.4.0
observe <<'PYTHON'
import gymnasium
import numpy as np

class Coherence(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(0, 1, (1,))
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.np_random.uniform(size=1).astype(np.float32), {}

    def step(self, action):
        return self.np_random.uniform(size=1).astype(np.float32), 0.0, False, False, {}

def session(seed):
    env = gymnasium.vector.SyncVectorEnv([Coherence] * 8)
    shown = [env.reset(seed=seed)[0]]
    shown += [env.step(np.zeros(8, int))[0] for _ in range(20)]
    return np.concatenate(shown, axis=1)  # (copy, time)

print("gymnasium", gymnasium.__version__)
first, second = session(1), session(2)
shared = [int(np.flatnonzero((second == row).all(axis=1))[0]) if (second == row).all(axis=1).any()
          else None for row in first]
print("copies with seed 1 are these copies with seed 2:", shared)
spawned = [np.random.SeedSequence(s).generate_state(8).tolist() for s in (1, 2)]
separate = not (session(spawned[0])[:, None] == session(spawned[1])).all(axis=2).any()
print("none shared with one seed per copy:", separate)
assert shared == [None, 0, 1, 2, 3, 4, 5, 6] and separate
PYTHON
