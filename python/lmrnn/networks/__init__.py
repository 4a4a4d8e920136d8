"""Trained networks from other packages as lmrnn.Network, to evaluate and analyse them; ours as ONNX.

    network = lmrnn.networks.read(model)                # or a path
    network.save("theirs.safetensors")                  # lmrnn eval, lmrnn analyze take it
    lmrnn.networks.write_onnx(network, "ours.onnx")     # any framework runs it

| source | what |
|---|---|
| PyTorch | a module with one `nn.RNN` or `nn.RNNCell` and a linear readout; a state dict (`.pt`, `.safetensors`) with `activation=` |
| Keras 3 | a model with one `SimpleRNN` and a `Dense` readout; `.keras` |
| flax | the parameters of a `linen.SimpleCell` and a `Dense` with `activation=`; an `nnx` module |
| nn4n | a `CTRNN` |
| NeuralRNN | a checkpoint folder (`config.json` and weights), or a model |
| ONNX | the operator RNN, and what `write_onnx` wrote |
| lmrnn | `.safetensors` of `Network.save`, `lmrnn.torch.LMRNN` |

The core has three state equations (`Network.equation`), with u[t] = W h[t-1] + W_in x[t] + b, from 0:
h[t] = (1 - alpha) h[t-1] + alpha f(u[t]); x[t] = (1 - alpha) x[t-1] + alpha u[t] with h[t] = f(x[t]);
h[t] = f((1 - alpha) h[t-1] + alpha u[t]). Networks with another equation, several layers, gates or another activation
are rejected with a reason, because their outputs would differ. So are modules, state dicts and graphs with parts other
than the RNN and one linear readout: learned initial states, LayerNorm, a layer before the RNN. Operations in a module's
forward that have no part of their own, such as F.relu, cannot be detected: compare a few outputs.

Needs the packages of the format: pip install 'lmrnn[networks]' for ONNX and safetensors.
"""

from __future__ import annotations

import sys
from os import PathLike
from pathlib import Path

from .. import _core
from .build import Options, of_lmrnn

__all__ = ["read", "write_onnx"]


def read(
    source,
    *,
    readout=None,
    n_rules: int = 0,
    activation: str | None = None,
    broken_mask: str | None = None,
) -> _core.Network:
    """The network in a file, a folder or an object of another package. Raises UsageError.

    Parameters
    ----------
    readout : module or dict, optional
        The linear readout (weight, bias; kernel, bias of flax), if it is not part of `source`, or if `source` has
        several. Without any, the readout is the identity: the logits are the states.
    n_rules : int
        The number of last input channels that are a one-hot rule.
    activation : "relu", "tanh" or "softplus", optional
        Needed if the source does not have it (state dicts, parameters).
    broken_mask : "keep" or "zero", optional
        What to do with weights outside the network's own mask. nn4n uses them in `eval()` and sets them to 0 in
        `train()`.
    """
    options = Options(readout, n_rules, activation, broken_mask)
    if isinstance(source, (str, PathLike)):
        return _from_path(Path(source), options)
    if isinstance(source, _core.Network):
        return of_lmrnn(source, options, "networks.read")
    for package, module, is_mine in _OBJECTS:
        if package in sys.modules and is_mine(sys.modules[package], source):
            return _module(module).from_object(source, options)
    if isinstance(source, dict):
        return _from_dict(source, options)
    raise _core.UsageError(
        f"networks.read: {type(source).__module__}.{type(source).__name__} is not a network that can be "
        "read; give a path, a module of PyTorch or Keras, or the parameters of flax. "
        "lmrnn.torch.export makes a network from any weights"
    )


def write_onnx(network: _core.Network, path: str | PathLike) -> None:
    """Writes a network as ONNX: inputs (time, row, channel + rule), rules one-hot after the channels, any
    time and any number of rows; outputs `logits` (time, row, class), `states` (time, row, unit).
    """
    _module("onnx_files").write(network, Path(path))


def _from_path(path: Path, options: Options) -> _core.Network:
    if not path.exists():
        raise _core.UsageError(f"{path}: does not exist; give the path of a network")
    if path.is_dir():
        if (path / "config.json").is_file():
            return _module("neuralrnn_models").from_folder(path, options)
        return of_lmrnn(_core.Network.load(path), options, str(path))
    ending = path.suffix.lower()
    if ending == ".onnx":
        return _module("onnx_files").read(path, options)
    if ending == ".keras":
        return _module("keras_models").from_path(path, options)
    if ending in (".pt", ".pth"):
        return _module("torch_modules").from_path(path, options)
    if ending == ".safetensors":
        return _module("torch_modules").from_safetensors(path, options)
    raise _core.UsageError(
        f"{path}: unknown file format; networks.read reads .onnx, .keras, .pt, .pth, .safetensors, and folders of "
        "NeuralRNN. Weights of other formats: load the model and pass the object"
    )


def _from_dict(source: dict, options: Options) -> _core.Network:
    if any(str(key).endswith("weight_hh_l0") or str(key).endswith("weight_hh") for key in source):
        return _module("torch_modules").from_state(source, options, "the state dict")
    return _module("flax_modules").from_parameters(source, options)


def _module(name: str):
    import importlib

    return importlib.import_module(f".{name}", __name__)


def _is_neuralrnn(module, value) -> bool:
    return any(kind.__module__.startswith("neuralrnn.") for kind in type(value).__mro__)


def _is_nn4n(module, value) -> bool:
    return any(kind.__module__.startswith("nn4n.") for kind in type(value).__mro__)


_OBJECTS = (
    ("neuralrnn", "neuralrnn_models", _is_neuralrnn),
    ("nn4n", "nn4n_models", _is_nn4n),
    ("torch", "torch_modules", lambda torch, value: isinstance(value, torch.nn.Module)),
    ("keras", "keras_models", lambda keras, value: isinstance(value, (keras.Model, keras.layers.Layer))),
    ("flax.nnx", "flax_modules", lambda nnx, value: isinstance(value, nnx.Module)),
)
