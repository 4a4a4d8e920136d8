"""PyTorch computes the same as the core, forward and gradient, in both directions: the reference path independently of
the core, the engine through it."""

import copy
import gc
import inspect
import pathlib
import pickle
import subprocess
import sys
import threading
import weakref

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
    network.initialise("spectral-radius", seed=seed)  # states neither explode nor vanish
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


@pytest.mark.parametrize("backend", ["engine", "reference"])
@pytest.mark.parametrize("case", CASES)
def test_forward_and_gradient_are_equal(case, backend):
    network, data = make(*case)
    module = lt.LMRNN(network, backend=backend)
    assert module.backend_in_use[0] == backend
    states, logits = module(torch.from_numpy(data["inputs"]), torch.from_numpy(data["rules"]))
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
    theirs = {name: parameter.grad.numpy() for name, parameter in module.named_parameters()}
    for name, gradient in ours.items():
        np.testing.assert_allclose(theirs[name], gradient, atol=1e-5, err_msg=name)


def test_dense_rules_and_batch_first_are_the_same():
    network, data = make()
    rules = data["rules"][..., :1]
    _, expected = lt.LMRNN(network)(torch.from_numpy(data["inputs"]), torch.from_numpy(rules))
    one_hot = np.vstack([np.eye(4, dtype=np.float32), np.zeros((1, 4), np.float32)])[rules[..., 0]]
    dense = torch.from_numpy(np.concatenate([data["inputs"], one_hot], axis=-1))
    module = lt.LMRNN(network, batch_first=True)
    states, logits = module(dense.transpose(0, 1))
    assert torch.allclose(logits.transpose(0, 1), expected, atol=1e-5)
    assert states.shape == (7, 60, 64)
    with pytest.raises(ValueError, match="channels"):
        module(dense[..., :-1])


def test_a_cell_is_one_step():
    network, data = make("tanh", 0.3)
    module = lt.LMRNN(network)
    inputs = torch.from_numpy(data["inputs"])
    rules = torch.full((60, 7, 1), 2)
    states, _ = module(inputs, rules)
    cell = module.cell(rule=2)
    assert (cell.input_size, cell.hidden_size) == (9, 64)
    assert torch.allclose(cell(inputs[5], states[4]), states[5], atol=1e-6)
    assert torch.allclose(cell(inputs[5, 0], states[4, 0]), states[5, 0], atol=1e-6)
    rest, _ = module(inputs[5:], rules[5:], state=states[4])
    assert torch.allclose(rest, states[5:], atol=1e-6)
    # As FixedPointFinder calls it: (time, row, channel), (1, row, unit) -> (output, state).
    output, last = cell(inputs[5:6], states[4][None])
    assert torch.allclose(output[0], states[5], atol=1e-6) and torch.equal(output, last)
    first = lt.LMRNN(network, batch_first=True).cell(rule=2)
    output, last = first(inputs[5:6].transpose(0, 1), states[4][None])
    assert output.shape == (7, 1, 64) and torch.allclose(last[0], states[5], atol=1e-6)
    with pytest.raises(ValueError, match="rule 4; the network has 4"):
        module.cell(rule=4)


STEP = {
    "rules twice": ({"inputs": torch.zeros(3, 13)}, "rules are given twice: in the channels and by number"),
    "channels": ({"inputs": torch.zeros(3, 8)}, "inputs have 8 channels; expected 9, or 13 with dense rules"),
    "units": ({"state": torch.zeros(3, 63)}, r"state of shape \(3, 63\); this network needs \(row, 64\)"),
    "rows": ({"state": torch.zeros(2, 64)}, r"inputs \(3, 9\), state \(2, 64\).*as many rows of each"),
    "no slots": ({"rules": torch.zeros(3).long()}, r"rules of shape \(3,\); give \(row, slot\)"),
    "rules' type": ({"rules": torch.zeros(3, 1)}, "rules are torch.float32; give whole numbers"),
    "array": ({"state": np.zeros((3, 64), np.float32)}, "state must be a tensor, not ndarray"),
    "number": ({"inputs": torch.tensor(1.0)}, r"inputs is a single number; give \(row, channel\)"),
}  # fmt: skip


@pytest.mark.parametrize("name", STEP)
def test_a_step_refuses_what_forward_refuses(name):
    change, message = STEP[name]
    module, _ = pair()
    given = {"inputs": torch.zeros(3, 9), "state": torch.zeros(3, 64), "rules": torch.ones(3, 1).long()} | change
    with pytest.raises((ValueError, TypeError), match=message):
        module.step(**given)
    if "rules" not in change and name != "number":  # a cell makes its own rules, and rows of what has none
        with pytest.raises((ValueError, TypeError), match=message):
            module.cell(rule=1)(given["inputs"], given["state"])


def test_a_step_takes_dense_rules_and_one_row_for_all():
    module, _ = pair()
    inputs, state, rules = torch.randn(3, 9), torch.randn(3, 64), torch.tensor([[1], [3], [-1]])
    dense = torch.cat([inputs, torch.eye(5)[rules[:, 0]][:, :4]], dim=-1)
    torch.testing.assert_close(module.step(dense, state), module.step(inputs, state, rules))
    torch.testing.assert_close(module.step(inputs[:1], state), module.step(inputs[:1].expand(3, -1), state))
    assert torch.equal(module.cell(rule=1)(inputs[0], state), module.cell(rule=np.int64(1))(inputs[:1], state))
    torch.testing.assert_close(module.step(inputs[0], state[0]), module.step(inputs, state)[0])
    with pytest.raises(ValueError, match=r"inputs \(3, 9\), state \(64,\); give as many rows"):
        module.cell(rule=1)(inputs, state[0])
    for rule in (1.5, -1, 4):
        with pytest.raises(ValueError, match=f"rule {rule}; the network has 4, counted from 0"):
            module.cell(rule=rule)


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
    for wrong in (10, 11, -1, 2.5):
        with pytest.raises(lmrnn.UsageError, match=f"n_rules = {wrong}, but there are 10 input channels"):
            lt.export_rnn(rnn, readout, n_rules=wrong)
    with pytest.raises(lmrnn.UsageError, match="cannot export a GRU: a GRU has gates"):
        lt.export_rnn(torch.nn.GRU(10, 36), readout)
    with pytest.raises(lmrnn.UsageError, match="cannot export a Linear; give an nn.RNN or nn.RNNCell"):
        lt.export_rnn(readout, readout)
    with pytest.raises(lmrnn.UsageError, match="the readout is a Parameter; give an nn.Linear"):
        lt.export_rnn(rnn, readout.weight)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_narrow_and_wide_weights_become_networks(dtype):
    rnn, readout = torch.nn.RNN(5, 8).to(dtype), torch.nn.Linear(8, 3).to(dtype)
    network = lt.export_rnn(rnn, readout)
    assert np.array_equal(network.weights["input"], rnn.weight_ih_l0.detach().float())
    module = lt.LMRNN(network).to(dtype)
    assert module.to_network() == (network if dtype != torch.float64 else lt.LMRNN(network).to_network())
    assert lmrnn.without_units(module, [1]).readout.dtype == dtype


def test_points_of_a_cell_in_bfloat16():
    cell = lambda x, h: torch.tanh(h / 2).bfloat16()  # noqa: E731
    found = lmrnn.fixed_points(cell, np.zeros(2), np.zeros((1, 3)), framework="torch")
    assert (found.states == 0).all()


LOSSES = [
    ("masked_cross_entropy", torch.randn(4, 3, 5), torch.arange(12).reshape(4, 3) % 5),
    ("masked_least_squares", torch.randn(4, 3, 5), torch.randn(4, 3, 5)),
    ("masked_least_squares", torch.randn(4, 3, 1), torch.randn(4, 3, 1)),
]


@pytest.mark.parametrize(("name", "outputs", "targets"), LOSSES)
def test_losses_look_at_shapes(name, outputs, targets):
    loss, mask = getattr(lt, name), torch.rand(4, 3)
    expected = loss(outputs, targets, mask)
    first = loss(outputs[:, :2], targets[:, :2], mask[:, :2]) * mask[:, :2].sum()
    rest = loss(outputs[:, 2:], targets[:, 2:], mask[:, 2:]) * mask[:, 2:].sum()
    torch.testing.assert_close((first + rest) / mask.sum(), expected)
    torch.testing.assert_close(loss(outputs, targets, mask[..., None]), expected)
    for wrong in (mask.t(), mask[0], mask[:1, :1], mask[:, :1], torch.ones(())):
        with pytest.raises(ValueError, match=rf"{name}: mask of shape .* need \(time, row\), here \(4, 3\)"):
            loss(outputs, targets, wrong)
    with pytest.raises(ValueError, match=rf"{name}: targets of shape"):
        loss(outputs, targets.transpose(0, 1), mask)
    with pytest.raises(ValueError, match=r"of shape \(12, .\); give \(time, row, "):
        loss(outputs.flatten(0, 1), targets.flatten(0, 1), mask)


@pytest.mark.parametrize("wrong", [-1, 2**64, 1.5])
def test_seeds_are_as_everywhere(wrong):
    message = rf"seed = {wrong}; a seed is a whole number from 0 to"
    with pytest.raises(lmrnn.UsageError, match=message):
        lt.LMRNN(mask=np.ones((4, 4)), n_channels=1, n_classes=2, seed=wrong)
    module, _ = pair()
    with pytest.raises(lmrnn.UsageError, match=message):
        module(torch.zeros(2, 1, 9), recurrent_noise=0.1, seed=wrong)
    assert module(torch.zeros(2, 1, 9), recurrent_noise=0.1, seed=np.int64(3))[1].isfinite().all()


@pytest.mark.parametrize("wrong", [-1, 2.5])
def test_a_loader_refuses_numbers_of_batches_that_cannot_be(wrong):
    stream = lmrnn.Battery("go").stream(batch=2, steps=5, seed=0)
    with pytest.raises(lmrnn.UsageError, match=f"n_batches = {wrong}; give a whole number"):
        lt.loader(stream, wrong)
    assert len(lt.loader(stream, np.int64(3))) == 3 and not list(lt.loader(stream, 0))


# JAX, which other tests of this process may have imported, warns of the workers.
@pytest.mark.filterwarnings("ignore:os.fork")
@pytest.mark.parametrize("workers", [0, 2])
def test_loaders_yield_the_streams_batches_in_order(workers):
    stream = lmrnn.Battery("cog20").stream(batch=4, steps=30, seed=0, first=1)
    batches = list(lt.loader(stream, 5, workers=workers))
    assert len(batches) == 5
    for number, (inputs, targets, mask, info) in enumerate(batches, 1):
        expected = stream[number]
        assert np.array_equal(inputs.numpy(), expected.inputs)
        assert np.array_equal(targets.numpy(), expected.targets) and targets.dtype == torch.int64
        assert info["number"] == number
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
        _, logits = module(inputs)
        loss = lt.masked_cross_entropy(logits, targets, mask)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5])
    before = lmrnn.evaluate(network, battery, seed=0, n_trials=100, threads=1)
    after = lmrnn.evaluate(module.to_network(), battery, seed=0, n_trials=100, threads=1)
    assert after.mean_trial_accuracy >= before.mean_trial_accuracy


# The engine as an operation --------------------------------------------------------------------

OPTIONS = {
    "plain": {},
    "leaky": {"alpha": 0.3, "activation": "tanh"},
    "softplus": {"alpha": 0.5, "activation": "softplus"},
    "voltage": {"alpha": 0.3, "activation": "softplus", "equation": "voltage"},
    "leak-inside": {"alpha": 0.3, "activation": "tanh", "equation": "leak-inside", "recompute": True},
    "recompute": {"activation": "tanh", "recompute": True},
    "masked": {"activation": "tanh", "input_mask": 0.5, "readout_mask": 0.6},
}


def pair(n_rules=4, **options):
    """The same network twice: the engine, and the reference path in double precision."""
    rng = np.random.default_rng(3)
    for name, shape in (("input_mask", (64, 9)), ("readout_mask", (5, 64))):
        if name in options:
            options[name] = rng.random(shape) < options[name]
    options |= {"n_channels": 9, "n_classes": 5, "n_rules": n_rules, "seed": 1}
    options["mask"] = lmrnn.Mask.make("local", rows=8, cols=8, radius=2)
    engine = lt.LMRNN(**options, backend="engine")
    return engine, lt.LMRNN(**options, backend="reference").double()


def arguments(dtype, rules=4, rows=70):
    generator = torch.Generator().manual_seed(5)
    inputs = torch.randn(40, rows, 9, generator=generator) * 0.5
    state = torch.randn(rows, 64, generator=generator) * 0.5
    numbers = torch.randint(-1, rules, (40, rows, 2), generator=generator) if rules else None
    resets = torch.rand(40, rows, generator=generator) < 0.1
    given = (inputs.to(dtype).requires_grad_(), numbers, state.to(dtype).requires_grad_())
    return given, {"resets": resets, "recurrent_noise": 0.1, "seed": 3}


def gradients_of(module, given, output, weights):
    loss = sum((x * w.to(x)).sum() for x, w in zip(output, weights) if w is not None)
    wanted = [*module.parameters(), given[0], given[2]]
    names = [*dict(module.named_parameters()), "inputs", "state"]
    return dict(zip(names, torch.autograd.grad(loss, wanted, allow_unused=True)))


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("of", ["states", "logits", "both"])
def test_the_engine_has_the_reference_paths_gradients(option, of):
    engine, reference = pair(**OPTIONS[option])
    given, keywords = arguments(torch.float32)
    expected_given, _ = arguments(torch.float64)
    output = engine(*given, **keywords)
    expected_output = reference(*expected_given, **keywords)
    weights = [torch.randn(x.shape) / 100 for x in output]
    if of != "both":
        weights[of == "states"] = None
    for x, y in zip(output, expected_output):
        torch.testing.assert_close(x.double(), y, atol=2e-5, rtol=1e-4)
    found = gradients_of(engine, given, output, weights)
    expected = gradients_of(reference, expected_given, expected_output, weights)
    for name, gradient in expected.items():
        if gradient is None:
            assert found[name] is None or not found[name].any(), name
            continue
        error = (found[name] - gradient).abs().max() / gradient.abs().max()
        assert error < 1e-4, f"{name}: {error}"


def test_the_same_bits_for_any_number_of_threads():
    engine, _ = pair(activation="tanh")
    given, keywords = arguments(torch.float32)
    before, results = torch.get_num_threads(), []
    try:
        for n in (1, 2, 3):
            torch.set_num_threads(n)
            output = engine(*given, **keywords)
            found = gradients_of(engine, given, output, [torch.ones(()), torch.ones(())])
            results.append([*output, *found.values()])
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other))


def test_the_engine_is_networks_forward():
    network, data = make("tanh", 0.4)
    module = lt.LMRNN(network)
    inputs, rules = torch.from_numpy(data["inputs"]), torch.from_numpy(data["rules"])
    states, logits = module(inputs, rules, recurrent_noise=0.2, seed=9)
    ours = network.forward(data["inputs"], data["rules"], recurrent_noise=0.2, seed=9)
    np.testing.assert_allclose(states.detach().numpy(), ours[0], atol=1e-5)
    np.testing.assert_allclose(logits.detach().numpy(), ours[1], atol=1e-5)
    none, alone = module(inputs, rules, recurrent_noise=0.2, seed=9, states=False)
    assert none is None and torch.equal(alone, logits)
    # Drawn by PyTorch's generator, unless a seed is given.
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        drawn.append(module(inputs, rules, recurrent_noise=0.2)[1])
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


def test_which_backend_answers_and_why():
    mask = lmrnn.Mask.make("local", rows=4, cols=4, radius=1)
    module = lt.LMRNN(mask=mask.to_dense(), n_channels=3, n_classes=2, seed=0)
    assert "16 units" in repr(module) and "backend=engine (float32 on the CPU)" in repr(module)
    assert "torch.float64; the engine is for torch.float32" in repr(copy.deepcopy(module).double())
    reference = lt.LMRNN(mask=mask, n_channels=3, n_classes=2, seed=0, backend="reference")
    assert reference.backend_in_use == ("reference", "as asked for")
    # It works without the engine: if there is none, it still answers.
    reference._engine = reference._wide = None
    inputs = torch.randn(5, 3, 3)
    for a, b in zip(module(inputs), reference(inputs)):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)
    with pytest.raises(RuntimeError, match='backend="engine", but weights are torch.float64'):
        lt.LMRNN(
            mask=mask, n_channels=3, n_classes=2, seed=0, backend="engine"
        ).double()(inputs.double())


def test_fresh_networks_come_from_torchs_generator():
    options = {"mask": np.ones((4, 4)), "n_channels": 3, "n_classes": 2}
    torch.manual_seed(3)
    first = lt.LMRNN(**options)
    torch.manual_seed(3)
    assert torch.equal(first.recurrent, lt.LMRNN(**options).recurrent)
    assert not torch.equal(first.recurrent, lt.LMRNN(**options).recurrent)
    assert first.recurrent.shape == (16,)
    assert torch.equal(first.recurrent_matrix.flatten(), first.recurrent)


def test_copies_and_files(tmp_path):
    module, _ = pair()
    given, keywords = arguments(torch.float32)
    expected = module(*given, **keywords)[1]
    torch.save(module.state_dict(), tmp_path / "state.pt")
    other, _ = pair()
    with torch.no_grad():
        other.recurrent.mul_(2)
    other.load_state_dict(torch.load(tmp_path / "state.pt"))
    for again in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), other):
        assert torch.equal(again(*given, **keywords)[1], expected)
    twin = copy.deepcopy(module)
    with torch.no_grad():
        twin.recurrent.mul_(2)
    assert torch.equal(module(*given, **keywords)[1], expected)
    assert not torch.equal(twin(*given, **keywords)[1], expected)


def test_dense_state_dicts_of_earlier_versions_load():
    module, _ = pair()
    given, keywords = arguments(torch.float32)
    old = module.state_dict()
    for name in ("targets", "sources"):
        del old[name]
    old["recurrent"] = module.recurrent_matrix.detach()
    old["recurrent_mask"] = torch.from_numpy(module.mask.to_dense().astype(np.float32))
    fresh = lt.LMRNN(mask=module.mask, n_channels=9, n_classes=5, n_rules=4, seed=8)
    fresh.load_state_dict(old)
    assert torch.equal(fresh(*given, **keywords)[1], module(*given, **keywords)[1])
    other = lt.LMRNN(
        mask=lmrnn.Mask.make("local", rows=8, cols=8, radius=1), n_channels=9, n_classes=5, n_rules=4,
        seed=8,
    )  # fmt: skip
    with pytest.raises(RuntimeError, match="recurrent: a dense matrix of another mask"):
        other.load_state_dict(old)
    shuffled = lmrnn.Mask(module.mask.to_dense()[::-1])
    assert shuffled.n_synapses == module.mask.n_synapses
    other = lt.LMRNN(mask=shuffled, n_channels=9, n_classes=5, n_rules=4, seed=8)
    with pytest.raises(RuntimeError, match="synapses are not those of this module's mask"):
        other.load_state_dict(module.state_dict())


def test_states_of_what_computes_something_else_are_refused(tmp_path):
    options = {"mask": np.ones((4, 4)), "n_channels": 3, "n_classes": 2, "seed": 1}
    module = lt.LMRNN(**options, alpha=0.3, activation="tanh", equation="voltage")
    model = torch.nn.Sequential(module)
    torch.save(model.state_dict(), tmp_path / "state.pt")
    if "weights_only" in inspect.signature(torch.load).parameters:
        states = [torch.load(tmp_path / "state.pt", weights_only=only) for only in (True, False)]
    else:
        states = [torch.load(tmp_path / "state.pt")]
    states += [model.state_dict(), copy.deepcopy(model.state_dict()), copy.deepcopy(model).double().state_dict()]
    others = {"alpha": ("0.3", 0.5), "activation": ("tanh", "relu"), "equation": ("voltage", "rate")}
    for name, (saved, other) in others.items():
        same = {"alpha": 0.3, "activation": "tanh", "equation": "voltage"}
        wrong = torch.nn.Sequential(lt.LMRNN(**options | same | {name: other}))
        right = torch.nn.Sequential(lt.LMRNN(**options | same | {"seed": 2}))
        for state in states:
            message = f"0.{name}: the saved network has {name}={saved}, this module {name}={other}; load into"
            with pytest.raises(RuntimeError, match=message):
                wrong.load_state_dict(state)
            right.load_state_dict(state)
            assert torch.equal(right[0].recurrent, module.recurrent)
    # The keys are those of earlier versions, and states without metadata still load.
    assert [*module.state_dict()] == [*dict(module.named_parameters()), *dict(module.named_buffers())]
    wrong.load_state_dict(dict(model.state_dict()))
    safetensors = pytest.importorskip("safetensors.torch")
    safetensors.save_file(module.state_dict(), tmp_path / "state.safetensors")
    pickle.loads(pickle.dumps(right))[0].load_state_dict(safetensors.load_file(tmp_path / "state.safetensors"))


@pytest.mark.parametrize("which", ["input_mask", "readout_mask"])
def test_states_of_other_masks_are_refused(which):
    shape = {"input_mask": (64, 9), "readout_mask": (5, 64)}[which]
    sizes = {"mask": np.eye(64), "n_channels": 9, "n_classes": 5, "seed": 8}
    full = lt.LMRNN(**sizes)
    masked = lt.LMRNN(**sizes, **{which: np.eye(*shape)})
    for one, other in ((full, masked), (masked, full)):
        for state in (other.state_dict(), other.double().state_dict()):
            with pytest.raises(RuntimeError, match=f"{which}: .* not those of this module's {which}; load into"):
                one.load_state_dict(state)
        assert np.array_equal(getattr(one, which) != 0, getattr(one.to_network(), which.split("_")[0]).to_dense())
        one.float().load_state_dict(copy.deepcopy(one).double().state_dict())
    other = lt.LMRNN(**sizes | {"n_channels": 8})
    with pytest.raises(RuntimeError, match="size mismatch for input"):
        full.load_state_dict(other.state_dict())


def test_a_second_backward_is_an_error_and_retain_graph_allows_it():
    module, _ = pair()
    given, keywords = arguments(torch.float32)
    loss = module(*given, **keywords)[1].square().mean()
    loss.backward(retain_graph=True)
    first = module.recurrent.grad.clone()
    loss.backward()
    torch.testing.assert_close(module.recurrent.grad, 2 * first)
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


def test_a_loss_outlives_its_module():
    def loss(dense):
        module, _ = pair()
        alive = weakref.ref(module._wide if dense else module._engine)
        return module(torch.ones(5, 2, 13 if dense else 9))[1].sum(), module.recurrent, alive

    for dense in (False, True):
        value, weight, alive = loss(dense)
        gc.collect()
        assert alive() is not None
        value.backward()
        assert weight.grad.abs().sum() > 0
        del value
        gc.collect()
        assert alive() is None, "nothing needs it any more"


def test_a_loss_that_is_left_at_the_end_is_no_leak():
    script = """
import torch, lmrnn, lmrnn.torch
module = lmrnn.torch.LMRNN(mask=lmrnn.Mask.make("local", rows=4, cols=4), n_channels=3, n_classes=2, seed=0)
loss = module(torch.zeros(5, 2, 3))[1].sum()
loss.backward()
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert "leak" not in done.stderr


def test_gradients_of_gradients_name_the_reference():
    engine, reference = pair()
    reference = reference.float()
    inputs = torch.randn(5, 2, 9, requires_grad=True)
    for module in (engine, reference):
        loss = module(inputs)[1].square().sum()
        (gradient,) = torch.autograd.grad(loss, inputs, create_graph=True)
        if module is reference:
            gradient.square().sum().backward()
            continue
        assert gradient.abs().sum() > 0
        with pytest.raises(RuntimeError, match='no gradients of gradients .*backend="reference"'):
            gradient.square().sum().backward()
    assert reference.recurrent.grad.abs().sum() > 0


def test_parametrisations_apply():
    from torch.nn.utils import parametrize

    class Dale(torch.nn.Module):
        def __init__(self, signs):
            super().__init__()
            self.register_buffer("signs", signs)

        def forward(self, weight):
            return self.signs * weight.abs()

    module, _ = pair()
    signs = torch.where(torch.arange(64) % 5 == 0, -1.0, 1.0)[module.sources]
    parametrize.register_parametrization(module, "recurrent", Dale(signs))
    given, keywords = arguments(torch.float32)
    module(*given, **keywords)[1].square().mean().backward()
    weight = module.parametrizations.recurrent.original
    assert (module.recurrent * signs >= 0).all() and weight.grad.abs().sum() > 0
    assert np.array_equal(module.to_network().weights["recurrent"], module.recurrent.detach())


BAD = {
    "channels": (lambda x: x.update(inputs=torch.zeros(4, 3, 8)), ValueError,
                 "inputs have 8 channels; expected 9, or 13 with dense rules"),
    "axes": (lambda x: x.update(inputs=torch.zeros(4, 9)), ValueError,
             r"inputs of shape \(4, 9\); give \(time, row, channel\)"),
    "no steps": (lambda x: x.update(inputs=torch.zeros(0, 3, 9), rules=None), ValueError,
                 "no time steps"),
    "dtype": (lambda x: x.update(inputs=torch.zeros(4, 3, 9).double()), TypeError,
              "inputs are torch.float64, but the weights torch.float32"),
    "array": (lambda x: x.update(inputs=np.zeros((4, 3, 9), np.float32)), TypeError,
              "inputs must be a tensor, not ndarray"),
    "device": (lambda x: x.update(inputs=torch.zeros(4, 3, 9, device="meta")), RuntimeError,
               "inputs are on meta, but the weights on cpu"),
    "rules": (lambda x: x.update(rules=torch.full((4, 3, 1), 4)), ValueError,
              "rules: 4 at step 0, row 0, slot 0; the network has 4 rules"),
    "large rule": (lambda x: x.update(rules=torch.full((4, 3, 1), 2**32)), ValueError,
                   "rules: 4294967296"),
    "rules' type": (lambda x: x.update(rules=torch.zeros(4, 3, 1)), TypeError,
                    "rules are torch.float32; give whole numbers"),
    "rules' shape": (lambda x: x.update(rules=torch.zeros(4, 2, 1).long()), ValueError,
                     r"rules of shape \(4, 2, 1\); .* need \(4, 3, slot\)"),
    "rules twice": (lambda x: x.update(inputs=torch.zeros(4, 3, 13)), ValueError, "given twice"),
    "resets": (lambda x: x.update(resets=torch.zeros(4, 3)), TypeError, "give torch.bool"),
    "state": (lambda x: x.update(state=torch.zeros(2, 64)), ValueError,
              r"state of shape \(2, 64\); .* need \(3, 64\)"),
    "noise": (lambda x: x.update(recurrent_noise=-1.0), ValueError, "recurrent_noise = -1.0"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_error(name):
    change, error, message = BAD[name]
    module, _ = pair()
    given = {"inputs": torch.zeros(4, 3, 9), "rules": torch.zeros(4, 3, 1).long()}
    change(given)
    with pytest.raises(error, match=message):
        module(**given)


def test_bad_networks_are_clear_errors():
    module, _ = pair()
    with torch.no_grad():
        module.bias[3] = torch.nan
    with pytest.raises(ValueError, match="bias: entry 3 of the weights is nan; lower the learning"):
        module(torch.zeros(4, 3, 9))
    with pytest.raises(ValueError, match="LMRNN: mask: there is no synapse"):
        lt.LMRNN(mask=np.zeros((4, 4)), n_channels=1, n_classes=2)
    with pytest.raises(ValueError, match="needs n_channels and n_classes"):
        lt.LMRNN(mask=np.ones((4, 4)))
    with pytest.raises(TypeError, match="str is not an lmrnn.Network; use LMRNN.load"):
        lt.LMRNN("runs/first")
    with pytest.raises(ValueError, match="backend 'gpu'"):
        lt.LMRNN(mask=np.ones((4, 4)), n_channels=1, n_classes=2, backend="gpu")


def test_arrays_need_not_be_contiguous():
    module, _ = pair()
    inputs, rules = torch.randn(9, 3, 40).transpose(0, 2), torch.zeros(3, 40, 1).long().transpose(0, 1)
    assert not inputs.is_contiguous()
    expected = module(inputs.contiguous(), rules.contiguous())[1]
    found = module(inputs, rules)[1]
    assert torch.equal(found, expected)
    # The gradient of a sum is an expanded 1, of strides 0.
    found.sum().backward()
    assert module.recurrent.grad.abs().sum() > 0


def test_memory_does_not_grow():
    def resident():
        gc.collect()
        return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096

    module, _ = pair()
    inputs = torch.randn(40, 32, 9)
    for step in range(1000):
        module.zero_grad()
        module(inputs)[1].square().mean().backward()
        if step == 100:
            before = resident()
    assert resident() - before < 10e6


def test_threads_with_their_own_modules():
    given, keywords = arguments(torch.float32, rows=16)
    expected = {}

    def train(seed, results):
        module = lt.LMRNN(
            mask=lmrnn.Mask.make("local", rows=8, cols=8, radius=2), n_channels=9, n_classes=5,
            n_rules=4, seed=seed,
        )  # fmt: skip
        optimiser = torch.optim.SGD(module.parameters(), 0.01)
        for _ in range(5):
            optimiser.zero_grad()
            module(given[0].detach(), given[1], **keywords)[1].square().mean().backward()
            optimiser.step()
        results[seed] = module.recurrent.detach()

    for seed in range(8):
        train(seed, expected)
    found = {}
    threads = [threading.Thread(target=train, args=(seed, found)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(found[seed], expected[seed]) for seed in range(8))


def test_a_forked_process_has_threads_of_its_own():
    """The parent's threads do not exist after a fork: waiting for them would never end."""
    script = """
import os, signal, sys
import torch, lmrnn, lmrnn.torch
torch.set_num_threads(2)
module = lmrnn.torch.LMRNN(mask=lmrnn.Mask.make("local", rows=4, cols=4), n_channels=3, n_classes=2, seed=0)
inputs = torch.zeros(5, 64, 3)
with torch.no_grad():
    expected = module(inputs)[1].numpy().tobytes()
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        os._exit(module(inputs)[1].numpy().tobytes() != expected)
    assert os.waitpid(child, 0)[1] == 0
    assert module(inputs)[1].numpy().tobytes() == expected
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_sizes_that_compilers_are_told():
    from lmrnn._operation import kept_size

    module, _ = pair()
    for keep in ("nothing", "states", "segments"):
        for n_steps in (1, 7, 8, 9, 64, 65, 350):
            for n_rows in (1, 4, 5, 8, 9, 16, 17, 31, 32, 63, 64, 70, 96):
                expected = module._engine.operation.kept_size(n_steps, n_rows, keep)
                assert kept_size(n_steps, n_rows, 64, keep) == expected


def test_a_pass_over_a_loader_draws_nothing():
    stream = lmrnn.Battery("go").stream(batch=2, steps=30, seed=1)
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    for _ in range(2):
        list(lmrnn.torch.loader(stream, 2))
    assert torch.equal(torch.rand(3), expected)


def test_pruned_modules_have_their_weights_up_to_date():
    from torch.nn.utils import prune

    def pruned(seed):
        module = lmrnn.torch.LMRNN(mask=np.ones((6, 6)), n_channels=2, n_classes=2, seed=seed)
        return prune.l1_unstructured(module, "recurrent", 0.5)

    trained, fresh = pruned(1), pruned(2)
    fresh.load_state_dict(trained.state_dict())
    assert np.array_equal(fresh.to_network().weights["recurrent"], trained.to_network().weights["recurrent"])
    assert (fresh.to_network().weights["recurrent"] == 0).sum() == 18
