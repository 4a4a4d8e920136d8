#!/usr/bin/env bash
# SciPy 1.17.1: asking a sparse matrix for its maximum or its norm changes the order of its weights. (2026-11-29)
#
# A good guess: abs(W), W.max(), W.count_nonzero(), scipy.sparse.linalg.norm(W) look at a csr_array and leave it as
#               it is. So a training loop can keep W.data as its vector of parameters, with the moments of Adam or a
#               list of plastic synapses next to it, and log the norm now and then.
# Instead:      they first sort the columns of each row in place (sum_duplicates). A matrix with units in another
#               order, W[:, order], is not sorted. After the first W.max(), its W.data has the same numbers at other
#               places: the matrix is the same, and everything that was lined up with W.data belongs to other
#               synapses. W @ h, W.T, W + W and W.toarray() do not do this, so that it appears with a line of logging.
# What to do:   W.sort_indices() right after W is made, before anything is lined up with W.data.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1
observe <<'PYTHON'
import numpy as np
import scipy
from scipy.sparse import csr_array
from scipy.sparse.linalg import norm

random = np.random.default_rng(1)
dense = np.where(random.random((6, 6)) < 0.5, random.integers(1, 100, (6, 6)), 0)
order = random.permutation(6)
queries = {
    "W @ h": lambda weights: weights @ np.ones(6),
    "W.T.tocsr()": lambda weights: weights.T.tocsr(),
    "W + W": lambda weights: weights + weights,
    "W.toarray()": lambda weights: weights.toarray(),
    "abs(W)": abs,
    "W.max()": lambda weights: weights.max(),
    "W.count_nonzero()": lambda weights: weights.count_nonzero(),
    "norm(W)": norm,
}


def moved(query, sort):
    """How many numbers of W.data have another place after the query."""
    weights = csr_array(dense)[:, order]
    if sort:
        weights.sort_indices()
    parameters = weights.data
    before = parameters.copy()
    query(weights)
    assert np.shares_memory(weights.data, parameters) and (weights.toarray() == dense[:, order]).all()
    return int((parameters != before).sum())


print("scipy", scipy.__version__, "numpy", np.__version__)
seen = {name: (moved(query, False), moved(query, True)) for name, query in queries.items()}
for name, (unsorted, after_sorting) in seen.items():
    print(f"{name}: {unsorted} of {(dense != 0).sum()} weights moved, {after_sorting} with sort_indices() first")
changed = [name for name, (unsorted, _) in seen.items() if unsorted]
assert changed == ["abs(W)", "W.max()", "W.count_nonzero()", "norm(W)"]
assert not any(after_sorting for _, after_sorting in seen.values())
PYTHON
