#!/usr/bin/env bash
# NumPy 2.4.6: the saved state of a generator forgets which children it has spawned. (2026-11-30)
#
# A good guess: `generator.bit_generator.state` is the whole state. A run that saves it in its checkpoint, and
#               sets it in a new generator, goes on as if it had not stopped.
# Instead:      the numbers of the generator go on, but the count of its children is not in the state. After a
#               restart, `spawn` returns the children of the first call again: the noise of the first epochs
#               comes back, and workers that seemed independent draw the same numbers. If the new generator was
#               made without the seed, the children differ in every process.
# What to do:   pickle the generator, which keeps the count; or save `bit_generator.seed_seq.n_children_spawned`
#               too and pass it to SeedSequence; or make each child from default_rng([seed, epoch + 1]).
. "$(dirname "$0")/packages.inc" numpy==2.4.6
observe <<'PYTHON'
import pickle

import numpy as np


def noise(generator):
    return [round(float(child.random()), 4) for child in generator.spawn(2)]


generator = np.random.default_rng(1)
first = noise(generator)
generator.random()
checkpoint, pickled = generator.bit_generator.state, pickle.dumps(generator)
resumed = np.random.default_rng(1)
resumed.bit_generator.state = checkpoint
without_seed = np.random.default_rng()
without_seed.bit_generator.state = checkpoint
own = [float(each.random()) for each in (pickle.loads(pickled), resumed, without_seed)]
uninterrupted, unpickled = noise(generator), noise(pickle.loads(pickled))
again, other = noise(resumed), noise(without_seed)

print("NumPy", np.__version__)
print("the generators draw the same number themselves:", len(set(own)) == 1)
print("children of epoch 0:                           ", first)
print("children of epoch 1, not interrupted:          ", uninterrupted)
print("children of epoch 1, state restored:           ", again)
print("children of epoch 1, restored without the seed:", other == first or other == uninterrupted, "(either of these)")
print("children of epoch 1, unpickled:                ", unpickled)
assert len(set(own)) == 1 and uninterrupted != first
assert again == first and unpickled == uninterrupted and other not in (first, uninterrupted)
PYTHON
