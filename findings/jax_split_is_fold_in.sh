#!/usr/bin/env bash
# JAX 0.10.2, flax 0.12.8: split(key, n)[i] and fold_in(key, i) are the same key. (2026-11-30)
#
# A good guess: split and fold_in are two ways of making new keys that have nothing to do with each other. So the
#               initial weights take the keys of split(key, 3), and step i of the training takes fold_in(key, i).
# Instead:      key i of a split is fold_in(key, i), since jax_threefry_partitionable is on by default. The noise of
#               step 1 is the second weight matrix, number for number: the network learns on noise that its weights
#               know. nnx.Rngs(0) of flax takes fold_in(key(0), 0), fold_in(key(0), 1) and so on: the weights of a
#               network with this seed are those of split(key(0), n), from which the noise or the trials of the same
#               seed may be drawn, and rngs.params() and rngs.noise() of Rngs(params=0, noise=0) are equal. The old
#               generator, which jax_threefry_partitionable=False brings back, gives other keys.
#               jax_debug_key_reuse=True, which raises if a key is used twice, finds nothing.
# What to do:   take one way per key: init, steps = split(key), then split(init, 3) and fold_in(steps, i).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 jax==0.10.2 jaxlib==0.10.2 flax==0.12.8
observe <<'PYTHON'
import flax
import jax
import jax.numpy as jnp
from flax import nnx

key = jax.random.key(7)


def equal(a, b):
    return bool((jax.random.key_data(a) == jax.random.key_data(b)).all())


def shared():
    return sum(equal(jax.random.split(key, 100)[i], jax.random.fold_in(key, i)) for i in range(100))


keys = jax.random.split(key, 3)
weights = [jax.random.normal(k, (50, 50)) for k in keys]
noise = [jax.random.normal(jax.random.fold_in(key, step), (50, 50)) for step in range(4)]
print("JAX", jax.__version__, "flax", flax.__version__)
print("of 100 keys of split(key, 100), equal to fold_in(key, i):", shared())
table = [[round(float(jnp.corrcoef(w.ravel(), n.ravel())[0, 1]), 2) for n in noise] for w in weights]
for number, row in enumerate(table):
    print(f"correlation of weight matrix {number} with the noise of steps 0 to 3:", row)
assert shared() == 100
assert all(abs(value - (row == step)) < 0.1 for row in range(3) for step, value in enumerate(table[row]))

rngs, streams = nnx.Rngs(0), nnx.Rngs(params=0, noise=0)
in_flax = all(equal(rngs.params(), k) for k in jax.random.split(jax.random.key(0), 3))
streams_are_equal = equal(streams.params(), streams.noise())
print("keys of nnx.Rngs(0) are those of split(key(0), 3):", in_flax)
print("params and noise of nnx.Rngs(params=0, noise=0) are equal:", streams_are_equal)
assert in_flax and streams_are_equal

init, steps = jax.random.split(key)
apart = sum(equal(a, jax.random.fold_in(steps, i)) for i, a in enumerate(jax.random.split(init, 100)))
print("after init, steps = split(key):", apart)
with jax.threefry_partitionable(False):
    print("with jax_threefry_partitionable=False:", shared())
    assert shared() == apart == 0


def both(key):
    return jax.random.normal(jax.random.split(key, 3)[1]), jax.random.normal(jax.random.fold_in(key, 1))


def twice(key):
    return jax.random.normal(key), jax.random.normal(key)


def refused(function):
    try:
        jax.jit(function)(jax.random.key(7))
    except jax.errors.KeyReuseError:
        return True
    return False


with jax.debug_key_reuse(True):
    seen = refused(twice), refused(both)
print("jax_debug_key_reuse raises for a key used twice:", seen[0], " for split and fold_in:", seen[1])
assert seen == (True, False)
PYTHON
