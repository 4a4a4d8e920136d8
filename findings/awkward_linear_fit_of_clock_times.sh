#!/usr/bin/env bash
# awkward 2.14.0: linear_fit of a drift over seconds since 1970 has an infinite slope. (2026-11-30)
#
# A good guess: ak.linear_fit has the slope of numpy.polyfit, to rounding; a constant added to x does not change it.
# Instead:      it uses sums of x * x without subtracting the mean. A drift of 0.02 mV/s over 10 s is found if the times
#               start at 0; with seconds since 1970 the slope is infinite, in float64. Of two float32 voltages around
#               -65 mV the slope is 0.28 instead of 0.50. ak.corr, ak.covar and ak.var of the same arrays are right. No
#               message.
# What to do:   subtract the mean of x and y (of each trial) before the fit.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 awkward==2.14.0
observe <<'PYTHON'
import awkward as ak
import numpy as np

random = np.random.default_rng(1)
x = (-65 + 0.05 * random.normal(size=100000)).astype("f4")
y = (-65 + 0.05 * random.normal(size=100000) + 0.5 * (x + 65)).astype("f4")
seconds = np.arange(10000) / 1000
drifting = -65 + 0.02 * seconds + 0.05 * random.normal(size=10000)


def fit(x, y):
    return float(ak.linear_fit(ak.Array(x), ak.Array(y))["slope"])


print("awkward", ak.__version__, "NumPy", np.__version__)
drift = np.polyfit(seconds, drifting, 1)[0]
print(f"drift by numpy.polyfit: {drift:.4f} mV/s")
slopes = {}
for start in (0, 1.7e9):
    slopes[start] = fit(seconds + start, drifting)
    print(f"drift, times from {start:g} s: {slopes[start]:.4f} mV/s;",
          f"corr {ak.corr(ak.Array(seconds + start), ak.Array(drifting)):.4f}")
slope = np.polyfit(x.astype("f8"), y.astype("f8"), 1)[0]
wide, narrow, centred = fit(x.astype("f8"), y.astype("f8")), fit(x, y), fit(x + 65, y + 65)
by_covariance = ak.covar(ak.Array(x), ak.Array(y)) / ak.var(ak.Array(x))
print(f"slope of two voltages by numpy.polyfit: {slope:.3f}; float64: {wide:.3f}, float32: {narrow:.3f},",
      f"float32 around 0: {centred:.3f}, ak.covar / ak.var of float32: {by_covariance:.3f}")
assert abs(slopes[0] - drift) < 1e-6 and not abs(slopes[1.7e9] - drift) < 1
assert abs(wide - slope) < 1e-6 and abs(narrow - slope) > 0.1
assert abs(centred - slope) < 1e-3 and abs(by_covariance - slope) < 1e-3
PYTHON
