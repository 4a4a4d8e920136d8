"""NeuralRNN's checkpoints: config.json and model.safetensors or model.pt."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from .._core import Network, UsageError
from ..wirings.files import library
from .build import Options, Weights, added, agreeing_activation, network, refuse_given, refuse_state

_FAMILIES = ("ctrnn", "ei_rnn", "constrained_rnn", "sparse_rnn", "modular_rnn", "se_rnn")
_EQUATIONS = {"pre_activation": "rate", "post_blend": "leak-inside"}


def from_folder(folder: Path, options: Options) -> Network:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if (folder / "model.safetensors").is_file():
        from_file = library("safetensors.numpy", folder).load_file
        state = from_file(folder / "model.safetensors")
    elif (folder / "model.pt").is_file():
        torch = library("torch", folder)
        content = torch.load(folder / "model.pt", map_location="cpu", weights_only=True)
        state = {name: value.numpy() for name, value in content.items()}
    else:
        raise UsageError(f"{folder}: has config.json, but neither model.safetensors nor model.pt")
    return _read(config, state, options, str(folder))


def from_object(model, options: Options) -> Network:
    state = {name: value.detach().cpu().numpy() for name, value in model.state_dict().items()}
    return _read(model.config.to_dict(), state, options, type(model).__name__)


def _read(config: dict, state: dict, options: Options, where: str) -> Network:
    refuse_given(options, where)
    family = config.get("model_type")
    if family not in _FAMILIES:
        raise UsageError(f'{where}: a "{family}" of NeuralRNN; {", ".join(_FAMILIES)} can be read')
    alpha = _alpha(config)
    mode = config.get("nonlinearity_mode", "pre_activation")
    if mode not in _EQUATIONS:  # "rate" outputs voltages; the core's readout gets f of them
        equation = "z' = (1 - alpha) z + alpha (W f(z) + ...), with outputs from z"
        refuse_state(where, f"{equation}, alpha = {alpha:g}", f"NeuralRNN's {mode}")
    if np.any(state.get("h0", 0) != 0):
        raise UsageError(f"{where}: begins from a learned state h0; the core begins from 0")
    readout, readout_mask = _readout(state)
    weights = Weights(
        recurrent=_recurrent(state),
        input=state["input2h.weight"] * state.get("in_mask", np.ones(1)).T,
        bias=added(state["input2h.bias"], state["h2h.bias"]),
        readout=readout,
        readout_bias=state["readout_layer.bias"],
        recurrent_mask=state.get("rec_mask"),
        input_mask=state["in_mask"].T if "in_mask" in state else None,
        readout_mask=readout_mask,
        excitatory=np.diagonal(state["dale_mask"]) > 0 if "dale_mask" in state else None,
        alpha=alpha,
        activation=agreeing_activation(config.get("activation", "relu"), options, where),
        equation="rate" if alpha == 1 else _EQUATIONS[mode],  # the same without a leak
    )
    return network(weights, options, where)


def _alpha(config: dict) -> float:
    """Alpha in NeuralRNN's order of precedence: alpha, then dt / tau, then 1."""
    if config.get("alpha") is not None:
        return float(config["alpha"])
    if config.get("dt") is not None and config.get("tau"):
        return float(config["dt"]) / float(config["tau"])
    return 1.0


def _recurrent(state: dict) -> np.ndarray:
    weight = state["h2h.weight"] * state.get("rec_mask", np.ones(1))
    if "dale_mask" in state:
        weight = np.abs(weight) @ state["dale_mask"]
    return weight


def _readout(state: dict) -> tuple[np.ndarray, np.ndarray]:
    """Weights and mask, (class, unit)."""
    weight = state["readout_layer.weight"]
    mask = np.broadcast_to(state.get("out_mask", np.ones(1)).T, weight.shape)
    # The readout may be from the excitatory units only, which come first.
    others = [(0, 0), (0, state["h2h.weight"].shape[0] - weight.shape[1])]
    return np.pad(weight * mask, others), np.pad(mask, others)
