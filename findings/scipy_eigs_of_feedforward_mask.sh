#!/usr/bin/env bash
# SciPy 1.17.1: the sparse spectral radius of a network without a loop is far from 0. (2026-11-28)
#
# A good guess: weights whose units can be ordered so that none feeds back have spectral radius 0.
#               eigs(W, k=1) gives 0 up to rounding, 1e-15 or so, as numpy.linalg.eigvals does.
# Instead:      numpy.linalg.eigvals gives exactly 0 (LAPACK finds the order), while eigs (ARPACK)
#               gives 1e-3 for 50 units with 10% of the synapses, and calls it converged. "Scale
#               W to spectral radius 0.9" then multiplies by hundreds, by a number that is only
#               rounding error. An eigenvalue 0 of a chain of k synapses answers an error of eps
#               by eps^(1/k).
# What to do:   ask the graph first: csgraph.connected_components(W, connection="strong") finds as
#               many components as units, and no unit has a synapse to itself: the radius is 0.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1
observe <<'PYTHON'
import numpy as np
import scipy
from scipy.sparse import csgraph, csr_array
from scipy.sparse.linalg import eigs

random = np.random.default_rng(1)
dense, sparse = [], []
for _ in range(5):
    n = 50
    ordered = np.tril(random.normal(size=(n, n)) * (random.random((n, n)) < 0.1), -1)
    order = random.permutation(n)
    weights = ordered[np.ix_(order, order)]
    assert csgraph.connected_components(csr_array(weights), connection="strong")[0] == n
    dense.append(float(abs(np.linalg.eigvals(weights)).max()))
    sparse.append(float(abs(eigs(csr_array(weights), k=1, v0=np.ones(n), return_eigenvectors=False))[0]))
print("scipy", scipy.__version__, "numpy", np.__version__)
print("spectral radius of five feed-forward networks, numpy:", dense)
print("the same by scipy.sparse.linalg.eigs:", [f"{radius:.1e}" for radius in sparse])
assert max(dense) == 0 and np.median(sparse) > 1e-5
PYTHON
