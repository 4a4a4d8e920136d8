#!/usr/bin/env bash
# scikit-learn 1.9.1: f_classif of float32 voltages around -65 mV finds a difference in half of all units. (2026-11-30)
#
# A good guess: f_classif, the default of SelectKBest, is the F-test of scipy.stats.f_oneway; with float32 it
#               loses the last digits.
# Instead:      it subtracts the square of a sum from a sum of squares, in the type of the data. For voltages
#               around -65 mV with a standard deviation of 0.05 mV, float32 leaves nothing of the difference: of
#               1000 units without any difference between two choices, 45 % have p < 0.05 and 50 % a negative F
#               and p = NaN, and SelectKBest(k=10) takes one of the 10 units that differ by a standard
#               deviation. At 1 mV, units without an effect have p = NaN. scipy.stats.f_oneway, and f_classif
#               with the mean subtracted, are right with the same numbers. In float64 it takes a silent unit: a
#               constant rate of 0.1 in 28 and 32 trials has F = 58 and p = 3e-10, the best of all; a rate of
#               0.5 is NaN.
# What to do:   f_classif(X.astype(float) - X.mean(axis=0), choices) after removing units with np.ptp(X, axis=0)
#               == 0. The warning that features are constant names only those whose sums are exact.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
observe <<'PYTHON'
import numpy as np
import sklearn
from scipy.stats import f_oneway
from sklearn.feature_selection import SelectKBest, f_classif

random = np.random.default_rng(0)
choices = np.repeat([0, 1], 100)
noise = random.normal(size=(200, 1000))
print("scikit-learn", sklearn.__version__, "1000 units, 200 trials, no difference between the choices")
share = {}
for deviation in (0.05, 1.0):
    wide = -65 + deviation * noise
    narrow = wide.astype(np.float32)
    centred = narrow - narrow.mean(axis=0)
    for name, (F, p) in {
        "f_classif, float64": f_classif(wide, choices),
        "f_classif, float32": f_classif(narrow, choices),
        "float32, mean subtracted": f_classif(centred, choices),
        "f_oneway, float32": f_oneway(narrow[:100], narrow[100:]),
    }.items():
        share[name, deviation] = (p < 0.05).mean(), (F < 0).mean(), np.isnan(p).mean()
        print(f"{deviation:4} mV  {name:24} p < 0.05: {share[name, deviation][0]:5.1%}, F < 0: {share[name, deviation][1]:5.1%},",
              f"p is NaN: {share[name, deviation][2]:5.1%}, largest F {np.max(F):.1f}")
for (name, deviation), (significant, negative, missing) in share.items():
    if name == "f_classif, float32":
        assert negative == missing > 0.03 and (significant > 0.3) == (deviation == 0.05)
    else:
        assert 0.03 < significant < 0.07 and negative == missing == 0

wide = -65 + 0.05 * noise
wide[100:, :10] += 0.05
for data in (wide, wide.astype(np.float32)):
    chosen = SelectKBest(f_classif, k=10).fit(data, choices).get_support(indices=True)
    print(f"units 0 to 9 differ by 1 standard deviation, {data.dtype}: SelectKBest takes", chosen.tolist())
    assert (chosen < 10).sum() == 10 if data.dtype == np.float64 else (chosen < 10).sum() < 5

choices = np.repeat([0, 1], [28, 32])
rates = random.normal(size=(60, 20))
rates[:, 7], rates[:, 8] = 0.1, 0.5
F, p = f_classif(rates, choices)
best = SelectKBest(f_classif, k=1).fit(rates, choices).get_support(indices=True)
print(f"constant rates in 28 + 32 trials: 0.1: F = {F[7]:.1f}, p = {p[7]:.1g}; 0.5: F = {F[8]}, p = {p[8]}; the best of 20 units:", best)
assert abs(F[7] - 58) < 1 and p[7] < 1e-9 and np.isnan(p[8]) and best == [7]
PYTHON
