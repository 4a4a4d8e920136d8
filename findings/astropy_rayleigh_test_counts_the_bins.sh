#!/usr/bin/env bash
# astropy 8.0.2: the Rayleigh test of a phase histogram counts the bins, not the spikes. (2026-11-30)
#
# A good guess: rayleightest(phases, weights=counts) of a histogram is the test of its spikes, as the
#               documentation says that the sum of the weights is the number of observations.
# Instead:      the weights are used for the mean direction only; the number of observations in the p-value is
#               that of the bins. 2000 spikes with a weak lock to the phase, in 16 bins, have p = 0.87 instead
#               of 3e-8. 3 spikes that happen to be close have p = 4e-7 in 16 bins and 5e-201 in 500, instead of
#               0.05: the more bins, the smaller is p, and empty bins are observations too. vtest does the same.
# What to do:   rayleightest(np.repeat(phases, counts)).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 astropy==8.0.2
observe <<'PYTHON'
import astropy
import numpy as np
from astropy.stats import rayleightest, vtest

random = np.random.default_rng(1)


def tested(spikes, n_bins):
    edges = np.linspace(-np.pi, np.pi, n_bins + 1)
    phases = (edges[1:] + edges[:-1]) / 2
    counts, _ = np.histogram(spikes, edges)
    single = np.repeat(phases, counts)
    return [float(p) for test in (rayleightest, vtest) for p in (test(phases, weights=counts), test(single))] + [
        float(rayleightest(spikes))
    ]


print("astropy", astropy.__version__)
print("spikes  bins   rayleightest: by weights, by np.repeat, of the spikes   vtest: by weights, by np.repeat")
results = {}
for name, spikes in (("2000", random.vonmises(0, 0.2, 2000)), ("3", np.array([-0.3, 0.1, 0.4]))):
    for n_bins in (16, 100, 500):
        weighted, repeated, v_weighted, v_repeated, whole = results[name, n_bins] = tested(spikes, n_bins)
        print(f"{name:7} {n_bins:4}   {weighted:14.1e} {repeated:14.1e} {whole:14.1e} {v_weighted:30.1e} {v_repeated:14.1e}")
        assert abs(np.log10(repeated / whole)) < 1
assert results["2000", 16][0] > 0.3 and results["2000", 16][2] > 0.1 and results["2000", 16][4] < 1e-6
assert results["3", 500][0] < 1e-100 and 0.01 < results["3", 500][4] < 0.1
PYTHON
