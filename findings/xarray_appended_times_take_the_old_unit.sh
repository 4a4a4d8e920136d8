#!/usr/bin/env bash
# xarray 2026.9.0: times appended to a zarr file are read in another unit: 1.5 minutes become 90. (2026-12-01)
#
# A good guess: to_zarr(append_dim="time") stores the times in the unit of the file, as fractions or with a finer unit
#               for the whole array, or it raises if they do not fit.
# Instead:      the unit of the file is the largest that fits the first part, for example whole minutes or hours. If a
#               later part does not fit, its numbers are stored in a finer unit, but the file keeps the first
#               one. 90 s and 121 s are read as 90 and 121 minutes, and half past two as six in the morning
#               six days later. The warning says "Serializing with units 'seconds' instead", as if all was well. If
#               the result is out of range, the file cannot be opened any more without decode_times=False.
# What to do:   give the unit in the first part: encoding={"time": {"units": "microseconds"}} (for dates:
#               "microseconds since 2026-01-01"). The type stays int64.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 xarray==2026.9.0 zarr==3.1.6 pandas==3.1.1
observe <<'PYTHON'
import warnings

import numpy as np
import pandas as pd
import xarray as xr
import zarr

print("xarray", xr.__version__, "zarr", zarr.__version__, "pandas", pd.__version__)
files = iter(range(100))


def append(first, second, units=None):
    path = f"{next(files)}.zarr"
    data = xr.Dataset({"rate": ("time", np.arange(len(first)))}, coords={"time": first})
    data.to_zarr(path, encoding={"time": {"units": units}} if units else None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data.assign_coords(time=second).to_zarr(path, append_dim="time")
    messages = [str(w.message) for w in caught if "faithfully" in str(w.message)]
    return xr.open_zarr(path, decode_timedelta=True).time.values, messages


first, second = pd.to_timedelta([0, 60], unit="s"), pd.to_timedelta([90, 121], unit="s")
for fmt in (None, "microseconds"):
    times, messages = append(first, second, fmt)
    seconds = (times / np.timedelta64(1, "s")).tolist()
    print(f"0, 60 and then 90, 121 s, unit of the file {fmt}: {seconds} s")
    for message in messages:
        print("  warning:", message.split(". Set")[0])
    assert seconds == [0, 60, 90, 121] if fmt else seconds == [0, 60, 5400, 7260] and len(messages) == 1

first = pd.to_datetime(["2026-01-01 00:00", "2026-01-01 01:00"])
second = pd.to_datetime(["2026-01-01 02:30", "2026-01-01 03:30"])
for units in (None, "microseconds since 2026-01-01"):
    times, _ = append(first, second, units)
    print(f"02:30 and 03:30 appended, unit of the file {units}: {[str(t)[:16] for t in times[2:]]}")
    assert (times[2:] == second.values).all() if units else str(times[2])[:16] == "2026-01-07T06:00"
finer = pd.to_datetime(["2026-01-01 02:30:00.250", "2026-01-01 03:30:00.500"])
try:
    append(first, finer)
except ValueError as error:
    print("02:30:00.250 appended: the file cannot be read:", str(error)[:26] + "...")
else:
    raise SystemExit("the file can be read")
PYTHON
