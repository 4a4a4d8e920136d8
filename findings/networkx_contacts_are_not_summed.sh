#!/usr/bin/env bash
# networkx 3.6.1: of several contacts between two units, a sparse matrix in COO keeps the last. (2026-11-30)
#
# A good guess: from_scipy_sparse_array(W) is the graph of the matrix W. In COO, the format of a list of
#               synapses, entries at one place are added up by SciPy's definition: toarray(), W @ x and tocsr()
#               do so.
# Instead:      each entry replaces the one before, so that contacts of 0.5 and 0.25 are a synapse of 0.25. The
#               same matrix after tocsr() has 0.75; a CSR matrix that is built from its three arrays with a pair
#               twice has 0.25 again. For inhibition and excitation in one pair, the sign depends on the order
#               of the list. The other way, to_scipy_sparse_array of a multigraph, adds up. In a list with 1 to
#               4 contacts for each pair, the total weight is 40 % of what it was; number of synapses and all
#               degrees are right.
# What to do:   W.sum_duplicates() before, or from_scipy_sparse_array(W.tocsr()).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 networkx==3.6.1
observe <<'PYTHON'
import networkx as nx
import numpy as np
import scipy
from scipy.sparse import coo_array, csr_array


def read(matrix):
    graph = nx.from_scipy_sparse_array(matrix, create_using=nx.DiGraph)
    return {(source, target): float(weight) for source, target, weight in graph.edges(data="weight")}


contacts = coo_array(([0.5, 0.25, -1.0, 0.3], ([0, 0, 1, 1], [1, 1, 2, 2])), shape=(3, 3))
reverse = coo_array((contacts.data[::-1], (contacts.row[::-1], contacts.col[::-1])), shape=(3, 3))
by_arrays = csr_array((contacts.data, contacts.col, [0, 2, 4, 4]), shape=(3, 3))
print("networkx", nx.__version__, "SciPy", scipy.__version__)
print("SciPy:        ", contacts.toarray()[0].tolist(), contacts.toarray()[1].round(3).tolist())
for name, matrix in (("COO", contacts), ("COO, reversed", reverse), ("CSR of COO", contacts.tocsr()), ("CSR of arrays", by_arrays)):
    print(f"{name:14}", read(matrix))
    assert (matrix.toarray() == contacts.toarray()).all()
assert read(contacts) == read(by_arrays) == {(0, 1): 0.25, (1, 2): 0.3}
assert read(reverse) == {(0, 1): 0.5, (1, 2): -1.0} and read(contacts.tocsr()) == {(0, 1): 0.75, (1, 2): -0.7}

multigraph = nx.from_scipy_sparse_array(contacts, create_using=nx.MultiDiGraph)
back = nx.to_scipy_sparse_array(multigraph)
print("as a multigraph and back:", back.toarray()[0].tolist(), back.toarray()[1].round(3).tolist())
assert np.allclose(back.toarray(), contacts.toarray())

random = np.random.default_rng(1)
pairs = np.unique(random.integers(0, 100, (1000, 2)), axis=0)
pairs = np.repeat(pairs, random.integers(1, 5, len(pairs)), axis=0)
whole = coo_array((np.ones(len(pairs)), tuple(pairs.T)), shape=(100, 100))
right, wrong = read(whole.tocsr()), read(whole)
print(f"list of {len(pairs)} contacts: {len(right)} synapses with a sum of {sum(right.values()):.0f};",
      f"without tocsr() {len(wrong)} with a sum of {sum(wrong.values()):.0f}")
assert right.keys() == wrong.keys() and sum(right.values()) == len(pairs) and sum(wrong.values()) == len(wrong)
assert len(wrong) < 0.45 * len(pairs)
PYTHON
