"""PyTorch: modules with one nn.RNN, and state dicts."""

from __future__ import annotations

from pathlib import Path

from .._core import Network, UsageError
from ..wirings.files import library
from .build import Options, Weights, added, agreeing_activation, network, stated_activation


def from_object(module, options: Options) -> Network:
    import torch
    from torch import nn

    from ..torch import LMRNN

    if isinstance(module, LMRNN):
        return module.to_network()
    where = type(module).__name__
    for part in module.modules():
        if isinstance(part, (nn.LSTM, nn.GRU, nn.LSTMCell, nn.GRUCell)):
            raise UsageError(f"{where}: a {type(part).__name__} has gates; the core has plain units only")
    found = [part for part in module.modules() if isinstance(part, (nn.RNN, nn.RNNCell))]
    if len(found) != 1:
        raise UsageError(f"{where}: {len(found)} recurrent layers (nn.RNN, nn.RNNCell); one can be read")
    rnn = found[0]
    _check_rnn(rnn, where)
    suffix = "_l0" if isinstance(rnn, nn.RNN) else ""
    biases = [getattr(rnn, f"bias_{kind}{suffix}") for kind in ("ih", "hh")] if rnn.bias else []
    weights = Weights(
        recurrent=_array(getattr(rnn, f"weight_hh{suffix}")),
        input=_array(getattr(rnn, f"weight_ih{suffix}")),
        bias=added(*map(_array, biases)),
        activation=agreeing_activation(rnn.nonlinearity, options, where),
    )
    readout = options.readout
    if readout is None:
        linear = [part for part in module.modules() if isinstance(part, nn.Linear)]
        fitting = [part for part in linear if part.in_features == rnn.hidden_size]
        if len(linear) > 1:
            raise UsageError(f"{where}: {len(linear)} linear layers; name the readout with readout=")
        if linear and not fitting:
            raise UsageError(f"{where}: the linear layer takes {linear[0].in_features} values, not the units")
        readout = linear[0] if linear else None
    if isinstance(readout, torch.nn.Linear):
        weights.readout = _array(readout.weight)
        weights.readout_bias = None if readout.bias is None else _array(readout.bias)
    elif readout is not None:
        weights.readout, weights.readout_bias = (readout.get(key) for key in ("weight", "bias"))
    return network(weights, options, where)


def _check_rnn(rnn, where: str) -> None:
    if getattr(rnn, "num_layers", 1) != 1:
        raise UsageError(f"{where}: {rnn.num_layers} layers; one can be read")
    if getattr(rnn, "bidirectional", False):
        raise UsageError(f"{where}: bidirectional; only networks that run forward can be read")


def from_path(path: Path, options: Options) -> Network:
    torch = library("torch", path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001  whatever unpickling raises
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(
            f"{path}: holds more than tensors ({first}); load the model yourself and pass the object"
        ) from None
    if isinstance(content, dict) and {"model_state_dict", "kwargs"} <= set(content):
        from .nn4n_models import from_checkpoint

        return from_checkpoint(content, options, str(path))
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict):
        raise UsageError(f"{path}: holds a {type(content).__name__}; save the state_dict() of the module")
    return from_state(content, options, str(path))


def from_safetensors(path: Path, options: Options) -> Network:
    safetensors = library("safetensors", path)
    with safetensors.safe_open(str(path), framework="numpy") as file:
        names = set(file.keys())
        if "recurrent_row_offsets" in names or (file.metadata() or {}).get("format") == "lmrnn-network":
            return Network.load(path)
        if not any(name.endswith(("weight_hh_l0", "weight_hh")) for name in names):
            try:
                return Network.load(path)
            except UsageError as error:
                raise UsageError(
                    f"{path}: neither a network of lmrnn ({error}) nor the state dict of an nn.RNN"
                ) from None
        return from_state({name: file.get_tensor(name) for name in names}, options, str(path))


def from_state(state: dict, options: Options, where: str) -> Network:
    state = {str(name): _array(value) for name, value in state.items()}
    ends = ("weight_hh_l0", "weight_hh")
    recurrent = [name for name in state if name.endswith(ends)]
    deeper = [name for name in state if name.endswith(("weight_hh_l1", "weight_hh_l0_reverse"))]
    if len(recurrent) != 1 or deeper:
        raise UsageError(f"{where}: {len(recurrent + deeper)} recurrent layers; one nn.RNN can be read")
    name = recurrent[0]
    suffix = "_l0" if name.endswith("_l0") else ""
    prefix = name.removesuffix(f"weight_hh{suffix}")
    n_units = state[name].shape[1]
    if state[name].shape[0] != n_units:
        gates = state[name].shape[0] // max(n_units, 1)
        raise UsageError(f"{where}: {gates} gates, as in an LSTM or GRU; the core has plain units only")
    own = {f"{prefix}{kind}_{which}{suffix}" for kind in ("weight", "bias") for which in ("ih", "hh")}
    weights = Weights(
        recurrent=state[name],
        input=state[f"{prefix}weight_ih{suffix}"],
        bias=added(*(state.get(f"{prefix}bias_{which}{suffix}") for which in ("ih", "hh"))),
        activation=stated_activation(options, where, "tanh"),
    )
    others = {key: value for key, value in state.items() if key not in own}
    readouts = [key for key, value in others.items() if value.ndim == 2 and key.endswith("weight")]
    if options.readout is not None:
        readout = options.readout
        weights.readout = _array(readout["weight"] if isinstance(readout, dict) else readout.weight)
        bias = readout.get("bias") if isinstance(readout, dict) else readout.bias
        weights.readout_bias = None if bias is None else _array(bias)
    elif len(readouts) == 1 and others[readouts[0]].shape[1] == n_units:
        weights.readout = others[readouts[0]]
        weights.readout_bias = others.get(readouts[0].removesuffix("weight") + "bias")
    elif readouts:
        raise UsageError(f"{where}: {', '.join(readouts)} could be the readout; name it with readout=")
    return network(weights, options, where)


def _array(value):
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = (value.float() if value.is_floating_point() else value).numpy()
    return value
