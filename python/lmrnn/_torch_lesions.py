"""Lesions of PyTorch's modules; see lesions.py."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from . import _core
from ._operation import GROUPS
from .lesions import SilencedFunction, _chosen, _pairs
from .torch import LMRNN


def silenced_lmrnn(module, silent: np.ndarray):
    made = _plain(module)
    gone = torch.from_numpy(silent).to(made.recurrent.device)
    with torch.no_grad():
        made.recurrent[gone[made.sources]] = 0
        made.readout[:, gone] = 0
    return made


def cut_lmrnn(module, gone: np.ndarray):
    made = _plain(module)
    with torch.no_grad():
        made.recurrent[torch.from_numpy(gone).to(made.recurrent.device)] = 0
    return made


def _plain(module):
    """A copy with its own plain weights. For a parametrised module, this needs a new one: a parametrisation would
    compute the old weights again, and removing it from a copy changes the class that the original shares."""
    if not parametrize.is_parametrized(module):
        return copy.deepcopy(module)
    made = LMRNN(
        module.to_network(), batch_first=module.batch_first, backend=module.backend, recompute=module.recompute
    ).to(module.bias)
    with torch.no_grad():
        for group in GROUPS:
            getattr(made, group).copy_(getattr(module, group))
    return made.train(module.training)


def silenced_rnn(rnn: nn.Module, units) -> nn.Module:
    """A copy in which these units send nothing to other units, and output 0."""
    silent = torch.from_numpy(_chosen(units, _hidden_size(rnn), "units"))
    made = copy.deepcopy(rnn)
    weight = _recurrent_weight(made)
    with torch.no_grad():
        weight[:, silent.to(weight.device)] = 0
    made.register_forward_hook(Mute(~silent))
    return made


def cut_rnn(rnn: nn.Module, synapses) -> nn.Module:
    given, n = np.asarray(synapses), _hidden_size(rnn)
    if given.shape != (n, n):
        raise _core.UsageError(
            f"synapses: of shape {given.shape} and type {given.dtype}; {type(rnn).__name__} has no mask, so give "
            f"a bool array (target, source), {(n, n)}"
        )
    made = copy.deepcopy(rnn)
    weight = _recurrent_weight(made)
    gone = torch.from_numpy(_pairs(given)).to(weight.device)
    with torch.no_grad():
        for gate in weight.split(n):
            gate[gone] = 0
    return made


def _hidden_size(rnn) -> int:
    if getattr(rnn, "num_layers", 1) != 1 or getattr(rnn, "bidirectional", False):
        raise _core.UsageError(
            f"lesions: this {type(rnn).__name__} has {rnn.num_layers} layers"
            + (" in two directions" if rnn.bidirectional else "")
            + "; units are those of one layer in one direction: use a module per layer"
        )
    if parametrize.is_parametrized(rnn):
        raise _core.UsageError(
            "lesions: the weights of this module are parametrized; first leave them as they are with "
            "torch.nn.utils.parametrize.remove_parametrizations"
        )
    if getattr(rnn, "proj_size", 0):
        raise _core.UsageError("lesions: an LSTM with proj_size sends mixtures of units, not units")
    return rnn.hidden_size


def _recurrent_weight(rnn) -> Tensor:
    return rnn.weight_hh if isinstance(rnn, nn.RNNCellBase) else rnn.weight_hh_l0


class Mute:
    """A forward hook for torch's recurrent modules that sets the outputs of units that are not kept to 0."""

    def __init__(self, keep: Tensor):
        self.keep = keep

    def __call__(self, module, inputs, output):
        if isinstance(module, nn.RNNBase):
            sequence, last = output
            if isinstance(sequence, Tensor):
                sequence = self._muted(sequence)
            else:  # a PackedSequence
                sequence = sequence._replace(data=self._muted(sequence.data))
            if isinstance(last, tuple):
                return sequence, (self._muted(last[0]), last[1])
            return sequence, self._muted(last)
        if isinstance(output, tuple):
            return self._muted(output[0]), output[1]
        return self._muted(output)

    def _muted(self, states: Tensor) -> Tensor:
        return states * self.keep.to(states)


class Silenced(nn.Module):
    """`cell(inputs, states) -> states` with some states held at 0."""

    def __init__(self, cell: nn.Module, units):
        super().__init__()
        self.cell, self.units = copy.deepcopy(cell), units
        self.hidden_size = getattr(cell, "hidden_size", None)
        self.input_size = getattr(cell, "input_size", None)
        SilencedFunction(cell, units)  # checks the units, if the cell says how many it has

    def forward(self, inputs: Tensor, states: Tensor) -> Tensor:
        return SilencedFunction(self.cell, self.units)(inputs, states)
