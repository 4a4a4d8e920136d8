#!/usr/bin/env bash
# scikit-learn 1.9.1: R2 of a constant unit is 0, or -1e29, depending on the constant. (2026-11-30)
#
# A good guess: r2_score says what it does with a target that does not change: 1 if the prediction is exact and
#               0 otherwise (force_finite). So one unit with a constant rate cannot spoil the mean over units.
# Instead:      that holds if the mean of the target is exactly the constant, as for 0.5. The mean of 100 times
#               0.1 is not 0.1, so the variance is 1e-32 instead of 0, the rule does not apply, and R2 is -1e29.
#               The mean over 50 units is then -4e25. With 0.3 it is 0 again. No message.
# What to do:   leave out units whose numpy.ptp is 0 before the score, or take the median over units.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
observe <<'PYTHON'
import numpy as np
import sklearn
from sklearn.metrics import explained_variance_score, r2_score

generator = np.random.default_rng(1)
noise = 0.01 * generator.normal(size=100)
print("scikit-learn", sklearn.__version__)
seen = {}
for rate in 0.1, 0.3, 0.5, 0.7:
    target = np.full(100, rate)
    assert np.ptp(target) == 0
    seen[rate] = float(r2_score(target, target + noise))
    print(f"constant rate of {rate}: R2 {seen[rate]:.3g}, explained variance",
          f"{explained_variance_score(target, target + noise):.3g}")
rates = generator.random((100, 50))
prediction = rates + 0.01 * generator.normal(size=rates.shape)
means = {}
for rate in 0.5, 0.1:
    rates[:, 0] = rate
    prediction[:, 0] = rate + noise
    means[rate] = float(r2_score(rates, prediction))
    print(f"mean R2 of 50 units, one of them constant at {rate}: {means[rate]:.3g}")
moving = np.ptp(rates, axis=0) > 0
kept = float(r2_score(rates[:, moving], prediction[:, moving]))
print(f"mean R2 of the 49 others: {kept:.3g}")
assert seen[0.5] == seen[0.3] == 0 and seen[0.1] < -1e25 and seen[0.7] < -1e25
assert 0.95 < means[0.5] < 1 and means[0.1] < -1e24 and kept > 0.99
PYTHON
