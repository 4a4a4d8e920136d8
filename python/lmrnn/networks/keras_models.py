"""Keras 3: SimpleRNN, whose kernels are (source, target), and Dense."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .._core import Network, UsageError
from ..wirings.files import library
from .build import Options, Weights, agreeing_activation, given_readout, is_other_head, network, refuse_unread

_REMEDY = "give the SimpleRNN itself, and its Dense with readout="

_PASSING = {"InputLayer", "Masking", "Dropout", "GaussianNoise", "SpatialDropout1D"}
"""Layers that do nothing at inference; Masking only to padded steps."""


def from_path(path: Path, options: Options) -> Network:
    keras = library("keras", path)
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:  # noqa: BLE001  Keras raises many kinds
        raise UsageError(f"{path}: Keras cannot load it ({str(error).splitlines()[0]})") from None
    return _read(model, options, str(path))


def from_object(model, options: Options) -> Network:
    return _read(model, options, type(model).__name__)


def _read(model, options: Options, where: str) -> Network:
    layers = _flat(model)
    recurrent = [layer for layer in layers if hasattr(layer, "cell")]
    if len(recurrent) != 1:
        raise UsageError(f"{where}: {len(recurrent)} recurrent layers; one SimpleRNN can be read")
    rnn = recurrent[0]
    if type(rnn).__name__ != "SimpleRNN":
        raise UsageError(f"{where}: a {type(rnn).__name__}; only SimpleRNN can be read, whose units have no gates")
    if rnn.go_backwards:
        raise UsageError(f"{where}: runs backwards in time (go_backwards)")
    cell = rnn.cell
    weights = Weights(
        recurrent=np.asarray(cell.recurrent_kernel).T,
        input=np.asarray(cell.kernel).T,
        bias=None if cell.bias is None else np.asarray(cell.bias),
        activation=agreeing_activation(_name(cell.activation), options, where),
    )
    before, after = layers[: layers.index(rnn)], layers[layers.index(rnn) + 1 :]
    for layer in before:
        if type(layer).__name__ not in _PASSING:
            raise UsageError(f"{where}: {type(layer).__name__} before the recurrent layer cannot be read")
    _readout(weights, [layer for layer in after if type(layer).__name__ not in _PASSING], options, where)
    # Models with their own call may have weights outside layers.
    read = {id(value) for layer in layers for value in getattr(layer, "weights", [])}
    others = [value.path for value in getattr(model, "weights", []) if id(value) not in read]
    refuse_unread(where, others, _REMEDY)
    return network(weights, options, where)


def _readout(weights: Weights, layers: list, options: Options, where: str) -> None:
    if options.readout is not None:
        _given_readout(weights, layers, options, where)
        return
    kinds = [type(layer).__name__ for layer in layers]
    if kinds and kinds[-1] in ("Softmax", "Activation") and _is_softmax(layers[-1]):
        layers, kinds = layers[:-1], kinds[:-1]  # the logits are its inputs
    if not layers:
        return
    if kinds != ["Dense"]:
        raise UsageError(f"{where}: {', '.join(kinds)} after the recurrent layer; one Dense readout can be read")
    dense = layers[0]
    _check_linear(dense, where)
    weights.readout = np.asarray(dense.kernel).T
    weights.readout_bias = None if dense.bias is None else np.asarray(dense.bias)


def _given_readout(weights: Weights, layers: list, options: Options, where: str) -> None:
    readout = options.readout
    kind = type(readout) if type(readout).__name__ == "Dense" else None
    if kind is not None:
        _check_linear(readout, where)
    kernel, bias = given_readout(readout, where, weight="kernel", kind=kind)
    weights.readout, weights.readout_bias = np.asarray(kernel).T, None if bias is None else np.asarray(bias)
    shape, others = weights.readout.shape, []
    for layer in layers:
        theirs = np.asarray(layer.kernel).T if type(layer).__name__ == "Dense" else None
        is_it = theirs is not None and theirs.shape == shape and bool((theirs == weights.readout).all())
        n_units, n_inputs = weights.input.shape
        is_head = theirs is not None and is_other_head(theirs.shape, shape, n_inputs, n_units)
        is_softmax = type(layer).__name__ in ("Softmax", "Activation") and _is_softmax(layer)
        if not (is_it or is_head or is_softmax):
            others.append(getattr(layer, "name", type(layer).__name__))
    refuse_unread(where, others, _REMEDY)


def _check_linear(dense, where: str) -> None:
    if _name(dense.activation) not in ("linear", "softmax"):
        raise UsageError(f"{where}: the readout has the activation {_name(dense.activation)}; it must be linear")


def _flat(model) -> list:
    layers = getattr(model, "layers", None)
    if layers is None:
        return [model.layer] if type(model).__name__ == "TimeDistributed" else [model]
    return [part for layer in layers for part in _flat(layer)]


def _is_softmax(layer) -> bool:
    return type(layer).__name__ == "Softmax" or _name(getattr(layer, "activation", None)) == "softmax"


def _name(activation) -> str:
    return getattr(activation, "__name__", str(activation))
