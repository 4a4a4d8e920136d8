#!/usr/bin/env bash
# optax 0.2.8: the evaluation weights of schedule_free ignore what you do to the weights after a step. (2026-11-29)
#
# A good guess: multiplying the weights by the mask after each step keeps a network inside its mask, whatever the
#               optimiser; and clipping them at 0 keeps the sign that Dale's law asks for.
# Instead:      schedule_free trains y, keeps a second set of weights z in its state, and evaluates
#               x = (y - (1 - b1) z) / b1. Only y was masked. z walks on outside the mask, so that
#               schedule_free_eval_params, which has to be called before each test, puts synapses there, after
#               every training step ran without them.
# What to do:   multiply the result of schedule_free_eval_params by the mask too; or multiply inside the forward
#               pass, so that the gradient outside the mask is 0 and z stays there as well.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 jax==0.10.2 jaxlib==0.10.2 optax==0.2.8
observe <<'PYTHON'
import jax
import jax.numpy as jnp
import numpy as np
import optax

random = np.random.default_rng(1)
mask = random.random((6, 6)) < 0.3
first = jnp.array(np.where(mask, random.normal(size=mask.shape), 0), "float32")
activity, target = jnp.array(random.normal(size=(2, 6, 20)), "float32")
optimiser = optax.contrib.schedule_free_adamw(learning_rate=0.01)

def outside(forward):
    @jax.jit
    def step(weights, state):
        loss = lambda w: jnp.mean((jnp.tanh(forward(w) @ activity) - target) ** 2)
        updates, state = optimiser.update(jax.grad(loss)(weights), state, weights)
        return optax.apply_updates(weights, updates) * mask, state

    weights, state = first, optimiser.init(first)
    for _ in range(200):
        weights, state = step(weights, state)
    evaluated = optax.contrib.schedule_free_eval_params(state, weights)
    return [float(jnp.abs(jnp.where(mask, 0, w)).max()) for w in (weights, evaluated)]

print("optax", optax.__version__, "jax", jax.__version__)
after, before = outside(lambda w: w), outside(lambda w: w * mask)
print("mask after each step: largest weight outside the mask, trained:", after[0], " evaluated:", round(after[1], 3))
print("mask in the forward pass as well:                      trained:", before[0], " evaluated:", before[1])
assert after[0] == 0 and after[1] > 0.01 and before == [0, 0]
PYTHON
