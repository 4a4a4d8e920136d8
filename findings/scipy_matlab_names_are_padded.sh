#!/usr/bin/env bash
# SciPy 1.17.1: a list of names that is saved for MATLAB comes back with spaces at their ends. (2026-11-30)
#
# A good guess: savemat writes ["go", "anti"] as a list of texts, and loadmat returns "go" and "anti".
# Instead:      a list of texts becomes one table of characters, and all names are as long as the longest: "go"
#               comes back as "go  ". tasks == "go" is false everywhere, a dictionary of scores does not find
#               the task, and joining with another table keeps only the longest names. A set of tasks whose
#               names happen to be equally long is fine, so that small tests pass. In MATLAB too it is a char
#               matrix, whose tasks(1) is the letter "g".
# What to do:   savemat(..., {"tasks": numpy.array(names, dtype=object)}), which is a cell array.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1
observe <<'PYTHON'
import numpy as np
import scipy
from scipy.io import loadmat, savemat

names = ["go", "anti", "dm1"]
accuracies = {"go": 0.99, "anti": 0.5, "dm1": 0.9}


def returned(tasks):
    savemat("scores.mat", {"tasks": tasks})
    return [str(name) for name in loadmat("scores.mat", squeeze_me=True)["tasks"]]


print("SciPy", scipy.__version__)
seen, as_array, safe = returned(names), returned(np.array(names)), returned(np.array(names, dtype=object))
equally_long = returned(["dm1", "dm2"])
print("saved:              ", names)
print("loaded:             ", seen, "of which known:", [name for name in seen if name in accuracies])
print("as a NumPy array:   ", as_array)
print("equally long ones:  ", equally_long)
print("with dtype=object:  ", safe)
assert seen == as_array == ["go  ", "anti", "dm1 "] and safe == names and equally_long == ["dm1", "dm2"]
PYTHON
