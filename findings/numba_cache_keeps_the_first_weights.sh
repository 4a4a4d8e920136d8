#!/usr/bin/env bash
# numba 0.68.1: a new process runs the weights of last week, from the cache of the compiled function. (2026-11-30)
#
# A good guess: a function that reads an array of its module uses what the module has loaded. The cache on disk
#               notices when something that was compiled in has changed, as it notices a change of the source.
# Instead:      numba compiles arrays of the module into the machine code, and cache=True saves them with it. The
#               cache depends on the source and the types, not on the weights: after a retraining, a new process
#               loads the new file and computes with the old weights. A call with another type compiles anew with
#               the weights of that moment: float64 and float32 then run two different networks in one process.
#               No message. An array of an enclosing function is part of the cache's key, but in one process its
#               later changes are not seen either.
# What to do:   pass the weights as an argument; delete __pycache__ of code that does not.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 numba==0.68.1
observe <<'PYTHON'
import pathlib
import subprocess
import sys

import numba
import numpy as np

pathlib.Path("network.py").write_text("""
import numba
import numpy as np

weights = np.load("weights.npy")


@numba.njit(cache=True)
def step(activity):
    return (weights * activity).sum()


@numba.njit(cache=True)
def step_of(weights, activity):
    return (weights * activity).sum()


double, single = np.ones(2), np.ones(2, np.float32)
if weights[0] == 5:
    print(step(double), step(single), step_of(weights, double), step.py_func(double))
else:
    print(step(double), step_of(weights, double), step.py_func(double))
""")


def run(weight):
    np.save("weights.npy", np.full(2, weight))
    process = subprocess.run([sys.executable, "-s", "network.py"], stdout=subprocess.PIPE, text=True, check=True)
    return [float(word) for word in process.stdout.split()]


print("numba", numba.__version__)
first, retrained = run(1.0), run(5.0)
print("first process, weights 1 (compiled, as an argument, not compiled):", first)
print("next process, weights 5 (compiled, float32, as an argument, not compiled):", retrained)
assert first == [2, 2, 2] and retrained == [2, 10, 10, 10]
PYTHON
