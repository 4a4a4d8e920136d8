#!/usr/bin/env bash
# xarray 2026.9.0: a recording that is read, changed and saved is packed again, and wraps. (2026-11-28)
#
# A good guess: a recording stored as int16 with scale_factor and add_offset is float once it is
#               read, and saving it saves the floats; if it is packed again, what does not fit is
#               an error.
# Instead:      the variable remembers how it was packed, also after assignments into it, and
#               to_netcdf packs it the same way without a look at the range: 400 mV is written, and
#               comes back as -255.36 mV (on x86-64). Arithmetic that makes a new variable forgets the packing,
#               so that one step of an analysis is safe and the next is not.
# What to do:   dataset.drop_encoding() after reading.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 xarray==2026.9.0 pandas==3.1.1 h5py==3.16.0 h5netcdf==1.8.2
observe <<'PYTHON'
import numpy as np
import xarray

packing = {"voltage": {"dtype": "int16", "scale_factor": 0.01, "add_offset": -60.0}}
original = xarray.Dataset({"voltage": ("time", np.array([-70.0, -65.0, -50.0]))})
original.to_netcdf("recording.nc", engine="h5netcdf", encoding=packing)

def changed(prepare):
    recording = prepare(xarray.load_dataset("recording.nc", engine="h5netcdf"))
    recording["voltage"][1] = 400.0
    recording.to_netcdf("changed.nc", engine="h5netcdf")
    return recording.voltage.values.tolist(), xarray.load_dataset("changed.nc", engine="h5netcdf").voltage.values.round(2).tolist()

print("xarray", xarray.__version__, "numpy", np.__version__)
saved, loaded = changed(lambda recording: recording)
print("saved:", saved, " loaded:", loaded)
safe = changed(lambda recording: recording.drop_encoding())
print("saved:", safe[0], " loaded:", safe[1], " with drop_encoding()")
assert saved == safe[0] == safe[1] == [-70.0, 400.0, -50.0] and loaded == [-70.0, -255.36, -50.0]
PYTHON
