#!/usr/bin/env bash
# pyitlib 0.3.1: choices that are coded as -1 and 1 have an entropy of 0 bit. (2026-11-30)
#
# A good guess: entropy and information_mutual depend on which states occur together, not on their names: -1 for
#               left and 1 for right give the same bits as 0 and 1.
# Instead:      -1 is the default of `fill_value` and stands for a missing observation. Such trials are left
#               out, and what remains is one choice: its entropy is 0 bit, but its information about the
#               stimulus is 0.08 bit, instead of 0.97 and 0.125. With three states, as spins or the signs of a
#               change, 1 bit remains of 1.58. All of these look like results. No message.
# What to do:   fill_value=-999 in each call (any number that does not occur), or number the states from 0.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 scikit-learn==1.9.1 pyitlib==0.3.1
observe <<'PYTHON'
import importlib.metadata

import numpy as np
from pyitlib.discrete_random_variable import entropy, information_mutual

right = np.repeat([True, False, True, False], [80, 20, 40, 60])
stimulus, zero_one = np.repeat([0, 1], 100), right.astype(int)
left_right, change = 2 * zero_one - 1, np.array([-1, 0, 1] * 40)


def bits(stimulus, choice, **settings):
    values = entropy(choice, **settings), information_mutual(stimulus, choice, **settings)
    return [round(float(value), 3) for value in values]


print("pyitlib", importlib.metadata.version("pyitlib"))
print("(entropy of the choice, information about the stimulus), in bits")
seen = {"0 and 1": bits(stimulus, zero_one), "-1 and 1": bits(stimulus, left_right),
        "-1 and 1, fill_value=-999": bits(stimulus, left_right, fill_value=-999),
        "-1, 0 and 1, about itself": bits(change, change),
        "-1, 0 and 1, fill_value=-999": bits(change, change, fill_value=-999)}
for name, each in seen.items():
    print(f"{name}: {each}")
assert list(seen.values()) == [[0.971, 0.125], [0, 0.082], [0.971, 0.125], [1, 1], [1.585, 1.585]]
PYTHON
