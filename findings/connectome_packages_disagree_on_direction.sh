#!/usr/bin/env bash
# cect 0.3.5, wormneuroatlas 0.0.7.3: matrices of one connectome with opposite directions. (2026-11-29)
#
# A good guess: two packages that give the connectome of C. elegans as a matrix of neuron by neuron, one of which
#               requires the other and reads its data, mean the same by row and column.
# Instead:      the rows of cect are sources, the rows of wormneuroatlas targets: one matrix is the transpose of
#               the other. Neither package says so at the function or the attribute that gives the matrix
#               (wormneuroatlas says it where it reads its files). Gap junctions are symmetric in both, so they
#               look right either way.
# What to do:   check with a synapse that goes one way, such as ASHL to AVAL. For `W @ h`, take wormneuroatlas as
#               it is and transpose cect.
. "$(dirname "$0")/packages.inc" numpy==2.3.5 scipy==1.17.1 pandas==3.1.1 h5py==3.16.0 matplotlib==3.11.2 \
  networkx==3.6.1 openpyxl==3.1.5 urllib3==2.8.0
"$python" -m pip install --quiet --disable-pip-version-check --no-compile --root-user-action=ignore --no-deps \
  --target "$folder/packages" cect==0.3.5 wormneuroatlas==0.0.7.3
observe <<'PYTHON'
import contextlib
import importlib.metadata
import os

import numpy as np
import wormneuroatlas
from cect.readers import WormNeuroAtlasReader

wormneuroatlas.WormBase = lambda: None  # asks a web server for the version of its genes, which are not used here
with contextlib.redirect_stdout(open(os.devnull, "w")):
    atlas = wormneuroatlas.NeuroAtlas(load_connectomes=False)
    atlas.load_aconnectome_from_file(exclude_white=True)
    reader = WormNeuroAtlasReader.get_instance(from_cache=True)  # wormneuroatlas, exclude_white=True, as cect has it
chemical = sum(m for kind, m in reader.connections.items() if kind != "Generic_GJ")
names = reader.nodes
order = [list(atlas.neuron_ids).index({"AWCL": "AWCOFF", "AWCR": "AWCON"}.get(n, n)) for n in names]
same = atlas.get_chemical_synapses()[np.ix_(order, order)]

for package in ("cect", "wormneuroatlas"):
    print(package, importlib.metadata.version(package))
row, column = names.index("ASHL"), names.index("AVAL")
print("[ASHL, AVAL] cect:", int(chemical[row, column]), " wormneuroatlas:", int(same[row, column]))
print("[AVAL, ASHL] cect:", int(chemical[column, row]), " wormneuroatlas:", int(same[column, row]))
print("equal:", np.array_equal(chemical, same), " equal after a transpose:", np.array_equal(chemical, same.T))
assert np.array_equal(chemical, same.T) and not np.array_equal(chemical, same)
PYTHON
