#!/usr/bin/env bash
# h5py 3.16.0 with HDF5 2.0.0: values that do not fit a dataset's type are clipped. (2026-11-28)
#
# A good guess: a dataset converts as NumPy's astype does (300 as uint8 wraps to 44, -1 to 255), or
#               it refuses. dataset.astype("u1")[:] and dataset[:].astype("u1") are two ways to say
#               the same.
# Instead:      HDF5 converts, and HDF5 saturates: 300 becomes 255, -1 becomes 0, and NaN becomes 0.
#               No error, no warning, when writing and when reading. Spike counts above 255 end as a
#               plateau, weights below 0 and missing values as "no synapse". The two ways of reading
#               give different numbers.
# What to do:   create the dataset from the array (data=...), so that it has the array's type; when
#               reading, take the values first and check their range before astype.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 h5py==3.16.0
observe <<'PYTHON'
import h5py
import numpy as np

print("h5py", h5py.__version__, "HDF5", h5py.version.hdf5_version, "numpy", np.__version__)
counts = np.array([-1, 100, 300, 70000])
rates = np.array([-1.0, 100.0, 300.0, np.nan])
with h5py.File("recording.h5", "w") as file:
    written = file.create_dataset("written", (4,), "u1")
    written[:] = counts
    from_counts = written[:]
    written[:] = rates
    from_rates = written[:]
    stored = file.create_dataset("stored", data=counts)
    by_hdf5, by_numpy = stored.astype("u1")[:], stored[:].astype("u1")
print(counts, "written to uint8:", from_counts)
print(rates, "written to uint8:", from_rates)
print("dataset.astype('u1')[:]:", by_hdf5, " dataset[:].astype('u1'):", by_numpy)
assert from_counts.tolist() == by_hdf5.tolist() == [0, 100, 255, 255]
assert from_rates.tolist() == [0, 100, 255, 0]
assert by_numpy.tolist() == [255, 100, 44, 112]
PYTHON
