#!/usr/bin/env bash
# NumPy 2.4.6: savez saves a masked array without its mask. (2026-11-29)
#
# A good guess: numpy.savez keeps the mask, or refuses the array as numpy.save does (NotImplementedError).
# Instead:      it saves the numbers under the mask and nothing else. What was masked, as a lost trial or a fill
#               value of 1e20 from netCDF4, comes back as an ordinary number. numpy.stack and numpy.concatenate drop
#               the mask as well: the result is still a masked array, with nothing masked.
# What to do:   save array.filled(numpy.nan), or data and mask under two names; numpy.ma.stack.
. "$(dirname "$0")/packages.inc" numpy==2.4.6
observe <<'PYTHON'
import numpy as np

times = np.ma.masked_array([300.0, 500.0, 1e20], mask=[False, False, True])
print("NumPy", np.__version__)
try:
    with open("times.npy", "wb") as file:
        np.save(file, times)
    refused = False
except NotImplementedError as error:
    print("numpy.save:", error)
    refused = True
np.savez("times.npz", times=times)
with np.load("times.npz") as file:
    loaded = file["times"]
both = np.stack([times, times])
print("mean before:", times.mean(), " after numpy.savez:", loaded.mean(), type(loaded).__name__)
print("mean after numpy.stack:", both.mean(), type(both).__name__, " after numpy.ma.stack:", np.ma.stack([times, times]).mean())
assert refused and times.mean() == 400 and type(loaded) is np.ndarray and loaded.tolist() == [300, 500, 1e20]
assert isinstance(both, np.ma.MaskedArray) and both.mean() > 1e19 and np.ma.stack([times, times]).mean() == 400
PYTHON
