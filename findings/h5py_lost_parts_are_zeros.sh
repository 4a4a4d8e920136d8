#!/usr/bin/env bash
# h5py 3.16.0: a virtual data set whose file is lost reads as zeros. (2026-11-30)
#
# A good guess: a recording that joins the files of several workers (VirtualLayout) cannot be read if one file is
#               gone or was renamed: there is an error, as for an external link.
# Instead:      the samples of the missing file are the fill value, 0 by default, and no message says so. A lost
#               worker looks like a silent one: the mean rate falls, and nothing else happens. A wrong path in the
#               script that joins the files gives a recording of zeros at once.
# What to do:   create_virtual_dataset(..., fillvalue=nan); before reading, check that each file_name of
#               dataset.virtual_sources() exists.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 h5py==3.16.0
observe <<'PYTHON'
import os

import h5py
import numpy as np

layout = h5py.VirtualLayout((12,), "f8")
for worker in range(3):
    with h5py.File(f"worker{worker}.h5", "w") as file:
        file["rate"] = np.full(4, 5.0)
    layout[4 * worker:4 * worker + 4] = h5py.VirtualSource(f"worker{worker}.h5", "rate", shape=(4,))
with h5py.File("all.h5", "w") as file:
    file.create_virtual_dataset("zero", layout)
    file.create_virtual_dataset("nan", layout, fillvalue=np.nan)
    file["link"] = h5py.ExternalLink("worker1.h5", "rate")


def read(name):
    with h5py.File("all.h5") as file:
        return file[name][:]


print("h5py", h5py.__version__, "HDF5", h5py.version.hdf5_version)
complete = read("zero")
os.rename("worker1.h5", "worker_1.h5")
lost, marked = read("zero"), read("nan")
print("complete:", complete.tolist(), "mean", complete.mean())
print("one file renamed:", lost.tolist(), "mean", lost.mean().round(2))
print("with fillvalue=nan:", marked.tolist())
try:
    read("link")
    refused = False
except KeyError:
    refused = True
print("an external link to the same file is refused:", refused)
with h5py.File("all.h5") as file:
    names = [source.file_name for source in file["zero"].virtual_sources()]
missing = [name for name in names if not os.path.exists(name)]
print("missing files by virtual_sources():", missing)
assert complete.mean() == 5 and lost.tolist() == [5] * 4 + [0] * 4 + [5] * 4 and np.isnan(marked[4:8]).all()
assert refused and missing == ["worker1.h5"]
PYTHON
