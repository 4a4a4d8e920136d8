#!/usr/bin/env bash
# h5py 3.16.0: records whose field has another name are written without it, and no message says so. (2026-11-30)
#
# A good guess: dataset[...] = records, with a structured dtype whose fields are not those of the dataset, raises, or
#               goes by position, as an assignment between structured arrays of NumPy does.
# Instead:      HDF5 goes by name. A field that the dataset does not have is dropped, and a field that the records do
#               not have keeps what was there: 0 in a new row, the old value in an old one. After "accuracy" was
#               renamed to "test_accuracy" in a program that appends to its log, every new accuracy is 0. One record
#               alone (dataset[2] = record) goes by position, so that the same names work there.
# What to do:   before writing, check that records.dtype.names == dataset.dtype.names.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 h5py==3.16.0
observe <<'PYTHON'
import h5py
import numpy as np

of_file = np.dtype([("step", "i8"), ("accuracy", "f8")])
of_program = np.dtype([("step", "i8"), ("test_accuracy", "f8")])
swapped = np.dtype([("accuracy", "f8"), ("step", "i8")])
new = np.array([(3, 0.93), (4, 0.94)], of_program)

with h5py.File("log.h5", "w") as file:
    log = file.create_dataset("log", data=np.array([(1, 0.61), (2, 0.62)], of_file), maxshape=(None,))
    log.resize(4, axis=0)
    log[2:] = new
    appended = log[:]
    log[:2] = new
    overwritten = log[:2]
    log[2] = new[0]
    single = log[2]
    log[:2] = np.array([(0.75, 7), (0.85, 8)], swapped)
    by_name = log[:2]

in_numpy = np.zeros(4, of_file)
in_numpy[2:] = new
print("h5py", h5py.__version__, "NumPy", np.__version__)
print("records:              ", new.tolist())
print("appended:             ", appended[2:].tolist(), " in NumPy:", in_numpy[2:].tolist())
print("written over 0.61, 0.62:", overwritten.tolist())
print("one record alone:     ", single.tolist())
print("fields exchanged:     ", by_name.tolist())
assert in_numpy[2:].tolist() == new.tolist()
assert appended[2:].tolist() == [(3, 0.0), (4, 0.0)]
assert overwritten.tolist() == [(3, 0.61), (4, 0.62)]
assert single.tolist() == (3, 0.93)
assert by_name.tolist() == [(7, 0.75), (8, 0.85)]
PYTHON
