#!/usr/bin/env bash
# SciPy 1.17.1: a boolean mask comes back from a MATLAB file as numbers. (2026-11-28)
#
# A good guess: savemat writes a bool array as MATLAB's logical, and loadmat, which sees that flag,
#               gives a bool array back.
# Instead:      the array is uint8. Indexing with it is no selection any more but a list of rows 0
#               and 1: weights[mask] has a wrong shape and wrong values, and weights[mask] = 0
#               deletes the first two rows. ~mask is 255 and 254, both of which are true. Nothing is
#               raised. A sparse logical is uint8 as well, and stays so with mat_dtype=True, which
#               helps for dense ones.
# What to do:   scipy.io.loadmat(...)["mask"].astype(bool), always.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1
observe <<'PYTHON'
import numpy as np
import scipy

mask = np.array([[0, 1, 1], [0, 0, 1], [1, 0, 0]], bool)
scipy.io.savemat("wiring.mat", {"mask": mask, "sparse": scipy.sparse.csc_array(mask)})
loaded = scipy.io.loadmat("wiring.mat")
typed = scipy.io.loadmat("wiring.mat", mat_dtype=True)

def pruned(chosen):
    weights = np.ones((3, 3))
    weights[chosen] = 0
    return weights.astype(int).tolist()

print("scipy", scipy.__version__, "numpy", np.__version__)
print("saved:", mask.dtype, " loaded:", loaded["mask"].dtype, " sparse:", loaded["sparse"].dtype)
print("with mat_dtype=True:", typed["mask"].dtype, " sparse:", typed["sparse"].dtype)
print("weights[mask] = 0 as saved:", pruned(mask), " as loaded:", pruned(loaded["mask"]))
print("synapses left by ~mask as saved:", int((~mask).astype(bool).sum()),
      " as loaded:", int((~loaded["mask"]).astype(bool).sum()))
assert loaded["mask"].dtype == loaded["sparse"].dtype == typed["sparse"].dtype == np.uint8
assert typed["mask"].dtype == bool
assert pruned(loaded["mask"]) == [[0, 0, 0], [0, 0, 0], [1, 1, 1]] != pruned(mask)
assert (~loaded["mask"]).all()
PYTHON
