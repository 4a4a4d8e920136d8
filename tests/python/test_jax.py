"""The engine in JAX: jit, grad, vmap, flax, and errors."""

import gc
import pathlib

import numpy as np
import pytest

import lmrnn

jax = pytest.importorskip("jax")
import jax.numpy as jnp  # noqa: E402

import lmrnn.jax  # noqa: E402

F = {"relu": jax.nn.relu, "tanh": jnp.tanh, "softplus": jax.nn.softplus}


def make(n_rules=4, **options):
    return lmrnn.jax.Layer(
        mask=lmrnn.Mask.make("local", rows=8, cols=8, radius=2), n_channels=9, n_classes=5,
        n_rules=n_rules, seed=1, **options,
    )  # fmt: skip


def arguments(rows=70):
    rng = np.random.default_rng(0)
    inputs = jnp.asarray(rng.standard_normal((40, rows, 9)) * 0.5, jnp.float32)
    rules = jnp.asarray(rng.integers(-1, 4, (40, rows, 2)))
    state = jnp.asarray(rng.standard_normal((rows, 64)) * 0.5, jnp.float32)
    return inputs, rules, state, jnp.asarray(rng.random((40, rows)) < 0.1)


def reference(layer, weights, inputs, rules, state, resets, noise):
    """The equations, in JAX's own operations."""
    network = layer._engine.network
    matrix = jnp.zeros((64, 64)).at[layer.targets, layer.sources].set(weights["recurrent"])
    to_units = weights["input"] * network.input.to_dense()
    table = jnp.concatenate([weights["rule"], jnp.zeros((1, 64))])
    drive = inputs @ to_units.T + weights["bias"] + table[rules].sum(axis=-2) + noise

    def step(h, now):
        u, fresh = now
        h = jnp.where(fresh[:, None], 0, h)
        f, a = F[layer.activation], layer.alpha
        u = u + seen(h) @ matrix.T
        h = {
            "rate": lambda: (1 - a) * h + a * f(u),
            "voltage": lambda: (1 - a) * h + a * u,
            "leak-inside": lambda: f((1 - a) * h + a * u),
        }[layer.equation]()
        return h, h

    def seen(states):
        return F[layer.activation](states) if layer.equation == "voltage" else states

    _, states = jax.lax.scan(step, state, (drive, resets))
    return states, seen(states) @ (weights["readout"] * network.readout.to_dense()).T + weights["readout_bias"]


CASES = {
    "plain": {},
    "leaky": {"alpha": 0.3, "activation": "tanh"},
    "softplus": {"alpha": 0.5, "activation": "softplus"},
    "voltage": {"alpha": 0.3, "activation": "softplus", "equation": "voltage", "recompute": True},
    "leak-inside": {"alpha": 0.3, "activation": "tanh", "equation": "leak-inside"},
    "recompute": {"activation": "tanh", "recompute": True},
    "masked": {
        "activation": "tanh",
        "input_mask": np.random.default_rng(3).random((64, 9)) < 0.5,
        "readout_mask": np.random.default_rng(4).random((5, 64)) < 0.5,
    },
}


@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_those_of_the_equations(case, jit):
    layer = make(**CASES[case])
    inputs, rules, state, resets = arguments()
    noise = jnp.asarray(lmrnn._core._recurrent_noise(0.1, 7, 40, 70, 64))
    rng = np.random.default_rng(1)
    a = jnp.asarray(rng.standard_normal((40, 70, 64)) / 100, jnp.float32)
    b = jnp.asarray(rng.standard_normal((40, 70, 5)) / 100, jnp.float32)

    def ours(weights, inputs, state):
        states, logits = layer(
            weights, inputs, rules, state, resets=resets, recurrent_noise=0.1, seed=7
        )
        return (a * states).sum() + (b * logits).sum()

    def theirs(weights, inputs, state):
        states, logits = reference(layer, weights, inputs, rules, state, resets, noise)
        return (a * states).sum() + (b * logits).sum()

    given = (layer.weights(), inputs, state)
    found = jax.value_and_grad(ours, argnums=(0, 1, 2))
    found = (jax.jit(found) if jit else found)(*given)
    expected = jax.jit(jax.value_and_grad(theirs, argnums=(0, 1, 2)))(*given)
    for x, y in zip(jax.tree.leaves(found), jax.tree.leaves(expected)):
        error = np.abs(np.asarray(x) - np.asarray(y)).max() / np.abs(np.asarray(y)).max()
        assert error < 1e-4


def test_dense_rules_and_no_states():
    layer, (inputs, rules, _, _) = make(), arguments()
    rules = rules[..., :1]
    states, expected = layer(layer.weights(), inputs, rules)
    one_hot = jax.nn.one_hot(rules[..., 0], 4)
    none, logits = layer(
        layer.weights(), jnp.concatenate([inputs, one_hot], axis=-1), states=False
    )
    assert none is None and states.shape == (40, 70, 64)
    np.testing.assert_allclose(logits, expected, atol=1e-5)

    def loss(weights, dense):
        given = (jnp.concatenate([inputs, one_hot], axis=-1),) if dense else (inputs, rules)
        return (layer(weights, *given, states=False)[1] ** 2).mean()

    by_number, by_channel = (jax.grad(loss)(layer.weights(), dense) for dense in (False, True))
    for name, gradient in by_number.items():
        np.testing.assert_allclose(by_channel[name], gradient, atol=1e-6, err_msg=name)


def test_backward_after_others_twice_and_late():
    """States are kept only for a few calls; later or repeated backward passes have the same gradients."""
    layer, (inputs, rules, _, _) = make(), arguments(rows=16)

    def loss(weights, scale):
        return (layer(weights, scale * inputs, rules)[1] ** 2).mean()

    _, pullback = jax.vjp(loss, layer.weights(), jnp.float32(1))
    first = pullback(jnp.float32(1))
    others = [jax.vjp(loss, layer.weights(), jnp.float32(k))[1] for k in range(20)]
    again = pullback(jnp.float32(1))
    for x, y in zip(jax.tree.leaves(first), jax.tree.leaves(again)):
        assert np.array_equal(x, y)
    for k, other in enumerate(others):
        fresh = jax.vjp(loss, layer.weights(), jnp.float32(k))[1](jnp.float32(1))
        for x, y in zip(jax.tree.leaves(other(jnp.float32(1))), jax.tree.leaves(fresh)):
            assert np.array_equal(x, y)


def test_vmap_goes_through_one_after_the_other():
    layer, (inputs, rules, _, _) = make(), arguments(rows=16)
    several = jnp.stack([inputs, 2 * inputs])

    def loss(weights, inputs):
        return (layer(weights, inputs, rules)[1] ** 2).mean()

    found = jax.vmap(jax.grad(loss), in_axes=(None, 0))(layer.weights(), several)
    for k in range(2):
        expected = jax.grad(loss)(layer.weights(), several[k])
        for name, gradient in expected.items():
            np.testing.assert_allclose(found[name][k], gradient, atol=1e-7)


def test_training_with_optax_and_the_module_of_flax():
    optax, nnx = pytest.importorskip("optax"), pytest.importorskip("flax.nnx")
    battery = lmrnn.Battery("go,anti")
    options = {"n_channels": battery.n_channels, "n_classes": battery.n_classes,
               "n_rules": battery.n_rules}  # fmt: skip
    mask = lmrnn.Mask.make("local", rows=6, cols=6, radius=2)
    module = lmrnn.jax.LMRNN(mask=mask, rngs=nnx.Rngs(1), **options)
    same = lmrnn.jax.LMRNN(mask=mask, rngs=nnx.Rngs(1), **options)
    assert np.array_equal(module.recurrent[...], same.recurrent[...])
    assert repr(module).startswith("LMRNN(36 units")
    optimiser = nnx.Optimizer(module, optax.adam(5e-3), wrt=nnx.Param)

    @nnx.jit
    def train(module, optimiser, inputs, rules, targets):
        def loss(module):
            _, logits = module(inputs, rules, states=False)
            return optax.softmax_cross_entropy_with_integer_labels(logits, targets).mean()

        value, gradients = nnx.value_and_grad(loss)(module)
        optimiser.update(module, gradients)
        return value

    stream = battery.stream(batch=16, steps=40, seed=0, rules="index")
    losses = []
    for number in range(60):
        inputs, targets, _, info = stream[number]
        losses.append(float(train(module, optimiser, inputs, info["rules"], targets)))
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5])
    scores = lmrnn.evaluate(module, battery, seed=0, n_trials=100, threads=1)
    direct = lmrnn.evaluate(
        lambda x, rules: module(x, rules)[1], battery, seed=0, n_trials=100, threads=1, rules="index"
    )
    assert scores == direct


def test_memory_does_not_grow():
    def resident():
        gc.collect()
        return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096

    layer, (inputs, rules, _, _) = make(), arguments(rows=32)
    step = jax.jit(jax.grad(lambda w: (layer(w, inputs, rules, states=False)[1] ** 2).mean()))
    weights = layer.weights()
    for number in range(400):
        jax.block_until_ready(step(weights))
        if number == 100:
            before = resident()
    assert resident() - before < 10e6


BAD = {
    "channels": ({"inputs": np.zeros((4, 3, 8), np.float32)}, ValueError,
                 "inputs have 8 channels; expected 9, or 13 with dense rules"),
    "axes": ({"inputs": np.zeros((4, 9), np.float32)}, ValueError, "give .time, row, channel."),
    "type": ({"inputs": np.zeros((4, 3, 9), np.float16)}, TypeError, "inputs are float16"),
    "rules": ({"rules": np.zeros((4, 3, 1), np.float32)}, TypeError, "rules are float32"),
    "rules' shape": ({"rules": np.zeros((4, 2, 1), np.int32)}, ValueError, "give .4, 3, slot."),
    "state": ({"state": np.zeros((3, 9), np.float32)}, ValueError, "give .3, 64."),
    "weights": ({"weights": {}}, ValueError, "weights has nothing; needed are recurrent, input"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_error(name):
    change, error, message = BAD[name]
    layer = make()
    given = {"weights": layer.weights(), "inputs": np.zeros((4, 3, 9), np.float32)} | change
    with pytest.raises(error, match=message):
        layer(**given)


def test_rules_out_of_range_and_bad_weights_are_errors():
    layer = make()
    inputs = np.zeros((4, 3, 9), np.float32)
    rules = np.full((4, 3, 1), 4)
    weights = layer.weights()
    with pytest.raises(ValueError, match="rules from 4 to 4; the network has 4, counted from 0"):
        layer(weights, inputs, rules)
    for seed in (2**32 + 1, np.int64(2**32 + 1)):  # JAX itself would make 1 of the second
        with pytest.raises(lmrnn.UsageError, match="seed = 4294967297; JAX keeps 32 bits of it"):
            layer(weights, inputs, recurrent_noise=0.1, seed=seed)
    with pytest.raises(lmrnn.UsageError, match="seed"):
        layer(weights, inputs, recurrent_noise=0.1, seed=np.int64(-1))
    # Under jit, the engine checks values when it gets them.
    with pytest.raises(Exception, match="rules: 4 at step 0, row 0, slot 0; the network has 4 rules"):
        jax.block_until_ready(jax.jit(layer)(weights, inputs, rules))
    weights["bias"] = weights["bias"].at[3].set(jnp.nan)
    with pytest.raises(ValueError, match=r"weights\['bias'\] hold nan; lower the learning"):
        layer(weights, inputs)
    with pytest.raises(Exception, match="bias: entry 3 of the weights is nan; lower the learning"):
        jax.block_until_ready(jax.jit(layer)(weights, inputs))
    with pytest.raises(TypeError, match="weights are a list; give a dictionary of recurrent"):
        layer(list(weights.values()), inputs)
    with pytest.raises(lmrnn.UsageError, match="give one, e.g. seed=0"):
        lmrnn.jax.Layer(mask=np.ones((4, 4)), n_channels=1, n_classes=2)


@pytest.mark.parametrize("noise", [-1.0, float("nan"), float("inf")])
def test_noise_must_be_a_standard_deviation(noise):
    layer = make()
    with pytest.raises(ValueError, match=f"recurrent_noise = {noise}; at least 0, and finite"):
        layer(layer.weights(), np.zeros((4, 3, 9), np.float32), recurrent_noise=noise)


def test_what_is_compiled_in_must_not_be_traced():
    layer = make()
    weights, inputs = layer.weights(), np.ones((4, 3, 9), np.float32)
    with pytest.raises(TypeError, match="recurrent_noise is traced, .*static_argnames"):
        jax.jit(layer)(weights, inputs, recurrent_noise=0.1)
    with pytest.raises(TypeError, match="states is traced"):
        jax.jit(layer)(weights, inputs, states=False)
    static = jax.jit(layer, static_argnames=("recurrent_noise", "states"))
    found = static(weights, inputs, recurrent_noise=0.1, seed=3, states=False)[1]
    expected = layer(weights, inputs, recurrent_noise=0.1, seed=3)[1]
    assert np.array_equal(found, expected)


def test_seeds_in_arrays_are_checked_like_numbers():
    layer = make()
    weights, inputs = layer.weights(), np.ones((4, 3, 9), np.float32)

    def noisy(seed):
        return layer(weights, inputs, recurrent_noise=0.1, seed=seed)[1]

    for seed in (jnp.uint32(2**32 - 1), jnp.int32(7), jax.random.bits(jax.random.key(0), dtype=jnp.uint32)):
        assert np.array_equal(noisy(seed), noisy(int(seed)))
        assert np.array_equal(jax.jit(noisy)(seed), noisy(int(seed)))
    several = jax.vmap(noisy)(jnp.arange(3))
    assert all(np.array_equal(several[k], noisy(k)) for k in range(3))
    with pytest.raises(lmrnn.UsageError, match="seed = -1"):
        noisy(jnp.asarray(-1))
    with pytest.raises(Exception, match="seed = -1"):  # under jit, when the engine gets it
        jax.block_until_ready(jax.jit(noisy)(jnp.asarray(-1)))
    for jit in (lambda f: f, jax.jit):
        for seed in (jnp.asarray(1.7), jnp.arange(3)):
            with pytest.raises(TypeError, match=f"seed is {seed.dtype} of shape .*; give one whole number"):
                jit(noisy)(seed)
        for key in (jax.random.key(0), jax.random.PRNGKey(0)):
            with pytest.raises(TypeError, match="seed is a key of JAX; .*jax.random.bits"):
                jit(noisy)(key)
    x64 = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64  # earlier versions
    with x64(True):
        with pytest.raises(lmrnn.UsageError, match="seed = 4294967297; JAX keeps 32 bits"):
            noisy(jnp.asarray(2**32 + 1))
        with pytest.raises(Exception, match="seed = 4294967297; JAX keeps 32 bits"):
            jax.block_until_ready(jax.jit(noisy)(jnp.asarray(2**32 + 1)))
        with pytest.raises(Exception, match="rules: 2147483647 at step 0"):
            rules = jnp.full((4, 3, 1), 2**32 + 1)
            jax.block_until_ready(jax.jit(layer)(weights, inputs, rules))
    with pytest.raises(ValueError, match="rules from 2147483647 to 2147483647"):
        layer(weights, inputs, np.full((4, 3, 1), 2**32 + 1))


def test_constructors_under_transformations_are_one_clear_error():
    nnx = pytest.importorskip("flax.nnx")
    options = {"mask": np.ones((4, 4)), "n_channels": 1, "n_classes": 2}
    keys = jax.random.split(jax.random.key(0), 3)
    with pytest.raises(TypeError, match="the seed of fresh weights is traced .*in a loop"):
        nnx.vmap(lambda key: lmrnn.jax.LMRNN(rngs=nnx.Rngs(key), **options))(keys)
    with pytest.raises(TypeError, match="the seed of fresh weights is traced"):
        jax.jit(lambda seed: lmrnn.jax.Layer(seed=seed, **options).weights())(1)


def test_what_is_compiled_outlives_the_layer():
    inputs, weights = np.ones((4, 3, 9), np.float32), make().weights()
    step = jax.jit(jax.value_and_grad(lambda weights: make()(weights, inputs)[1].sum()))
    first = step(weights)
    gc.collect()
    again = step(weights)
    assert all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(first), jax.tree.leaves(again)))
