#!/usr/bin/env bash
# bctpy 0.6.1: the gateway coefficient of a unit depends on the number that its community has. (2026-11-30)
#
# A good guess: gateway_coef_sign(W, communities) is a property of the network: with the communities 1 and 2 exchanged,
#               or with the units in another order, each unit keeps its value, as with participation_coef_sign.
# Instead:      it changes. A sum over the members of a community is halved for one unit only, chosen by the number of
#               the community, and the neighbours in a community are looked up by their place in it as if that were
#               their number in the network. Below, unit 0 has 0.56 or 0.31 by the number of its community, and unit
#               4 has 0.44 or 0.61 by the order of the units. The function also sets the diagonal of the caller's
#               matrix to 0: the autapses are gone afterwards.
# What to do:   do not use gateway_coef_sign of bctpy 0.6.1; participation_coef_sign has neither fault. To test such a
#               function: renumber the communities, permute the units, and compare.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 bctpy==0.6.1
observe <<'PYTHON'
import importlib.metadata

import bct
import numpy as np

pairs = [(0, 1), (0, 2), (1, 3), (2, 5), (3, 4), (3, 5), (4, 5)]
network = np.zeros((6, 6))
for i, j in pairs:
    network[i, j] = network[j, i] = 1
communities = np.array([1, 1, 1, 2, 2, 2])
order = np.array([5, 4, 3, 2, 1, 0])
with_autapses = network + np.eye(6)


def three_ways(function):
    original = function(network.copy(), communities)[0]
    renumbered = function(network.copy(), 3 - communities)[0]
    permuted = np.empty(6)
    permuted[order] = function(network[np.ix_(order, order)].copy(), communities[order])[0]
    return original, renumbered, permuted


print("bctpy", importlib.metadata.version("bctpy"), "NumPy", np.__version__)
seen = {}
for function in (bct.participation_coef_sign, bct.gateway_coef_sign):
    seen[function] = three_ways(function)
    print(function.__name__)
    for name, values in zip(("as it is", "1 and 2 exchanged", "reverse order"), seen[function]):
        print(f"  {name:18}", values.round(2))
bct.gateway_coef_sign(with_autapses, communities)
print("autapses after the call:", np.diag(with_autapses))
participation, gateway = seen[bct.participation_coef_sign], seen[bct.gateway_coef_sign]
assert all(np.allclose(participation[0], values) for values in participation)
assert abs(gateway[0] - gateway[1]).max() > 0.2 and abs(gateway[0] - gateway[2]).max() > 0.1
assert not with_autapses.diagonal().any()
PYTHON
