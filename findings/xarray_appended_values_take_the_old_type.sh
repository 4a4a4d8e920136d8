#!/usr/bin/env bash
# xarray 2026.9.0: values appended to a zarr file are cast to the type of the first part: 0.55 becomes 1. (2026-12-01)
#
# A good guess: to_zarr(append_dim="run") of numbers that the stored type cannot hold raises, as a longer text does
#               ("Mismatched dtypes"), or the array is stored again with a wider type, as xarray.concat does.
# Instead:      they are cast to the type of the first part. If the first runs reached accuracies of 1 and 0, which
#               NumPy makes integers, each accuracy after them is rounded to 0 or 1. 40000 in int16 is -25536, the
#               label -1 in uint8 is 255, and a count of 2 in a bool is True. For fractions there is a
#               SerializationWarning that speaks of "variable None" and of NaNs, for the others there is no message.
#               region=... casts in the same way.
# What to do:   give the types in the first part (np.float64), and compare ds.dtypes with those of
#               xr.open_zarr(path).dtypes before appending.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 xarray==2026.9.0 zarr==3.1.6 pandas==3.1.1
observe <<'PYTHON'
import numpy as np
import xarray as xr
import zarr

print("xarray", xr.__version__, "zarr", zarr.__version__)
files = iter(range(100))


def append(first, second, **how):
    path = f"{next(files)}.zarr"
    xr.Dataset({"value": ("run", first)}).to_zarr(path)
    xr.Dataset({"value": ("run", second)}).to_zarr(path, **(how or {"append_dim": "run"}))
    return xr.open_zarr(path).value.values


rows = [(np.array([1, 0]), np.array([0.55, 0.45]), [1, 0, 1, 0]),
        (np.array([7], "int16"), np.array([40000]), [7, -25536]),
        (np.array([7], "uint8"), np.array([-1]), [7, 255]),
        (np.array([True]), np.array([2, 0]), [True, True, False])]
for first, second, expected in rows:
    seen = append(first, second)
    print(f"{first.dtype} {first.tolist()} and then {second.dtype} {second.tolist()}: {seen.tolist()}")
    assert seen.dtype == first.dtype and seen.tolist() == expected

both = xr.concat([xr.DataArray([1, 0], dims="run"), xr.DataArray([0.55, 0.45], dims="run")], "run")
print("concat of the first ones:", both.values.tolist())
assert both.values.tolist() == [1, 0, 0.55, 0.45]
region = append(np.array([1, 0]), np.array([0.45]), region={"run": slice(0, 1)})
print("0.45 written into a region of [1, 0]:", region.tolist())
assert region.tolist() == [0, 0]
try:
    append(np.array(["go"]), np.array(["dlyanti"]))
except ValueError as error:
    print("a longer text raises:", str(error)[:45] + "...")
else:
    raise SystemExit("a longer text is accepted")
PYTHON
