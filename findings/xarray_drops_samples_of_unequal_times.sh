#!/usr/bin/env bash
# xarray 2026.9.0: the difference of two recordings has fewer samples than either. (2026-11-30)
#
# A good guess: two recordings of 1000 samples at 1 kHz can be subtracted: either their times count as equal, or
#               there is an error. Times that differ by rounding count as equal.
# Instead:      arithmetic keeps the times that are equal bit for bit in both, and drops all others without a
#               message. Times counted as arange(n) * dt and times summed step by step, as a simulator does, agree
#               only for a few samples: of 1000 samples 10 remain, and their mean square error looks like a fine
#               result. `assert_allclose` finds the two recordings equal. An assignment into a Dataset fills the
#               missing ones with NaN.
# What to do:   with xarray.set_options(arithmetic_join="exact"), which raises; or b.assign_coords(time=a.time).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 pandas==3.1.1 xarray==2026.9.0
observe <<'PYTHON'
import numpy as np
import xarray

steps = np.full(1000, 0.001)
times = {"counted": np.arange(1000) * 0.001, "summed": np.cumsum(steps) - 0.001,
         "linspace": np.linspace(0, 0.999, 1000)}
values = np.random.default_rng(1).standard_normal(1000)
recordings = {name: xarray.DataArray(values, coords={"time": time}, dims="time") for name, time in times.items()}
first = recordings["counted"]
left = {}
print("xarray", xarray.__version__)
for name, second in recordings.items():
    xarray.testing.assert_allclose(first, second, atol=1e-9)
    left[name] = (first - second).sizes["time"]
    print(f"counted - {name}: {left[name]} of 1000 samples")
with xarray.set_options(arithmetic_join="exact"):
    try:
        first - recordings["summed"]
        refused = False
    except ValueError:
        refused = True
dataset = xarray.Dataset({"network": first})
dataset["target"] = recordings["summed"]
missing = int(dataset.target.isnull().sum())
print("refused with arithmetic_join='exact':", refused)
print("summed, assigned into a Dataset of counted:", missing, "samples missing")
assert left == {"counted": 1000, "summed": 10, "linspace": 1000} and refused and missing == 990
PYTHON
