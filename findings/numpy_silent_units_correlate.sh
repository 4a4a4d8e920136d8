#!/usr/bin/env bash
# numpy 2.4.6: two units with constant rates have a correlation of 1, -1 or NaN. (2026-11-30)
#
# A good guess: numpy.corrcoef of a unit that does not change is NaN, on the diagonal, too, so that isnan finds
#               it.
# Instead:      that holds if the mean of its rates is exactly the constant. The mean of 1000 times 0.1 is not
#               0.1: the rounding is taken for a fluctuation, and all units with such a rest have a correlation
#               of 1 or -1 with each other. Which units those are depends on the constant and on the number of
#               samples: of the same four units 1, 2 or 3 count as changing in 10, 100 and 1000 samples. A
#               matrix of functional connectivity gets its strongest connections between silent units, without a
#               message.
# What to do:   set the rows and columns with numpy.ptp(rates, axis=1) == 0 to NaN.
. "$(dirname "$0")/packages.inc" numpy==2.4.6
observe <<'PYTHON'
import numpy as np

rates = [0.1, 0.3, 0.5, 0.7]
print("numpy", np.__version__)
changing, extremes = {}, set()
for samples in 10, 100, 1000:
    units = np.repeat(np.array(rates)[:, None], samples, axis=1)
    assert (np.ptp(units, axis=1) == 0).all()
    matrix = np.corrcoef(units)
    print(f"{samples} samples, constant rates of {rates}:")
    print(matrix.round(3))
    changing[samples] = int(np.isfinite(np.diag(matrix)).sum())
    extremes |= set(matrix[np.triu_indices(4, 1)].round(3)[np.isfinite(matrix[np.triu_indices(4, 1)])].tolist())
print("number of units whose correlation with themselves is no NaN:", changing)
print("correlations of different units:", sorted(extremes))
assert changing == {10: 1, 100: 2, 1000: 3} and extremes == {-1.0, 1.0}
PYTHON
