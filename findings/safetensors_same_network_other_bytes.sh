#!/usr/bin/env bash
# safetensors 0.8.0: the same network saved twice gives two different files. (2026-11-29)
#
# A good guess: the same tensors with the same metadata are the same bytes, so that a checksum tells whether two runs
#               ended with the same network.
# Instead:      the metadata are written in another order by each call. Twenty calls in one process give nearly twenty
#               different files. Without metadata, or with one entry, the files agree. load(bytes) returns the
#               tensors in another order by each call as well, so that list(load(data).values()) is no list of weights
#               and biases; load_file sorts them by name.
# What to do:   compare the tensors, not the files; put all metadata in one entry, as JSON with sorted keys.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 safetensors==0.8.0
observe <<'PYTHON'
import json

import numpy as np
import safetensors
from safetensors.numpy import load, load_file, save, save_file

network = {name: np.ones(2) for name in ("W_in", "W_rec", "W_out", "b_rec", "b_out")}
metadata = {"format": "np", "task": "go", "seed": "3", "units": "256", "radius": "4", "steps": "1000"}
print("safetensors", safetensors.__version__)
several = {save(network, metadata) for _ in range(20)}
one = {save(network, {"all": json.dumps(metadata, sort_keys=True)}) for _ in range(20)}
none = {save(network) for _ in range(20)}
print("different files of 20: six entries of metadata:", len(several), " one entry:", len(one), " none:", len(none))
data = save(network)
save_file(network, "network.safetensors")
orders = {tuple(load(data)) for _ in range(20)}
sorted_orders = {tuple(load_file("network.safetensors")) for _ in range(20)}
print("different orders of 20: load:", len(orders), " load_file:", len(sorted_orders), sorted_orders)
assert len(several) > 5 and len(one) == len(none) == 1
assert len(orders) > 5 and sorted_orders == {tuple(sorted(network))}
PYTHON
