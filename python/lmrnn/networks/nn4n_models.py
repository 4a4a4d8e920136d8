"""nn4n's CTRNN: v' = (1 - alpha) v + alpha (W f(v) + b + W_in x), outputs from f(v)."""

from __future__ import annotations

import warnings

import numpy as np

from .._core import Network, UsageError
from .build import Options, Weights, added, agreeing_activation, network, refuse_given

_DEFAULT = {"dt": 10, "tau": 100, "activation": "relu", "init_state": "zero"}


def from_object(model, options: Options) -> Network:
    where = type(model).__name__
    if not hasattr(model, "recurrent_layer"):
        raise UsageError(f"{where}: of nn4n, CTRNN can be read")
    layer = model.recurrent_layer
    masks = [part.sparsity_mask for part in (layer.input_layer, layer.hidden_layer, model.readout_layer)]
    signs = getattr(layer.hidden_layer, "ei_mask", None)
    return _read(
        model.state_dict(), masks, signs, float(layer.alpha), layer.act, layer.init_state, options, where
    )


def from_checkpoint(content: dict, options: Options, where: str) -> Network:
    """From a file of BaseNN.save. Its masks are (source, target), transposed compared with those of the layers."""
    settings = {**_DEFAULT, **content["kwargs"]}
    masks = settings.get("sparsity_masks") or [None] * 3
    masks = [None if mask is None else np.asarray(mask).T for mask in masks]
    signs = (settings.get("ei_masks") or [None] * 3)[1]
    signs = None if signs is None else np.asarray(signs).T
    alpha = settings["dt"] / settings["tau"]
    state = content["model_state_dict"]
    return _read(state, masks, signs, alpha, settings["activation"], settings["init_state"], options, where)


def _read(state, masks, signs, alpha, activation, init_state, options: Options, where: str) -> Network:
    refuse_given(options, where)
    state = {name: np.asarray(value.detach().cpu()) for name, value in state.items()}
    if init_state != "zero" and np.any(state.get("recurrent_layer.hidden_state", 0) != 0):
        raise UsageError(f"{where}: begins from a learned state; the core begins from 0")
    if activation not in ("relu", "tanh"):
        raise UsageError(f'{where}: the activation is "{activation}"; relu and tanh can be read from nn4n')
    names = ("recurrent_layer.input_layer", "recurrent_layer.hidden_layer", "readout_layer")
    input, recurrent, readout = (
        _within(state[f"{name}.weight"], mask, options, f"{where}: {name}")
        for name, mask in zip(names, masks)
    )
    weights = Weights(
        recurrent=recurrent,
        input=input,
        bias=added(state[f"{names[0]}.bias"], state[f"{names[1]}.bias"]),
        readout=readout,
        readout_bias=state[f"{names[2]}.bias"],
        input_mask=_mask(masks[0], input),
        recurrent_mask=_mask(masks[1], recurrent),
        readout_mask=_mask(masks[2], readout),
        excitatory=_types(signs, recurrent),
        alpha=alpha,
        activation=agreeing_activation(activation, options, where),
        equation="rate" if alpha == 1 else "voltage",  # the same without a leak, because f(0) is 0
    )
    return network(weights, options, where)


def _mask(mask, weight):
    return None if mask is None else (np.asarray(mask) != 0) | (weight != 0)


def _types(signs, recurrent):
    """(unit) Whether it is excitatory; None if some unit may have both signs, or violates its type."""
    if signs is None:
        return None
    excites, synapses = np.asarray(signs) > 0, recurrent != 0
    if np.any(synapses & (excites != (recurrent > 0))):
        return None
    positive, negative = (np.all((excites == kind) | ~synapses, axis=0) for kind in (True, False))
    return positive if np.all(positive | negative) else None


def _within(weight, mask, options: Options, where: str):
    if mask is None:
        return weight
    outside = (np.asarray(mask) == 0) & (weight != 0)
    if not outside.any():
        return weight
    if options.broken_mask == "zero":
        return np.where(outside, 0, weight)
    if options.broken_mask == "keep":
        warnings.warn(f"{where}: {outside.sum()} weights outside the network's own mask are kept", stacklevel=4)
        return weight
    raise UsageError(
        f"{where}: {int(outside.sum())} weights are outside the network's own mask, since nn4n applies it before "
        'a step of training and not after. Say broken_mask="zero" (as train() computes) or "keep" (as eval())'
    )
