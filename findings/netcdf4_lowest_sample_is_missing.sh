#!/usr/bin/env bash
# netCDF4 1.7.5.1: the lowest sample of a recording scaled to 16 bits is missing. (2026-11-30)
#
# A good guess: a variable without _FillValue has no missing values: what is written is read.
# Instead:      the library's default fill value of the type counts as missing, written or not: -32767 for int16,
#               -2147483647 for int32, 18446744073709551614 for uint64, and 255 for uint8. The usual scaling of a
#               signal to 16 bits, round(x / max(abs(x)) * 32767), makes -32767 of the deepest trough. netCDF4 reads
#               it as masked, so that min() is that of the other samples; saturated pixels (255) are missing from
#               a mean. h5py reads the same file as it was written.
# What to do:   dataset.set_auto_mask(False) after opening, or createVariable(..., fill_value=-32768) with a value that
#               cannot occur.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 h5py==3.16.0 netCDF4==1.7.5.1.post1
observe <<'PYTHON'
import h5py
import netCDF4
import numpy as np

signal = np.array([0.1, -2.0, 0.5, 1.5])
written = {
    "recording": np.round(signal / np.abs(signal).max() * 32767).astype("i2"),
    "pixels": np.array([255, 255, 100, 50], "u1"),
    "seeds": np.array([2**64 - 2, 2**64 - 1, 2**63, 1], "u8"),
}
with netCDF4.Dataset("data.nc", "w") as file:
    file.createDimension("x", 4)
    for name, values in written.items():
        file.createVariable(name, values.dtype, ("x",))[:] = values

with netCDF4.Dataset("data.nc") as file:
    masked = {name: file[name][:] for name in written}
    attributes = [file[name].ncattrs() for name in written]
    file.set_auto_mask(False)
    plain = {name: file[name][:] for name in written}
with h5py.File("data.nc") as file:
    by_h5py = {name: file[name][:] for name in written}

print("netCDF4", netCDF4.__version__, "h5py", h5py.__version__, "NumPy", np.__version__)
for name, values in written.items():
    print(f"{name}: written {values.tolist()}, read {masked[name].tolist()}")
    assert masked[name].mask.any()
    assert np.array_equal(plain[name], values) and np.array_equal(by_h5py[name], values)
print("recording: min", written["recording"].min(), "read:", masked["recording"].min())
print("pixels: mean", written["pixels"].mean(), "read:", masked["pixels"].mean())
print("attributes of the variables:", attributes)
assert masked["recording"].min() > -32767 and masked["pixels"].mean() == 75 and attributes == [[], [], []]
PYTHON
