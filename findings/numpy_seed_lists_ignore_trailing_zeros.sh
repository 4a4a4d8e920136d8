#!/usr/bin/env bash
# NumPy 2.4.6: a list of seeds that ends in 0 gives the same numbers as the list without the 0. (2026-11-29)
#
# A good guess: default_rng([seed, worker]) is a stream for each pair, which NumPy's guide to parallel streams allows,
#               and none of them is default_rng(seed), which the main process uses for the initial weights or for the
#               order of the tasks.
# Instead:      up to four 32-bit words, the list is filled up with zeros: 7, [7, 0], [7, 0, 0] and [7, 0, 0, 0] are
#               one stream. Worker 0, or task 0 of replicate 0, draws the numbers of the main process. Whole numbers
#               are cut into words first, so that 2**32 + 7 and [7, 1] are one stream too, which meets seeds that
#               are hashes. With five words or more, zeros count.
# What to do:   SeedSequence(seed).spawn(n) or SeedSequence(seed, spawn_key=(worker,)), which do not collide; or
#               [worker, seed], as the guide prefers, with a seed from 1 to 2**32 - 1, and no other kind of list.
. "$(dirname "$0")/packages.inc" numpy==2.4.6
observe <<'PYTHON'
import numpy as np


def draws(seed):
    return np.random.default_rng(seed).integers(0, 1000, 4).tolist()


print("NumPy", np.__version__)
same = [7, [7], [7, 0], [7, 0, 0], [7, 0, 0, 0]]
for seed in same + [[7, 0, 0, 0, 0], [7, 1], 2**32 + 7]:
    print(f"default_rng({seed}):", draws(seed))
spawned = [draws(child) for child in np.random.SeedSequence(7).spawn(2)]
print("SeedSequence(7).spawn(2):", *spawned)
assert all(draws(seed) == draws(7) for seed in same) and draws([7, 0, 0, 0, 0]) != draws(7)
assert draws([7, 1]) == draws(2**32 + 7) != draws(7)
assert draws(7) not in spawned and spawned[0] != spawned[1]
PYTHON
