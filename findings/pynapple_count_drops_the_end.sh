#!/usr/bin/env bash
# pynapple 0.11.4: count() drops the last incomplete bin, and an event at the very end. (2026-11-29)
#
# A good guess: the counts of a train over its own time support add up to its number of events, as those of
#               numpy.histogram do, whose last bin is closed.
# Instead:      bins are whole and half open: 1 s in bins of 0.3 s gives three, and what falls into the last
#               0.1 s is in none of them; with bins that fit, the event at the end of the support, where the
#               support of every train ends by default, is missing. Rates per trial come out too small, most
#               in short trials.
# What to do:   count over a time_support that is a multiple of the bin and ends after the last event.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 pynapple==0.11.4
observe <<'PYTHON'
import numpy as np
import pynapple as nap

times = np.array([0.0, 0.2, 0.5, 0.95, 1.0])
train = nap.Ts(t=times)
print("pynapple", nap.__version__)
for bin_size in (0.5, 0.3):
    print(f"{len(train)} events in 1 s, bins of {bin_size} s: {train.count(bin_size).d.tolist()}")
longer = nap.Ts(t=times, time_support=nap.IntervalSet(0, 1.5))
print("with a support of 1.5 s, bins of 0.5 s:", longer.count(0.5).d.tolist())
print("numpy.histogram, bins of 0.5 s:", np.histogram(times, [0, 0.5, 1])[0].tolist())
assert train.count(0.5).d.tolist() == [2, 2] and train.count(0.3).d.tolist() == [2, 1, 0]
assert longer.count(0.5).d.sum() == 5
PYTHON
