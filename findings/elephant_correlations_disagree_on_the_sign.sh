#!/usr/bin/env bash
# elephant 1.2.1: a unit that follows by 7 ms is at -7 ms in one correlation and +7 in the other. (2026-11-30)
#
# A good guess: the two cross-correlations of one library agree on the sign: cross_correlation_function of rates
#               and cross_correlation_histogram of spikes. If the second unit follows the first by 7 ms, the lag
#               is +7 ms: one is documented as <x(t) y(t + lag)>, the other in words.
# Instead:      that holds for the histogram only. cross_correlation_function(signal, [0, 1]) has its peak at -7
#               ms, against its own formula. If you compute one from the rates of a model and the other from the
#               spikes of a recording, the order of two areas seems reversed.
# What to do:   cross_correlation_function(signal, [1, 0]); test each correlation with a signal shifted by hand.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 quantities==0.16.4 neo==0.14.6 elephant==1.2.1
observe <<'PYTHON'
import elephant
import neo
import numpy as np
import quantities as pq
from elephant.conversion import BinnedSpikeTrain
from elephant.signal_processing import cross_correlation_function
from elephant.spike_train_correlation import cross_correlation_histogram

spikes = np.random.default_rng(1).random(1007) < 0.1
first, second = spikes[7:], spikes[:-7]
assert (second[7:] == first[:-7]).all()
signal = neo.AnalogSignal(np.stack([first, second], axis=1).astype(float), units="1/s", sampling_rate=1 * pq.kHz)
bins = [BinnedSpikeTrain(neo.SpikeTrain((np.flatnonzero(unit) + 0.5) * pq.ms, t_stop=1000 * pq.ms),
                         bin_size=1 * pq.ms, t_start=0 * pq.ms, t_stop=1000 * pq.ms) for unit in (first, second)]


def lag_of_rates(pair):
    correlation = cross_correlation_function(signal, pair)
    return float(correlation.times.rescale("ms").magnitude[np.argmax(correlation.magnitude[:, 0])].round(3))


def lag_of_spikes(a, b):
    histogram, lags = cross_correlation_histogram(bins[a], bins[b], window=[-20, 20])
    return float(lags[np.argmax(histogram.magnitude[:, 0])])


print("elephant", elephant.__version__)
print("spikes of the first unit: ", np.flatnonzero(first)[3:6].tolist(), "ms")
print("spikes of the second unit:", (np.flatnonzero(first)[3:6] + 7).tolist(), "ms, among others")
lags = lag_of_rates([0, 1]), lag_of_spikes(0, 1), lag_of_rates([1, 0])
print("cross_correlation_function(signal, [0, 1]):", lags[0], "ms")
print("cross_correlation_histogram(first, second):", lags[1], "ms")
print("cross_correlation_function(signal, [1, 0]):", lags[2], "ms")
assert lags == (-7, 7, 7)
PYTHON
