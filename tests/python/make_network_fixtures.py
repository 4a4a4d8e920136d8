"""Makes tests/python/networks: small networks of packages that are too heavy for the tests, and the outputs of those
packages for them on random inputs.

    python make_network_fixtures.py flax|keras|nn4n|neuralrnn FOLDER

Run each in an environment that has the package; the versions are saved, too. Inputs are (time, row, channel).
"""

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

TIME, ROWS, CHANNELS, UNITS, CLASSES = 9, 3, 4, 7, 2
INPUTS = np.random.default_rng(0).normal(size=(TIME, ROWS, CHANNELS)).astype(np.float32)


def flax(folder):
    import jax
    from flax import linen

    class Model(linen.Module):
        @linen.compact
        def __call__(self, inputs):
            states = linen.RNN(linen.SimpleCell(UNITS))(inputs)
            return linen.Dense(CLASSES)(states), states

    model, rows_first = Model(), INPUTS.swapaxes(0, 1)
    parameters = model.init(jax.random.key(1), rows_first)
    parameters = jax.tree.map(lambda p: p + 0.1, parameters)  # biases begin at 0
    logits, states = model.apply(parameters, rows_first)
    flat = {"/".join(k.key for k in path): np.asarray(v) for path, v in jax.tree_util.tree_leaves_with_path(parameters)}
    outputs = {"inputs": INPUTS, "logits": np.asarray(logits).swapaxes(0, 1), "states": np.asarray(states).swapaxes(0, 1)}
    np.savez_compressed(folder / "flax_linen.npz", version=version("flax"), **outputs, **flat)


def keras(folder):
    import keras

    keras.utils.set_random_seed(0)
    rnn = keras.layers.SimpleRNN(UNITS, return_sequences=True, bias_initializer="normal")
    dense = keras.layers.Dense(CLASSES, bias_initializer="normal")
    states = np.asarray(rnn(INPUTS.swapaxes(0, 1)))
    logits = np.asarray(dense(states))
    np.savez_compressed(
        folder / "keras.npz", version=version("keras"), inputs=INPUTS, states=states.swapaxes(0, 1),
        logits=logits.swapaxes(0, 1), kernel=rnn.cell.kernel, recurrent_kernel=rnn.cell.recurrent_kernel,
        bias=rnn.cell.bias, readout=dense.kernel, readout_bias=dense.bias,
    )  # fmt: skip


def nn4n(folder):
    import torch
    from nn4n.model import CTRNN

    torch.manual_seed(0)
    mask = (torch.rand(UNITS, UNITS) < 0.5).int()  # (source, target), as nn4n has them
    model = CTRNN(
        dims=[CHANNELS, UNITS, CLASSES], dt=10, tau=10, activation="tanh", biases="normal", weights="normal",
        sparsity_masks=[None, mask, None],
    )  # fmt: skip
    model.eval()
    model.save(str(folder / "nn4n.pt"))
    logits, (states,) = model(torch.from_numpy(INPUTS))
    kept = {"inputs": INPUTS, "logits": logits.detach().numpy(), "states": states.detach().numpy()}
    # A step of training leaves weights outside the mask.
    with torch.no_grad():
        model.recurrent_layer.hidden_layer.weight += 0.1
    logits, (states,) = model(torch.from_numpy(INPUTS))
    kept |= {"broken_logits": logits.detach().numpy(), "broken_states": states.detach().numpy()}
    model.save(str(folder / "nn4n_broken.pt"))
    np.savez_compressed(folder / "nn4n.npz", version=version("nn4n"), mask=mask.numpy().T, **kept)


def neuralrnn(folder):
    import torch
    from neuralrnn.models.constrained_rnn import ConstrainedRNNConfig, ConstrainedRNNModel
    from neuralrnn.models.ctrnn import CTRNNConfig, CTRNNModel, EIRNNConfig, EIRNNModel

    torch.manual_seed(0)
    sizes = {"input_dim": CHANNELS, "latent_dim": UNITS, "output_dim": CLASSES}
    mask = (np.random.default_rng(1).random((UNITS, UNITS)) < 0.5).astype(float).tolist()
    models = {
        "ctrnn": CTRNNModel(CTRNNConfig(**sizes, alpha=0.3, activation="softplus")),
        "ei_rnn": EIRNNModel(EIRNNConfig(**sizes, dt=20, tau=100)),
        "constrained": ConstrainedRNNModel(ConstrainedRNNConfig(**sizes, alpha=0.5, activation="tanh", rec_mask=mask)),
        "post_blend": CTRNNModel(CTRNNConfig(**sizes, nonlinearity_mode="post_blend")),
        "rate": CTRNNModel(CTRNNConfig(**sizes, alpha=0.3, nonlinearity_mode="rate")),
    }
    kept = {"inputs": INPUTS}
    for name, model in models.items():
        model.eval()
        model.save_pretrained(str(folder / "neuralrnn" / name))
        with torch.no_grad():
            out = model(torch.from_numpy(INPUTS.swapaxes(0, 1).copy()))
        kept[f"{name}_logits"] = out.outputs.numpy().swapaxes(0, 1)
        kept[f"{name}_states"] = out.states.numpy().swapaxes(0, 1)
    np.savez_compressed(folder / "neuralrnn.npz", version=version("neuralrnn"), **kept)


if __name__ == "__main__":
    package, target = sys.argv[1], Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    {"flax": flax, "keras": keras, "nn4n": nn4n, "neuralrnn": neuralrnn}[package](target)
