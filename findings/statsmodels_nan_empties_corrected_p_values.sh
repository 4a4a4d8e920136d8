#!/usr/bin/env bash
# statsmodels 0.15.0: one missing p-value makes all corrected ones NaN, but not the decisions. (2026-11-29)
#
# A good guess: multipletests(p, method="fdr_bh") leaves a NaN out, or raises, as scipy.stats.false_discovery_control
#               does. In any case `reject` is `p_corrected <= alpha`.
# Instead:      with one NaN, as from a task that all networks solve alike, fdr_bh gives NaN for every test, while
#               `reject` is still True for the small ones. The NaN counts as one more test, so that the decisions are
#               not those without it either. holm gives numbers. hommel rejects nothing any more.
# What to do:   correct p[numpy.isfinite(p)], and say how many tests that were.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 pandas==3.0.6 statsmodels==0.15.0
observe <<'PYTHON'
import numpy as np
import scipy.stats
import statsmodels
from statsmodels.stats.multitest import multipletests

values = np.array([0.001, 0.01, 0.02, 0.0495])
missing = np.append(values, np.nan)


def correct(p, method):
    reject, corrected, *_ = multipletests(p, alpha=0.05, method=method)
    return reject.tolist(), corrected.round(4).tolist()


print("statsmodels", statsmodels.__version__)
seen = {}
for method in ("fdr_bh", "holm", "hommel"):
    seen[method] = correct(values, method), correct(missing, method)
    print(f"{method}, without the NaN: reject {seen[method][0][0]}, corrected {seen[method][0][1]}")
    print(f"{method}, with the NaN:    reject {seen[method][1][0]}, corrected {seen[method][1][1]}")
try:
    scipy.stats.false_discovery_control(missing)
    refused = False
except ValueError:
    refused = True
print("scipy.stats.false_discovery_control refuses the NaN:", refused)
(before, _), (after, corrected) = seen["fdr_bh"]
assert all(before) and after == [True, True, True, False, False] and np.isnan(corrected).all() and refused
assert np.isfinite(seen["holm"][1][1][:4]).all()
assert all(seen["hommel"][0][0]) and not any(seen["hommel"][1][0])
PYTHON
