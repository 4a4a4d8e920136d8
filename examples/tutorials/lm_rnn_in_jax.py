"""An LM-RNN in a JAX loop: an own loss, optax, Dale's law and a cost of wire."""

# --8<-- [start:loop]
import jax
import jax.numpy as jnp
import optax

import lmrnn
import lmrnn.jax

battery = lmrnn.Battery("go,dlygo")
stream = battery.stream(batch=32, steps=60, seed=1, rules="index")

layer = lmrnn.jax.Layer(
    mask=lmrnn.Mask.make("local", rows=8, cols=8, radius=2), n_channels=battery.n_channels,
    n_classes=battery.n_classes, n_rules=battery.n_rules, seed=1,
)  # fmt: skip
print(layer)
optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(5e-3))


def train(constrain=lambda weights: weights, cost=lambda weights: 0.0, steps=200):
    def loss(weights, inputs, rules, targets):
        weights = constrain(weights)
        _, logits = layer(weights, inputs, rules, states=False)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, targets)
        return losses.mean() + cost(weights)

    @jax.jit
    def step(weights, state, *batch):
        value, gradients = jax.value_and_grad(loss)(weights, *batch)
        updates, state = optimiser.update(gradients, state)
        return optax.apply_updates(weights, updates), state, value

    weights = layer.weights()
    state = optimiser.init(weights)
    for number in range(steps):
        inputs, targets, _, info = stream[number]
        weights, state, _ = step(weights, state, inputs, info["rules"], targets)
    return constrain(weights)


plain = train()
# --8<-- [end:loop]

# --8<-- [start:dale]
sign = jnp.where(layer.sources % 5 == 0, -1.0, 1.0)  # of each synapse: that of its source
dale = train(constrain=lambda w: w | {"recurrent": sign * jnp.abs(w["recurrent"])})
# --8<-- [end:dale]

# --8<-- [start:wire]
across = jnp.abs((jnp.abs(layer.targets % 8 - layer.sources % 8) + 4) % 8 - 4)
down = jnp.abs((jnp.abs(layer.targets // 8 - layer.sources // 8) + 4) % 8 - 4)
short = train(cost=lambda w: 2e-3 * ((across + down) * jnp.abs(w["recurrent"])).sum())
# --8<-- [end:wire]

# --8<-- [start:evaluate]
for name, weights in {"plain": plain, "Dale": dale, "wire": short}.items():
    print(name, lmrnn.evaluate(layer.to_network(weights), battery, seed=1, n_trials=200), sep=": ")
# --8<-- [end:evaluate]
