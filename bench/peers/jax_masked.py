"""JAX: jit and scan with a masked dense weight, masked once per optimiser step."""

import jax
import jax.numpy as jnp

from peers.jax_common import JaxPeer


class Peer(JaxPeer):
    DESCRIPTION = "JAX jit + scan, masked dense weight"

    def __init__(self, problem, n_threads):
        self.mask = None if problem.is_dense else jnp.asarray(problem.mask())
        super().__init__(problem, n_threads)

    def initial_weights(self):
        weights = super().initial_weights()
        weights["recurrent"] = self.problem.dense(weights["recurrent"])
        return weights

    def step_function(self, weights):
        w = weights["recurrent"]
        transposed = (w if self.mask is None else w * self.mask).T
        return lambda h, current: jax.nn.relu(h @ transposed + current)

    def by_group(self, gradients):
        gradients["recurrent"] = self.problem.by_synapse(gradients["recurrent"])
        return gradients
