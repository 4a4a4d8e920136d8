#!/usr/bin/env bash
# flax 0.12.8: nnx.update loads a saved state that does not fit, and leaves the rest at random. (2026-11-30)
#
# A good guess: nnx.update(network, saved), with which a saved state is put back into a network, complains of
#               names that the network does not have, of names that are missing, and of other shapes, as
#               load_state_dict in PyTorch and replace_by_pure_dict in flax (for unknown names) do.
# Instead:      it checks nothing. A parameter that was renamed from `w` to `recurrent` since the file was saved
#               is added to the network as a new attribute `w`, which no code reads, and `recurrent` keeps its
#               random values: a trained network answers as an untrained one. A readout of 5 answers replaces
#               one of 3, and the network answers classes 3 and 4, too. A file without the input weights leaves
#               these at random. A saved network of another size goes in too.
# What to do:   compare jax.tree.map(jnp.shape, nnx.to_pure_dict(...)) of the two before nnx.update. Restoring
#               with orbax and an abstract state of the network checks names and shapes.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 jax==0.10.2 jaxlib==0.10.2 flax==0.12.8
observe <<'PYTHON'
import flax
import jax
import jax.numpy as jnp
from flax import nnx


class Network(nnx.Module):
    def __init__(self, seed, n_classes=3):
        keys = jax.random.split(jax.random.key(seed), 3)
        self.inputs = nnx.Param(jax.random.normal(keys[0], (2, 8)))
        self.recurrent = nnx.Param(jax.random.normal(keys[1], (8, 8)))
        self.readout = nnx.Param(jax.random.normal(keys[2], (8, n_classes)))

    def __call__(self, x):
        activity = jnp.zeros(8)
        for _ in range(5):
            activity = jnp.tanh(x @ self.inputs[...] + activity @ self.recurrent[...])
        return activity @ self.readout[...]


def saved_of(network):
    return nnx.to_pure_dict(nnx.state(network, nnx.Param))


def loaded(saved):
    network = Network(seed=2)
    nnx.update(network, saved)
    return network


def same(a, b, name):
    return bool((getattr(a, name)[...] == getattr(b, name)[...]).all())


x = jnp.array([1.0, 0.0])
trained, fresh = Network(seed=1), Network(seed=2)
whole = saved_of(trained)
print("flax", flax.__version__, "JAX", jax.__version__)
print("the whole state is loaded:", bool(jnp.allclose(loaded(whole)(x), trained(x))))
assert jnp.allclose(loaded(whole)(x), trained(x))

renamed = loaded({"inputs": whole["inputs"], "w": whole["recurrent"], "readout": whole["readout"]})
print("renamed: recurrent weights are the random ones:", same(renamed, fresh, "recurrent"), " new attribute w:", renamed.w.shape)
assert same(renamed, fresh, "recurrent") and same(renamed, trained, "readout") and renamed.w.shape == (8, 8)
assert not jnp.allclose(renamed(x), trained(x))

part = loaded({"recurrent": whole["recurrent"], "readout": whole["readout"]})
print("without input weights: they are the random ones:", same(part, fresh, "inputs"))
assert same(part, fresh, "inputs")

other = loaded(saved_of(Network(seed=5, n_classes=5)))
answers = [int(other(x).argmax()) for x in jax.random.normal(jax.random.key(0), (100, 2))]
above = sum(answer >= 3 for answer in answers)
print("readout of 3 after loading one of 5:", other.readout.shape, " answers of 100 that are class 3 or 4:", above)
assert other.readout.shape == (8, 5) and above > 0
assert loaded({}).readout.shape == (8, 3)

try:
    nnx.replace_by_pure_dict(nnx.state(Network(seed=2)), {"w": whole["recurrent"]})
except ValueError as error:
    print("replace_by_pure_dict with the old name:", error)
else:
    raise SystemExit("replace_by_pure_dict accepts an unknown name")
PYTHON
