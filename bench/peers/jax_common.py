"""What all JAX peers share: the whole optimiser step in one jitted function with donated buffers, and Adam written
out."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import problem as p


class JaxPeer:
    MODULE = "jax"

    def __init__(self, problem, n_threads):
        # JAX uses as many threads as processors that this process may use.
        self.problem = problem
        self.weights = {k: jnp.asarray(v) for k, v in self.initial_weights().items()}
        zeros = {k: jnp.zeros_like(v) for k, v in self.weights.items()}
        self.moments = (zeros, {k: jnp.zeros_like(v) for k, v in self.weights.items()})
        self.count = jnp.zeros((), jnp.int32)
        self.batches = [
            tuple(jnp.asarray(a[b]) for a in (problem.inputs, problem.rules, problem.targets))
            for b in range(problem.n_batches)
        ]
        self._step = jax.jit(self._whole_step, donate_argnums=(0, 1, 2))
        self._gradients = jax.jit(jax.value_and_grad(self.loss))
        self._logits = jax.jit(self.logits)
        self._count_right = jax.jit(self._right)

    def initial_weights(self):
        return dict(self.problem.weights)

    def step_function(self, weights):
        """Returns step(h (row, unit), current (row, unit)) -> next h; computes here what is needed once per optimiser
        step."""
        raise NotImplementedError

    def logits(self, weights, inputs, rules):
        # A product with the one-hot rules is faster than a look-up here: the look-up's gradient is a scatter, which XLA
        # does not parallelise.
        rule_current = jax.nn.one_hot(rules, self.problem.n_rules) @ weights["rule"]
        current = inputs @ weights["input"].T + rule_current + weights["bias"]
        step = self.step_function(weights)

        def advance(h, step_current):
            h = step(h, step_current)
            return h, h

        _, states = lax.scan(advance, jnp.zeros_like(current[0]), current)
        return states @ weights["readout"].T + weights["readout_bias"]

    def loss(self, weights, inputs, rules, targets):
        log_p = jax.nn.log_softmax(self.logits(weights, inputs, rules))
        return -jnp.mean(jnp.take_along_axis(log_p, targets[..., None], axis=-1))

    def _whole_step(self, weights, moments, count, inputs, rules, targets):
        loss, gradients = jax.value_and_grad(self.loss)(weights, inputs, rules, targets)
        norm = jnp.sqrt(sum(jnp.sum(g**2) for g in gradients.values()))
        scale = jnp.minimum(1.0, p.CLIP / norm)
        count = count + 1
        first, second, updated = {}, {}, {}
        for name, gradient in gradients.items():
            g = gradient * scale
            first[name] = p.BETA1 * moments[0][name] + (1 - p.BETA1) * g
            second[name] = p.BETA2 * moments[1][name] + (1 - p.BETA2) * g**2
            mean = first[name] / (1 - p.BETA1**count)
            square = second[name] / (1 - p.BETA2**count)
            updated[name] = weights[name] - p.LEARNING_RATE * mean / (
                jnp.sqrt(square) + p.EPSILON
            )
        return updated, (first, second), count, loss

    def loss_and_gradients(self, batch):
        loss, gradients = self._gradients(self.weights, *self.batches[batch])
        return float(loss), self.by_group({k: np.asarray(g) for k, g in gradients.items()})

    def by_group(self, gradients):
        return gradients

    def step(self, batch):
        self.weights, self.moments, self.count, loss = self._step(
            self.weights, self.moments, self.count, *self.batches[batch]
        )
        return float(jax.block_until_ready(loss))

    def forward(self, row):
        inputs, rules, _ = self.batches[0]
        logits = self._logits(self.weights, inputs[:, row : row + 1], rules[:, row : row + 1])
        return np.asarray(logits)[:, 0]

    def _right(self, weights, inputs, rules, targets, decides):
        return jnp.sum((jnp.argmax(self.logits(weights, inputs, rules), axis=-1) == targets) & decides)

    def prepare_trials(self, *arrays):
        return tuple(map(jnp.asarray, arrays))

    def count_right(self, trials):
        return int(self._count_right(self.weights, *trials))
