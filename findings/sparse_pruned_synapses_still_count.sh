#!/usr/bin/env bash
# sparse 0.19.3: a pruned inhibitory synapse is still a synapse: the density of W * mask is wrong. (2026-11-30)
#
# A good guess: COO.from_numpy(weights * mask) stores the weights that are not 0, as scipy.sparse does, so that nnz
#               is the number of synapses and density their share.
# Instead:      a negative weight times 0 is -0.0, and sparse compares with its fill value bit by bit: -0.0 is kept.
#               Half of the pruned synapses stay: a network with 10 % of the synapses has a density of 0.55, and
#               coords and nonzero() list pairs of units without a synapse. GCXS does the same. -0.0 equals 0, so
#               that no comparison of the dense matrices shows it.
# What to do:   COO.from_numpy(numpy.where(mask, weights, 0)), or weights * mask + 0.0, which makes 0.0 of -0.0.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 numba==0.68.1 sparse==0.19.3
observe <<'PYTHON'
import numpy as np
import scipy.sparse
import sparse

random = np.random.default_rng(1)
weights = random.normal(size=(200, 200))
mask = random.random((200, 200)) < 0.1
pruned = weights * mask

coo, gcxs = sparse.COO.from_numpy(pruned), sparse.GCXS.from_numpy(pruned)
of_product = sparse.COO.from_numpy(weights) * sparse.COO.from_numpy(mask)
of_mask = sparse.COO.from_numpy(np.where(mask, weights, 0))
plus_zero = sparse.COO.from_numpy(pruned + 0.0)
in_degrees = np.bincount(coo.nonzero()[0], minlength=200)
print("sparse", sparse.__version__, "NumPy", np.__version__)
print("synapses in NumPy, scipy.sparse:", np.count_nonzero(pruned), scipy.sparse.coo_array(pruned).nnz)
print("synapses and density in COO:    ", coo.nnz, round(coo.density, 3))
print("synapses in GCXS:               ", gcxs.nnz)
print("in-degree of unit 0:            ", int(in_degrees[0]), "instead of", int(mask[0].sum()))
print("COO(weights) * COO(mask):       ", of_product.nnz)
print("numpy.where(mask, weights, 0):  ", of_mask.nnz, " pruned + 0.0:", plus_zero.nnz)
assert scipy.sparse.coo_array(pruned).nnz == np.count_nonzero(pruned) == mask.sum()
assert coo.nnz == gcxs.nnz > 5 * mask.sum() and round(coo.density, 2) == 0.55
assert of_mask.nnz == plus_zero.nnz == mask.sum()
assert np.array_equal(coo.todense(), of_mask.todense())
PYTHON
