"""PyTorch computes what the core computes, forward and gradient, in both directions."""

import numpy as np
import pytest

import lmrnn

torch = pytest.importorskip("torch")
import lmrnn.torch as lt  # noqa: E402


def make(activation="relu", alpha=1.0, masked=False, seed=0):
    recurrent = lmrnn.Mask.make("local", rows=8, cols=8, radius=2)
    rng = np.random.default_rng(seed)
    masks = {}
    if masked:
        masks = {
            "input": lmrnn.Mask(rng.random((64, 9)) < 0.5),
            "readout": lmrnn.Mask(rng.random((5, 64)) < 0.5),
        }
    network = lmrnn.Network(
        recurrent, n_channels=9, n_classes=5, n_rules=4, alpha=alpha, activation=activation, **masks
    )
    network.initialise("radius", seed=seed)  # states neither explode nor vanish
    network.set_weights(
        bias=rng.standard_normal(64).astype(np.float32) * 0.1,
        readout_bias=rng.standard_normal(5).astype(np.float32) * 0.1,
    )
    data = {
        "inputs": rng.standard_normal((60, 7, 9)).astype(np.float32),
        "rules": rng.integers(-1, 4, (60, 7, 2)).astype(np.int32),
        "targets": rng.integers(0, 5, (60, 7)).astype(np.int32),
        "mask": rng.random((60, 7)).astype(np.float32),
    }
    return network, data


CASES = [("relu", 1.0, False), ("relu", 0.2, True), ("tanh", 0.5, True), ("softplus", 1.0, False)]


@pytest.mark.parametrize("case", CASES)
def test_forward_and_gradient_are_equal(case):
    network, data = make(*case)
    module = lt.LMRNN(network)
    logits, states = module(torch.from_numpy(data["inputs"]), torch.from_numpy(data["rules"]))
    ours_states, ours_logits = network.forward(data["inputs"], data["rules"])
    np.testing.assert_allclose(states.detach().numpy(), ours_states, atol=1e-5)
    np.testing.assert_allclose(logits.detach().numpy(), ours_logits, atol=1e-5)

    loss = lt.masked_cross_entropy(
        logits, torch.from_numpy(data["targets"]).long(), torch.from_numpy(data["mask"])
    )
    loss.backward()
    ours_loss, ours = network.loss_and_gradient(
        data["inputs"], data["targets"], data["rules"], mask=data["mask"]
    )
    assert abs(loss.item() - ours_loss) < 1e-5
    mask = network.recurrent
    theirs = {name: parameter.grad.numpy() for name, parameter in module.named_parameters()}
    assert theirs["recurrent"][~mask.to_dense()].any() == False  # noqa: E712
    theirs["recurrent"] = theirs["recurrent"][mask.targets, mask.sources]
    for name, gradient in ours.items():
        np.testing.assert_allclose(theirs[name], gradient, atol=1e-5, err_msg=name)


def test_dense_rules_and_batch_first_are_the_same():
    network, data = make()
    rules = data["rules"][..., :1]
    expected, _ = lt.LMRNN(network)(torch.from_numpy(data["inputs"]), torch.from_numpy(rules))
    one_hot = np.vstack([np.eye(4, dtype=np.float32), np.zeros((1, 4), np.float32)])[rules[..., 0]]
    dense = torch.from_numpy(np.concatenate([data["inputs"], one_hot], axis=-1))
    module = lt.LMRNN(network, batch_first=True)
    logits, states = module(dense.transpose(0, 1))
    assert torch.allclose(logits.transpose(0, 1), expected, atol=1e-5)
    assert states.shape == (7, 60, 64)
    with pytest.raises(ValueError, match="channels"):
        module(dense[..., :-1])


def test_a_cell_is_one_step():
    network, data = make("tanh", 0.3)
    module = lt.LMRNN(network)
    inputs = torch.from_numpy(data["inputs"])
    rules = torch.full((60, 7, 1), 2)
    _, states = module(inputs, rules)
    cell = module.cell(rule=2)
    assert (cell.input_size, cell.hidden_size) == (9, 64)
    assert torch.allclose(cell(inputs[5], states[4]), states[5], atol=1e-6)
    assert torch.allclose(cell(inputs[5, 0], states[4, 0]), states[5, 0], atol=1e-6)
    _, rest = module(inputs[5:], rules[5:], state=states[4])
    assert torch.allclose(rest, states[5:], atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_back_again(case, tmp_path):
    network, data = make(*case)
    again = lt.LMRNN(network).to_network()
    again.save(tmp_path / "a.safetensors")
    loaded = lt.LMRNN.load(tmp_path / "a.safetensors").to_network()
    expected = network.forward(data["inputs"], data["rules"])[1]
    assert np.array_equal(loaded.forward(data["inputs"], data["rules"])[1], expected)
    assert loaded.recurrent == network.recurrent and loaded.input == network.input


@pytest.mark.parametrize("n_rules", [0, 3])
def test_torchs_own_rnn_becomes_ours(n_rules):
    torch.manual_seed(0)
    rnn, readout = torch.nn.RNN(10, 36, nonlinearity="relu"), torch.nn.Linear(36, 5)
    mask = lmrnn.Mask.make("local", rows=6, cols=6, radius=2)
    with torch.no_grad():
        rnn.weight_hh_l0 *= torch.from_numpy(mask.to_dense())
    network = lt.export_rnn(rnn, readout, n_rules=n_rules)
    assert network.recurrent == mask
    inputs = torch.randn(20, 3, 10)
    rules = None
    if n_rules:
        rules = np.random.default_rng(0).integers(0, n_rules, (20, 3, 1)).astype(np.int32)
        inputs[..., 7:] = torch.eye(3)[torch.from_numpy(rules[..., 0]).long()]
    expected = readout(rnn(inputs)[0]).detach().numpy()
    ours = network.forward(np.ascontiguousarray(inputs[..., : 10 - n_rules].numpy()), rules)[1]
    np.testing.assert_allclose(ours, expected, atol=1e-5)
    with pytest.raises(lmrnn.UsageError, match="one layer"):
        lt.export_rnn(torch.nn.RNN(4, 4, num_layers=2), readout)


@pytest.mark.parametrize("workers", [0, 2])
def test_loaders_yield_the_streams_batches_in_order(workers):
    stream = lmrnn.Battery("cog20").stream(batch=4, steps=30, seed=0, first=1)
    batches = list(lt.loader(stream, 5, workers=workers))
    assert len(batches) == 5
    for number, (inputs, targets, mask, info) in enumerate(batches, 1):
        expected = stream[number]
        assert np.array_equal(inputs.numpy(), expected.inputs)
        assert np.array_equal(targets.numpy(), expected.targets) and targets.dtype == torch.int64
        assert info["batch"] == number
        assert np.array_equal(info["rules"].numpy(), expected.info["rules"])


def test_a_training_loop_learns():
    torch.manual_seed(0)
    battery = lmrnn.Battery("go,anti")
    network = lmrnn.Network(
        lmrnn.Mask.make("local", rows=6, cols=6, radius=2),
        n_channels=battery.n_channels, n_classes=battery.n_classes, n_rules=battery.n_rules,
    )  # fmt: skip
    network.initialise("fan-in", seed=1)
    module = lt.LMRNN(network)
    optimiser = torch.optim.Adam(module.parameters(), 5e-3)
    losses = []
    for inputs, targets, mask, _ in lt.loader(battery.stream(batch=16, steps=40, seed=0), 60):
        logits, _ = module(inputs)
        loss = lt.masked_cross_entropy(logits, targets, mask)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5])
    before = lmrnn.evaluate(network, battery, seed=0, n_trials=100, threads=1)
    after = lmrnn.evaluate(module.to_network(), battery, seed=0, n_trials=100, threads=1)
    assert after.mean_trial_accuracy >= before.mean_trial_accuracy
