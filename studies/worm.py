#!/usr/bin/env python3
"""Writes the wirings that studies/worm-small.toml trains: the connectome of C. elegans, and three shuffles of it.

    pip install cect==0.3.5 networkx
    studies/worm.py studies/worm

The contacts of 302 neurons are those of Cook et al. 2019, the transmitters those of OpenWorm's unified dataset, both
from the package cect (MIT). A neuron is inhibitory if it sends more GABA than other transmitters. A shuffle keeps the
autapses of the connectome, and for every neuron its in-degree, its out-degree, its number of reciprocal partners, its
sign, its type and the list of its outgoing weights; it changes only the targets of these weights. Then all weights of a
wiring are scaled so that its spectral radius is 0.9.
"""

import sys
from pathlib import Path

import lmrnn
import numpy as np
from cect.Cells import get_SIM_class, is_any_neuron
from cect.ConnectomeDataset import get_cache_filename, load_connectome_dataset_file

N_SHUFFLES = 3


def connectome():
    cook = load_connectome_dataset_file(get_cache_filename("Cook2019HermReader"))
    graph = cook.to_networkx_graph("Generic_CS")
    graph.remove_nodes_from([cell for cell in cook.nodes if not is_any_neuron(cell)])
    wiring = lmrnn.wirings.read(graph)
    unified = load_connectome_dataset_file(get_cache_filename("OpenWormUnifiedReader"))
    sent = {
        kind: dict(zip(unified.nodes, np.sum(contacts, axis=1)))  # rows are sources
        for kind, contacts in unified.connections.items()
        if kind != "Generic_GJ"
    }
    gaba = sent.pop("GABA")
    excitatory = [gaba.get(name, 0) <= sum(s.get(name, 0) for s in sent.values()) for name in wiring.names]
    return wiring.replace(excitatory=excitatory, types=[get_SIM_class(name) for name in wiring.names])


def shuffled(wiring, seed):
    mask = wiring.mask.shuffled(seed=seed)
    weights = np.zeros(mask.n_synapses)
    rng = np.random.default_rng(seed)
    for unit in range(wiring.n_units):
        for autapse in (True, False):
            before = (wiring.mask.sources == unit) & ((wiring.mask.targets == unit) == autapse)
            after = (mask.sources == unit) & ((mask.targets == unit) == autapse)
            weights[after] = rng.permutation(wiring.weights[before])
    return wiring.replace(mask=mask, weights=weights)


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    wiring = connectome()
    print(wiring)
    wirings = {"connectome": wiring} | {f"shuffle{k}": shuffled(wiring, k) for k in range(1, N_SHUFFLES + 1)}
    for name, one in wirings.items():
        one.scaled(0.9).save(out / f"{name}.npz")
        statistics = one.mask.statistics(one.sheet())
        print(name, {k: round(statistics[k], 3) for k in ("reciprocity", "clustering", "mean_path_length")})


if __name__ == "__main__":
    main()
