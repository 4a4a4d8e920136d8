"""The worm's chemical synapses, from the package that ships them to a trained network and to NWB."""

import lmrnn
from cect.Cells import is_any_neuron
from cect.ConnectomeDataset import get_cache_filename, load_connectome_dataset_file

worm = load_connectome_dataset_file(get_cache_filename("Cook2019HermReader"))
graph = worm.to_networkx_graph("Generic_CS")  # rows of cect are sources, as edges are
graph.remove_nodes_from([cell for cell in worm.nodes if not is_any_neuron(cell)])  # muscles
wiring = lmrnn.wirings.read(graph)
print(wiring)

config = {
    "battery": {"tasks": "go,dlygo"},
    "wiring": {"rows": 2, "cols": wiring.n_units // 2},
    "stream": {"batch": 32, "row_steps": 60},
    "optimiser": {"learning_rate": 1e-3},
    "train": {"steps": 400},
    "evaluation": {"every": 200, "trials": 200},
}
run = lmrnn.Trainer(config, "runs/worm", seed=1, mask=wiring).run()
print("share of ceiling:", run.scores["share_of_ceiling"])
lmrnn.nwb.write(run, "worm.nwb", tasks="dlygo", trials=32, directions=8)
