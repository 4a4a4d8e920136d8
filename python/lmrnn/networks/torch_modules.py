"""PyTorch: modules with one nn.RNN, and state dicts."""

from __future__ import annotations

import sys
from pathlib import Path

from .._core import Network, UsageError
from ..wirings.files import library
from .build import (
    Options,
    Weights,
    added,
    agreeing_activation,
    given_readout,
    is_other_head,
    network,
    of_lmrnn,
    refuse_unread,
    stated_activation,
)


def from_object(module, options: Options) -> Network:
    from torch import nn

    from .._torch_hooks import refresh
    from ..torch import LMRNN

    refresh(module)
    if isinstance(options.readout, nn.Module):
        refresh(options.readout)
    if isinstance(module, LMRNN):
        return of_lmrnn(module.to_network(), options, "LMRNN")
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
        readout = _only_linear(module, rnn, where)
        _refuse_parts(module, rnn, [readout], where)
    if readout is not None:
        values = given_readout(readout, where, kind=nn.Linear)
        weights.readout, weights.readout_bias = (None if v is None else _array(v) for v in values)
    if options.readout is not None:
        _refuse_parts(module, rnn, list(_heads(module, rnn, readout, weights)), where)
    return network(weights, options, where)


def _only_linear(module, rnn, where: str):
    from torch import nn

    named = {name: part for name, part in module.named_modules() if isinstance(part, nn.Linear)}
    if len(named) > 1:
        raise UsageError(
            f"{where}: {len(named)} linear layers ({', '.join(named)}); name the readout with readout=, and give the "
            "RNN itself if one of them comes before it"
        )
    if not named:
        return None
    ((name, linear),) = named.items()
    if linear.in_features != rnn.hidden_size:
        raise UsageError(f"{where}: the linear layer takes {linear.in_features} values, not the units")
    order = list(module.modules())
    if linear.out_features == rnn.input_size and order.index(linear) < order.index(rnn):
        raise UsageError(
            f"{where}: the linear layer {name} is defined before the RNN, and may stand before or after it; name it "
            "with readout= if it is the readout"
        )
    return linear


def _heads(module, rnn, readout, weights: Weights):
    """The linear layers of a module that cannot change what the given readout computes."""
    import torch

    for part in module.modules():
        if not isinstance(part, torch.nn.Linear):
            continue
        is_it = part is readout
        if not is_it and part.weight.shape == weights.readout.shape:
            is_it = bool((_array(part.weight) == weights.readout).all())  # the same weights, given as a dictionary
        if is_it or is_other_head(part.weight.shape, weights.readout.shape, rnn.input_size, rnn.hidden_size):
            yield part


def _refuse_parts(module, rnn, linear: list, where: str) -> None:
    """Raises UsageError for all other parts of a module: it is unknown what its forward does with them."""
    from torch import nn
    from torch.nn.modules.dropout import _DropoutNd
    from torch.nn.modules.loss import _Loss

    read = {id(value) for part in (rnn, *linear) if part is not None for value in _tensors_read(part)}
    harmless = (nn.Identity, _DropoutNd, _Loss, nn.ModuleList, nn.ModuleDict, nn.Sequential)
    unread, seen = [], set()
    for prefix, part in module.named_modules():
        if isinstance(part, _Loss):
            continue
        dot = f"{prefix}." if prefix else ""
        own = [*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)]
        names = [dot + name for name, value in own if id(value) not in read | seen]
        seen |= {id(value) for _, value in own}
        is_leaf = part is not rnn and part is not module and not any(True for _ in part.children())
        inside = ".parametrizations." in f".{prefix}."
        if is_leaf and not inside and not own and not isinstance(part, harmless):
            names = [prefix]
        unread += [f"{name} ({type(part).__name__})" if part is not module else name for name in names]
    refuse_unread(where, unread, "give the RNN itself and its readout: networks.read(module.rnn, readout=module.out)")


def _tensors_read(part):
    """The tensors of an RNN or a linear layer itself, and those from which PyTorch makes its weights (pruning, weight
    norm, parametrizations)."""
    import torch

    known = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    if isinstance(part, torch.nn.Linear):
        known = ("weight", "bias")
    for name, value in [*part.named_parameters(), *part.named_buffers()]:
        if name.startswith(known) or name.startswith("parametrizations."):
            yield value


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
        names = sorted(file.keys())
        if "recurrent_row_offsets" in names or (file.metadata() or {}).get("format") == "lmrnn-network":
            return of_lmrnn(Network.load(path), options, str(path))
        if not any(name.endswith(("weight_hh_l0", "weight_hh")) for name in names):
            try:
                loaded = Network.load(path)
            except UsageError as error:
                raise UsageError(
                    f"{path}: neither a network of lmrnn ({error}) nor the state dict of an nn.RNN"
                ) from None
            return of_lmrnn(loaded, options, str(path))
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
    order = list(state)
    # PyTorch lists the input weights first. Files of safetensors are sorted by name, so their order means nothing.
    is_ordered = order.index(f"{prefix}weight_ih{suffix}") < order.index(name)
    before = set(order[: order.index(name)]) if is_ordered else set(order)
    _state_readout(weights, others, before, options, where)
    return network(weights, options, where)


def _state_readout(weights: Weights, others: dict, before: set[str], options: Options, where: str) -> None:
    n_units, n_inputs = weights.input.shape
    found = [key for key, value in others.items() if value.ndim == 2 and key.endswith("weight")]
    read = set()
    if options.readout is not None:
        torch = sys.modules.get("torch")
        values = given_readout(options.readout, where, kind=torch.nn.Linear if torch else None)
        weights.readout, weights.readout_bias = (None if v is None else _array(v) for v in values)
        shape = weights.readout.shape
        for key in found:
            value = others[key]
            is_it = value.shape == shape and bool((value == weights.readout).all())
            if is_it or is_other_head(value.shape, shape, n_inputs, n_units):
                read |= {key, key.removesuffix("weight") + "bias"}
    elif len(found) == 1 and others[found[0]].shape[1] == n_units:
        key = found[0]
        if others[key].shape[0] == n_inputs and key in before:
            raise UsageError(
                f"{where}: {key} may stand before or after the RNN: it fits both; give it with "
                'readout={"weight": ..., "bias": ...} if it is the readout'
            )
        bias = key.removesuffix("weight") + "bias"
        weights.readout, weights.readout_bias = others[key], others.get(bias)
        read = {key, bias}
    elif found:
        raise UsageError(f"{where}: {', '.join(found)} could be the readout; name it with readout=")
    remedy = 'give a dictionary of the RNN\'s weights, and readout={"weight": ..., "bias": ...}'
    refuse_unread(where, [key for key in others if key not in read], remedy)


def _array(value):
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = (value.float() if value.is_floating_point() else value).numpy()
    return value
