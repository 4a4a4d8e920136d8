#!/usr/bin/env bash
# xarray 2026.9.0, h5py 3.16.0: entries of a netCDF matrix that were never written are 1e37, not missing. (2026-11-30)
#
# A good guess: a matrix whose synapses alone were written with netCDF4 has NaN (xarray) or 0 (h5py) elsewhere, as
#               netCDF4 shows these entries as missing.
# Instead:      they are 9.97e36, the library's default fill value, in xarray too: it looks for an attribute
#               _FillValue, and there is none unless fill_value=... was given. A matrix with 3 synapses has 14 that
#               are not 0, all finite, so that a check for NaN and infinity passes. For int32 it is -2147483647.
# What to do:   createVariable(..., fill_value=0) for weights, or fill_value=nan for recordings. As a reader: treat the
#               dataset's own fillvalue (h5py: dataset.fillvalue) as missing.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 h5py==3.16.0 netCDF4==1.7.5.1.post1 pandas==3.1.1 xarray==2026.9.0
observe <<'PYTHON'
import h5py
import netCDF4
import numpy as np
import xarray

with netCDF4.Dataset("weights.nc", "w") as file:
    file.createDimension("target", 4)
    file.createDimension("source", 4)
    for name, options in (("plain", {}), ("zero", {"fill_value": 0})):
        weights = file.createVariable(name, "f8", ("target", "source"), **options)
        weights[0] = [0, 1, 0, 0.5]
        weights[1, 2] = 2

with netCDF4.Dataset("weights.nc") as file:
    by_netcdf4 = file["plain"][:]
with h5py.File("weights.nc") as file:
    by_h5py, fill_value, zero = file["plain"][:], file["plain"].fillvalue, file["zero"][:]
with xarray.open_dataset("weights.nc", engine="netcdf4") as data:
    by_xarray = data["plain"].values

print("xarray", xarray.__version__, "h5py", h5py.__version__, "netCDF4", netCDF4.__version__)
print("row 1 in netCDF4:", by_netcdf4[1].tolist())
for name, values in (("h5py", by_h5py), ("xarray", by_xarray)):
    print(f"row 1 in {name}:", values[1].tolist(), " synapses:", np.count_nonzero(values), "instead of 3, all finite:",
          bool(np.isfinite(values).all()))
    assert np.count_nonzero(values) == 14 and np.isfinite(values).all() and values[3, 3] > 9e36
print("with fill_value=0, in h5py:", zero[1].tolist(), " synapses:", np.count_nonzero(zero))
assert by_netcdf4.count() == 5 and fill_value == by_h5py[3, 3] and np.count_nonzero(zero) == 3
PYTHON
