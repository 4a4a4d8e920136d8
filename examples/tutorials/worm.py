"""The worm's connectome with its weights, signs, types of cells and places, and four ways to train it."""

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
rates = {"learning_rate": 3e-3}
ways = {
    "none": ({"plastic": {"kind": "none"}}, rates),
    "types": ({"gains": "types"}, rates | {"recurrent_rate": 0.03}),  # of the gains, which start at 1
    "targets": ({"gains": "targets"}, rates | {"recurrent_rate": 0.03}),
    "all": ({}, rates),
}
for way, (trained, optimiser) in ways.items():
    config = {
        "battery": {"tasks": "go,dlygo"},
        "wiring": keys | trained,
        "stream": {"batch": 32, "row_steps": 60},
        "optimiser": optimiser,
        "train": {"steps": 800},
        "evaluation": {"every": 400, "trials": 200},
    }
    run = lmrnn.Trainer(config, f"runs/worm-{way}", seed=1).run()
    print(f"trained: {way:8} share of ceiling: {run.scores['share_of_ceiling'].round(3)}")
gains = lmrnn.Run("runs/worm-types").gains()
print(gains)

# A figure: where the neurons are, their synapses, and the gains.
types = sorted(set(wiring.types))
number = np.array([types.index(one) for one in wiring.types])
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
if wiring.coordinates is not None:
    colours = list(lmrnn.plot.COLOURS.values())
    x, y, z = wiring.coordinates.T
    for k, name in enumerate(types):
        left.scatter(y[number == k], z[number == k], s=8, label=name, color=colours[k])
    left.set(xlabel="head to tail (µm)", ylabel="across the body (µm)", xticks=range(-200, 401, 200))

order = np.argsort(number, kind="stable")  # by type
present = wiring.mask.to_dense()[np.ix_(order, order)]
inhibitory = present & ~wiring.excitatory[order]  # columns are sources
for shown, colour, label in (present & ~inhibitory, "0.6", "excitatory"), (inhibitory, "tab:red", "inhibitory"):
    middle.scatter(*np.nonzero(shown)[::-1], s=1, color=colour, label=label, rasterized=True)
middle.set(xlabel="source", ylabel="target", aspect="equal", xlim=(0, 302), ylim=(302, 0))

matrix = np.full((len(types), len(types)), np.nan)
matrix[gains["target"], gains["source"]] = gains["gain"]
right.imshow(matrix, cmap="PuOr", vmin=-1, vmax=3)  # white: 1
for i, j in zip(gains["target"], gains["source"]):
    right.text(j, i, f"{matrix[i, j]:.2f}", ha="center", va="center")
right.set(xlabel="source", ylabel="target", title="gains after training")
for axis in right.xaxis, right.yaxis:
    axis.set_ticks(range(len(types)), types)
right.tick_params(axis="x", rotation=30)
for axis in middle.xaxis, middle.yaxis:
    sizes = np.bincount(number)
    axis.set_ticks((np.cumsum(sizes) - sizes / 2)[sizes > 10], [t for t, n in zip(types, sizes) if n > 10])
middle.tick_params(axis="both", rotation=30)
for axes, scale in (left, 2), (middle, 5):
    axes.legend(fontsize="small", markerscale=scale, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
lmrnn.plot.save(figure, "worm.svg", dpi=120)
