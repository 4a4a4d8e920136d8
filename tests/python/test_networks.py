"""Reading networks of other packages: their outputs equal those of the package itself."""

import importlib
import os
from pathlib import Path

import numpy as np
import pytest

import lmrnn
from lmrnn import networks

pytestmark = pytest.mark.filterwarnings("default")  # warnings of other packages are not ours
STORED = Path(__file__).parent / "networks"
TIME, ROWS, CHANNELS, UNITS, CLASSES = 9, 3, 4, 7, 2
INPUTS = np.random.default_rng(0).normal(size=(TIME, ROWS, CHANNELS)).astype(np.float32)


def same(network, inputs, states, logits):
    got_states, got_logits = network.forward(inputs)
    assert np.abs(states).max() > 0.05  # there is something to compare
    np.testing.assert_allclose(got_states, states, atol=1e-5)
    np.testing.assert_allclose(got_logits, logits, atol=1e-5)


def refused(message, *arguments, **keywords):
    with pytest.raises(lmrnn.UsageError, match=message):
        networks.read(*arguments, **keywords)


# PyTorch -----------------------------------------------------------------------------------------


def torch_model(**options):
    torch = pytest.importorskip("torch")

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = torch.nn.RNN(CHANNELS, UNITS, **options)
            self.readout = torch.nn.Linear(UNITS, CLASSES)

        def forward(self, inputs):
            states, _ = self.rnn(inputs)
            return self.readout(states), states

    torch.manual_seed(0)
    return Model()


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("bias", [True, False])
def test_torch(nonlinearity, bias, tmp_path):
    model = torch_model(nonlinearity=nonlinearity, bias=bias)
    import torch

    logits, states = (out.detach().numpy() for out in model(torch.from_numpy(INPUTS)))
    same(networks.read(model), INPUTS, states, logits)
    torch.save(model.state_dict(), tmp_path / "m.pt")
    same(networks.read(tmp_path / "m.pt", activation=nonlinearity), INPUTS, states, logits)
    same(networks.read(model.state_dict(), activation=nonlinearity), INPUTS, states, logits)
    refused("does not say its activation", tmp_path / "m.pt")
    other = "relu" if nonlinearity == "tanh" else "tanh"
    refused(f'the network says "{nonlinearity}"', model, activation=other)


def test_torch_with_rules_and_without_a_readout():
    model = torch_model()
    import torch

    logits, states = (out.detach().numpy() for out in model(torch.from_numpy(INPUTS)))
    network = networks.read(model.rnn)
    same(network, INPUTS, states, states)  # the readout is the identity
    same(networks.read(model.rnn, readout=model.readout), INPUTS, states, logits)
    ruled = networks.read(model, n_rules=1)
    assert (ruled.n_channels, ruled.n_rules) == (CHANNELS - 1, 1)
    one_hot = INPUTS.copy()
    one_hot[..., -1] = 1
    _, expected = networks.read(model).forward(one_hot)
    _, got = ruled.forward(one_hot[..., :-1], np.zeros((TIME, ROWS, 1), np.int32))
    np.testing.assert_allclose(got, expected, atol=1e-5)
    refused("n_rules = 4", model, n_rules=4)


def test_torch_refusals(tmp_path):
    model = torch_model(num_layers=2)
    import torch

    refused("2 layers", model)
    refused("recurrent layers", model.state_dict(), activation="tanh")
    refused("bidirectional", torch.nn.RNN(2, 3, bidirectional=True))
    refused("GRU has gates", torch.nn.GRU(2, 3))
    refused("4 gates", torch.nn.LSTM(2, 3).state_dict(), activation="tanh")
    refused("0 recurrent layers", torch.nn.Linear(2, 3))
    two = torch.nn.ModuleList([torch.nn.RNN(2, 3), torch.nn.Linear(3, 3), torch.nn.Linear(3, 1)])
    refused("name the readout", two)
    refused('activation is "sin"', torch_model().state_dict(), activation="sin")
    refused("is not a network", 3)
    refused("does not exist", tmp_path / "none.pt")
    (tmp_path / "m.txt").write_text("")
    refused("unknown file format", tmp_path / "m.txt")


# Each adds a part to a module with an RNN and a readout; with the names of what is not read.
TORCH_PARTS = {
    "h0": lambda torch: torch.nn.Parameter(torch.ones(UNITS)),
    "scale": lambda torch: torch.nn.Parameter(torch.ones(CHANNELS)),
    "mask": lambda torch: torch.ones(UNITS),  # a buffer
    "norm": lambda torch: torch.nn.LayerNorm(UNITS),
    "act": lambda torch: torch.nn.PReLU(),
    "tanh": lambda torch: torch.nn.Tanh(),
    "parts": lambda torch: torch.nn.Sequential(torch.nn.Dropout(), torch.nn.ReLU()),
}


@pytest.mark.parametrize("name", TORCH_PARTS)
def test_torch_parts_that_are_not_read(name):
    model = torch_model()
    import torch

    part = TORCH_PARTS[name](torch)
    model.register_buffer(name, part) if name == "mask" else setattr(model, name, part)
    refused(rf"Model: has {name}.* besides the RNN and one linear readout.*networks.read\(module.rnn", model)
    refused(f"Model: has {name}", model, readout=model.readout)
    if any(key.startswith(name) for key in model.state_dict()):
        refused(f"the state dict: has {name}.* besides", model.state_dict(), activation="tanh")
        readout = {"weight": model.readout.weight, "bias": model.readout.bias}
        refused(f"has {name}", model.state_dict(), activation="tanh", readout=readout)
    expected = networks.read(torch_model())
    assert networks.read(model.rnn, readout=model.readout) == expected  # the remedy


def pruned_torch_model():
    prune, model = importlib.import_module("torch.nn.utils.prune"), torch_model()
    for part, name in ((model.rnn, "weight_hh_l0"), (model.readout, "weight")):
        prune.random_unstructured(part, name, 0.5)
    return model


def test_torch_parts_that_change_nothing(tmp_path):
    torch = pytest.importorskip("torch")
    model, expected = torch_model(), networks.read(torch_model())
    model.more = torch.nn.ModuleList([torch.nn.Dropout(), torch.nn.Identity()])
    model.loss = torch.nn.CrossEntropyLoss(weight=torch.ones(CLASSES))
    assert networks.read(model) == expected
    model.value = torch.nn.Linear(UNITS, 1)  # another readout of the same states
    del model.loss
    refused("2 linear layers .readout, value.; name the readout", model)
    assert networks.read(model, readout=model.readout) == expected
    readout = dict(model.readout.named_parameters())
    assert networks.read(model, readout=readout) == expected
    assert networks.read(model.state_dict(), readout=readout, activation="tanh") == expected
    trained, fresh = pruned_torch_model(), pruned_torch_model()
    assert (networks.read(trained).recurrent_matrix != 0).sum() < 0.8 * UNITS**2
    fresh.load_state_dict(trained.state_dict())  # PyTorch makes its weights anew only in a forward pass
    assert networks.read(fresh) == networks.read(trained)
    assert networks.read(fresh.rnn, readout=fresh.readout) == networks.read(trained)
    two = torch.nn.ModuleList([torch.nn.RNN(2, 3), torch.nn.Linear(3, 3), torch.nn.Linear(3, 1)])
    refused(r"has 1.weight \(Linear\), 1.bias", two, readout=two[2])  # it may stand between the two


def test_torch_layers_before_or_after(tmp_path):
    torch = pytest.importorskip("torch")
    safetensors = pytest.importorskip("safetensors.torch")
    before = torch.nn.ModuleDict({"inp": torch.nn.Linear(8, 8), "rnn": torch.nn.RNN(8, 8)})
    after = torch.nn.ModuleDict({"rnn": torch.nn.RNN(8, 8), "inp": torch.nn.Linear(8, 8)})
    refused("inp is defined before the RNN, and may stand before or after", before)
    refused("inp.weight may stand before or after", before.state_dict(), activation="tanh")
    assert networks.read(before, readout=before["inp"]).n_classes == 8
    assert networks.read(before.state_dict(), readout=before["inp"], activation="tanh").n_classes == 8
    expected = networks.read(after)
    assert networks.read(after.state_dict(), activation="tanh") == expected
    safetensors.save_file(after.state_dict(), tmp_path / "m.safetensors")  # sorted by name
    refused("inp.weight may stand before or after", tmp_path / "m.safetensors", activation="tanh")
    got = networks.read(tmp_path / "m.safetensors", activation="tanh", readout=after["inp"])
    assert got == expected
    first = torch.nn.ModuleDict({"out": torch.nn.Linear(8, 3), "rnn": torch.nn.RNN(5, 8)})
    assert networks.read(first).n_classes == 3  # it does not fit before the RNN


def test_readouts_that_cannot_be_used():
    torch = pytest.importorskip("torch")
    rnn, weight = torch.nn.RNN(5, 8), torch.ones(3, 8)
    for source, more in ((rnn, {}), (rnn.state_dict(), {"activation": "tanh"})):
        message = "readout= has weights; its keys are weight and bias"
        refused(message, source, readout={"weights": weight}, **more)
        refused("readout= has no weight", source, readout={}, **more)
        refused("readout= is a LayerNorm; give a Linear", source, readout=torch.nn.LayerNorm(8), **more)
        refused("readout= has 1 axes; it must have 2", source, readout={"weight": torch.ones(8)}, **more)
    network = networks.read(rnn, readout={"weight": weight})
    assert network.n_classes == 3
    for given in ({"readout": {"weight": weight}}, {"n_rules": 1}, {"activation": "tanh"}):
        refused(f"is a network of lmrnn.*{next(iter(given))}= would be ignored", network, **given)
    refused("has its own readout, so readout= would be ignored", STORED / "nn4n.pt", readout={"weight": weight})


def test_our_own(tmp_path, small_run):
    network = small_run.network()
    network.save(tmp_path / "n.safetensors")
    assert networks.read(tmp_path / "n.safetensors") == network
    assert networks.read(network) is network
    pytest.importorskip("torch")
    inputs, rules = np.ones((5, 2, network.n_channels), np.float32), np.zeros((5, 2, 1), np.int32)
    again = networks.read(lmrnn.torch.LMRNN(network)).forward(inputs, rules)
    for got, expected in zip(again, network.forward(inputs, rules)):
        assert np.array_equal(got, expected)


# Keras -------------------------------------------------------------------------------------------


def test_keras_as_stored():
    """Weights and outputs of a SimpleRNN and a Dense, in objects with the attributes of Keras's."""
    from types import SimpleNamespace as Object

    from lmrnn.networks import keras_models
    from lmrnn.networks.build import Options

    with np.load(STORED / "keras.npz") as stored:
        stored = dict(stored)

    class SimpleRNN(Object):
        pass

    class Dense(Object):
        pass

    kernels = {name: stored[name] for name in ("kernel", "recurrent_kernel", "bias")}
    rnn = SimpleRNN(cell=Object(activation=np.tanh, **kernels), go_backwards=False)
    linear = Object(__name__="linear")
    dense = Dense(kernel=stored["readout"], bias=stored["readout_bias"], activation=linear)
    network = keras_models.from_object(Object(layers=[rnn, dense]), Options())
    same(network, stored["inputs"], stored["states"], stored["logits"])


@pytest.fixture(scope="module")
def keras():
    os.environ["KERAS_BACKEND"] = "numpy"
    return pytest.importorskip("keras")


def keras_model(keras, *layers, **options):
    keras.utils.set_random_seed(0)
    rnn = keras.layers.SimpleRNN(UNITS, return_sequences=True, bias_initializer="normal", **options)
    return keras.Sequential([keras.Input((None, CHANNELS)), rnn, *layers])


@pytest.mark.parametrize("activation", ["tanh", "relu", "softplus"])
def test_keras(keras, activation, tmp_path):
    dense = keras.layers.Dense(CLASSES, bias_initializer="normal")
    model = keras_model(keras, dense, activation=activation)
    rows_first = INPUTS.swapaxes(0, 1)
    states = np.asarray(model.layers[0](rows_first)).swapaxes(0, 1)
    logits = np.asarray(model(rows_first)).swapaxes(0, 1)
    same(networks.read(model), INPUTS, states, logits)
    model.save(tmp_path / "m.keras")
    same(networks.read(tmp_path / "m.keras"), INPUTS, states, logits)
    wrapped = keras.Sequential([*model.layers[:1], keras.layers.TimeDistributed(dense), keras.layers.Softmax()])
    same(networks.read(wrapped), INPUTS, states, logits)  # logits are what the softmax gets


def test_keras_refusals(keras):
    refused("LSTM", keras.Sequential([keras.Input((None, 2)), keras.layers.LSTM(3)]))
    refused("go_backwards", keras_model(keras, go_backwards=True))
    refused('activation is "sigmoid"', keras_model(keras, activation="sigmoid"))
    refused("one Dense", keras_model(keras, keras.layers.Dense(3), keras.layers.Dense(2)))
    refused("readout has the activation relu", keras_model(keras, keras.layers.Dense(3, activation="relu")))


def test_keras_parts_that_are_not_read(keras):
    dense, value = keras.layers.Dense(CLASSES), keras.layers.Dense(1)
    expected = networks.read(keras_model(keras, dense))
    inputs = keras.Input((None, CHANNELS))
    states = keras_model(keras).layers[0](inputs)
    two = keras.Model(inputs, [dense(states), value(states)])
    assert networks.read(two, readout=dense) == expected
    assert networks.read(two, readout={"kernel": dense.kernel, "bias": dense.bias}) == expected
    refused("readout= has weight", two, readout={"weight": 1})
    normed = keras_model(keras, keras.layers.LayerNormalization(name="norm"), dense)
    refused("has norm besides the RNN", normed, readout=dense)

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.rnn, self.out = two.layers[1], dense
            self.scale = self.add_weight(shape=(CHANNELS,), name="scale")

        def call(self, inputs):
            return self.out(self.rnn(inputs * self.scale))

    refused("Own: has .*scale besides the RNN", Own())


# flax --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_flax_nnx(activation):
    jax = pytest.importorskip("jax")
    nnx = pytest.importorskip("flax.nnx")
    rngs = nnx.Rngs(2)

    class Model(nnx.Module):
        def __init__(self):
            cell = nnx.SimpleCell(CHANNELS, UNITS, activation_fn=getattr(jax.nn, activation), rngs=rngs)
            self.rnn = nnx.RNN(cell)
            self.readout = nnx.Linear(UNITS, CLASSES, rngs=rngs)

    model = Model()
    states = model.rnn(INPUTS.swapaxes(0, 1))
    logits = model.readout(states)
    same(networks.read(model), INPUTS, np.asarray(states).swapaxes(0, 1), np.asarray(logits).swapaxes(0, 1))
    gru = nnx.RNN(nnx.GRUCell(CHANNELS, UNITS, rngs=rngs))
    refused("GRUCell; one SimpleCell", gru)
    expected = networks.read(model)
    model.dropout = nnx.Dropout(0.5, rngs=rngs)
    assert networks.read(model, readout={"kernel": model.readout.kernel[...], "bias": model.readout.bias}) == expected
    model.value = nnx.Linear(UNITS, 1, rngs=rngs)
    refused("2 layers with a kernel .readout, value.; name the readout", model)
    assert networks.read(model, readout=model.readout) == expected
    refused("readout= is a Dropout; give a Linear", model, readout=model.dropout)
    model.inp = nnx.Linear(CHANNELS, CHANNELS, rngs=rngs)
    refused("Model: has inp besides the RNN", model, readout=model.readout)
    del model.inp
    model.norm = nnx.LayerNorm(UNITS, rngs=rngs)
    refused(r"Model: has norm.bias \(Param\), norm.scale", model, readout=model.readout)
    del model.norm, model.value
    model.h0 = nnx.Param(jax.numpy.ones(UNITS))
    refused(r"Model: has h0 \(Param\) besides", model)
    model = Model()
    model.readout = nnx.Linear(UNITS, CHANNELS, rngs=rngs)
    refused("readout may stand before or after the cell", model)
    assert networks.read(model, readout=model.readout).n_classes == CHANNELS


# Stored, since the packages are heavy: see make_network_fixtures.py -------------------------------


def test_flax():
    with np.load(STORED / "flax_linen.npz") as stored:
        stored = dict(stored)
    parameters = {}
    for name, value in stored.items():
        *path, last = name.split("/")
        if path:
            branch = parameters
            for key in path:
                branch = branch.setdefault(key, {})
            branch[last] = value
    network = networks.read(parameters, activation="tanh")
    same(network, stored["inputs"], stored["states"], stored["logits"])
    refused("does not say its activation", parameters)
    own = parameters["params"]
    dense = next(tree for tree in own.values() if "kernel" in tree)
    assert networks.read(parameters, activation="tanh", readout=dense) == network
    refused("readout= has weight; its keys are kernel and bias", parameters, activation="tanh", readout={"weight": 1})
    for name, part in (("h0", np.ones(UNITS)), ("Norm_0", {"scale": np.ones(UNITS)})):
        more = {"params": own | {name: part}}
        refused(f"the parameters: has params.{name}", more, activation="tanh")
        refused(f"the parameters: has params.{name}", more, activation="tanh", readout=dense)
    both = {"params": own | {"Embed": {"kernel": np.ones((CHANNELS, CHANNELS))}}}
    refused("2 layers with a kernel", both, activation="tanh")
    refused("has params.Embed besides", both, activation="tanh", readout=dense)
    refused("0 cells", {"params": {"GRUCell_0": {"ir": {"kernel": np.ones((2, 2))}}}}, activation="tanh")


def test_nn4n():
    pytest.importorskip("torch")
    with np.load(STORED / "nn4n.npz") as stored:
        stored = dict(stored)
    network = networks.read(STORED / "nn4n.pt")
    same(network, stored["inputs"], stored["states"], stored["logits"])
    assert np.array_equal(network.recurrent.to_dense(), stored["mask"] != 0)
    refused("outside the network's own mask", STORED / "nn4n_broken.pt")
    zeroed = networks.read(STORED / "nn4n_broken.pt", broken_mask="zero")
    assert np.array_equal(zeroed.recurrent.to_dense(), stored["mask"] != 0)
    with pytest.warns(UserWarning, match="are kept"):
        kept = networks.read(STORED / "nn4n_broken.pt", broken_mask="keep")
    same(kept, stored["inputs"], stored["broken_states"], stored["broken_logits"])


def test_nn4n_keeps_masks_and_types(tmp_path):
    torch = pytest.importorskip("torch")
    content = torch.load(STORED / "nn4n.pt")
    state, settings = content["model_state_dict"], content["kwargs"]
    hidden = state["recurrent_layer.hidden_layer.weight"]  # (target, source); masks are (source, target)
    settings["sparsity_masks"][0] = torch.eye(CHANNELS, UNITS)
    settings["sparsity_masks"][2] = torch.eye(UNITS, CLASSES)
    state["recurrent_layer.input_layer.weight"] *= torch.eye(UNITS, CHANNELS)
    state["readout_layer.weight"] *= torch.eye(CLASSES, UNITS)
    signs = torch.where(torch.arange(UNITS) < 5, 1, -1)[:, None].expand(UNITS, UNITS)
    settings["ei_masks"] = [None, signs, None]

    def read():
        torch.save(content, tmp_path / "n.pt")
        return networks.read(tmp_path / "n.pt")

    network = read()
    assert network.input == lmrnn.Mask(np.eye(UNITS, CHANNELS))
    assert network.readout == lmrnn.Mask(np.eye(CLASSES, UNITS))
    assert network.excitatory is None  # these weights have other signs
    state["recurrent_layer.hidden_layer.weight"] = hidden.abs() * signs.T
    assert np.array_equal(read().excitatory, np.arange(UNITS) < 5)
    settings["ei_masks"][1] = signs.T  # a sign for the target
    state["recurrent_layer.hidden_layer.weight"] = hidden.abs() * signs
    assert read().excitatory is None


def test_nn4n_of_another_state_equation(tmp_path):
    torch = pytest.importorskip("torch")
    content = torch.load(STORED / "nn4n.pt")
    content["kwargs"]["tau"] = 100
    torch.save(content, tmp_path / "leaky.pt")
    network = networks.read(tmp_path / "leaky.pt")
    assert (network.equation, network.alpha, network.activation) == ("voltage", 0.1, "tanh")
    w = {name: np.asarray(value, dtype=float) for name, value in network.weights.items()}
    with np.load(STORED / "nn4n.npz") as stored:
        inputs = stored["inputs"]
    v, wanted = np.zeros((inputs.shape[1], network.n_units)), []
    for x in inputs:  # nn4n/layer/recurrent_layer.py, _recurrence
        v = 0.9 * v + 0.1 * (np.tanh(v) @ network.recurrent_matrix.T + x @ w["input"].T + w["bias"])
        wanted.append(v)
    wanted = np.array(wanted)
    same(network, inputs, wanted, np.tanh(wanted) @ w["readout"].T + w["readout_bias"])
    content["kwargs"] |= {"tau": 10, "activation": "sigmoid"}
    torch.save(content, tmp_path / "sigmoid.pt")
    refused('"sigmoid"', tmp_path / "sigmoid.pt")


@pytest.mark.parametrize("name", ["ctrnn", "ei_rnn", "constrained", "post_blend"])
def test_neuralrnn(name):
    pytest.importorskip("safetensors")
    with np.load(STORED / "neuralrnn.npz") as stored:
        stored = dict(stored)
    network = networks.read(STORED / "neuralrnn" / name)
    same(network, stored["inputs"], stored[f"{name}_states"], stored[f"{name}_logits"])


def test_neuralrnn_keeps_masks_and_types(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    network = networks.read(STORED / "neuralrnn" / "ei_rnn")
    excitatory = np.arange(UNITS) < 6
    assert np.array_equal(network.excitatory, excitatory)
    assert np.array_equal(network.readout.to_dense(), np.tile(excitatory, (CLASSES, 1)))  # the others are not read
    source = STORED / "neuralrnn" / "constrained"
    assert networks.read(source).excitatory is None
    state = safetensors.load_file(source / "model.safetensors")
    state["in_mask"], state["out_mask"] = np.eye(CHANNELS, UNITS, dtype="f4"), np.eye(UNITS, CLASSES, dtype="f4")
    (tmp_path / "config.json").write_bytes((source / "config.json").read_bytes())
    safetensors.save_file(state, tmp_path / "model.safetensors")
    network = networks.read(tmp_path)
    assert network.input == lmrnn.Mask(np.eye(UNITS, CHANNELS))
    assert network.readout == lmrnn.Mask(np.eye(CLASSES, UNITS))


def test_neuralrnn_with_the_leak_inside_f(tmp_path):
    pytest.importorskip("safetensors")
    source = STORED / "neuralrnn" / "post_blend"
    (tmp_path / "model.safetensors").write_bytes((source / "model.safetensors").read_bytes())
    config = (source / "config.json").read_text().replace('"alpha": 1.0', '"alpha": 0.25')
    (tmp_path / "config.json").write_text(config)
    network = networks.read(tmp_path)
    assert (network.equation, network.alpha, network.activation) == ("leak-inside", 0.25, "relu")
    w = {name: np.asarray(value, dtype=float) for name, value in network.weights.items()}
    with np.load(STORED / "neuralrnn.npz") as stored:
        inputs = stored["inputs"]
    z, wanted = np.zeros((inputs.shape[1], network.n_units)), []
    for x in inputs:  # neuralrnn/models/ctrnn/modeling_ctrnn.py
        pre = z @ network.recurrent_matrix.T + x @ w["input"].T + w["bias"]
        z = np.maximum(0.75 * z + 0.25 * pre, 0)
        wanted.append(z)
    wanted = np.array(wanted)
    same(network, inputs, wanted, wanted @ w["readout"].T + w["readout_bias"])


def test_neuralrnn_refusals(tmp_path):
    pytest.importorskip("safetensors")
    refused("NeuralRNN's rate", STORED / "neuralrnn" / "rate")
    config = (STORED / "neuralrnn" / "ctrnn" / "config.json").read_text()
    (tmp_path / "model.safetensors").write_bytes((STORED / "neuralrnn/ctrnn/model.safetensors").read_bytes())
    (tmp_path / "config.json").write_text(config.replace('"ctrnn"', '"plrnn"'))
    refused('a "plrnn"', tmp_path)


# ONNX --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [1.0, 0.3])
@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus"])
@pytest.mark.parametrize("n_rules", [0, 2])
@pytest.mark.parametrize("equation", ["rate", "voltage", "leak-inside"])
def test_onnx_of_ours(alpha, activation, n_rules, equation, tmp_path):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    network = lmrnn.Network(
        lmrnn.Mask.make("local", rows=4, cols=4, radius=1), n_channels=CHANNELS, n_classes=3,
        n_rules=n_rules, alpha=alpha, activation=activation, equation=equation,
    )  # fmt: skip
    network.initialise(seed=1)
    network.set_weights(bias=np.linspace(-0.5, 0.5, 16, dtype=np.float32))
    networks.write_onnx(network, tmp_path / "n.onnx")
    session = runtime.InferenceSession(tmp_path / "n.onnx", providers=["CPUExecutionProvider"])
    for time, rows in ((TIME, ROWS), (40, 1), (1, 5)):
        inputs = np.random.default_rng(time).normal(size=(time, rows, CHANNELS)).astype(np.float32)
        rules = np.random.default_rng(rows).integers(0, n_rules, (time, rows, 1)) if n_rules else None
        dense = inputs if rules is None else np.concatenate([inputs, np.eye(n_rules, dtype="f4")[rules[..., 0]]], -1)
        logits, states = session.run(["logits", "states"], {"inputs": dense})
        expected_states, expected_logits = network.forward(inputs, rules)
        np.testing.assert_allclose(states, expected_states, atol=1e-5)
        np.testing.assert_allclose(logits, expected_logits, atol=1e-5)
    assert networks.read(tmp_path / "n.onnx") == network


def test_onnx_of_ours_keeps_masks_and_types(tmp_path):
    pytest.importorskip("onnx")
    network = lmrnn.Network(
        np.eye(16), n_channels=CHANNELS, n_classes=3, n_rules=2, input=np.eye(16, CHANNELS),
        readout=np.eye(3, 16), excitatory=np.arange(16) < 12,
    )  # fmt: skip
    network.initialise(seed=1)
    network.set_weights(input=np.ones((16, CHANNELS)), readout=np.ones((3, 16)))
    networks.write_onnx(network, tmp_path / "n.onnx")
    again = networks.read(tmp_path / "n.onnx")
    assert (again.input, again.readout) == (network.input, network.readout)
    assert np.array_equal(again.excitatory, network.excitatory) and again == network
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(tmp_path / "n.onnx", providers=["CPUExecutionProvider"])
    rules = np.ones((TIME, ROWS, 1), np.int32)
    (logits,) = session.run(["logits"], {"inputs": np.concatenate([INPUTS, np.eye(2, dtype="f4")[rules[..., 0]]], -1)})
    np.testing.assert_allclose(logits, network.forward(INPUTS, rules)[1], atol=1e-5)


READ = [("MatMul", ["states", "V"], ["v"], {}), ("Add", ["v", "c"], ["z"], {})]


def onnx_model(path, op="RNN", direction="forward", extra=(), before=(), after=(), more=(), read=None, constants={}):
    """The nodes `before` make the inputs y of the RNN from x, and `after` make the logits from z; nodes `read`
    make z from all states."""
    onnx = importlib.import_module("onnx")
    helper, rng = onnx.helper, np.random.default_rng(5)
    gates = {"RNN": 1, "GRU": 3}[op]
    arrays = {
        "W": rng.normal(size=(1, gates * UNITS, CHANNELS)), "R": 0.3 * rng.normal(size=(1, gates * UNITS, UNITS)),
        "B": rng.normal(size=(1, 2 * gates * UNITS)), "V": rng.normal(size=(UNITS, CLASSES)),
        "c": rng.normal(size=CLASSES),
    }  # fmt: skip
    nodes = [
        *(helper.make_node(*node, **given) for *node, given in before),
        helper.make_node(
            op, ["y" if before else "x", "W", "R", "B", *more], ["all"], hidden_size=UNITS, direction=direction,
            **dict(extra),
        ),
        helper.make_node("Squeeze", ["all", "one"], ["states"]),
        *(helper.make_node(*node, **given) for *node, given in read or READ),
        *(helper.make_node(*node, **given) for *node, given in after or [("Identity", ["z"], ["logits"], {})]),
    ]  # fmt: skip
    floats = onnx.TensorProto.FLOAT
    tensors = [onnx.numpy_helper.from_array(a.astype(np.float32), n) for n, a in arrays.items()]
    graph = helper.make_graph(
        nodes, "theirs", [helper.make_tensor_value_info("x", floats, ["t", "b", CHANNELS])],
        [helper.make_tensor_value_info(n, floats, None) for n in ("logits", "states")],
        [*tensors, *(onnx.numpy_helper.from_array(a, n) for n, a in ({"one": np.array([1])} | constants).items())],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


def test_onnx_of_others(tmp_path):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    for activations in ([b"Tanh"], [b"Relu"], None):
        extra = {"activations": activations} if activations else {}
        path = onnx_model(tmp_path / "m.onnx", extra=extra.items())
        session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
        logits, states = session.run(["logits", "states"], {"x": INPUTS})
        same(networks.read(path), INPUTS, states, logits)
    refused("runs reverse", onnx_model(tmp_path / "r.onnx", direction="reverse"))
    refused("GRU", onnx_model(tmp_path / "g.onnx", op="GRU"))
    refused("clips", onnx_model(tmp_path / "c.onnx", extra={"clip": 1.0}.items()))
    refused('activation is "sigmoid"', onnx_model(tmp_path / "s.onnx", extra={"activations": [b"Sigmoid"]}.items()))
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    refused("not a whole ONNX file", tmp_path / "bad.onnx")


INTS = {"minus": np.array([-1]), "far": np.array([-99]), "zero": np.array([0]), "rows": np.array([-1, UNITS])}
REVERSED = ["minus", "far", "zero", "minus"]
IDENTITIES = {
    "identity": {"before": [("Identity", ["x"], ["w"], {}), ("Cast", ["w"], ["y"], {"to": 1})]},
    "dropout": {"before": [("Dropout", ["x"], ["y"], {})]},
    "axes of length 1": {
        "before": [("Unsqueeze", ["x", "zero"], ["w"], {}), ("Squeeze", ["w", "zero"], ["y"], {})],
        "after": [("Unsqueeze", ["z", "one"], ["w1"], {}), ("Squeeze", ["w1", "one"], ["logits"], {})],
    },
    "rows of time steps": {
        "read": [
            ("Reshape", ["states", "rows"], ["flat"], {}), ("Gemm", ["flat", "V", "c"], ["g"], {}),
            ("Shape", ["states"], ["size"], {}), ("Slice", ["size", "zero", "two"], ["start"], {}),
            ("Concat", ["start", "classes"], ["shape"], {"axis": 0}), ("Reshape", ["g", "shape"], ["z"], {}),
        ],
        "constants": {"two": np.array([2]), "classes": np.array([CLASSES])},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", IDENTITIES)
def test_onnx_around_the_rnn(name, tmp_path):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    given = IDENTITIES[name]
    path = onnx_model(tmp_path / "m.onnx", **given | {"constants": INTS | given.get("constants", {})})
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    logits, states = session.run(["logits", "states"], {"x": INPUTS})
    same(networks.read(path), INPUTS, states, logits)


def test_onnx_with_rows_first(tmp_path):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    swap = {"perm": [1, 0, 2]}
    before, after = [("Transpose", ["x"], ["y"], swap)], [("Transpose", ["z"], ["logits"], swap)]
    path = onnx_model(tmp_path / "m.onnx", before=before, after=after)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    logits, states = session.run(["logits", "states"], {"x": INPUTS.swapaxes(0, 1)})
    same(networks.read(path), INPUTS, states, logits.swapaxes(0, 1))


CHANGED = {
    "Relu before": {"before": [("Relu", ["x"], ["y"], {})]},
    "MatMul before": {"before": [("MatMul", ["x", "E"], ["y"], {})]},
    "Slice before": {"before": [("Slice", ["x", *REVERSED], ["y"], {})]},
    "sequence_lens .lengths., which may end rows early": {"more": ["lengths"]},
    "Relu after the readout": {"after": [("Transpose", ["z"], ["w"], {}), ("Relu", ["w"], ["logits"], {})]},
    "Slice after the readout": {"after": [("Slice", ["z", *REVERSED], ["logits"], {})]},
    "Slice after the RNN": {"read": [
        ("Slice", ["states", "minus", "far", "two", "minus"], ["w"], {}), ("MatMul", ["w", "V"], ["z"], {}),
    ]},
    "Gather after the RNN": {"read": [
        ("Gather", ["states", "order"], ["w"], {"axis": 2}), ("MatMul", ["w", "V"], ["z"], {}),
    ]},
    "Tanh after the readout": {"read": [
        ("Gather", ["states", "last"], ["w"], {}), ("Gemm", ["w", "V"], ["v"], {}), ("Tanh", ["v"], ["z"], {}),
    ]},
    "Reshape after the RNN": {"read": [
        ("Reshape", ["states", "mixed"], ["w"], {}), ("MatMul", ["w", "V3"], ["z"], {}),
    ]},
    "MatMul after the RNN does not act on its units": {"read": [
        ("Transpose", ["states"], ["w"], {"perm": [1, 2, 0]}), ("MatMul", ["w", "VT"], ["z"], {}),
    ]},
}  # fmt: skip


@pytest.mark.parametrize("message", CHANGED)
def test_onnx_parts_that_are_not_read(message, tmp_path):
    pytest.importorskip("onnx")
    rng = np.random.default_rng(1)
    constants = INTS | {
        "E": rng.normal(size=(CHANNELS, CHANNELS)).astype("f4"), "lengths": np.array([9, 5, 3], np.int32),
        "order": np.arange(UNITS)[::-1].copy(), "two": np.array([2]), "last": np.array(-1),
        "mixed": np.array([ROWS, -1, TIME]), "V3": np.ones((TIME, 2), "f4"), "VT": np.ones((TIME, 2), "f4"),
    }  # fmt: skip
    refused(message, onnx_model(tmp_path / "m.onnx", constants=constants, **CHANGED[message]))


def test_onnx_and_readout(tmp_path):
    pytest.importorskip("onnx")
    weight = np.ones((3, UNITS))
    refused("readout= would be ignored", onnx_model(tmp_path / "m.onnx"), readout={"weight": weight})
    bare = onnx_model(tmp_path / "n.onnx", read=[("Identity", ["states"], ["z"], {})])
    assert networks.read(bare).n_classes == UNITS
    assert networks.read(bare, readout={"weight": weight}).n_classes == 3
