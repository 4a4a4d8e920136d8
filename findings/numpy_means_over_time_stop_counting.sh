#!/usr/bin/env bash
# NumPy 2.4.6: the mean over time of a long float32 recording is half of what it is. (2026-11-30)
#
# A good guess: numpy.mean of float32 is accurate to about 6 digits, whatever the axis: NumPy sums in pairs.
# Instead:      it sums in pairs only along the axis that is contiguous in memory. With time first, as
#               recordings and batches often are, each unit has one float32 sum that grows step by step. A sum
#               of ones stops at 2**24 = 16 777 216, so that the mean rate of a unit that is always active is
#               0.5 after 2**25 steps. A mean voltage of -65.1 mV is off by 0.9 mV after 5 million samples
#               already. The same numbers in the other order are right, and so is the mean of the whole array.
# What to do:   recording.mean(axis=0, dtype=float).
. "$(dirname "$0")/packages.inc" numpy==2.4.6
observe <<'PYTHON'
import numpy as np

print("NumPy", np.__version__)
active = np.ones((2**25, 2), dtype=np.float32)
seen = active.mean(axis=0), np.ascontiguousarray(active.T).mean(axis=1), active.mean(), active.mean(axis=0, dtype=float)
print("2**25 steps of two units that are always active")
print("mean over time, time first:          ", seen[0])
print("mean over time, time last:           ", seen[1])
print("mean of all, time first:             ", seen[2])
print("mean over time, time first, in float:", seen[3])
voltage = np.full((5_000_000, 2), -65.1, dtype=np.float32)
mean = voltage.mean(axis=0)
print("mean of 5 million samples of -65.1 mV, time first:", mean)
assert seen[0].tolist() == [0.5, 0.5] and seen[1].tolist() == [1, 1] and seen[2] == 1 and seen[3].tolist() == [1, 1]
assert abs(mean + 65.1).min() > 0.1
PYTHON
