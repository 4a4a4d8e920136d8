import signal
import subprocess
import textwrap
import time

import numpy as np
import pytest

import lmrnn


@pytest.fixture
def network():
    mask = lmrnn.Mask.make("local", rows=6, cols=6, radius=2)
    network = lmrnn.Network(mask, n_channels=5, n_classes=4, n_rules=3, alpha=0.5)
    network.initialise("fan-in", seed=1)
    return network


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return {
        "inputs": rng.standard_normal((12, 40, 5)).astype(np.float32),
        "rules": rng.integers(-1, 3, (12, 40, 1)).astype(np.int32),
    }


def by_hand(network, inputs, rules):
    """The equations of the documentation, in NumPy."""
    w = {name: np.asarray(value, dtype=float) for name, value in network.weights.items()}
    recurrent = network.recurrent_matrix.astype(float)
    h = np.zeros((inputs.shape[1], network.n_units))
    states = []
    rule_weights = np.vstack([w["rule"], np.zeros(network.n_units)])  # row -1: no rule
    for x, rule in zip(inputs, rules):
        u = h @ recurrent.T + x @ w["input"].T + rule_weights[rule].sum(axis=1) + w["bias"]
        h = (1 - network.alpha) * h + network.alpha * np.maximum(u, 0)
        states.append(h)
    return np.array(states), np.array(states) @ w["readout"].T + w["readout_bias"]


def test_forward_is_what_the_documentation_says(network, data):
    states, logits = network.forward(**data)
    expected_states, expected_logits = by_hand(network, **data)
    assert np.allclose(states, expected_states, atol=1e-5)
    assert np.allclose(logits, expected_logits, atol=1e-5)


def test_threads_do_not_change_bits(network, data):
    one, two = (network.forward(**data, threads=n)[1] for n in (1, 2))
    assert np.array_equal(one, two)


def test_gradient_is_the_slope_of_the_loss(network, data):
    targets = np.random.default_rng(1).integers(0, 4, (12, 40)).astype(np.int32)
    mask = (np.arange(12) >= 4)[:, None] * np.ones((12, 40), dtype=np.float32)
    loss, gradient = network.loss_and_gradient(**data, targets=targets, mask=mask.astype(np.float32))
    logits = by_hand(network, **data)[1]
    p = np.exp(logits - logits.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    picked = np.take_along_axis(p, targets[..., None], -1)[..., 0]
    assert np.isclose(loss, -(np.log(picked) * mask).sum() / mask.sum(), rtol=1e-5)

    weights = {name: value.copy() for name, value in network.weights.items()}
    for name, index in (("recurrent", 5), ("input", (3, 2)), ("rule", (1, 8)), ("bias", 7),
                        ("readout", (2, 11)), ("readout_bias", 3)):
        slopes = []
        for sign in (1, -1):
            moved = weights[name].copy()
            moved[index] += sign * 1e-2
            network.set_weights(**{name: moved})
            slopes.append(network.loss_and_gradient(**data, targets=targets,
                                                    mask=mask.astype(np.float32))[0])
        network.set_weights(**{name: weights[name]})
        slope = (slopes[0] - slopes[1]) / 2e-2
        assert np.isclose(slope, gradient[name][index], rtol=0.02, atol=2e-4), name


def test_weights_are_views_and_set_weights_keeps_the_masks(data):
    recurrent = lmrnn.Mask(np.eye(3))
    readout = lmrnn.Mask(np.array([[1, 0, 1], [0, 1, 0]]))
    network = lmrnn.Network(recurrent, n_channels=2, n_classes=2, readout=readout)
    assert not network.weights["bias"].flags.writeable
    bias = network.weights["bias"]
    network.set_weights(bias=np.arange(3, dtype=np.float32), readout=np.ones((2, 3), np.float32))
    assert bias.tolist() == [0, 1, 2], "a view sees what is set"
    assert network.weights["readout"].tolist() == [[1, 0, 1], [0, 1, 0]]
    with pytest.raises(lmrnn.UsageError, match="shape"):
        network.set_weights(bias=np.zeros(4, np.float32))
    with pytest.raises(lmrnn.UsageError, match="readuot"):
        network.set_weights(readuot=np.zeros((2, 3), np.float32))
    with pytest.raises(lmrnn.UsageError, match="set_weights: bias: .*; give an array"):
        network.set_weights(bias="none")


def test_save_and_load(network, data, tmp_path):
    network.save(tmp_path / "a.safetensors", {"note": "mine"})
    loaded = lmrnn.Network.load(tmp_path / "a.safetensors")
    assert loaded.metadata["note"] == "mine"
    assert loaded.recurrent == network.recurrent and loaded.alpha == 0.5
    assert np.array_equal(loaded.forward(**data)[1], network.forward(**data)[1])


def test_a_network_is_not_saved_under_the_name_of_another_format(network, tmp_path):
    for name in ("x.npz", "x.onnx", "x.pt"):
        with pytest.raises(lmrnn.UsageError, match=f"{name}: a network is written in the format safetensors"):
            network.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_one_rule_at_a_time_needs_no_axis_of_slots(network, data):
    flat = data | {"rules": data["rules"][:, :, 0].copy()}
    assert np.array_equal(network.forward(**flat)[1], network.forward(**data)[1])
    with pytest.raises(lmrnn.UsageError, match="step 3, trial 2|step 3 of trial 2|trial 2"):
        flat["rules"][3, 2] = 9
        network.forward(**flat)


def test_refusals(network, data):
    with pytest.raises(lmrnn.UsageError, match="channel"):
        network.forward(np.zeros((3, 2, 6), np.float32))
    with pytest.raises(lmrnn.UsageError, match=r"2 dimensions; give \(time, trial, channel\)"):
        network.forward(data["inputs"][0])
    with pytest.raises(lmrnn.UsageError, match=r"rules: .* give \(time, trial, slot\), or \(time, trial\) for one"):
        network.forward(data["inputs"], data["rules"][:, 0, 0].copy())
    with pytest.raises(lmrnn.UsageError, match="indices"):
        network.forward(np.zeros((3, 2, 8), np.float32))
    with pytest.raises(lmrnn.UsageError, match="rules"):
        network.forward(data["inputs"], np.full((12, 40, 1), 3, np.int32))
    with pytest.raises(lmrnn.UsageError, match="rules"):
        network.forward(data["inputs"], data["rules"][:5].copy())
    with pytest.raises(lmrnn.UsageError, match="rule inputs"):
        network.forward(data["inputs"])
    with pytest.raises(lmrnn.UsageError, match="seed"):
        network.forward(**data, recurrent_noise=0.1)
    with pytest.raises(lmrnn.UsageError, match="targets"):
        network.loss_and_gradient(**data, targets=np.full((12, 40), 4, np.int32))


# Uninterrupted, each of these takes minutes.
@pytest.mark.parametrize(
    "call",
    [
        "lmrnn.evaluate(network, battery, seed=1, n_trials=200000)",
        "battery.ceilings(seed=1, n_trials=300000)",
    ],
)
def test_ctrl_c_ends_long_calls(python, call):
    code = textwrap.dedent(
        f"""
        import lmrnn
        battery = lmrnn.Battery("modcog82")
        mask = lmrnn.Mask.make("local", rows=6, cols=6, radius=2)
        network = lmrnn.Network(mask, n_channels=33, n_classes=17, n_rules=82)
        network.initialise("fan-in", seed=1)
        try:
            print("begun", flush=True)
            {call}
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        """
    )
    with subprocess.Popen([python, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        time.sleep(0.3)  # now it is inside the call
        process.send_signal(signal.SIGINT)
        try:
            rest, _ = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert rest == "interrupted\n"
