"""PyTorch: our batches for its training loops, our engine as a layer, and its networks as lmrnn.Network.

Works with PyTorch 1.13 and later, on any device. lmrnn installs PyTorch only with the extra "torch".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from . import _core, _torch_operation
from ._operation import GROUPS, Engine, network_from_mask, next_state, seen, widened
from ._torch_hooks import refresh
from .networks.build import from_arrays
from .stream import Stream

_BACKENDS = ("auto", "engine", "reference")
_ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "softplus": nn.functional.softplus}


# Data ------------------------------------------------------------------------------------------


class StreamDataset(IterableDataset):
    """A stream as an IterableDataset of whole batches: inputs, targets (int64), mask, info.

    With several workers of a DataLoader, the batches and their order are the same as with one. `n_batches`: how many
    batches; None: no end.

    Every pass begins at batch `first` of the stream, so a second epoch of `n_batches` has the same batches again. For
    new data, make one endless pass, or use a stream whose `first` is where the last pass stopped.
    """

    def __init__(self, stream: Stream, n_batches: int | None = None):
        if n_batches is not None:
            if not isinstance(n_batches, (int, np.integer)) or n_batches < 0:
                raise _core.UsageError(
                    f"n_batches = {n_batches}; give a whole number that is at least 0, or None for no end"
                )
            n_batches = int(n_batches)
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
    """A DataLoader over a stream; with `workers`, batches are made ahead in other processes.

    A second pass over it gives the same batches again; see StreamDataset. Nothing is drawn from PyTorch's global
    generator, so a pass for an evaluation does not change what is drawn afterwards."""
    # Each pass over a DataLoader draws a seed for its workers, from the global generator unless it has its own.
    options.setdefault("generator", torch.Generator())
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
    """Sum of mask * cross-entropy over (time, row), divided by the sum of the mask.

    logits : (time, row, class); targets, mask : (time, row), or (row, time, ...) all three.
    """
    _expect_losses("masked_cross_entropy", logits, "logits", "class")
    targets = _per_step("masked_cross_entropy", targets, "targets", logits)
    mask = _per_step("masked_cross_entropy", mask, "mask", logits)
    losses = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return (losses * mask.flatten()).sum() / mask.sum()


def masked_least_squares(outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Sum of mask * squared error, summed over outputs, over (time, row), divided by the sum of the mask; for
    continuous targets (time, row, output). The same as loss.kind = "least-squares".

    outputs, targets : (time, row, output); mask : (time, row), or (row, time, ...) all three.
    """
    _expect_losses("masked_least_squares", outputs, "outputs", "output")
    if targets.shape != outputs.shape:
        raise ValueError(
            f"masked_least_squares: targets of shape {tuple(targets.shape)}, but outputs {tuple(outputs.shape)}; give "
            "a target per output"
        )
    mask = _per_step("masked_least_squares", mask, "mask", outputs)
    return (mask * ((outputs - targets) ** 2).sum(dim=-1)).sum() / mask.sum()


def _expect_losses(where: str, outputs: Tensor, name: str, axis: str) -> None:
    if outputs.dim() != 3:
        raise ValueError(f"{where}: {name} of shape {tuple(outputs.shape)}; give (time, row, {axis})")


def _per_step(where: str, x: Tensor, name: str, outputs: Tensor) -> Tensor:
    """(time, row) of a tensor that may have an extra axis of length 1 for outputs. Other shapes would broadcast to a
    wrong number."""
    steps = outputs.shape[:2]
    if x.shape == (*steps, 1):
        return x[..., 0]
    if x.shape != steps:
        raise ValueError(
            f"{where}: {name} of shape {tuple(x.shape)}; these outputs need (time, row), here {tuple(steps)}"
        )
    return x


# Our networks as modules -------------------------------------------------------------------------


class LMRNN(nn.Module):
    """The network of lmrnn.Network as a module, computed by lmrnn's engine.

        module = LMRNN(mask=lmrnn.Mask.make("local", rows=16, cols=16, radius=2),
                       n_channels=33, n_classes=17, n_rules=82)
        module = LMRNN.load("runs/quickstart")
        states, logits = module(inputs, rules)

    Parameters: `recurrent` (synapse), one per synapse of `mask`, whose target and source units are `targets` and
    `sources`; `input` (unit, channel), `rule` (rule, unit), `bias`, `readout` (class, unit), `readout_bias`. Weights of
    input and readout are used only where `input_mask` and `readout_mask` are 1: the others have no effect and gradient
    0.

    network : an lmrnn.Network, whose weights are copied. Or, for a fresh one:
    mask : lmrnn.Mask or array (target, source), with n_channels, n_classes, n_rules, alpha,
        activation, equation ("rate", "voltage", "leak-inside"), input_mask, readout_mask, initialisation
        ("fan-in", "identity", "spectral-radius") and seed (None: drawn by PyTorch's generator, so
        torch.manual_seed decides, of whose seed the last 32 bits count).
    batch_first : (row, time, ...) instead of (time, row, ...).
    backend : "auto": the engine if possible (float32 on the CPU), otherwise the reference; "engine": an error if it
        is not possible; "reference": PyTorch's own operations, on any device, in any precision, many times slower.
        `backend_in_use` says which one and why.
    recompute : keep only about sqrt(time) of the states for backward and compute the others again.

    The engine uses torch.get_num_threads() threads; any number gives the same bits. It has first derivatives by
    backward() and torch.autograd.grad. Gradients of gradients (create_graph=True, hessians) and torch.func.grad need
    backend="reference".

    load_state_dict rejects the state of a network with another mask, alpha, activation or equation. The last three are
    in the metadata of state_dict(), which torch.save keeps. safetensors and a copy as {k: v ...} lose them: then they
    are not compared, and the module uses its own. `to_network().save` keeps everything.
    """

    def __init__(
        self,
        network: _core.Network | None = None,
        *,
        mask: _core.Mask | np.ndarray | Tensor | None = None,
        n_channels: int | None = None,
        n_classes: int | None = None,
        n_rules: int = 0,
        alpha: float = 1.0,
        activation: str = "relu",
        input_mask: _core.Mask | np.ndarray | Tensor | None = None,
        readout_mask: _core.Mask | np.ndarray | Tensor | None = None,
        initialisation: str = "fan-in",
        seed: int | None = None,
        equation: str = "rate",
        batch_first: bool = False,
        backend: str = "auto",
        recompute: bool = False,
    ):
        super().__init__()
        if (network is None) == (mask is None):
            raise TypeError("LMRNN: give a network, or a mask for a fresh one")
        if backend not in _BACKENDS:
            raise ValueError(f"LMRNN: backend {backend!r}; one of {', '.join(_BACKENDS)}")
        if network is None:
            network = network_from_mask(
                mask, n_channels=n_channels, n_classes=n_classes, n_rules=n_rules, alpha=alpha,
                activation=activation, input_mask=input_mask, readout_mask=readout_mask,
                initialisation=initialisation, seed=_drawn_seed() if seed is None else seed,
                equation=equation,
            )  # fmt: skip
        elif not isinstance(network, _core.Network):
            raise TypeError(
                f"LMRNN: {type(network).__name__} is not an lmrnn.Network; use LMRNN.load for a path, "
                "or mask= for a fresh network"
            )
        self.alpha, self.activation = network.alpha, network.activation
        self.equation = network.equation
        self.batch_first, self.backend, self.recompute = batch_first, backend, recompute
        self._f = _ACTIVATIONS[network.activation]
        for name, value in network.weights.items():
            self.register_parameter(name, nn.Parameter(torch.from_numpy(np.array(value))))
        self._shape = (network.n_units, network.n_units)
        for name in ("targets", "sources"):
            index = getattr(network.recurrent, name).astype(np.int64)
            self.register_buffer(name, torch.from_numpy(index))
        for name in ("input", "readout"):
            mask = getattr(network, name).to_dense().astype(np.float32)
            self.register_buffer(f"{name}_mask", torch.from_numpy(mask))
        self._engine = Engine(network)
        self._wide = None
        if network.n_rules:
            self._wide = Engine(widened(network))

    @classmethod
    def load(cls, path: str | PathLike, **options) -> LMRNN:
        """From a network file, a checkpoint, a run directory or "zoo:NAME"."""
        return cls(_core.Network.load(Path(path)), **options)

    @property
    def n_units(self) -> int:
        return self._shape[0]

    @property
    def n_channels(self) -> int:
        """Input channels without rules."""
        return self.input.shape[1]

    @property
    def n_rules(self) -> int:
        return self.rule.shape[0]

    @property
    def n_classes(self) -> int:
        return self.readout_bias.shape[0]

    @property
    def mask(self) -> _core.Mask:
        """The recurrent synapses, (target, source)."""
        return self._engine.network.recurrent

    @property
    def recurrent_matrix(self) -> Tensor:
        """W as a dense (target, source) matrix, 0 where there is no synapse; differentiable."""
        zeros = self.recurrent.new_zeros(self._shape)
        return zeros.index_put((self.targets, self.sources), self.recurrent)

    @property
    def backend_in_use(self) -> tuple[str, str]:
        """Which one, "engine" or "reference", and why."""
        if self.backend == "reference":
            return "reference", "as asked for"
        weight = self.bias
        if weight.device.type != "cpu":
            return "reference", f"weights are on {weight.device}; the engine is for the CPU"
        if weight.dtype != torch.float32:
            return "reference", f"weights are {weight.dtype}; the engine is for torch.float32"
        return "engine", "float32 on the CPU"

    def forward(
        self,
        inputs: Tensor,
        rules: Tensor | None = None,
        state: Tensor | None = None,
        *,
        resets: Tensor | None = None,
        recurrent_noise: float = 0.0,
        seed: int | None = None,
        states: bool = True,
    ) -> tuple[Tensor | None, Tensor]:
        """States (time, row, unit) and logits (time, row, class), as Network.forward. With the equation
        "voltage", states are voltages; their rates are `rates(states)`.

        inputs : (time, row, channel); rules may follow the channels, dense.
        rules : (time, row, slot) numbers of the rules that are on, -1 for none; faster than dense. None: no rule is
            on at any step (Network.forward does not accept this for a network with rules).
        state : (row, unit), before the first step; zeros unless given.
        resets : (time, row) bool, true where the state before the step is reset to 0.
        recurrent_noise : standard deviation of the noise inside f, which depends on `seed` (None: drawn by
            PyTorch's generator).
        states : False: returns None instead of the states, which saves an array of that size.
        """
        if self.batch_first:
            inputs, rules, resets = (_swapped(x) for x in (inputs, rules, resets))
        self._check(inputs, rules, state, resets)
        if recurrent_noise < 0 or not math.isfinite(recurrent_noise):
            raise ValueError(f"LMRNN: recurrent_noise = {recurrent_noise}; at least 0, and finite")
        if recurrent_noise > 0 and seed is None:
            seed = _drawn_seed()
        # (Compilers cannot look into the core, and a number in range needs no check.)
        if seed is not None and not (type(seed) is int and 0 <= seed < 2**63):
            seed = _core._check_seed(seed)
        name, why = self.backend_in_use
        if name == "engine":
            run = self._run_engine
        elif self.backend == "engine":
            raise RuntimeError(f'LMRNN: backend="engine", but {why}; use backend="auto"')
        else:
            run = self._run_reference
        all_states, logits = run(inputs, rules, state, resets, recurrent_noise, seed or 0, states)
        if self.batch_first:
            all_states, logits = _swapped(all_states), _swapped(logits)
        return all_states, logits

    def _run_engine(self, inputs, rules, state, resets, noise, seed, states):
        weights = [getattr(self, group) for group in GROUPS]
        engine = self._engine
        if inputs.shape[-1] != self.n_channels:
            engine = self._wide
            weights[1] = torch.cat([weights[1], weights[2].t()], dim=1)
            weights[2] = weights[2][:0]
        return _torch_operation.apply(
            engine, weights, inputs, rules, resets, state, noise=noise, seed=seed,
            recompute=self.recompute, states=states,
        )  # fmt: skip

    def _run_reference(self, inputs, rules, state, resets, noise, seed, states):
        drive = self._drive(inputs, rules)
        if noise > 0:
            drive = drive + torch.from_numpy(
                _core._recurrent_noise(noise, seed, *drive.shape)
            ).to(drive)
        h = drive.new_zeros(drive.shape[1:]) if state is None else state
        recurrent = self.recurrent_matrix.t()
        all_states = []
        for t, u in enumerate(drive):
            if resets is not None:
                h = torch.where(resets[t, :, None].bool(), torch.zeros_like(h), h)
            h = next_state(self.equation, self.alpha, self._f, h, u + self.rates(h) @ recurrent)
            all_states.append(h)
        all_states = torch.stack(all_states)
        logits = self.rates(all_states) @ (self.readout * self.readout_mask).t() + self.readout_bias
        return (all_states if states else None), logits

    def rates(self, states: Tensor) -> Tensor:
        """What other units and the readout see of states: f of voltages; with other equations, the states themselves.
        Penalise these to do the same as loss.rate_penalty."""
        return seen(self.equation, self._f, states)

    def step(self, inputs: Tensor, state: Tensor, rules: Tensor | None = None) -> Tensor:
        """The next state (row, unit) from inputs (row, channel) and a state (row, unit).

        rules : (row, slot), as in forward; or append them to the channels, dense. A single row of inputs, state or
            rules is used for all rows.
        """
        self._check_step(inputs, state, rules)
        drive = self._drive(inputs[None], None if rules is None else rules[None])[0]
        recurrent = self.recurrent_matrix.t()
        u = drive + self.rates(state) @ recurrent
        return next_state(self.equation, self.alpha, self._f, state, u)

    def cell(self, rule: int | None = None) -> Cell:
        """f(input, state) for tools that look for fixed points or compare dynamics.

        FixedPointFinder freezes the weights of its model, and these are the module's own: give it
        copy.deepcopy(module).cell() if you continue training. lmrnn.fixed_points changes nothing.
        """
        return Cell(self, rule)

    def _check(self, inputs, rules, state, resets):
        """Checks shapes, types and devices of forward's arguments, time first."""
        bias = self.bias
        _expect(inputs, "inputs", bias, ("time", "row", "channel"), (None, None, None))
        if inputs.shape[0] == 0 or inputs.shape[1] == 0:
            raise ValueError(f"LMRNN: inputs {tuple(inputs.shape)} have no time steps or no rows")
        self._check_channels(inputs, rules)
        n_steps, n_rows = inputs.shape[:2]
        if rules is not None:
            _expect(rules, "rules", None, ("time", "row", "slot"), (n_steps, n_rows, None), bias.device)
        if resets is not None:
            _expect(resets, "resets", torch.bool, ("time", "row"), (n_steps, n_rows), bias.device)
        if state is not None:
            _expect(state, "state", bias, ("row", "unit"), (n_rows, self.n_units))

    def _check_channels(self, inputs, rules):
        """Rejects rules given both by number and in the channels, which would count them twice."""
        n, wide = self.n_channels, self.n_channels + self.n_rules
        if inputs.shape[-1] not in (n, wide):
            raise ValueError(
                f"LMRNN: inputs have {inputs.shape[-1]} channels; expected {n}"
                + (f", or {wide} with dense rules" if self.n_rules else "")
            )
        if rules is not None and inputs.shape[-1] != n:
            raise ValueError("LMRNN: rules are given twice: in the channels and by number; give them once")

    def _check_step(self, inputs, state, rules):
        """Checks step's arguments. Rows may be broadcast and autocast may change types, so only widths matter."""
        given = {"inputs": inputs, "state": state} | ({} if rules is None else {"rules": rules})
        for name, x in given.items():
            _expect_tensor(x, name)
            if x.dim() == 0:
                raise ValueError(f"LMRNN: {name} is a single number; give (row, {_WIDTHS[name]})")
        self._check_channels(inputs, rules)
        if state.shape[-1] != self.n_units:
            raise ValueError(f"LMRNN: state of shape {tuple(state.shape)}; this network needs (row, {self.n_units})")
        if rules is not None:
            if rules.dim() != inputs.dim():
                raise ValueError(f"LMRNN: rules of shape {tuple(rules.shape)}; give (row, slot)")
            _expect_whole(rules, "rules")
        rows = [tuple(x.shape[:-1]) for x in given.values()]
        if any(n != m and 1 not in (n, m) for a in rows for b in rows for n, m in zip(a[::-1], b[::-1])):
            shapes = ", ".join(f"{name} {tuple(x.shape)}" for name, x in given.items())
            raise ValueError(f"LMRNN: {shapes}; give as many rows of each")

    def _drive(self, inputs: Tensor, rules: Tensor | None) -> Tensor:
        """The drive of the units from outside: (time, row, unit)."""
        n = self.n_channels
        drive = inputs[..., :n] @ (self.input * self.input_mask).t() + self.bias
        if inputs.shape[-1] > n:
            drive = drive + inputs[..., n:] @ self.rule
        if rules is not None:
            if rules.numel() and not -1 <= int(rules.min()) <= int(rules.max()) < self.n_rules:
                raise ValueError(
                    f"LMRNN: rules from {int(rules.min())} to {int(rules.max())}; the network has "
                    f"{self.n_rules}, counted from 0, and -1 is none"
                )
            none = self.rule.new_zeros(1, self.n_units)
            # Row -1 of the padded table means "no rule".
            drive = drive + torch.cat([self.rule, none])[rules.long()].sum(dim=-2)
        return drive

    def _computes(self) -> dict[str, str]:
        """What the network computes besides the weights; as text, because torch.load(weights_only=True) of PyTorch 1.13
        accepts no floats."""
        return {"alpha": repr(float(self.alpha)), "activation": self.activation, "equation": self.equation}

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        super()._save_to_state_dict(destination, prefix, keep_vars)
        # In the metadata and not as a tensor: another entry would be unexpected for earlier versions and for code that
        # loops over the entries.
        metadata = getattr(destination, "_metadata", None)
        if metadata is not None:
            metadata.setdefault(prefix[:-1], {})["lmrnn"] = self._computes()

    def _load_from_state_dict(self, state_dict, prefix, metadata, strict, missing, unexpected, errors):
        """Also takes the dense weights of earlier versions. Rejects weights of another mask, and of a network that
        computes something else."""
        ours = self._computes()
        for name, theirs in metadata.get("lmrnn", {}).items():
            if theirs != ours.get(name, theirs):
                errors.append(
                    f"{prefix}{name}: the saved network has {name}={theirs}, this module {name}={ours[name]}; load "
                    f"into a module that was made with the {name} of the saved one"
                )
                return
        dense, key = state_dict.get(prefix + "recurrent"), prefix + "recurrent"
        if dense is not None and dense.dim() == 2:
            old = state_dict.pop(prefix + "recurrent_mask", None)
            ours = torch.zeros(self._shape, dtype=torch.bool)
            ours[self.targets.cpu(), self.sources.cpu()] = True
            theirs = dense.cpu() != 0 if old is None else old.cpu() != 0
            outside = theirs if theirs.shape != ours.shape else theirs & ~ours
            if theirs.shape != ours.shape or outside.any() or (old is not None and (ours & ~theirs).any()):
                errors.append(f"{key}: a dense matrix of another mask than this module's")
                return
            state_dict[key] = dense[self.targets.to(dense.device), self.sources.to(dense.device)]
            state_dict[prefix + "targets"], state_dict[prefix + "sources"] = self.targets, self.sources
        # The engine has its masks from the constructor, so a state must not bring others.
        masks = {"targets": "mask", "sources": "mask", "input_mask": "input_mask", "readout_mask": "readout_mask"}
        for name, mask in masks.items():
            theirs, ours = state_dict.get(prefix + name), getattr(self, name)
            if theirs is None or (ours.dim() == 2 and theirs.shape != ours.shape):
                continue  # PyTorch reports which sizes differ
            if not torch.equal(theirs.cpu().to(ours.dtype), ours.cpu()):
                errors.append(
                    f"{prefix + name}: the synapses are not those of this module's {mask}; load into a module "
                    f"that was made with the {mask} of the saved one"
                )
                return
        super()._load_from_state_dict(
            state_dict, prefix, metadata, strict, missing, unexpected, errors
        )

    def extra_repr(self) -> str:
        name, why = self.backend_in_use
        return (
            f"{self.n_units} units, {len(self.targets)} synapses "
            f"({100 * self.mask.density:.3g}%), {self.n_channels} channels, {self.n_rules} rules, "
            f"{self.n_classes} classes, {self.activation}, alpha={self.alpha:g}, "
            + (f"{self.equation}, " if self.equation != "rate" else "")
            + f"backend={name} ({why})"
        )

    def to_network(self) -> _core.Network:
        """The same weights as an lmrnn.Network: to save, to evaluate, to analyze.

        It has no record of what it was trained on, because that may have been your own loop. If its tasks are still
        those of the network that you began with, `to_network().save(path, network.metadata)` adds the record.
        """
        refresh(self)
        network = self._engine.network
        copy = _core.Network(
            network.recurrent,
            n_channels=self.n_channels,
            n_classes=self.n_classes,
            n_rules=self.n_rules,
            alpha=self.alpha,
            activation=self.activation,
            input=network.input,
            readout=network.readout,
            excitatory=network.excitatory,
            equation=self.equation,
        )
        copy.set_weights(**{group: _array(getattr(self, group)) for group in GROUPS})
        return copy


def _swapped(x: Tensor | None) -> Tensor | None:
    return None if x is None else x.transpose(0, 1)


def _drawn_seed() -> int:
    return int(torch.randint(2**62, ()))


def _expect(x, name: str, like, axes: tuple, shape: tuple, device=None) -> None:
    """Checks that `x` is a tensor with the type and device of `like` (a tensor), or of type bool (torch.bool), or of
    whole numbers (None)."""
    _expect_tensor(x, name)
    what = f"({', '.join(axes)})"
    if x.dim() != len(axes):
        raise ValueError(f"LMRNN: {name} of shape {tuple(x.shape)}; give {what}")
    if any(n is not None and n != m for n, m in zip(shape, x.shape)):
        wanted = ", ".join(axis if n is None else str(n) for axis, n in zip(axes, shape))
        raise ValueError(
            f"LMRNN: {name} of shape {tuple(x.shape)}; these inputs and this network need ({wanted})"
        )
    device = like.device if isinstance(like, Tensor) else device
    if x.device != device:
        raise RuntimeError(
            f"LMRNN: {name} are on {x.device}, but the weights on {device}; move one of them with .to()"
        )
    if isinstance(like, Tensor):
        if x.dtype != like.dtype:
            raise TypeError(
                f"LMRNN: {name} are {x.dtype}, but the weights {like.dtype}; convert one of them with .to()"
            )
    elif like is torch.bool:
        if x.dtype not in (torch.bool, torch.uint8):
            raise TypeError(f"LMRNN: {name} are {x.dtype}; give torch.bool")
    else:
        _expect_whole(x, name)


_WIDTHS = {"inputs": "channel", "state": "unit", "rules": "slot"}


def _expect_tensor(x, name: str) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(f"LMRNN: {name} must be a tensor, not {type(x).__name__}; use torch.as_tensor")


def _expect_whole(x: Tensor, name: str) -> None:
    if x.dtype.is_floating_point or x.dtype.is_complex or x.dtype == torch.bool:
        raise TypeError(f"LMRNN: {name} are {x.dtype}; give whole numbers, e.g. torch.int64")


class Cell(nn.Module):
    """One time step, `cell(input, state) -> state`, under one rule.

    input : (row, channel), or (channel); state : (row, unit), or (unit). Without `rule`, rules may follow
    the channels, dense.

    With an axis for time, it is a cell for FixedPointFinder's PyTorch version, `cell(input, state) -> (output, state)`:
    input (time, row, channel), or (row, time, channel) if `batch_first`; state (1, row, unit); output: the states.
    """

    def __init__(self, network: LMRNN, rule: int | None = None):
        super().__init__()
        if rule is not None:
            if not isinstance(rule, (int, np.integer)) or not 0 <= rule < network.n_rules:
                raise ValueError(
                    f"LMRNN.cell: rule {rule}; the network has {network.n_rules}, counted from 0"
                )
            rule = int(rule)
        self.network, self.rule = network, rule
        self.input_size, self.hidden_size = network.n_channels, network.n_units

    @property
    def batch_first(self) -> bool:
        return self.network.batch_first

    def forward(self, input: Tensor, state: Tensor):
        _expect_tensor(input, "inputs")
        _expect_tensor(state, "state")
        if input.dim() == 3:
            return self._sequence(input, state)
        rows = torch.atleast_2d(input)
        if state.dim() == 1 and len(rows) != 1:
            raise ValueError(
                f"LMRNN: inputs {tuple(input.shape)}, state {tuple(state.shape)}; give as many rows of each"
            )
        rules = None
        if self.rule is not None:
            rules = torch.full((len(rows), 1), self.rule, device=rows.device)
        return self.network.step(rows, torch.atleast_2d(state), rules).reshape(state.shape)

    def _sequence(self, input: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        rules = None
        if self.rule is not None:
            rules = torch.full((*input.shape[:2], 1), self.rule, device=input.device)
        states, _ = self.network(input, rules, state[0])
        return states, (states[:, -1] if self.batch_first else states[-1])[None]


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
    equation: str = "rate",
) -> _core.Network:
    """An lmrnn.Network from the weights of any framework's leaky network.

    recurrent (target, source), input (unit, channel), rule (rule, unit), readout (class, unit), as
    in LMRNN. Without `recurrent_mask`, a synapse exists wherever the weight is not zero. equation:
    "rate", h' = (1 - alpha) h + alpha f(W h + ...); "voltage", x' = (1 - alpha) x + alpha (W f(x) + ...)
    with a readout of f(x); "leak-inside", h' = f((1 - alpha) h + alpha (W h + ...)).
    """
    arrays = {
        "recurrent": recurrent, "input": input, "readout": readout, "rule": rule, "bias": bias,
        "readout_bias": readout_bias, "recurrent_mask": recurrent_mask, "input_mask": input_mask,
        "readout_mask": readout_mask,
    }  # fmt: skip
    return from_arrays(
        "export",
        **{name: _array(value) for name, value in arrays.items()},
        alpha=alpha,
        activation=activation,
        equation=equation,
    )


def export_rnn(
    rnn: nn.RNN | nn.RNNCell,
    readout: nn.Linear,
    *,
    recurrent_mask: Tensor | _core.Mask | None = None,
    n_rules: int = 0,
) -> _core.Network:
    """An lmrnn.Network (alpha 1) from torch's own one-layer RNN and a linear readout.

    n_rules : the number of last input channels that are a one-hot rule.
    """
    if not isinstance(rnn, (nn.RNN, nn.RNNCell)):
        why = "; give an nn.RNN or nn.RNNCell"
        if isinstance(rnn, (nn.RNNBase, nn.RNNCellBase)):
            why = f": a {type(rnn).__name__} has gates; the core has plain units only"
        raise _core.UsageError(f"export_rnn: cannot export a {type(rnn).__name__}{why}")
    if not isinstance(readout, nn.Linear):
        raise _core.UsageError(
            f"export_rnn: the readout is a {type(readout).__name__}; give an nn.Linear, or all weights as tensors to "
            "lmrnn.torch.export"
        )
    suffix = "_l0" if isinstance(rnn, nn.RNN) else ""
    if getattr(rnn, "num_layers", 1) != 1 or getattr(rnn, "bidirectional", False):
        raise _core.UsageError("export_rnn: only one layer, in one direction")
    input_weights = getattr(rnn, f"weight_ih{suffix}").detach()
    bias = None
    if rnn.bias:
        bias = (getattr(rnn, f"bias_ih{suffix}") + getattr(rnn, f"bias_hh{suffix}")).detach()
    n_inputs = input_weights.shape[1]
    if not isinstance(n_rules, (int, np.integer)) or not 0 <= n_rules < n_inputs:
        raise _core.UsageError(
            f"export_rnn: n_rules = {n_rules}, but there are {n_inputs} input channels; give a whole number from 0 to "
            f"{n_inputs - 1}"
        )
    n_channels = n_inputs - n_rules
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


def _array(value):
    if not isinstance(value, Tensor):
        return value
    value = value.detach().cpu()
    if value.is_floating_point() and value.dtype != torch.float64:
        value = value.float()  # NumPy has no bfloat16
    return value.numpy()
