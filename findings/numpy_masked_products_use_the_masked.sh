#!/usr/bin/env bash
# NumPy 2.4.6: the matrix product of a masked array uses the masked weights, and gets their mask. (2026-11-29)
#
# A good guess: weights in a numpy.ma array with a mask where there is no synapse: W @ X leaves the masked ones out, as
#               W.sum() and numpy.ma.dot(W, X) do.
# Instead:      W @ X, numpy.dot and numpy.einsum multiply with the numbers under the mask. The result of W @ X has the
#               mask of W: the entry (i, j) is masked because the synapse (i, j) is, although (i, j) is here unit i at
#               time j. With as many times as units nothing is raised; with another number an error says that the
#               shapes do not fit. The method W.dot(X) is right.
# What to do:   W.filled(0) @ X.
. "$(dirname "$0")/packages.inc" numpy==2.4.6
observe <<'PYTHON'
import numpy as np

weights = np.ma.masked_array([[1.0, 100.0], [1.0, 1.0]], mask=[[False, True], [False, False]])
rates = np.ones((2, 2))


def shown(matrix):
    """Masked entries as None."""
    return np.ma.asarray(matrix).tolist()


print("NumPy", np.__version__)
print("sums of the rows of W:", weights.sum(axis=1).tolist())
seen = {"W @ X": weights @ rates, "numpy.dot(W, X)": np.dot(weights, rates),
        "numpy.einsum": np.einsum("ij,jk", weights, rates), "W.dot(X)": weights.dot(rates),
        "numpy.ma.dot(W, X)": np.ma.dot(weights, rates), "W.filled(0) @ X": weights.filled(0) @ rates}
for name, result in seen.items():
    print(f"{name}: {shown(result)}")
try:
    weights @ np.ones((2, 3))
    refused = False
except ValueError as error:
    print("W @ X with three times:", error)
    refused = True
right = [[1, 1], [2, 2]]
assert shown(seen["W @ X"]) == shown(seen["numpy.dot(W, X)"]) == [[101, None], [2, 2]] and refused
assert shown(seen["numpy.einsum"]) == [[101, 101], [2, 2]]
assert all(shown(seen[name]) == right for name in ("W.dot(X)", "numpy.ma.dot(W, X)", "W.filled(0) @ X"))
PYTHON
