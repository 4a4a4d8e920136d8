#!/usr/bin/env bash
# SciPy 1.17.1: graph functions count pruned synapses of a sparse matrix. (2026-11-28)
#
# A good guess: scipy.sparse.csgraph gives the same answer for a matrix and for its dense copy: a
#               weight of 0 is no connection.
# Instead:      in a sparse matrix every stored entry is a connection, a stored 0 is one of length
#               0, and a 0 in a dense matrix is none. Pruning by W.data[...] = 0 (or by W.data *=
#               keep) keeps the entries: connected_components reports one network after it has
#               fallen apart, and shortest_path finds units at distance 0 that nothing reaches.
# What to do:   W.eliminate_zeros() after each pruning, before any graph function.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1
observe <<'PYTHON'
import numpy as np
import scipy
from scipy.sparse import csgraph, csr_array

weights = csr_array(np.array([[0, 1, 0, 0], [0, 0, 0.1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]))
weights.data[weights.data < 0.5] = 0

def look(matrix):
    return int(csgraph.connected_components(matrix)[0]), float(csgraph.shortest_path(matrix)[1, 2])

print("scipy", scipy.__version__)
sparse, dense = look(weights), look(weights.toarray())
weights.eliminate_zeros()
cleaned = look(weights)
print("(components, distance over the pruned synapse), sparse:", sparse)
print("the same matrix, dense:                               ", dense)
print("sparse after eliminate_zeros():                       ", cleaned)
assert sparse == (1, 0.0) and dense == cleaned == (2, np.inf)
PYTHON
