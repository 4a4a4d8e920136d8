#!/usr/bin/env bash
# h5py 3.16.0: require_dataset(..., data=new) keeps the old values. (2026-11-29)
#
# A good guess: file.require_dataset("weights", shape, dtype, data=weights) is the call that also works when the
#               dataset is there already, which create_dataset and file["weights"] = weights refuse. Afterwards the
#               dataset holds `weights`.
# Instead:      `data` counts only if the dataset is new. If there is one of this shape and of a type that can be
#               cast, it is returned with its old values, and nothing says so. A run that writes its results again
#               into the same file keeps those of the first run for ever.
# What to do:   file.require_dataset(...)[...] = weights.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 h5py==3.16.0
observe <<'PYTHON'
import h5py
import numpy as np

for accuracy in ([0.5, 0.6, 0.7], [0.8, 0.9, 1.0]):
    with h5py.File("results.h5", "a") as file:
        file.require_dataset("accuracy", (3,), "float64", data=np.array(accuracy))
    with h5py.File("results.h5") as file:
        read = file["accuracy"][:].tolist()
    print("h5py", h5py.__version__, " saved:", accuracy, " in the file:", read)
try:
    with h5py.File("results.h5", "a") as file:
        file["accuracy"] = np.array(accuracy)
    refused = False
except (OSError, ValueError):
    refused = True
with h5py.File("results.h5", "a") as file:
    file.require_dataset("accuracy", (3,), "float64")[...] = accuracy
    after = file["accuracy"][:].tolist()
print('file["accuracy"] = ... is refused:', refused, " after require_dataset(...)[...] = accuracy:", after)
assert read == [0.5, 0.6, 0.7] and refused and after == accuracy
PYTHON
