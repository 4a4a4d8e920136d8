#!/usr/bin/env bash
# xarray 2026.9.0 with zarr 3.1.6: the zeros of an array in zarr's format 2 are missing values. (2026-11-29)
#
# A good guess: spike counts [0, 2, 0, 1] written with zarr are [0, 2, 0, 1] in xarray.
# Instead:      zarr notes fill_value = 0 in each array: what a chunk holds that was never written. xarray takes it for the
#               mark of missing values if the array is in format 2: the counts are [nan, 2, nan, 1], floats, and their
#               mean is 1.5 in place of 0.75. The same array in format 3 is read as it is.
# What to do:   write with xarray, or create_array(..., fill_value=None) in format 2, or
#               xarray.open_zarr(..., mask_and_scale=False).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 pandas==3.1.1 zarr==3.1.6 xarray==2026.9.0
observe <<'PYTHON'
import numpy as np
import xarray
import zarr

counts = np.array([0, 2, 0, 1], np.int32)


def written(format, **options):
    """The folder of a group with the counts."""
    names = {"dimension_names": ["trial"]} if format == 3 else {"attributes": {"_ARRAY_DIMENSIONS": ["trial"]}}
    folder = f"counts{format}{len(options)}"
    array = zarr.create_group(folder, zarr_format=format).create_array("count", shape=4, dtype="i4", **names, **options)
    array[:] = counts
    return folder


def read(folder, **options):
    return xarray.open_zarr(folder, consolidated=False, **options)["count"].values


print("xarray", xarray.__version__, "zarr", zarr.__version__)
second, third = read(written(2)), read(written(3))
print("format 2, by zarr:", zarr.open_group("counts20")["count"][:], " by xarray:", second, " mean:", np.nanmean(second))
print("format 3, by xarray:", third, " mean:", third.mean())
raw, unfilled = read("counts20", mask_and_scale=False), read(written(2, fill_value=None))
print("format 2, mask_and_scale=False:", raw, " fill_value=None:", unfilled)
assert np.array_equal(second, [np.nan, 2, np.nan, 1], equal_nan=True) and np.nanmean(second) == 1.5
assert all(np.array_equal(values, counts) for values in (zarr.open_group("counts20")["count"][:], third, raw, unfilled))
PYTHON
