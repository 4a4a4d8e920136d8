"""The worm's connectome with its weights, signs, types of cells and places, and three ways to train it."""

import importlib.util
from pathlib import Path

import lmrnn
import matplotlib.pyplot as plt
import numpy as np
from cect.Cells import get_SIM_class, is_any_neuron
from cect.ConnectomeDataset import get_cache_filename, load_connectome_dataset_file

# Contacts. A graph leaves no doubt about rows and columns: its edges go from source to target.
cook = load_connectome_dataset_file(get_cache_filename("Cook2019HermReader"))
graph = cook.to_networkx_graph("Generic_CS")
graph.remove_nodes_from([cell for cell in cook.nodes if not is_any_neuron(cell)])
wiring = lmrnn.wirings.read(graph)

# Signs: a neuron is inhibitory if it sends more GABA than other transmitters. Rows are sources, and the
# datasets list the cells in different orders, so look them up by name.
unified = load_connectome_dataset_file(get_cache_filename("OpenWormUnifiedReader"))
sent = {
    transmitter: dict(zip(unified.nodes, np.sum(contacts, axis=1)))
    for transmitter, contacts in unified.connections.items()
    if transmitter != "Generic_GJ"  # gap junctions
}
gaba = sent.pop("GABA")
excitatory = [gaba.get(name, 0) <= sum(s.get(name, 0) for s in sent.values()) for name in wiring.names]
wiring = wiring.replace(excitatory=excitatory, types=[get_SIM_class(name) for name in wiring.names])

# Places of cell bodies, if wormneuroatlas is installed. Its table is in tenths of a millimetre.
atlas = importlib.util.find_spec("wormneuroatlas")
if atlas is not None:
    table = Path(atlas.submodule_search_locations[0]) / "data" / "anatlas_neuron_positions.txt"
    names = table.read_text().splitlines()[0].lstrip("#").split()
    places = dict(zip(names, 100 * np.loadtxt(table)))  # µm
    wiring = wiring.replace(coordinates=[places[name] for name in wiring.names]).on_sheet(2, 151)
print(wiring)

# Next to other wirings.
for name, statistics in wiring.compare(seed=1).items():
    shown = ("reciprocity", "clustering", "mean_path_length", "wire_length")
    print(f"{name:9}", *(f"{key} {statistics[key]:.3f}" for key in shown))

# Training.
wiring = wiring.scaled(0.9)
wiring.save("worm.npz")
keys = wiring.keys("worm.npz", rows=2, cols=151)
ways = {"gains": {"gains": "types"}, "all": {}, "none": {"plastic": {"kind": "none"}}}
for way, trained in ways.items():
    config = {
        "battery": {"tasks": "go,dlygo"},
        "wiring": keys | trained,
        "stream": {"batch": 32, "row_steps": 60},
        "optimiser": {"learning_rate": 3e-3},
        "train": {"steps": 400},
        "evaluation": {"every": 200, "trials": 200},
    }
    run = lmrnn.Trainer(config, f"runs/worm-{way}", seed=1).run()
    print(f"trained: {way:5}  share of ceiling: {run.scores['share_of_ceiling'].round(3)}")
gains = lmrnn.Run("runs/worm-gains").gains()
print(gains)

# A figure: where the neurons are, the weights, and what became of them.
types = sorted(set(wiring.types))
number = np.array([types.index(one) for one in wiring.types])
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
if wiring.coordinates is not None:
    x, y, z = wiring.coordinates.T
    for k, name in enumerate(types):
        left.scatter(y[number == k], z[number == k], s=8, label=name)
    left.set(xlabel="along the body (µm)", ylabel="across (µm)", title="cell bodies")
    left.legend(fontsize="small", ncols=2, loc="upper center")
order = np.argsort(number, kind="stable")
weights = run.network(0).recurrent_matrix[np.ix_(order, order)]
target, source = np.nonzero(weights)
middle.scatter(source, target, s=1, c=weights[target, source] < 0, cmap="coolwarm_r", rasterized=True)
middle.set(xlabel="source", ylabel="target", title="synapses", aspect="equal", ylim=(302, 0))
middle.set_xticks(np.searchsorted(number[order], range(len(types))), types, rotation=45, ha="right")
matrix = np.full((len(types), len(types)), np.nan)
matrix[gains["target"], gains["source"]] = gains["gain"]
right.imshow(matrix, cmap="RdBu_r", vmin=0, vmax=2)
for (i, j), gain in np.ndenumerate(matrix):
    right.text(j, i, f"{gain:.2f}" if np.isfinite(gain) else "", ha="center", va="center")
right.set(xlabel="source", ylabel="target", title="gains after training")
right.set_xticks(range(len(types)), types, rotation=45, ha="right")
right.set_yticks(range(len(types)), types)
lmrnn.plot.save(figure, "worm.svg")
