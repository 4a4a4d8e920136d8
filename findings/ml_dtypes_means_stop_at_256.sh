#!/usr/bin/env bash
# ml_dtypes 0.6.0: the mean accuracy of 1000 right answers in bfloat16 is 0.26. (2026-11-30)
#
# A good guess: numpy.mean sums a bfloat16 array in float32, as it does for float16.
# Instead:      NumPy knows only its own half precision. A bfloat16 array is summed in bfloat16, which has 8
#               bits: 256 + 1 is 256, so that the sum of ones stops there, along an axis or over all. No
#               message, and the result has the right type and shape. It meets whoever copies a network or its
#               scores from JAX to NumPy.
# What to do:   accuracy.astype(numpy.float32).mean(), or numpy.mean(accuracy, dtype=numpy.float32).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 ml_dtypes==0.6.0
observe <<'PYTHON'
import ml_dtypes
import numpy as np

print("ml_dtypes", ml_dtypes.__version__, "NumPy", np.__version__)
seen = {}
for dtype in (ml_dtypes.bfloat16, np.float16):
    right = np.ones(1000, dtype=dtype)
    seen[dtype] = (float(right.sum()), float(right.mean()), float(np.ones((1000, 2), dtype=dtype).mean(axis=0)[0]),
                   float(np.mean(right, dtype=np.float32)))
    print(f"1000 ones in {np.dtype(dtype).name}: sum {seen[dtype][0]}, mean {seen[dtype][1]}, "
          f"mean over the first axis {seen[dtype][2]}, mean with dtype=float32 {seen[dtype][3]}")
assert seen[np.float16] == (1000, 1, 1, 1)
assert seen[ml_dtypes.bfloat16] == (256, 0.255859375, 0.255859375, 1)
PYTHON
