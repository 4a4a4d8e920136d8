"""Makes a Network from weights in one layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _core
from .._core import UsageError

ACTIVATIONS = ("relu", "tanh", "softplus")


@dataclass
class Options:
    """The arguments of lmrnn.networks.read."""

    readout: Any = None
    n_rules: int = 0
    activation: str | None = None
    broken_mask: str | None = None


@dataclass
class Weights:
    """A network's weights in the core's layout; see lmrnn.torch.export for the shapes."""

    recurrent: Any
    input: Any
    bias: Any = None
    readout: Any = None
    readout_bias: Any = None
    recurrent_mask: Any = None
    input_mask: Any = None
    readout_mask: Any = None
    excitatory: Any = None
    alpha: float = 1.0
    activation: str = ""
    equation: str = "rate"


def network(weights: Weights, options: Options, where: str) -> _core.Network:
    n_units = len(weights.recurrent)
    if weights.readout is None:
        weights.readout = np.eye(n_units, dtype=np.float32)
        weights.readout_bias = np.zeros(n_units, dtype=np.float32)
    given = np.asarray(weights.input)
    n_channels = given.shape[1] - options.n_rules
    if options.n_rules < 0 or n_channels < 1:
        raise UsageError(f"{where}: n_rules = {options.n_rules}, but there are {given.shape[1]} input channels")
    input_mask = weights.input_mask
    if input_mask is not None and options.n_rules:
        input_mask = np.asarray(input_mask)[:, :n_channels]
    return from_arrays(
        where,
        recurrent=weights.recurrent,
        input=given[:, :n_channels],
        rule=given[:, n_channels:].T if options.n_rules else None,
        bias=weights.bias,
        readout=weights.readout,
        readout_bias=weights.readout_bias,
        recurrent_mask=weights.recurrent_mask,
        input_mask=input_mask,
        readout_mask=weights.readout_mask,
        excitatory=weights.excitatory,
        alpha=weights.alpha,
        activation=known_activation(weights.activation, where),
        equation=weights.equation,
    )


def given_readout(readout, where: str, weight: str = "weight", kind: type | None = None):
    """(weight, bias or None) from the argument `readout`: a dictionary, or a layer of the type `kind`."""
    known = (weight, "bias")
    if hasattr(readout, "keys"):
        unknown = [str(key) for key in readout.keys() if key not in known]
        if unknown or weight not in readout:
            wrong = f"has {', '.join(unknown)}" if unknown else f"has no {weight}"
            raise UsageError(f"{where}: readout= {wrong}; its keys are {' and '.join(known)} (may be left out)")
        values = readout[weight], readout["bias"] if "bias" in readout else None
    elif kind is not None and isinstance(readout, kind):
        values = getattr(readout, weight), readout.bias
    else:
        layer = f"a {kind.__name__}, or " if kind is not None else ""
        raise UsageError(
            f"{where}: readout= is a {type(readout).__name__}; give {layer}a dictionary with {' and '.join(known)}"
        )
    if len(values[0].shape) != 2:
        raise UsageError(f"{where}: the {weight} of readout= has {len(values[0].shape)} axes; it must have 2")
    return values


def is_other_head(shape, readout_shape, n_inputs: int, n_units: int) -> bool:
    """Whether a linear map (output, input) can only be another readout of the same states: it takes them, its outputs
    fit neither the RNN nor the readout, and the readout's outputs do not fit it."""
    return shape[1] == n_units and shape[0] not in (n_inputs, n_units) and readout_shape[0] != n_units


def refuse_unread(where: str, unread: list[str], remedy: str) -> None:
    if unread:
        shown = ", ".join(unread[:6]) + (f" and {len(unread) - 6} more" if len(unread) > 6 else "")
        raise UsageError(
            f"{where}: has {shown} besides the RNN and one linear readout, and what they compute would be lost. To leave "
            f"them out, {remedy}; to keep them, evaluate the function itself with lmrnn.evaluate"
        )


def refuse_given(options: Options, where: str, names=("readout",), why: str = "has its own readout") -> None:
    """Raises UsageError for arguments that would be ignored."""
    for name in names:
        value = getattr(options, name)
        if value is not None and not (name == "n_rules" and value == 0):
            raise UsageError(f"{where}: {why}, so {name}= would be ignored; leave it out")


def from_arrays(
    where: str, *, recurrent, input, readout, rule=None, bias=None, readout_bias=None, recurrent_mask=None,
    input_mask=None, readout_mask=None, excitatory=None, alpha=1.0, activation="relu", equation="rate",
) -> _core.Network:  # fmt: skip
    """A Network from recurrent (target, source), input (unit, channel), rule (rule, unit), readout (class, unit) and
    biases; without `recurrent_mask`, a synapse exists wherever `recurrent` is not 0."""
    arrays = {
        "recurrent": recurrent, "input": input, "readout": readout, "rule": rule, "bias": bias,
        "readout_bias": readout_bias,
    }  # fmt: skip
    w = {
        name: _core._finite_numbers(value, f"{where}: {name}", [])
        for name, value in arrays.items()
        if value is not None
    }
    mask = as_mask(w["recurrent"] if recurrent_mask is None else recurrent_mask, f"{where}: recurrent_mask")
    made = _core.Network(
        mask,
        n_channels=w["input"].shape[1],
        n_classes=w["readout"].shape[0],
        n_rules=len(w["rule"]) if "rule" in w else 0,
        alpha=float(alpha),
        activation=activation,
        input=None if input_mask is None else as_mask(input_mask, f"{where}: input_mask"),
        readout=None if readout_mask is None else as_mask(readout_mask, f"{where}: readout_mask"),
        excitatory=excitatory,
        equation=equation,
    )
    w["recurrent"] = np.ascontiguousarray(w["recurrent"][mask.targets, mask.sources])
    made.set_weights(**w)
    return made


def as_mask(value, name: str) -> _core.Mask:
    return value if isinstance(value, _core.Mask) else _core._mask_from(value, name)


def known_activation(activation: str, where: str) -> str:
    if activation not in ACTIVATIONS:
        raise UsageError(
            f'{where}: the activation is "{activation}"; the core has {", ".join(ACTIVATIONS)}, so the network '
            "cannot be read without changing what it computes"
        )
    return activation


def stated_activation(options: Options, where: str, hint: str) -> str:
    if options.activation is None:
        raise UsageError(f'{where}: does not say its activation; give it: activation="{hint}"')
    return known_activation(options.activation, where)


def agreeing_activation(found: str, options: Options, where: str) -> str:
    if options.activation not in (None, found):
        raise UsageError(
            f'{where}: activation = "{options.activation}", but the network says "{found}"; leave it out'
        )
    return found


def added(*biases) -> np.ndarray | None:
    """The sum of the biases; None stands for zeros."""
    some = [np.asarray(bias, dtype=np.float64) for bias in biases if bias is not None]
    return sum(some) if some else None


def refuse_state(where: str, equation: str, name: str) -> None:
    raise UsageError(
        f"{where}: its state equation is {name}, {equation}; the core's, h' = (1 - alpha) h + alpha f(W h + ...), "
        "x' = (1 - alpha) x + alpha (W f(x) + ...) with outputs from f(x), and h' = f((1 - alpha) h + alpha (W h + "
        "...)), compute something else"
    )


def of_lmrnn(network: _core.Network, options: Options, where: str) -> _core.Network:
    """A network of lmrnn, which is complete and needs no further arguments."""
    refuse_given(
        options, where, ("readout", "n_rules", "activation", "broken_mask"), "is a network of lmrnn, which is complete"
    )
    return network
