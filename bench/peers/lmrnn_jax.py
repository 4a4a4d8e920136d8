"""Our side of W10: lmrnn.jax.Layer in one jitted step, with optax."""

import jax
import lmrnn.jax
import optax

import problem as p
from peers.jax_common import JaxPeer
from peers.lmrnn_network import network_of


class Peer(JaxPeer):
    DESCRIPTION = "lmrnn.jax.Layer"

    def __init__(self, problem, n_threads):
        self.layer = lmrnn.jax.Layer(network_of(problem), threads=n_threads)
        super().__init__(problem, n_threads)
        self.rule = optax.chain(
            optax.clip_by_global_norm(p.CLIP),
            optax.adam(p.LEARNING_RATE, b1=p.BETA1, b2=p.BETA2, eps=p.EPSILON),
        )
        self.moments = self.rule.init(self.weights)
        self.states_bytes = 4 * problem.n_steps * problem.n_rows * problem.n_units

    def logits(self, weights, inputs, rules):
        return self.layer(weights, inputs, rules[..., None], states=False)[1]

    def _whole_step(self, weights, moments, count, inputs, rules, targets):
        loss, gradients = jax.value_and_grad(self.loss)(weights, inputs, rules, targets)
        updates, moments = self.rule.update(gradients, moments, weights)
        return optax.apply_updates(weights, updates), moments, count + 1, loss
