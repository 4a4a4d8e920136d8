"""State equations in Python: files, pickles, PyTorch, JAX, fixed points, methods, against NumPy."""

import copy
import pickle

import numpy as np
import pytest

import lmrnn
from lmrnn import networks
from lmrnn.cells import NetworkCell

EQUATIONS = ("rate", "voltage", "leak-inside")
F = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "softplus": lambda x: np.logaddexp(x, 0),
}
TIME, ROWS, CHANNELS, CLASSES, RULES, ALPHA = 12, 5, 3, 4, 2, 0.3


def make_network(equation, activation="softplus", alpha=ALPHA):
    network = lmrnn.Network(
        lmrnn.Mask.make("local", rows=4, cols=5, radius=1), n_channels=CHANNELS, n_classes=CLASSES,
        n_rules=RULES, alpha=alpha, activation=activation, equation=equation,
    )  # fmt: skip
    network.initialise(seed=1)
    network.set_weights(bias=np.linspace(-0.5, 0.5, 20, dtype=np.float32))
    return network


def trials(seed=0):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(TIME, ROWS, CHANNELS)).astype(np.float32)
    rules = rng.integers(-1, RULES, size=(TIME, ROWS, 1)).astype(np.int32)
    return inputs, rules, rng.random((TIME, ROWS)) < 0.2


def in_numpy(network, inputs, rules, resets, state=None):
    """States and logits, by the equations in docs/math/network.md."""
    w = {name: np.asarray(value, dtype=float) for name, value in network.weights.items()}
    f, a, matrix = F[network.activation], network.alpha, network.recurrent_matrix.astype(float)
    rule = np.concatenate([w["rule"], np.zeros((1, network.n_units))])  # -1: none
    h = lambda s: f(s) if network.equation == "voltage" else s
    s = np.zeros((inputs.shape[1], network.n_units)) if state is None else state
    states = []
    for x, r, begins in zip(inputs, rules, resets):
        s = np.where(begins[:, None], 0.0, s)
        u = h(s) @ matrix.T + x @ w["input"].T + rule[r].sum(axis=1) + w["bias"]
        s = {
            "rate": lambda: (1 - a) * s + a * f(u),
            "voltage": lambda: (1 - a) * s + a * u,
            "leak-inside": lambda: f((1 - a) * s + a * u),
        }[network.equation]()
        states.append(s)
    states = np.array(states)
    return states, h(states) @ w["readout"].T + w["readout_bias"]


@pytest.mark.parametrize("activation", F)
@pytest.mark.parametrize("equation", EQUATIONS)
def test_forward_is_the_equation(equation, activation):
    network, (inputs, rules, resets) = make_network(equation, activation), trials()
    states, logits = network.forward(inputs, rules, resets=resets)
    wanted = in_numpy(network, inputs, rules, resets)
    np.testing.assert_allclose(states, wanted[0], atol=1e-5)
    np.testing.assert_allclose(logits, wanted[1], atol=1e-5)
    alone, _ = network.forward(inputs[:, 2:3].copy(), rules[:, 2:3].copy(), resets=resets[:, 2:3].copy())
    np.testing.assert_allclose(alone, wanted[0][:, 2:3], atol=1e-5)


@pytest.mark.parametrize("equation", EQUATIONS)
def test_files_pickles_and_copies_keep_it(equation, tmp_path):
    network = make_network(equation)
    network.save(tmp_path / "n.safetensors", {"mine": "yes"})
    read = lmrnn.Network.load(tmp_path / "n.safetensors")
    for other in (read, pickle.loads(pickle.dumps(network)), copy.deepcopy(network), networks.read(read)):
        assert other.equation == equation
        inputs, rules, _ = trials()
        assert np.array_equal(other.forward(inputs, rules)[0], network.forward(inputs, rules)[0])
    assert read.metadata.get("equation") == (None if equation == "rate" else equation)
    assert read.metadata["format_version"] == ("1" if equation == "rate" else "2")
    assert (equation in repr(network)) == (equation != "rate")


def test_unknown_ones_are_refused():
    with pytest.raises(lmrnn.UsageError, match="leak-inside"):
        make_network("leaky")


@pytest.mark.parametrize("activation", ["tanh", "softplus"])
@pytest.mark.parametrize("equation", EQUATIONS)
def test_torch(equation, activation, tmp_path):
    torch = pytest.importorskip("torch")
    from lmrnn.torch import LMRNN

    network, (inputs, rules, resets) = make_network(equation, activation), trials()
    network.save(tmp_path / "n.safetensors")
    initial = np.random.default_rng(5).normal(size=(ROWS, 20)).astype(np.float32)
    given = [torch.from_numpy(x) for x in (inputs, rules.astype(np.int64), initial)]
    results = {}
    for backend in ("engine", "reference"):
        module = LMRNN.load(tmp_path / "n.safetensors", backend=backend)
        assert module.equation == equation
        x, state = (given[k].clone().requires_grad_() for k in (0, 2))
        states, logits = module(x, given[1], state, resets=torch.from_numpy(resets))
        ((logits**2).mean() + (states**2).mean() + module.rates(states).sum() / 50).backward()
        gradients = [p.grad for p in module.parameters()] + [x.grad, state.grad]
        results[backend] = [y.detach().numpy() for y in (states, logits, *gradients)]
    wanted = in_numpy(network, inputs, rules, resets, initial)
    for found, expected in zip(results["engine"], wanted):
        np.testing.assert_allclose(found, expected, atol=1e-5)
    for found, expected in zip(results["engine"], results["reference"]):
        np.testing.assert_allclose(found, expected, atol=2e-5 * max(1, np.abs(expected).max()))
    assert module.to_network() == network
    stepped = module.step(given[0][0], given[2], given[1][0])
    np.testing.assert_allclose(
        stepped.detach().numpy(), in_numpy(network, inputs[:1], rules[:1], resets[:1] & False, initial)[0][0], atol=1e-5
    )


def test_fresh_torch_modules_and_export():
    torch = pytest.importorskip("torch")
    from lmrnn.torch import LMRNN, export

    mask = lmrnn.Mask.make("local", rows=3, cols=3, radius=1)
    module = LMRNN(mask=mask, n_channels=2, n_classes=3, alpha=0.5, equation="voltage", seed=1)
    assert module.equation == "voltage" and "voltage" in repr(module)
    made = export(
        recurrent=module.recurrent_matrix.detach(), recurrent_mask=mask, input=module.input, readout=module.readout,
        bias=module.bias, readout_bias=module.readout_bias, alpha=0.5, equation="voltage",
    )  # fmt: skip
    assert made == module.to_network()
    wide = LMRNN(make_network("leak-inside"))  # dense rules take the widened operation
    inputs, rules, _ = trials()
    rules = np.maximum(rules, 0)
    dense = np.concatenate([inputs, np.eye(RULES, dtype=np.float32)[rules[..., 0]]], axis=-1)
    by_number = wide(torch.from_numpy(inputs), torch.from_numpy(rules))[0]
    by_channel = wide(torch.from_numpy(dense))[0]
    np.testing.assert_allclose(by_channel.detach(), by_number.detach(), atol=1e-5)


@pytest.mark.parametrize("equation", EQUATIONS)
def test_jax(equation):
    jax = pytest.importorskip("jax")
    from lmrnn.jax import Layer

    network, (inputs, rules, resets) = make_network(equation), trials()
    layer = Layer(network)
    weights = layer.weights()
    states, logits = layer(weights, inputs, rules, resets=resets)
    wanted = in_numpy(network, inputs, rules, resets)
    np.testing.assert_allclose(states, wanted[0], atol=1e-5)
    np.testing.assert_allclose(logits, wanted[1], atol=1e-5)
    assert layer.to_network(weights) == network

    def by_cell(weights):
        state, total = np.zeros((ROWS, 20), np.float32), 0.0
        cell = layer.cell(weights, rule=1)
        for x in inputs:
            state = cell(x, state)
            total = total + (layer.rates(state) ** 2).mean() / TIME
        return total

    def by_engine(weights):
        states, _ = layer(weights, inputs, np.ones((TIME, ROWS, 1), np.int32))
        return (layer.rates(states) ** 2).mean()

    expected, found = jax.grad(by_cell)(weights), jax.grad(by_engine)(weights)
    for name in ("recurrent", "input", "rule", "bias"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5 * max(1, np.abs(expected[name]).max()))


@pytest.mark.parametrize("activation", F)
@pytest.mark.parametrize("equation", EQUATIONS)
def test_cells_and_their_jacobians(equation, activation):
    network = make_network(equation, activation)
    cell = NetworkCell(network, rule=1)
    rng = np.random.default_rng(2)
    inputs, states = rng.normal(size=(3, CHANNELS)), rng.normal(size=(3, 20))
    rules = np.ones((1, 3, 1), int)
    wanted = in_numpy(network, inputs[None], rules, np.zeros((1, 3), bool), states)[0][0]
    np.testing.assert_allclose(cell(inputs, states), wanted, atol=1e-12)
    jacobian = cell.jacobian(inputs, states)
    for unit in range(20):
        step = 1e-6 * np.eye(20)[unit]
        column = (cell(inputs, states + step) - cell(inputs, states - step)) / 2e-6
        np.testing.assert_allclose(jacobian[:, :, unit], column, atol=1e-7)


def test_rates_and_voltages_rest_together():
    """Under constant input, both have the same fixed points, x* = W h* + c, and the same eigenvalues (Miller & Fumarola
    2012)."""
    of_rates, of_voltages = make_network("rate", "tanh"), make_network("voltage", "tanh")
    inputs, states = np.full(CHANNELS, 0.3), 0.1 * np.ones((1, 20))
    a = lmrnn.fixed_points(of_rates, inputs, states, rule=0)
    b = lmrnn.fixed_points(of_voltages, inputs, states, rule=0)
    assert len(a) == len(b) == 1
    np.testing.assert_allclose(np.tanh(b.states), a.states, atol=1e-6)
    np.testing.assert_allclose(np.abs(b.eigenvalues), np.abs(a.eigenvalues), atol=1e-6)


@pytest.mark.parametrize("equation", ["voltage", "leak-inside"])
def test_a_run_is_trained_evaluated_and_described(equation, tmp_path):
    config = {
        "seed": 1, "battery": {"tasks": "go"}, "wiring": {"rows": 4, "cols": 4, "radius": 1},
        "network": {"equation": equation, "tau": 300}, "stream": {"batch": 16, "row_steps": 40},
        "train": {"steps": 3}, "evaluation": {"trials": 20},
    }  # fmt: skip
    run = lmrnn.Trainer(config, tmp_path / "run").run(progress=False)
    network = run.network()
    assert network.equation == equation
    assert lmrnn.evaluate(network, run.battery, seed=1, n_trials=20).tasks
    assert ("voltage" if equation == "voltage" else "inside the nonlinearity") in lmrnn.methods(run)
    with run.analyze("record", trials=2).recording("recording") as file:
        assert ("rates" in file["go"]) == (equation == "voltage")
        if equation == "voltage":
            np.testing.assert_array_equal(file["go/rates"][:], np.maximum(file["go/states"][:], 0))
