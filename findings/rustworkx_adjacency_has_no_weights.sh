#!/usr/bin/env bash
# rustworkx 0.18.1: the matrix of a network that was made from a matrix has no weights. (2026-11-30)
#
# A good guess: adjacency_matrix(PyDiGraph.from_adjacency_matrix(W)) is W. The weights are in the graph, and
#               networkx.to_numpy_array returns them too.
# Instead:      without `weight_fn` every synapse is 1.0, also where W is 0.01 or -2: signs and strengths are
#               gone, and the spectral radius is that of the mask. Two synapses between the same units give 2.0.
#               No message, as the matrix has the right shape, type and zeros.
# What to do:   rustworkx.adjacency_matrix(graph, weight_fn=float).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 rustworkx==0.18.1
observe <<'PYTHON'
import importlib.metadata

import numpy as np
import rustworkx

weights = np.array([[0, 0.5, 0], [-2, 0, 0.01], [0.1, 0, 0]])
graph = rustworkx.PyDiGraph.from_adjacency_matrix(weights)
seen, safe = rustworkx.adjacency_matrix(graph), rustworkx.adjacency_matrix(graph, weight_fn=float)


def radius(matrix):
    return round(float(abs(np.linalg.eigvals(matrix)).max()), 3)


print("rustworkx", importlib.metadata.version("rustworkx"))
print("weights:          ", weights.tolist(), "spectral radius", radius(weights))
print("adjacency_matrix: ", seen.tolist(), "spectral radius", radius(seen))
print("weight_fn=float:  ", safe.tolist(), "spectral radius", radius(safe))
assert (seen == (weights != 0)).all() and (safe == weights).all()
PYTHON
