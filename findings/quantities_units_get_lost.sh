#!/usr/bin/env bash
# quantities 0.16.4: spikes in ms are counted in bins of s as if both had no unit. (2026-11-29)
#
# A good guess: the package behind the spike trains of Neo and Elephant converts units, or refuses to mix them, as it
#               does in times < 1 * s and in a + b.
# Instead:      functions of NumPy that return positions or counts see the bare numbers: numpy.histogram of spikes in ms
#               with edges in s finds none, numpy.searchsorted puts 1 s before 100 ms, numpy.digitize and numpy.interp do
#               the same. A list of quantities loses its units before it gets a new one: Quantity([1 * mV, 1 * V], "mV")
#               is [1, 1] mV, and numpy.concatenate of both is [1, 1] without a unit. The method
#               times.searchsorted(1 * s) refuses.
# What to do:   .rescale("ms").magnitude of everything first.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 quantities==0.16.4
observe <<'PYTHON'
import numpy as np
import quantities
from quantities import V, mV, ms, s

times = np.array([100.0, 500.0, 1500.0]) * ms
edges = np.array([0.0, 1.0, 2.0]) * s
print("quantities", quantities.__version__, "NumPy", np.__version__)
counts, right = np.histogram(times, edges)[0], np.histogram(times.magnitude, edges.rescale(ms).magnitude)[0]
position = int(np.searchsorted(times, 1 * s))
print("times < 1 s:", (times < 1 * s).tolist())
print("numpy.histogram in bins of 1 s:", counts.tolist(), " of rescaled magnitudes:", right.tolist())
print("numpy.searchsorted of 1 s:", position, " numpy.digitize:", np.digitize(times, edges).tolist())
try:
    times.searchsorted(1 * s)
    refused = False
except ValueError as error:
    print("times.searchsorted:", error)
    refused = True
listed, joined = quantities.Quantity([1 * mV, 1 * V], "mV"), np.concatenate([[1] * mV, [1] * V])
print("Quantity([1 mV, 1 V], 'mV'):", listed, " numpy.concatenate:", joined)
assert (times < 1 * s).tolist() == [True, True, False] and refused
assert counts.tolist() == [0, 0] and right.tolist() == [2, 1] and position == 0
assert np.digitize(times, edges).tolist() == [3, 3, 3]
assert listed.magnitude.tolist() == joined.magnitude.tolist() == [1, 1]
assert (listed.dimensionality.string, joined.dimensionality.string) == ("mV", "dimensionless")
PYTHON
