#!/usr/bin/env bash
# rsatoolbox 0.3.2: the same activity, computed in two ways, has a correlation of -0.47 with itself. (2026-11-30)
#
# A good guess: the matrices of dissimilarities carry the names of their patterns. So compare() aligns them by
#               name, or refuses names in another order. The order is that of the data set.
# Instead:      compare() goes by position and never reads the names. calc_rdm(data, descriptor="task") returns
#               the tasks in alphabetic order, calc_rdm(data) in the order of the data: the same activity,
#               computed in these two ways, has a correlation of -0.47 with itself. "t10" comes before "t2". No
#               message: a model RDM in the order of the experiment fits nothing, and a real effect is reported
#               as absent.
# What to do:   rdm.sort_by(task="alpha") on both, and compare rdm.pattern_descriptors["task"] before compare().
. "$(dirname "$0")/packages.inc" numpy==2.4.6 rsatoolbox==0.3.2
observe <<'PYTHON'
import importlib.metadata

import numpy as np
from rsatoolbox.data import Dataset
from rsatoolbox.rdm import calc_rdm, compare

names = ["go", "rtgo", "dm1", "anti", "dms", "dmc"]
activity = np.random.default_rng(0).normal(size=(6, 20))
data = Dataset(activity, obs_descriptors={"task": names})
plain, named = calc_rdm(data), calc_rdm(data, descriptor="task")


def similarity(first, second):
    return round(float(compare(first, second, method="corr")[0, 0]), 3)


print("rsatoolbox", importlib.metadata.version("rsatoolbox"))
seen = similarity(plain, named)
print("tasks of calc_rdm(data):                   ", list(map(str, plain.pattern_descriptors["task"])))
print('tasks of calc_rdm(data, descriptor="task"):', list(map(str, named.pattern_descriptors["task"])))
print("correlation of the two:", seen)
plain.sort_by(task="alpha")
named.sort_by(task="alpha")
safe = similarity(plain, named)
print("correlation after sorting both:", safe)
assert abs(seen + 0.472) < 0.01 and safe == 1
PYTHON
