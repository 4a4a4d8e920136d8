"""JAX: jit and scan with an element-wise recurrent weight: how one would write a network of autapses without thinking
of it as a masked network. Shown next to W4's peers, which are masked dense and sparse, because no published code treats
autapses otherwise."""

import jax

from peers.jax_common import JaxPeer


class Peer(JaxPeer):
    DESCRIPTION = "JAX jit + scan, element-wise weight (autapses only)"

    def step_function(self, weights):
        w = weights["recurrent"]
        return lambda h, current: jax.nn.relu(h * w + current)
