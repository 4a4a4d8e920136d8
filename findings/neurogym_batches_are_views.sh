#!/usr/bin/env bash
# NeuroGym 2.3.1: batches that are kept change afterwards. (2026-11-28)
#
# A good guess: `batches = [dataset() for _ in range(n)]` is a list of n batches, e.g. for a test
#               set.
# Instead:      every batch is a view of one cache, which is filled again in place. When it is, all
#               batches that were kept get new contents at once, inputs and targets alike: nothing
#               looks wrong, but the list holds other trials than before, and some twice.
# What to do:   keep copies: inputs.copy(), target.copy(). (torch.from_numpy does not copy.)
. "$(dirname "$0")/neurogym.inc"
observe <<'PYTHON'
import neurogym
import numpy as np

dataset = neurogym.Dataset("yang19.dm1-v0", batch_size=4, seq_len=100)
kept, copies = [], []
for _ in range(20):
    inputs, target = dataset()
    kept.append(inputs)
    copies.append(inputs.copy())
changed = [not np.array_equal(a, b) for a, b in zip(kept, copies)]
distinct = len({batch.tobytes() for batch in kept})
print("neurogym", neurogym.__version__)
print("batches kept:", len(kept), " changed since:", sum(changed), " distinct ones left:", distinct)
assert all(changed[:5]) and not changed[-1] and distinct < len(kept)
PYTHON
