"""PyTorch: our batches for its loops, our networks as its modules, its networks as ours.

Works with PyTorch 1.13 and later, on any device; PyTorch is not installed by lmrnn unless the extra
"torch" is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from . import _core
from .stream import Stream

_ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "softplus": nn.functional.softplus}


# Data ------------------------------------------------------------------------------------------


class StreamDataset(IterableDataset):
    """A stream as an IterableDataset of whole batches: inputs, targets (int64), mask, info.

    With several workers of a DataLoader, the batches and their order are those of one. `n_batches`:
    where to stop; None: never.
    """

    def __init__(self, stream: Stream, n_batches: int | None = None):
        self.stream, self.n_batches = stream, n_batches

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor, dict]]:
        worker = get_worker_info()
        first, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        number = first
        while self.n_batches is None or number < self.n_batches:
            yield _tensors(self.stream[self.stream.first + number])
            number += stride

    def __len__(self) -> int:
        if self.n_batches is None:
            raise TypeError("this dataset has no end")
        return self.n_batches


def loader(stream: Stream, n_batches: int | None = None, *, workers: int = 0, **options) -> DataLoader:
    """A DataLoader over a stream; with `workers`, batches are made ahead in other processes."""
    return DataLoader(
        StreamDataset(stream, n_batches), batch_size=None, num_workers=workers, **options
    )


def _tensors(batch):
    info = {
        key: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
        for key, value in batch.info.items()
    }
    return (
        torch.from_numpy(batch.inputs),
        torch.from_numpy(batch.targets).long(),
        torch.from_numpy(batch.mask),
        info,
    )


def masked_cross_entropy(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Sum of mask * cross-entropy over (time, row), divided by the sum of the mask."""
    losses = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return (losses * mask.flatten()).sum() / mask.sum()


# Our networks as modules -------------------------------------------------------------------------


class LMRNN(nn.Module):
    """The network of lmrnn.Network as a module.

        logits, states = LMRNN.load("runs/quickstart")(inputs, rules)

    Parameters: `recurrent` (unit, unit), `input` (unit, channel), `rule` (rule, unit), `bias`,
    `readout` (class, unit), `readout_bias`. Weights count only where `recurrent_mask`,
    `input_mask` and `readout_mask` are 1: others have no effect and gradient 0.

    network : lmrnn.Network; batch_first : (row, time, ...) instead of (time, row, ...).
    """

    def __init__(self, network: _core.Network, *, batch_first: bool = False):
        super().__init__()
        self.alpha, self.activation = network.alpha, network.activation
        self.batch_first = batch_first
        self._f = _ACTIVATIONS[network.activation]
        weights = dict(network.weights, recurrent=network.recurrent_matrix)
        for name, value in weights.items():
            self.register_parameter(name, nn.Parameter(torch.from_numpy(np.array(value))))
        for name in ("recurrent", "input", "readout"):
            mask = getattr(network, name).to_dense().astype(np.float32)
            self.register_buffer(f"{name}_mask", torch.from_numpy(mask))

    @classmethod
    def load(cls, path: str | PathLike, **options) -> LMRNN:
        """From a network file, a checkpoint or a run directory."""
        return cls(_core.Network.load(Path(path)), **options)

    @property
    def n_units(self) -> int:
        return self.recurrent.shape[0]

    @property
    def n_channels(self) -> int:
        """Input channels without rules."""
        return self.input.shape[1]

    def forward(
        self,
        inputs: Tensor,
        rules: Tensor | None = None,
        state: Tensor | None = None,
        *,
        recurrent_noise: float = 0.0,
    ) -> tuple[Tensor, Tensor]:
        """Logits (time, row, class) and states (time, row, unit).

        inputs : (time, row, channel); rules may follow the channels, dense.
        rules : (time, row, slot) numbers of the rules that are on, -1 for none.
        state : (row, unit), before the first step; zeros unless given.
        recurrent_noise : standard deviation of the noise inside f.
        """
        if self.batch_first:
            inputs = inputs.transpose(0, 1)
            rules = rules if rules is None else rules.transpose(0, 1)
        drive = self._drive(inputs, rules)
        h = drive.new_zeros(drive.shape[1:]) if state is None else state
        recurrent = (self.recurrent * self.recurrent_mask).t()
        states = []
        for u in drive:
            if recurrent_noise > 0:
                u = u + recurrent_noise * torch.randn_like(u)
            h = (1 - self.alpha) * h + self.alpha * self._f(u + h @ recurrent)
            states.append(h)
        states = torch.stack(states)
        logits = states @ (self.readout * self.readout_mask).t() + self.readout_bias
        if self.batch_first:
            return logits.transpose(0, 1), states.transpose(0, 1)
        return logits, states

    def step(self, inputs: Tensor, state: Tensor, rules: Tensor | None = None) -> Tensor:
        """The next state (row, unit) from inputs (row, channel) and a state (row, unit)."""
        drive = self._drive(inputs[None], None if rules is None else rules[None])[0]
        recurrent = (self.recurrent * self.recurrent_mask).t()
        return (1 - self.alpha) * state + self.alpha * self._f(drive + state @ recurrent)

    def cell(self, rule: int | None = None) -> Cell:
        """f(input, state) for tools that look for fixed points or compare dynamics."""
        return Cell(self, rule)

    def _drive(self, inputs: Tensor, rules: Tensor | None) -> Tensor:
        """What reaches the units from outside: (time, row, unit)."""
        n = self.n_channels
        drive = inputs[..., :n] @ (self.input * self.input_mask).t() + self.bias
        if inputs.shape[-1] == n + self.rule.shape[0]:
            drive = drive + inputs[..., n:] @ self.rule
        elif inputs.shape[-1] != n:
            raise ValueError(
                f"inputs have {inputs.shape[-1]} channels; expected {n}, or "
                f"{n + self.rule.shape[0]} with dense rules"
            )
        if rules is not None:
            none = self.rule.new_zeros(1, self.n_units)
            # Row -1 of the padded table stands for "no rule".
            drive = drive + torch.cat([self.rule, none])[rules.long()].sum(dim=-2)
        return drive

    def to_network(self) -> _core.Network:
        """The same weights as an lmrnn.Network: to save, to evaluate, to analyze."""
        return export(
            recurrent=self.recurrent,
            recurrent_mask=self.recurrent_mask,
            input=self.input,
            input_mask=self.input_mask,
            rule=self.rule,
            bias=self.bias,
            readout=self.readout,
            readout_mask=self.readout_mask,
            readout_bias=self.readout_bias,
            alpha=self.alpha,
            activation=self.activation,
        )


class Cell(nn.Module):
    """One time step, `cell(input, state) -> state`, under one rule.

    input : (row, channel), or (channel); state : (row, unit), or (unit).
    """

    def __init__(self, network: LMRNN, rule: int | None = None):
        super().__init__()
        self.network, self.rule = network, rule
        self.input_size, self.hidden_size = network.n_channels, network.n_units

    def forward(self, input: Tensor, state: Tensor) -> Tensor:
        rows = torch.atleast_2d(input)
        rules = None
        if self.rule is not None:
            rules = torch.full((len(rows), 1), self.rule, device=rows.device)
        return self.network.step(rows, torch.atleast_2d(state), rules).reshape(state.shape)


# Their networks as ours --------------------------------------------------------------------------


def export(
    *,
    recurrent: Tensor,
    input: Tensor,
    readout: Tensor,
    recurrent_mask: Tensor | _core.Mask | None = None,
    input_mask: Tensor | _core.Mask | None = None,
    readout_mask: Tensor | _core.Mask | None = None,
    rule: Tensor | None = None,
    bias: Tensor | None = None,
    readout_bias: Tensor | None = None,
    alpha: float = 1.0,
    activation: str = "relu",
) -> _core.Network:
    """An lmrnn.Network from weights of any framework's leaky network.

    recurrent (target, source), input (unit, channel), rule (rule, unit), readout (class, unit), as
    in LMRNN. Without `recurrent_mask`, a synapse exists wherever the weight is not zero.
    """
    w = {
        name: _core._finite_numbers(_array(value), f"export: {name}", [])
        for name, value in {
            "recurrent": recurrent, "input": input, "readout": readout, "rule": rule,
            "bias": bias, "readout_bias": readout_bias,
        }.items()
        if value is not None
    }  # fmt: skip
    mask = _mask(w["recurrent"] if recurrent_mask is None else recurrent_mask, "recurrent")
    network = _core.Network(
        mask,
        n_channels=w["input"].shape[1],
        n_classes=w["readout"].shape[0],
        n_rules=len(w["rule"]) if "rule" in w else 0,
        alpha=alpha,
        activation=activation,
        input=None if input_mask is None else _mask(input_mask, "input"),
        readout=None if readout_mask is None else _mask(readout_mask, "readout"),
    )
    w["recurrent"] = np.ascontiguousarray(w["recurrent"][mask.targets, mask.sources])
    network.set_weights(**w)
    return network


def export_rnn(
    rnn: nn.RNN | nn.RNNCell,
    readout: nn.Linear,
    *,
    recurrent_mask: Tensor | _core.Mask | None = None,
    n_rules: int = 0,
) -> _core.Network:
    """An lmrnn.Network (alpha 1) from torch's own one-layer RNN and a linear readout.

    n_rules : how many of the last input channels are a one-hot rule.
    """
    suffix = "_l0" if isinstance(rnn, nn.RNN) else ""
    if getattr(rnn, "num_layers", 1) != 1 or getattr(rnn, "bidirectional", False):
        raise _core.UsageError("export_rnn: only one layer, in one direction")
    input_weights = getattr(rnn, f"weight_ih{suffix}").detach()
    bias = None
    if rnn.bias:
        bias = (getattr(rnn, f"bias_ih{suffix}") + getattr(rnn, f"bias_hh{suffix}")).detach()
    n_channels = input_weights.shape[1] - n_rules
    return export(
        recurrent=getattr(rnn, f"weight_hh{suffix}"),
        recurrent_mask=recurrent_mask,
        input=input_weights[:, :n_channels],
        rule=input_weights[:, n_channels:].t() if n_rules else None,
        bias=bias,
        readout=readout.weight,
        readout_bias=readout.bias,
        alpha=1.0,
        activation=rnn.nonlinearity,
    )


def _array(value) -> np.ndarray:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)


def _mask(value, name: str) -> _core.Mask:
    if isinstance(value, _core.Mask):
        return value
    return _core._mask_from(_array(value), f"export: {name}_mask")
