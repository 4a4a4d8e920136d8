#!/usr/bin/env bash
# optax 0.2.8: Muon moves the weights whose gradient is masked. (2026-11-29)
#
# A good guess: a weight whose gradient is 0 in every step stays where it is, as with SGD, Adam and AdamW. So a
#               network keeps its mask if the mask is part of the forward pass, or if the gradient is multiplied
#               by it.
# Instead:      Muon replaces the gradient of a matrix with the nearest orthogonal matrix, which has other zeros.
#               After one step all 317 weights outside the mask are different from 0. The loss does not show
#               it while the forward pass multiplies by the mask. A checkpoint, a spectral radius or a count of
#               synapses does.
# What to do:   multiply the weights by the mask after each step, or train the vector of the weights inside the
#               mask: Muon gives everything that is not a matrix to Adam.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 jax==0.10.2 jaxlib==0.10.2 optax==0.2.8
observe <<'PYTHON'
import jax
import jax.numpy as jnp
import numpy as np
import optax

random = np.random.default_rng(1)
mask = random.random((20, 20)) < 0.2
first = jnp.array(np.where(mask, random.normal(size=mask.shape), 0), "float32")
activity, target = jnp.array(random.normal(size=(2, 20, 50)), "float32")

def loss(weights):
    return jnp.mean((jnp.tanh((weights * mask) @ activity) - target) ** 2)

def outside(optimiser, steps):
    @jax.jit
    def step(weights, state):
        gradient = jax.grad(loss)(weights)
        updates, state = optimiser.update(gradient, state, weights)
        return optax.apply_updates(weights, updates), state, jnp.abs(jnp.where(mask, 0, gradient)).max()

    weights, state = first, optimiser.init(first)
    for _ in range(steps):
        weights, state, gradient = step(weights, state)
        assert gradient == 0
    return int(jnp.count_nonzero(jnp.where(mask, 0, weights)))

print("optax", optax.__version__, "jax", jax.__version__)
print("weights:", mask.size, " inside the mask:", mask.sum())
adamw = outside(optax.adamw(0.01), 20)
muon = outside(optax.contrib.muon(0.01), 1)
print("weights outside the mask that are not 0, after 20 steps of AdamW:", adamw, " after 1 step of Muon:", muon)
assert adamw == 0 and muon > 0.9 * (mask.size - mask.sum())
PYTHON
