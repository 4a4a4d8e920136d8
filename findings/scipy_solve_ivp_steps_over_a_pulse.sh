#!/usr/bin/env bash
# SciPy 1.17.1: solve_ivp steps over a stimulus, at any tolerance, and reports success. (2026-11-30)
#
# A good guess: solve_ivp with rtol=1e-8 solves a rate network with a pulse of 50 ms to about 8 digits: the
#               solver makes its steps smaller where the input changes.
# Instead:      it sees the input only at the times where it calls the function. A network at rest has no error,
#               so that the steps grow beyond the pulse. The answer is 0 at all times, success is True, and a
#               smaller tolerance changes nothing. Points of t_eval are interpolated: they add no step.
# What to do:   max_step below half of the shortest pulse, or one call from each change of the input to the
#               next.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1
observe <<'PYTHON'
import numpy as np
import scipy
from scipy.integrate import solve_ivp

times = np.linspace(0, 4, 401)


def rates(t, rate):
    return (-rate + (1 if 2.0 <= t < 2.05 else 0)) / 0.02


def largest(**settings):
    solution = solve_ivp(rates, (0, 4), [0.0], t_eval=times, **settings)
    return round(float(solution.y.max()), 3), solution.success


print("SciPy", scipy.__version__)
print("a pulse at 2 s for 50 ms, time constant 20 ms; the largest rate is", round(1 - np.exp(-2.5), 3))
seen = {}
for method in ("RK45", "LSODA", "Radau", "BDF"):
    for tolerance in (1e-3, 1e-8):
        seen[method, tolerance] = largest(method=method, rtol=tolerance, atol=tolerance * 1e-3)
        print(f"{method}, rtol {tolerance:g}: (largest rate, success)", seen[method, tolerance])
safe = largest(rtol=1e-8, atol=1e-11, max_step=0.02)
print("RK45, rtol 1e-08, max_step 20 ms: (largest rate, success)", safe)
assert set(seen.values()) == {(0.0, True)} and abs(safe[0] - 0.918) < 0.01
PYTHON
