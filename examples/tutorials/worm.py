"""The worm's connectome with its weights, signs, types of cells and places, and three ways to train it."""

import importlib.util
from pathlib import Path

import lmrnn
import numpy as np
from cect.Cells import get_SIM_class, is_any_neuron
from cect.ConnectomeDataset import get_cache_filename, load_connectome_dataset_file

# Contacts, from cect. A graph leaves no doubt about rows and columns: its edges go from source to target.
cook = load_connectome_dataset_file(get_cache_filename("Cook2019HermReader"))
graph = cook.to_networkx_graph("Generic_CS")
graph.remove_nodes_from([cell for cell in cook.nodes if not is_any_neuron(cell)])
wiring = lmrnn.wirings.read(graph)

# Signs: a neuron is inhibitory if it sends more GABA than other transmitters. Rows are sources, and every
# dataset has an order of cells of its own, so go by names.
unified = load_connectome_dataset_file(get_cache_filename("OpenWormUnifiedReader"))
sent = {
    kind: dict(zip(unified.nodes, np.sum(contacts, axis=1)))
    for kind, contacts in unified.connections.items()
    if kind != "Generic_GJ"
}
gaba = sent.pop("GABA")
excitatory = [gaba.get(name, 0) <= sum(s.get(name, 0) for s in sent.values()) for name in wiring.names]

# Types of cells: sensory neurons, interneurons, motor neurons.
wiring = wiring.replace(excitatory=excitatory, types=[get_SIM_class(name) for name in wiring.names])

# Places, if wormneuroatlas is installed; its table is in tenths of a millimetre.
atlas = importlib.util.find_spec("wormneuroatlas")
if atlas is not None:
    table = Path(atlas.submodule_search_locations[0]) / "data" / "anatlas_neuron_positions.txt"
    names = table.read_text().splitlines()[0].lstrip("#").split()
    places = dict(zip(names, 100 * np.loadtxt(table)))  # µm
    wiring = wiring.replace(coordinates=[places[name] for name in wiring.names]).on_sheet(2, 151)
print(wiring)

for name, statistics in wiring.compare(seed=1).items():
    shown = ("reciprocity", "clustering", "mean_path_length", "wire_length")
    print(f"{name:9}", *(f"{key} {statistics[key]:.3f}" for key in shown))

wiring.save("worm.npz")
keys = wiring.keys("worm.npz", rows=2, cols=151)
ways = {"gains": {"gains": "types"}, "all weights": {}, "none": {"plastic": {"kind": "none"}}}
for way, trained in ways.items():
    config = {
        "battery": {"tasks": "go,dlygo"},
        "wiring": keys | trained,
        "stream": {"batch": 32, "row_steps": 60},
        "optimiser": {"learning_rate": 1e-3},
        "train": {"steps": 400},
        "evaluation": {"every": 200, "trials": 200},
    }
    run = lmrnn.Trainer(config, f"runs/worm-{way.replace(' ', '-')}", seed=1).run()
    print(f"{way}: share of ceiling {run.scores['share_of_ceiling'].round(3)}")
print(lmrnn.Run("runs/worm-gains").gains())
