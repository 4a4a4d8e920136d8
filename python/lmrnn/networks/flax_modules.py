"""flax: linen's and nnx's SimpleCell. Kernels are (source, target); the bias is on the input side."""

from __future__ import annotations

import numpy as np

from .._core import Network, UsageError
from .build import Options, Weights, agreeing_activation, network, stated_activation


def from_parameters(parameters: dict, options: Options) -> Network:
    """Of linen: {"i": {"kernel", "bias"}, "h": {"kernel"}} somewhere, and one Dense with a kernel."""
    where = "the parameters"
    cells, kernels = [], []
    _search(parameters, cells, kernels)
    if len(cells) != 1:
        raise UsageError(
            f"{where}: {len(cells)} cells with the parts i and h of a SimpleCell; one can be read. GRUs and LSTMs "
            "have gates, which the core lacks"
        )
    cell = cells[0]
    weights = Weights(
        recurrent=np.asarray(cell["h"]["kernel"]).T,
        input=np.asarray(cell["i"]["kernel"]).T,
        bias=_or_none(cell["i"].get("bias")),
        activation=stated_activation(options, where, "tanh"),
    )
    if "bias" in cell["h"]:
        weights.bias = np.asarray(cell["h"]["bias"]) + (0 if weights.bias is None else weights.bias)
    if options.readout is not None:
        kernels = [options.readout]
    if len(kernels) > 1:
        raise UsageError(f"{where}: {len(kernels)} layers with a kernel; name the readout with readout=")
    if kernels:
        weights.readout = np.asarray(kernels[0]["kernel"]).T
        weights.readout_bias = _or_none(kernels[0].get("bias"))
    return network(weights, options, where)


def _search(tree, cells: list, kernels: list) -> None:
    if not hasattr(tree, "items"):
        return
    if set(tree) == {"i", "h"} and all("kernel" in tree[key] for key in ("i", "h")):
        cells.append(tree)
    elif "kernel" in tree:
        kernels.append(tree)
    else:
        for _, branch in sorted(tree.items()):
            _search(branch, cells, kernels)


def from_object(module, options: Options) -> Network:
    """Of nnx."""
    from flax import nnx

    where = type(module).__name__
    parts = [part for _, part in nnx.iter_graph(module) if isinstance(part, nnx.Module)]
    cells = [part for part in parts if isinstance(part, nnx.SimpleCell)]
    gated = [part for part in parts if isinstance(part, nnx.RNNCellBase) and part not in cells]
    if len(cells) != 1 or gated:
        names = ", ".join(type(part).__name__ for part in cells + gated) or "none"
        raise UsageError(f"{where}: recurrent cells: {names}; one SimpleCell can be read")
    cell = cells[0]
    if getattr(cell, "residual", False):
        raise UsageError(f"{where}: a residual SimpleCell adds its old state, which the core does not")
    activation = getattr(cell.activation_fn, "__name__", str(cell.activation_fn))
    own = [cell.dense_i, cell.dense_h]
    linear = [part for part in parts if isinstance(part, nnx.Linear) and not any(part is o for o in own)]
    if len(linear) > 1:
        raise UsageError(f"{where}: {len(linear)} linear layers; name the readout with readout=")
    readout = options.readout or (linear[0] if linear else None)
    weights = Weights(
        recurrent=_value(cell.dense_h.kernel).T,
        input=_value(cell.dense_i.kernel).T,
        bias=_value(cell.dense_i.bias),
        activation=agreeing_activation(activation, options, where),
    )
    extra = _value(getattr(cell.dense_h, "bias", None))
    if extra is not None:
        weights.bias = extra + (0 if weights.bias is None else weights.bias)
    if readout is not None:
        weights.readout, weights.readout_bias = _value(readout.kernel).T, _value(readout.bias)
    return network(weights, options, where)


def _value(parameter):
    if parameter is None:
        return None
    value = parameter[...] if hasattr(parameter, "__getitem__") else parameter.value
    return None if value is None else np.asarray(value)


def _or_none(value):
    return None if value is None else np.asarray(value)
