#!/usr/bin/env bash
# JAX 0.10.2: BCOO.fromdense with a too small nse drops the last synapses. (2026-11-29)
#
# A good guess: BCOO.fromdense(weights, nse=n) needs n to be at least the number of weights that are not 0, and
#               raises if it is less, at least outside of jit, where all numbers are known.
# Instead:      it keeps the first n in the order of the rows, without a word. jit and vmap need nse, and random
#               masks of one density differ in their number of synapses: with the number of the first network,
#               the last units of the second one have lost their inputs.
# What to do:   take nse as the largest count of all networks (stacked with n_batch=1, fromdense does it if nse is
#               left out), and compare matrix.data's count of values that are not 0 with the dense count once.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 jax==0.10.2 jaxlib==0.10.2
observe <<'PYTHON'
import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.sparse import BCOO

random = np.random.default_rng(8)
masks = (random.random((2, 30, 30)) < 0.1).astype("float32")
counts = masks.sum(axis=(1, 2)).astype(int)
masks = masks[np.argsort(counts)]
counts = np.sort(counts)
few, many = (jnp.array(m) for m in masks)
sparse = BCOO.fromdense(many, nse=int(counts[0]))
lost = np.argwhere(np.asarray(many - sparse.todense()) != 0)
stacked = BCOO.fromdense(jnp.array(masks), n_batch=1)
print("JAX", jax.__version__)
print("synapses of two networks:", counts.tolist(), " nse:", int(counts[0]))
print("synapses of the second one that are in its sparse matrix:", int((sparse.todense() != 0).sum()))
print("units of 0 to 29 that lost inputs:", sorted(set(lost[:, 0].tolist())))
print("stacked, without nse:", stacked.nse, " equal to dense:", bool((stacked.todense() == masks).all()))
assert len(lost) == counts[1] - counts[0] > 0 and lost[:, 0].min() >= 25 and (stacked.todense() == masks).all()
PYTHON
