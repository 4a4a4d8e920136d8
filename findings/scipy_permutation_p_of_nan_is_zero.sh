#!/usr/bin/env bash
# SciPy 1.17.1: permutation tests of NaN have the smallest p-value there is, down to 0. (2026-11-30)
#
# A good guess: one missing value, or a unit with a constant rate, makes the statistic NaN and the p-value NaN,
#               as in ttest_rel and pearsonr.
# Instead:      permutation_test and monte_carlo_test count the resamples that are beyond the statistic. A
#               comparison with NaN is False, so none is counted: p is exactly 0 if all permutations are tried,
#               otherwise the smallest that the number of resamples allows, for each `alternative`. One missing
#               run of nine makes a difference of 0.01 significant, and a silent unit is correlated with
#               everything at p = 0.0002, also in pearsonr(..., method=PermutationMethod()), which without
#               `method` returns NaN. ttest_ind with the same `method` is NaN, too. "p < 0.05" selects the
#               broken units first.
# What to do:   check np.isfinite(result.statistic) before using the p-value, or drop missing pairs before the
#               test.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1
observe <<'PYTHON'
import numpy as np
import scipy
from scipy import stats

method = stats.PermutationMethod(n_resamples=9999)
masked = np.array([0.93, 0.88, 0.91, 0.90, 0.94, 0.87, 0.92, 0.89, np.nan])
dense = np.array([0.92, 0.89, 0.92, 0.87, 0.93, 0.88, 0.90, 0.90, 0.91])
complete = np.isfinite(masked)


def difference(x, y, axis):
    return np.mean(x, axis=axis) - np.mean(y, axis=axis)


def permuted(x, y, kind, alternative):
    result = stats.permutation_test((x, y), difference, permutation_type=kind, alternative=alternative, rng=1)
    return float(result.statistic), float(result.pvalue)


print("SciPy", scipy.__version__)
for kind, smallest in (("samples", 0.0), ("independent", 1e-4)):
    for alternative in ("less", "greater", "two-sided"):
        statistic, p = permuted(masked, dense, kind, alternative)
        without = permuted(masked[complete], dense[complete], kind, alternative)
        print(f"{kind:11} {alternative:9} with the missing run: {statistic}, p = {p:.4g};  without it: p = {without[1]:.2f}")
        assert np.isnan(statistic) and without[1] > 0.2
        assert p == (2 if alternative == "two-sided" else 1) * smallest
print("ttest_rel:", stats.ttest_rel(masked, dense).pvalue, " ttest_ind with permutations:",
      stats.ttest_ind(masked, dense, method=method).pvalue)

rates = np.random.default_rng(1).normal(size=(30, 2))
rates[:, 1] = 0.5  # a silent unit
by_formula, by_permutation = stats.pearsonr(*rates.T), stats.pearsonr(*rates.T, method=method)
print(f"pearsonr of a constant rate: r = {by_permutation.statistic}, p = {by_formula.pvalue} by formula and",
      by_permutation.pvalue, "by permutation")
simulated = stats.monte_carlo_test(masked, stats.norm.rvs, np.mean)
print("monte_carlo_test of the runs: statistic", simulated.statistic, " p", simulated.pvalue)
assert np.isnan(stats.ttest_rel(masked, dense).pvalue) and np.isnan(stats.ttest_ind(masked, dense, method=method).pvalue)
assert np.isnan(by_formula.pvalue) and np.isnan(by_permutation.statistic) and by_permutation.pvalue == 2e-4
assert simulated.pvalue == 2e-4
PYTHON
