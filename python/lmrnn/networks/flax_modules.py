"""flax: linen's and nnx's SimpleCell. Kernels are (source, target); the bias is on the input side."""

from __future__ import annotations

import numpy as np

from .._core import Network, UsageError
from .build import (
    Options,
    Weights,
    agreeing_activation,
    given_readout,
    is_other_head,
    network,
    refuse_unread,
    stated_activation,
)

_REMEDY = "give the cell itself, and its readout with readout="


def from_parameters(parameters: dict, options: Options) -> Network:
    """From linen's parameters: {"i": {"kernel", "bias"}, "h": {"kernel"}} somewhere, and one Dense with a kernel."""
    where = "the parameters"
    cells: list = []
    kernels: dict = {}
    others: list[str] = []
    _search(parameters, "", cells, kernels, others)
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
    _choose(weights, {name: _of_dense(tree) for name, tree in kernels.items()}, others, None, options, where)
    return network(weights, options, where)


def _of_dense(tree):
    return np.asarray(tree["kernel"]), _or_none(tree.get("bias"))


def _choose(weights: Weights, dense: dict, others: list[str], kind, options: Options, where: str) -> None:
    """Selects the readout among the layers `dense`, name to (kernel, bias); raises UsageError for layers that are not
    read."""
    n_units, n_inputs = weights.input.shape
    chosen = None
    if options.readout is not None:
        kernel, bias = given_readout(options.readout, where, weight="kernel", kind=kind)
        chosen = _value(kernel), _value(bias)
    elif len(dense) > 1:
        raise UsageError(
            f"{where}: {len(dense)} layers with a kernel ({', '.join(dense)}); name the readout with readout=, and "
            "give the cell itself if one of them comes before it"
        )
    elif dense:
        ((name, chosen),) = dense.items()
        if chosen[0].shape == (n_units, n_inputs):  # flax sorts names, so the order of layers is unknown
            raise UsageError(
                f"{where}: {name} may stand before or after the cell: it fits both; give it with readout= if it is the "
                "readout"
            )
        dense = {}
    if chosen is not None:
        weights.readout, weights.readout_bias = chosen[0].T, chosen[1]
        for name, (kernel, _) in dense.items():
            is_it = kernel.shape == chosen[0].shape and bool((kernel == chosen[0]).all())
            if not is_it and not is_other_head(kernel.shape[::-1], chosen[0].shape[::-1], n_inputs, n_units):
                others = [*others, name]
    refuse_unread(where, others, _REMEDY)


def _search(tree, path: str, cells: list, kernels: dict, others: list[str]) -> None:
    if not hasattr(tree, "items"):
        others.append(path)
        return
    is_cell = set(tree) == {"i", "h"} and all("kernel" in tree[key] for key in ("i", "h"))
    if is_cell:
        cells.append(tree)
    elif "kernel" in tree and np.ndim(tree["kernel"]) == 2:
        kernels[path] = tree
    for key, branch in sorted(tree.items()):
        name = f"{path}.{key}" if path else str(key)
        if is_cell:
            others += [f"{name}.{part}" for part in branch if part not in ("kernel", "bias")]
        elif not (path in kernels and key in ("kernel", "bias")):
            _search(branch, name, cells, kernels, others)


def from_object(module, options: Options) -> Network:
    """From a module of nnx."""
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
    weights = Weights(
        recurrent=_value(cell.dense_h.kernel).T,
        input=_value(cell.dense_i.kernel).T,
        bias=_value(cell.dense_i.bias),
        activation=agreeing_activation(activation, options, where),
    )
    extra = _value(getattr(cell.dense_h, "bias", None))
    if extra is not None:
        weights.bias = extra + (0 if weights.bias is None else weights.bias)
    dense, others = {}, []
    read = {id(value) for part in own for _, value in nnx.iter_graph(part)}
    nodes = [(".".join(map(str, path)) or where, node) for path, node in nnx.iter_graph(module)]
    for name, part in nodes:
        if isinstance(part, nnx.Linear) and not any(part is o for o in own):
            dense[name] = _value(part.kernel), _value(part.bias)
            read |= {id(value) for _, value in nnx.iter_graph(part)}
    for name, part in nodes:
        if isinstance(part, nnx.Variable) and not isinstance(part, nnx.RngState) and id(part) not in read:
            others.append(f"{name} ({type(part).__name__})")
    _choose(weights, dense, others, nnx.Linear, options, where)
    return network(weights, options, where)


def _value(parameter):
    if parameter is None or isinstance(parameter, np.ndarray):
        return parameter
    value = parameter[...] if hasattr(parameter, "__getitem__") else parameter.value
    return None if value is None else np.asarray(value)


def _or_none(value):
    return None if value is None else np.asarray(value)
