"""The engine as an operation, independent of a framework: what lmrnn.torch and lmrnn.jax share."""

from __future__ import annotations

import atexit
import itertools
import math
import weakref

import numpy as np

from . import _core

GROUPS = ("recurrent", "input", "rule", "bias", "readout", "readout_bias")


# The state equations, written with operators that the arrays of every framework have.


def seen(equation: str, f, state):
    """What other units and the readout see of a state: the state, or f of a voltage."""
    return f(state) if equation == "voltage" else state


def next_state(equation: str, alpha: float, f, state, u):
    """The state after a step, with u = W seen(state) plus everything from outside."""
    if equation == "voltage":
        return (1 - alpha) * state + alpha * u
    if equation == "leak-inside":
        return f((1 - alpha) * state + alpha * u)
    return (1 - alpha) * state + alpha * f(u)


class Hold:
    """Keeps an engine alive for a graph or for compiled code, which may outlive its module. Frameworks release neither
    when the interpreter ends, and the core would then report leaked objects."""

    _all: weakref.WeakValueDictionary[int, Hold] = weakref.WeakValueDictionary()

    def __init__(self, engine: Engine):
        self.engine: Engine | None = engine
        self.number = engine.handle
        self._all[id(self)] = self

    def __call__(self) -> Engine | None:
        return self.engine

    def __eq__(self, other) -> bool:  # JAX compiles once for all equal objects
        return isinstance(other, Hold) and other.number == self.number

    def __hash__(self) -> int:
        return hash(self.number)

    @classmethod
    def release_all(cls) -> None:
        for hold in list(cls._all.values()):
            hold.engine = None


atexit.register(Hold.release_all)


class Engine:
    """The operation of one architecture. Holds no weights, so copies of a module share it."""

    # A framework's operations take numbers, not objects: this finds the object of a number.
    _by_handle: weakref.WeakValueDictionary[int, Engine] = weakref.WeakValueDictionary()
    _handles = itertools.count(1)
    _kept: dict[int, Hold] = {}

    def __init__(self, network: _core.Network):
        self.network = network  # its weights are not used
        self.operation = _core._Operation(network)
        self.handle = next(self._handles)
        self._by_handle[self.handle] = self

    @classmethod
    def of(cls, handle: int) -> Engine:
        engine = cls._by_handle.get(handle)
        if engine is None:
            raise RuntimeError(
                "lmrnn.torch: the LMRNN of this computation is gone; keep it as long as what was traced with it"
            )
        return engine

    def keep(self) -> None:
        """Keeps the engine until the interpreter ends, because compiled code has only its number."""
        self._kept.setdefault(self.handle, Hold(self))

    def __deepcopy__(self, memo) -> Engine:
        return self

    def __reduce__(self):
        return Engine, (self.network,)

    def forward(self, weights, inputs, rules, resets, state, noise, seed, threads, keep, states):
        """Takes contiguous arrays of NumPy; returns states (or None), logits and kept states."""
        given = _core._OperationInputs(inputs, rules, resets, state, noise, seed)
        logits, states, kept = self.operation.forward(weights, given, threads, keep, states)
        return states, logits, kept

    def backward(
        self, weights, inputs, rules, resets, state, noise, seed, threads, keep, kept,
        of_states, of_logits, with_inputs, with_state,
    ):  # fmt: skip
        """Gradients of the weights, of the inputs and of the state (None if not asked for)."""
        given = _core._OperationInputs(inputs, rules, resets, state, noise, seed)
        return self.operation.backward(
            weights, given, threads, keep, kept, of_logits, of_states, with_inputs, with_state
        )


def widened(network: _core.Network) -> _core.Network:
    """The same network with rules as more input channels, after the others: for rules given as dense values and not as
    indices."""
    mask = np.concatenate(
        [network.input.to_dense(), np.ones((network.n_units, network.n_rules), bool)], axis=1
    )
    return _core.Network(
        network.recurrent,
        n_channels=network.n_channels + network.n_rules,
        n_classes=network.n_classes,
        alpha=network.alpha,
        activation=network.activation,
        input=_core.Mask(mask),
        readout=network.readout,
        storage=network.storage,
        equation=network.equation,
    )


def kept_size(n_steps: int, n_rows: int, n_units: int, keep: str) -> int:
    """_Operation.kept_size, also for sizes that are a compiler's symbols."""
    if keep == "nothing":
        return 0
    n_planes = n_steps + 1
    if keep == "segments":
        n_chunks = (n_steps + 7) // 8
        segment = 8 * (math.isqrt(int(n_chunks) - 1) + 1)
        n_planes = (n_steps + segment - 1) // segment
    rows = n_rows
    for wide in (8, 16, 32):
        if n_rows >= 2 * wide:
            rows = wide
    n_whole, n_left = n_rows // rows, n_rows % rows
    size = n_whole * _plane(rows, n_units)
    if n_left > 0:
        size = size + _plane(n_left, n_units)
    return n_planes * size


def _plane(n_rows: int, n_units: int) -> int:
    n_lanes = 4 if n_rows <= 4 else 8 if n_rows <= 8 else (n_rows + 15) // 16 * 16
    return (n_units * n_lanes + 1023) // 1024 * 1024 + 128


def network_from_mask(
    mask, *, n_channels, n_classes, n_rules=0, alpha=1.0, activation="relu", input_mask=None,
    readout_mask=None, initialisation="fan-in", seed=0, equation="rate", name="LMRNN",
) -> _core.Network:  # fmt: skip
    """A fresh network from lmrnn.Masks or arrays."""
    missing = [k for k, v in {"n_channels": n_channels, "n_classes": n_classes}.items() if not v]
    if missing:
        raise _core.UsageError(f"{name}: a new network needs {' and '.join(missing)}, at least 1")

    def as_mask(value, what):
        if value is None or isinstance(value, _core.Mask):
            return value
        return _core._mask_from(value, f"{name}: {what}")

    seed = _core._check_seed(seed)
    mask = as_mask(mask, "mask")
    if mask.n_synapses == 0:
        raise _core.UsageError(f"{name}: mask has no synapse; nothing recurrent could be learned")
    network = _core.Network(
        mask,
        n_channels=n_channels,
        n_classes=n_classes,
        n_rules=n_rules,
        alpha=alpha,
        activation=activation,
        input=as_mask(input_mask, "input_mask"),
        readout=as_mask(readout_mask, "readout_mask"),
        equation=equation,
    )
    network.initialise(initialisation, seed=seed)
    return network
