"""Cells of any framework as functions of one kind, with Jacobians, as needed for fixed points.

A cell takes inputs (row, channel) and states (row, unit) and returns the next states (row, unit). Rows must be
independent of each other.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _core
from ._operation import next_state, seen

_JOINED = (
    "lambda x, s: torch.cat(cell(x, s.chunk(2, dim=-1)), dim=-1), with states (row, 2 * unit)"
)


class Cell:
    """`cell(inputs, states)` and `cell.jacobian(inputs, states)` (row, next unit, unit), in NumPy's float64. `alpha`:
    dt / tau, if it is known."""

    alpha: float | None = None
    n_units: int | None = None
    n_channels: int | None = None
    precision = np.float64

    def __call__(self, inputs, states):
        raise NotImplementedError

    def jacobian(self, inputs, states):
        raise NotImplementedError


class NetworkCell(Cell):
    """One step of an lmrnn.Network, in float64, with its Jacobian:

    rate: (1 - alpha) I + alpha diag(f') W; voltage: (1 - alpha) I + alpha W diag(f');
    leak-inside: diag(f') ((1 - alpha) I + alpha W).
    """

    def __init__(self, network: _core.Network, rule: int | None):
        whole = rule is None or isinstance(rule, (int, np.integer))
        if rule is not None and not (whole and 0 <= rule < network.n_rules):
            raise _core.UsageError(f"rule {rule}; the network has {network.n_rules}, counted from 0")
        w = {name: np.asarray(value, dtype=float) for name, value in network.weights.items()}
        mask = network.recurrent
        self.n_units, self.n_channels, self.alpha = network.n_units, network.n_channels, network.alpha
        self.matrix = np.zeros((self.n_units, self.n_units))
        self.matrix[mask.targets, mask.sources] = w["recurrent"]
        self.input = w["input"] * network.input.to_dense()
        self.bias, self.rules = w["bias"], w["rule"]
        if rule is not None:
            self.bias, self.rules = self.bias + w["rule"][rule], w["rule"][:0]
        self.f, self.slope = _ACTIVATIONS[network.activation]
        self.equation = network.equation

    def _drive(self, inputs, states):
        rates = seen(self.equation, self.f, states)
        drive = inputs[:, : self.n_channels] @ self.input.T + rates @ self.matrix.T + self.bias
        if inputs.shape[1] > self.n_channels:
            drive = drive + inputs[:, self.n_channels :] @ self.rules
        return drive

    def __call__(self, inputs, states):
        return next_state(self.equation, self.alpha, self.f, states, self._drive(inputs, states))

    def jacobian(self, inputs, states):
        leak = (1 - self.alpha) * np.eye(self.n_units)
        if self.equation == "voltage":
            return leak + self.alpha * self.matrix * self.slope(states)[:, None, :]
        drive = self._drive(inputs, states)
        if self.equation == "leak-inside":
            slope = self.slope((1 - self.alpha) * states + self.alpha * drive)
            return slope[:, :, None] * (leak + self.alpha * self.matrix)
        return leak + self.alpha * self.slope(drive)[:, :, None] * self.matrix


_ACTIVATIONS: dict[str, tuple[Callable, Callable]] = {
    "relu": (lambda x: np.maximum(x, 0), lambda x: (x > 0).astype(float)),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "softplus": (lambda x: np.logaddexp(x, 0), lambda x: 0.5 * (1 + np.tanh(x / 2))),
}


class NumpyCell(Cell):
    """A function of arrays. Without its own Jacobian, central differences are used."""

    def __init__(self, function: Callable[..., Any], jacobian: Callable[..., Any] | None):
        self.function, self.given = function, jacobian

    def __call__(self, inputs, states):
        return _checked(self.function(inputs, states), states)

    def jacobian(self, inputs, states):
        if self.given is not None:
            answer = np.asarray(self.given(inputs, states), dtype=float)
            if answer.shape != (*states.shape, states.shape[1]):
                raise _core.UsageError(
                    f"jacobian returned an array of shape {answer.shape}; expected (row, next unit, "
                    f"unit), here {(*states.shape, states.shape[1])}"
                )
            return answer
        # Balances rounding, eps / h, against truncation, h^2.
        step = np.cbrt(np.finfo(self.precision).eps) * (1 + np.abs(states))
        columns = []
        for unit in range(states.shape[1]):
            ahead, behind = states.copy(), states.copy()
            ahead[:, unit] += step[:, unit]
            behind[:, unit] -= step[:, unit]
            width = (ahead[:, unit] - behind[:, unit])[:, None]
            columns.append((self(inputs, ahead) - self(inputs, behind)) / width)
        return np.stack(columns, axis=-1)


class TorchCell(Cell):
    """A function of tensors, or a module; of a module, a copy in float64 and eval mode is used."""

    def __init__(self, function: Callable[..., Any]):
        import torch

        self.torch, self.function, self.device = torch, function, None
        self.dtype, self.narrow = torch.float64, None
        if isinstance(function, torch.nn.Module):
            parameter = next(function.parameters(), None)
            self.device = None if parameter is None else parameter.device
            with contextlib.suppress(Exception):  # a module that cannot be copied is used as it is
                self.narrow = copy.deepcopy(function).eval()
                self.function = copy.deepcopy(self.narrow).double()

    def narrower(self):
        """Switches to float32, for functions that have float32 weights."""
        self.dtype, self.precision = self.torch.float32, np.float32
        self.function = self.narrow or self.function

    def _run(self, inputs, states):
        made = [self.torch.as_tensor(x, dtype=self.dtype, device=self.device) for x in (inputs, states)]
        return made[1], lambda h: _tensor(self.function(made[0], h))

    def __call__(self, inputs, states):
        with self.torch.no_grad():
            h, run = self._run(inputs, states)
            after = run(h).cpu()
            # NumPy has no bfloat16.
            return _checked((after.float() if after.dtype == self.torch.bfloat16 else after).numpy(), states)

    def jacobian(self, inputs, states):
        with self.torch.enable_grad():
            h, run = self._run(inputs, states)
            h.requires_grad_()
            after = run(h)
            if not after.requires_grad:
                raise _core.UsageError(
                    "the cell's next state does not depend on its state by operations that PyTorch can "
                    "differentiate; leave out detach() and no_grad(), or give jacobian="
                )
            rows = []
            # Rows are independent, so the gradient of a sum over rows has that of each row.
            for unit in range(states.shape[1]):
                (row,) = self.torch.autograd.grad(after[:, unit].sum(), h, retain_graph=True)
                rows.append(row.cpu().numpy())
        return np.stack(rows, axis=1).astype(float)


class JaxCell(Cell):
    """A function of JAX arrays, in float64 if it accepts that."""

    def __init__(self, function: Callable[..., Any]):
        import jax

        self.jax, self.function = jax, function
        self.dtype = np.float64
        self._jacobian = jax.jit(self._reverse)

    def narrower(self):
        """Switches to float32, for functions that accept nothing else."""
        self.dtype = self.precision = np.float32

    def _x64(self):
        if self.dtype is not np.float64:
            return contextlib.nullcontext()
        if hasattr(self.jax, "enable_x64"):
            return self.jax.enable_x64(True)
        from jax.experimental import enable_x64

        return enable_x64()

    def _reverse(self, inputs, states):
        after, pull = self.jax.vjp(lambda h: self.function(inputs, h), states)
        units = self.jax.numpy.eye(states.shape[1], dtype=after.dtype)
        rows = self.jax.lax.map(
            lambda unit: pull(self.jax.numpy.broadcast_to(unit, after.shape))[0], units
        )
        return rows.swapaxes(0, 1)

    def _arrays(self, *arrays):
        return [self.jax.numpy.asarray(x, dtype=self.dtype) for x in arrays]

    def __call__(self, inputs, states):
        with self._x64():
            return _checked(self.function(*self._arrays(inputs, states)), states)

    def jacobian(self, inputs, states):
        with self._x64():
            return np.asarray(self._jacobian(*self._arrays(inputs, states)), dtype=float)


# Which kind a model is -----------------------------------------------------------------------------


def cell_of(model, *, rule=None, framework=None, jacobian=None) -> Cell:
    """The Cell of a Network, an LMRNN or its cell, a module, or a function. Raises UsageError for a model without a
    cell. If the framework of a function is unknown, `settle` finds it out."""
    network, rule = _network_and_rule(model, rule)
    if network is not None:
        return NetworkCell(network, rule)
    if rule is not None:
        raise _core.UsageError(
            "rule= is for lmrnn's networks; give your cell its rule as an input, or by a function around it"
        )
    model, known = _unwrapped(model)
    if not callable(model):
        raise _core.UsageError(
            f"an object of type {type(model).__name__} is not a cell; give a Network, an LMRNN, or a function "
            "from inputs (row, channel) and states (row, unit) to the next states"
        )
    _two_arguments(model)
    if framework not in (None, "numpy", "torch", "jax"):
        raise _core.UsageError(f"framework={framework!r}; numpy, torch or jax")
    framework = framework or known
    if jacobian is not None:
        if framework not in (None, "numpy"):
            raise _core.UsageError(f"jacobian= is for functions in NumPy; {framework} differentiates by itself")
        framework = "numpy"
    made = _Undecided(model) if framework is None else _KINDS[framework](model, jacobian)
    made.n_units = _number(model, "hidden_size", "hidden_features", "n_units")
    made.n_channels = _number(model, "input_size", "in_features", "n_channels")
    return made


_KINDS: dict[str, Callable[..., Cell]] = {
    "numpy": NumpyCell,
    "torch": lambda model, _: TorchCell(model),
    "jax": lambda model, _: JaxCell(model),
}


class _Undecided(Cell):
    """A function whose framework is not known yet."""

    def __init__(self, function):
        self.function = function


def settle(cell: Cell, inputs, states) -> Cell:
    """The final cell: finds the framework and precision of `cell` with these first inputs and states. Call it once,
    first. Raises UsageError if the cell is not a function of (inputs, states), row by row."""
    alpha, n_units, n_channels = cell.alpha, cell.n_units, cell.n_channels
    if isinstance(cell, _Undecided):
        cell = _decided(cell.function, inputs, states)
    elif isinstance(cell, (TorchCell, JaxCell)):
        _settle_precision(cell, inputs, states)
    cell.alpha, cell.n_units, cell.n_channels = alpha, n_units, n_channels
    first = cell(inputs, states)
    if isinstance(cell, NumpyCell):
        raw = np.asarray(cell.function(inputs, states))
        cell.precision = raw.dtype.type if raw.dtype in (np.float32, np.float16) else np.float64
    if not np.array_equal(first, cell(inputs, states)):
        raise _core.UsageError(
            "the cell returned different states for the same inputs and states; fixed points are of a "
            "function: turn its noise and dropout off"
        )
    if len(states) > 1:
        alone = cell(inputs[:1], states[:1])
        if not np.allclose(alone, first[:1], rtol=1e-3, atol=1e-5):
            raise _core.UsageError(
                "the cell's first row depends on the other rows; rows must know nothing of each other "
                "(batch normalisation, for one, must be in eval mode)"
            )
    return cell


def _decided(function, inputs, states) -> Cell:
    try:
        answer = function(inputs, states)
    except Exception:
        # A function has no mark of its framework, so try those that are loaded.
        for framework in ("torch", "jax"):
            if framework in sys.modules:
                cell = _KINDS[framework](function, None)
                try:
                    _settle_precision(cell, inputs, states)
                except _core.UsageError:
                    raise
                except Exception:  # noqa: S112
                    continue
                return cell
        raise
    jax = sys.modules.get("jax")
    if jax is not None and isinstance(answer, jax.Array):
        cell = JaxCell(function)
        _settle_precision(cell, inputs, states)
        return cell
    return NumpyCell(function, None)


def _settle_precision(cell, inputs, states) -> None:
    """Chooses float64 if the function accepts it; its weights may be float32."""
    try:
        cell(inputs, states)
    except _core.UsageError:
        raise
    except Exception:
        cell.narrower()
        cell(inputs, states)


def _network_and_rule(model, rule):
    from .run import Run

    if isinstance(model, _core.Network):
        return model, rule
    if isinstance(model, Run):
        return model.network(), rule
    if isinstance(model, (str, bytes)) or hasattr(model, "__fspath__"):
        from pathlib import Path

        return _core.Network.load(Path(model)), rule
    torch = sys.modules.get("lmrnn.torch")
    if torch is not None and isinstance(model, torch.Cell):
        return model.network.to_network(), model.rule if rule is None else rule
    jax = sys.modules.get("lmrnn.jax")
    if jax is not None and isinstance(model, jax.Cell):
        return model.layer.to_network(model.weights), model.rule if rule is None else rule
    to_network = getattr(model, "to_network", None)
    if not callable(to_network):
        return None, rule
    if jax is not None and isinstance(model, jax.Layer):
        raise _core.UsageError(
            "an lmrnn.jax.Layer holds no weights; give layer.to_network(weights), or layer.cell(weights)"
        )
    return to_network(), rule


def _unwrapped(model):
    """For modules of PyTorch and flax, a function of (inputs, states) only; and the framework."""
    torch, nnx = sys.modules.get("torch"), sys.modules.get("flax.nnx")
    if torch is not None and isinstance(model, torch.nn.Module):
        if isinstance(model, (torch.nn.LSTM, torch.nn.LSTMCell)):
            raise _pair(type(model).__name__)
        if isinstance(model, torch.nn.RNNBase):
            return _sequence_cell(torch, model), "torch"
        return model, "torch"
    if nnx is not None and isinstance(model, nnx.Module):
        if isinstance(model, nnx.LSTMCell):
            raise _pair("LSTMCell")
        if isinstance(model, nnx.RNNCellBase):
            return _FlaxCell(model), "jax"
        return model, "jax"
    return model, None


def _pair(name):
    return _core.UsageError(
        f"the state of an {name} is a pair (h, c), and a point is one array; join them: {_JOINED}"
    )


def _sequence_cell(torch, rnn):
    """One step of an nn.RNN or nn.GRU."""
    if rnn.num_layers != 1 or rnn.bidirectional:
        raise _core.UsageError(
            f"{type(rnn).__name__} has {rnn.num_layers} layers"
            + (" in two directions" if rnn.bidirectional else "")
            + "; a state is that of one layer in one direction: give a function that joins the layers"
        )

    class OneStep(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.hidden_size, self.input_size = rnn, rnn.hidden_size, rnn.input_size

        def forward(self, inputs, states):
            time = 1 if self.rnn.batch_first else 0
            return self.rnn(inputs.unsqueeze(time), states[None])[1][0]

    return OneStep()


class _FlaxCell:
    """Adapts flax's calls, cell(state, inputs) -> (state, output)."""

    def __init__(self, cell):
        self.cell = cell
        self.hidden_features = getattr(cell, "hidden_features", None)
        self.in_features = getattr(cell, "in_features", None)

    def __call__(self, inputs, states):
        return self.cell(states, inputs)[0]


def signature_of(model) -> inspect.Signature | None:
    """The signature of a function or of a module's forward; None if Python cannot tell it."""
    function = model.forward if hasattr(model, "named_parameters") else model
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def _two_arguments(model) -> None:
    signature = signature_of(model)
    if signature is None:
        return
    try:
        signature.bind(None, None)
    except TypeError:
        raise _core.UsageError(
            f"a cell is called with inputs (row, channel) and states (row, unit), but this has the arguments "
            f"{signature}; a function from inputs to logits hides its states: give the cell inside it"
        ) from None


def _number(model, *names) -> int | None:
    for name in names:
        value = getattr(model, name, None)
        if isinstance(value, int):
            return value
    return None


def _tensor(answer):
    if isinstance(answer, (tuple, list)):
        raise _returned_tuple(answer)
    return answer


def _returned_tuple(answer):
    return _core.UsageError(
        f"the cell returned a {type(answer).__name__} of {len(answer)}; return the next states alone, e.g. "
        "lambda x, h: cell(x, h)[1]"
    )


def _checked(answer, states) -> np.ndarray:
    if isinstance(answer, (tuple, list)):
        raise _returned_tuple(answer)
    answer = np.asarray(answer)
    if answer.shape != states.shape:
        raise _core.UsageError(
            f"the cell returned an array of shape {answer.shape} for states {states.shape}; the next states "
            "have the shape of the states, (row, unit)"
        )
    if answer.dtype.kind not in "fiu" and answer.dtype.name != "bfloat16":
        raise _core.UsageError(f"the cell returned {answer.dtype}; states are real numbers")
    answer = answer.astype(float)
    if not np.isfinite(answer).all():
        row, unit = np.argwhere(~np.isfinite(answer))[0]
        raise _core.UsageError(f"the cell returned {answer[row, unit]} at row {row}, unit {unit}")
    return answer
