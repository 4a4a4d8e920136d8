#!/usr/bin/env bash
# pynapple 0.11.4: values with unsorted times get each other's times. (2026-11-30)
#
# A good guess: Tsd(t=times, d=values) sorts by time, or refuses times that are not sorted. A value keeps its
#               time.
# Instead:      the times are sorted and the values stay in their order: of [3, 1, 2] s with values 30, 10, 20
#               come 30 at 1 s, 10 at 2 s and 20 at 3 s. TsdFrame and TsdTensor do the same. There is a warning
#               that the times are not sorted, which reads as if they had been put right; trains of spikes
#               without values (Ts) are right. Trials that are stacked, or two recordings of one clock that are
#               joined, have such times.
# What to do:   order = numpy.argsort(times, kind="stable"), and Tsd(t=times[order], d=values[order]).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 pynapple==0.11.4
observe <<'PYTHON'
import numpy as np
import pynapple as nap

times = np.array([3.0, 1.0, 2.0])
values = times * 10


def pairs(series):
    return {float(time): float(np.ravel(value)[0]) for time, value in zip(series.t, series.d)}


print("pynapple", nap.__version__)
seen = [pairs(nap.Tsd(t=times, d=values)), pairs(nap.TsdFrame(t=times, d=values[:, None])),
        pairs(nap.TsdTensor(t=times, d=values[:, None, None]))]
order = np.argsort(times, kind="stable")
safe = pairs(nap.Tsd(t=times[order], d=values[order]))
print("given:    ", dict(zip(times.tolist(), values.tolist())))
for name, each in zip(("Tsd", "TsdFrame", "TsdTensor"), seen):
    print(f"{name}:".ljust(10), each)
print("sorted first:", safe)
assert all(each == {1: 30, 2: 10, 3: 20} for each in seen) and safe == {1: 10, 2: 20, 3: 30}
PYTHON
