"""JAX: jit and scan with an element-wise recurrent weight: what a network of autapses is to
somebody who does not think of it as a masked network. Shown beside W4's peers; they are masked
dense and sparse ones, since no published code treats autapses otherwise."""

import jax

from peers.jax_common import JaxPeer


class Peer(JaxPeer):
    DESCRIPTION = "JAX jit + scan, element-wise weight (autapses only)"

    def step_function(self, weights):
        w = weights["recurrent"]
        return lambda h, current: jax.nn.relu(h * w + current)
