#!/usr/bin/env bash
# networkx 3.6.1: the modularity of a network with inhibition is any number, from -4461 to 566. (2026-11-30)
#
# A good guess: modularity of a network with negative weights raises, as in igraph, or is between -1/2 and 1; it
#               is high for two modules that excite themselves and inhibit each other.
# Instead:      everything is divided by the sum of all weights, squared in the second term. Where inhibition
#               nearly balances excitation, that sum is nearly 0: of 200 random networks, half have a value
#               outside -1/2 to 1, from -4461 to 566. Two modules that inhibit each other more and more have
#               0.50, 1.3, 8.5, 44 and, as soon as the sum is negative, -15, where the units of odd and even
#               number are the better modules (0.88). louvain_communities, made for this value, finds the two
#               modules with inhibition of 0.5, and with 1.1 puts 20 of the 40 units in the wrong one, which is
#               chance. The network with all signs changed has exactly the same modularity.
# What to do:   take a measure for signed networks (modularity_louvain_und_sign and modularity_und_sign of
#               bctpy), or the modularity of excitation and of inhibition alone.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 networkx==3.6.1 igraph==1.0.0
observe <<'PYTHON'
import igraph
import networkx as nx
import numpy as np
from networkx.algorithms.community import louvain_communities, modularity

halves = [set(range(20)), set(range(20, 40))]
odd_and_even = [set(range(0, 40, 2)), set(range(1, 40, 2))]
module = np.arange(40) // 20


def graph(weights):
    return nx.from_numpy_array(weights, create_using=nx.DiGraph)


def two_modules(inhibition):
    random = np.random.default_rng(1)
    weights = np.where(random.random((40, 40)) < 0.2, random.random((40, 40)), 0)
    np.fill_diagonal(weights, 0)
    return np.where(module[:, None] == module, 1, -inhibition) * weights


print("networkx", nx.__version__, "igraph", igraph.__version__)
values = []
for seed in range(200):
    random = np.random.default_rng(seed)
    weights = random.normal(size=(40, 40)) * (random.random((40, 40)) < 0.2)
    values.append(modularity(graph(weights), halves))
outside = np.mean([not -0.5 <= value <= 1 for value in values])
print(f"200 random networks: {min(values):.0f} to {max(values):.0f}, outside -1/2 to 1: {outside:.0%}")
assert min(values) < -1000 and max(values) > 500 and 0.4 < outside < 0.7

seen = {}
for inhibition in (0, 0.5, 1, 1.1, 1.2):
    weights = two_modules(inhibition)
    network = graph(weights)
    found = louvain_communities(network, seed=1)
    misplaced = 40 - sum(max(len(part & half) for half in halves) for part in found)
    seen[inhibition] = modularity(network, halves), modularity(network, odd_and_even), len(found), misplaced
    print(f"inhibition {inhibition:3}: sum of weights {weights.sum():5.1f}; modularity of the two modules {seen[inhibition][0]:6.2f},",
          f"of odd and even units {seen[inhibition][1]:5.2f}; louvain: {len(found)} modules, {misplaced} units in a wrong one")
assert 0.49 < seen[0][0] < 0.51 and seen[0.5][0] > 1 and seen[1.1][0] > 40 and seen[1.2][0] < -10 and seen[1.2][1] > 0.8
assert seen[0][2:] == seen[0.5][2:] == (2, 0) and seen[1.1][3] > 10 and seen[1.2][3] > 10

turned = modularity(graph(-two_modules(1.2)), halves)
print(f"all signs changed: {turned:.2f}")
assert abs(turned - seen[1.2][0]) < 1e-9
try:
    igraph.Graph.Weighted_Adjacency(two_modules(1.2).tolist()).modularity(module.tolist(), weights="weight")
except igraph.InternalError as error:
    print("igraph:", str(error).split(": ", 1)[1].split(".")[0])
else:
    raise SystemExit("igraph takes negative weights")
PYTHON
