#!/usr/bin/env bash
# igraph 1.0.0: Graph.Adjacency of weights has no synapse where the weight is below 1. (2026-11-29)
#
# A good guess: igraph.Graph.Adjacency(weights) has an edge where the weight is not 0, as networkx.from_numpy_array
#               and scipy.sparse have, or refuses numbers that are not whole.
# Instead:      the entries are numbers of edges and are cut to whole ones: weights of 0.9 vanish, 1.9 is one edge, 3
#               contacts are three parallel edges. The graph of a weight matrix is nearly empty. One of contact counts
#               has out-degrees, and so motifs, densities and random rewirings, of contacts instead of
#               synapses.
# What to do:   Graph.Adjacency(weights != 0), or Graph.Weighted_Adjacency(weights) with weights="weight" in
#               each measure.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 networkx==3.6.1 igraph==1.0.0
observe <<'PYTHON'
import igraph
import networkx
import numpy as np

random = np.random.default_rng(1)
synapses = (random.random((50, 50)) < 0.1) & ~np.eye(50, dtype=bool)
fractions = np.where(synapses, random.uniform(0.01, 0.99, (50, 50)), 0)
contacts = np.where(synapses, random.integers(1, 6, (50, 50)), 0)
print("igraph", igraph.__version__, "networkx", networkx.__version__, " synapses:", synapses.sum())
seen = {}
for name, matrix in (("fractions", fractions), ("contacts", contacts), ("synapses", synapses)):
    graph = igraph.Graph.Adjacency(matrix)
    other = networkx.from_numpy_array(matrix, create_using=networkx.DiGraph)
    weighted = igraph.Graph.Weighted_Adjacency(matrix.astype(float))
    seen[name] = graph.ecount(), other.number_of_edges(), weighted.ecount()
    print(f"{name}: edges of Graph.Adjacency {seen[name][0]}, parallel ones: {graph.has_multiple()};",
          f"of networkx {seen[name][1]}, of Graph.Weighted_Adjacency {seen[name][2]}")
n = synapses.sum()
assert seen == {"fractions": (0, n, n), "contacts": (contacts.sum(), n, n), "synapses": (n, n, n)}
PYTHON
