#!/usr/bin/env bash
# JAX 0.10.2: bincount counts the label -1 as class 0, and at[].add as the last class. (2026-12-01)
#
# A good guess: padded or aborted trials have the label -1. jnp.bincount raises for it, as NumPy does, or ignores it, as
#               jax.ops.segment_sum and jax.nn.one_hot do, and as bincount itself does with labels above length.
# Instead:      -1 is clipped to 0, also outside of jit: with 400 of 1000 steps padded, the first of three choices
#               seems to be made in 60 % of all steps instead of 33 %. Class weights 1 / bincount(labels) are
#               wrong by the same factor. zeros(3).at[labels].add(1) counts the -1 as the last class. The documentation
#               of bincount says that it clips.
# What to do:   jnp.bincount(jnp.where(labels < 0, n_classes, labels), length=n_classes), or segment_sum of ones.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 jax==0.10.2 jaxlib==0.10.2
observe <<'PYTHON'
import jax
import jax.numpy as jnp
import numpy as np

labels = np.repeat([0, 1, 2, -1], [200, 200, 200, 400])
ones = jnp.ones(len(labels), int)
ways = {"jnp.bincount": jnp.bincount(labels, length=3),
        "jnp.bincount in jit": jax.jit(lambda x: jnp.bincount(x, length=3))(labels),
        "at[labels].add(1)": jnp.zeros(3, int).at[labels].add(1),
        "segment_sum": jax.ops.segment_sum(ones, labels, num_segments=3),
        "one_hot": jax.nn.one_hot(labels, 3, dtype=int).sum(0),
        "jnp.histogram": jnp.histogram(labels, bins=jnp.arange(4))[0].astype(int),
        "bincount of where": jnp.bincount(jnp.where(labels < 0, 3, labels), length=3)}
print("JAX", jax.__version__, " labels: 200 each of 0, 1, 2 and 400 of -1")
for name, counts in ways.items():
    print(f"{name:20} {counts.tolist()}")
first, last, none = [600, 200, 200], [200, 200, 600], [200, 200, 200]
assert [counts.tolist() for counts in ways.values()] == [first, first, last, none, none, none, none]
try:
    np.bincount(labels)
except ValueError as error:
    print("NumPy raises:", error)
else:
    raise SystemExit("NumPy accepts it")
PYTHON
