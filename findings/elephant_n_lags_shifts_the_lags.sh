#!/usr/bin/env bash
# elephant 1.2.1: with n_lags, a delay of 7 ms is found at -487 ms. (2026-11-30)
#
# A good guess: cross_correlation_function(signal, [0, 1], n_lags=20) is the middle part of the result without
#               n_lags: lags from -20 to 20 samples, with zero in the middle and the peak at the same lag.
# Instead:      n_lags cuts the values and not the lags. The 41 values belong to -20 to 20 ms, but their times
#               start where the whole result starts, at minus half of the recording: -500 to -460 ms for 1 s. The
#               peak has the right height, but its lag depends on the length of the recording: in 10 s it is
#               -4987 ms. The times do not even contain zero. No message.
# What to do:   leave out n_lags, and take the part with result.time_slice(-20 * ms, 21 * ms).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 quantities==0.16.4 neo==0.14.6 elephant==1.2.1
observe <<'PYTHON'
import elephant
import neo
import numpy as np
import quantities as pq
from elephant.signal_processing import cross_correlation_function


def lag_of_the_peak(correlation):
    lags = correlation.times.rescale("ms").magnitude.round(3)
    return float(lags[np.argmax(correlation.magnitude[:, 0])]), len(lags), float(lags[0]), float(lags[-1])


print("elephant", elephant.__version__)
print("(lag of the peak, number of lags, first lag, last lag), in ms")
peaks = {}
for samples in 1000, 10_000:
    noise = np.random.default_rng(1).normal(size=samples + 7)
    signal = neo.AnalogSignal(np.stack([noise[7:], noise[:-7]], axis=1), units="mV", sampling_rate=1 * pq.kHz)
    whole = cross_correlation_function(signal, [0, 1])
    part = cross_correlation_function(signal, [0, 1], n_lags=20)
    safe = whole.time_slice(-20 * pq.ms, 21 * pq.ms)
    assert np.array_equal(part.magnitude, safe.magnitude)
    for name, each in {"without n_lags": whole, "n_lags=20": part, "time_slice": safe}.items():
        peaks[samples, name] = lag_of_the_peak(each)
        print(f"{samples} samples, {name}: {peaks[samples, name]}")
for samples, start in (1000, -500), (10_000, -5000):
    assert peaks[samples, "without n_lags"][0] == -7
    assert peaks[samples, "n_lags=20"] == (start + 13, 41, start, start + 40)
    assert peaks[samples, "time_slice"] == (-7, 41, -20, 20)
PYTHON
