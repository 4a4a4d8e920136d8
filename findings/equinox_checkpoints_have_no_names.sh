#!/usr/bin/env bash
# equinox 0.13.8: a checkpoint has no names; weights of equal shape are loaded in each other's place. (2026-11-30)
#
# A good guess: tree_deserialise_leaves(file, network) loads each array into the field of its name, and raises if
#               the names have changed, or if the file has more arrays than the network.
# Instead:      the file is a row of arrays without names. If two fields of equal shape change places in the class,
#               the recurrent weights are loaded as input weights and the reverse. In a dictionary it is enough to
#               rename one: JAX sorts the keys, so that "bias" renamed to "offset" is filled with the leak, and the
#               leak with the bias. Arrays that are left over are ignored: of a network of three layers, the first
#               two are a network. Only other shapes, and a file that is too short, raise.
# What to do:   save the names next to the file (jax.tree_util.tree_flatten_with_path of the arrays) and compare
#               them before loading; or save a dictionary of names with another format.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 jax==0.10.2 jaxlib==0.10.2 equinox==0.13.8
observe <<'PYTHON'
import equinox as eqx
import jax
import jax.numpy as jnp


class Saved(eqx.Module):
    inputs: jax.Array
    recurrent: jax.Array


class Loaded(eqx.Module):
    recurrent: jax.Array
    inputs: jax.Array


def through_a_file(saved, like):
    eqx.tree_serialise_leaves("network.eqx", saved)
    return eqx.tree_deserialise_leaves("network.eqx", like)


def weights(value, shape=(3, 3)):
    return jnp.full(shape, value)


network = through_a_file(Saved(inputs=weights(0.1), recurrent=weights(0.9)), Loaded(weights(0.0), weights(0.0)))
renamed = through_a_file({"bias": weights(-1.0, 3), "leak": weights(0.2, 3)},
                         {"offset": weights(0.0, 3), "leak": weights(0.0, 3)})
layers = through_a_file([weights(1.0), weights(2.0), weights(3.0)], [weights(0.0), weights(0.0)])
try:
    through_a_file([weights(1.0)], [weights(0.0, (2, 2))])
    refused = False
except Exception as error:
    refused = type(error).__name__

recurrent, inputs = float(network.recurrent[0, 0]), float(network.inputs[0, 0])
offset, leak = float(renamed["offset"][0]), float(renamed["leak"][0])
print("equinox", eqx.__version__, "JAX", jax.__version__)
print("saved: inputs 0.1, recurrent 0.9; loaded after the fields changed places: inputs %.1f, recurrent %.1f"
      % (inputs, recurrent))
print("saved: bias -1.0, leak 0.2; loaded after bias was renamed: offset %.1f, leak %.1f" % (offset, leak))
print("saved: 3 layers; loaded:", [float(layer[0, 0]) for layer in layers])
print("another shape raises:", refused)
assert round(recurrent, 3) == 0.1 and round(inputs, 3) == 0.9
assert round(offset, 3) == 0.2 and leak == -1
assert len(layers) == 2 and float(layers[1][0, 0]) == 2 and refused
PYTHON
