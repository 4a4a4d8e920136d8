#!/usr/bin/env bash
# zarr 3.1.6: an array that is cut and extended again shows the values that were cut. (2026-11-29)
#
# A good guess: resize to fewer values discards the others; resize to more values gives the fill value for the
#               new ones, as HDF5 does. So a recording can be cut to its good part and extended later.
# Instead:      only whole chunks are deleted. The rest of the last chunk stays in the store and is back after
#               the next resize: values that nobody wrote since, next to true fill values, with the border
#               between them wherever a chunk ends.
# What to do:   array[n:] = array.fill_value before array.resize((n,)).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 zarr==3.1.6 h5py==3.16.0
observe <<'PYTHON'
import h5py
import numpy as np
import zarr

file = h5py.File("recording.h5", "w")
arrays = {
    "zarr": zarr.create_array("recording.zarr", shape=(10,), chunks=(4,), dtype="int16", fill_value=-1),
    "HDF5": file.create_dataset("recording", shape=(10,), chunks=(4,), maxshape=(None,), dtype="int16", fillvalue=-1),
}
print("zarr", zarr.__version__, "h5py", h5py.__version__)
seen = {}
for name, array in arrays.items():
    array[:] = np.arange(100, 110)
    array.resize((5,))
    array.resize((10,))
    seen[name] = array[:].tolist()
    print(f"{name}: cut to 5, extended to 10: {seen[name]}")
kept = [100, 101, 102, 103, 104]
assert seen["zarr"] == kept + [105, 106, 107, -1, -1] and seen["HDF5"] == kept + [-1] * 5
PYTHON
