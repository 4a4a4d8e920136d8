"""JAX: our engine as a function of weights, inputs and states, under jit and grad.

    layer = lmrnn.jax.Layer(mask=mask, n_channels=33, n_classes=17, n_rules=82, seed=0)
    weights = layer.weights()                          # a dictionary, for optax or your own rule
    states, logits = layer(weights, inputs, rules)

`LMRNN` is the same as a module of flax.nnx. For float32 on the CPU. lmrnn installs JAX only with the extra "jax".
"""

from __future__ import annotations

import collections
import functools
import itertools
import math
import threading
import weakref
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

from . import _core
from ._operation import GROUPS, Engine, Hold, network_from_mask, next_state, seen, widened

Array = Any

_INSIDE = (
    "lmrnn.jax: the seed of fresh weights is traced (nnx.vmap, jit or eval_shape of a constructor), but lmrnn draws "
    "them outside JAX; make one after the other in a loop, and stack their weights with jax.tree.map and jnp.stack"
)


class _Static(NamedTuple):
    """What is known when JAX traces a function."""

    engine: Any  # () -> Engine
    noise: float
    states: bool
    keep: str
    threads: int


class Layer:
    """The network of lmrnn.Network as a function, computed by lmrnn's engine.

    network : an lmrnn.Network, whose weights `weights()` returns. Or, for a fresh one:
    mask : lmrnn.Mask or array (target, source), with n_channels, n_classes, n_rules, alpha,
        activation, equation, input_mask, readout_mask, initialisation and seed.
    recompute : keep only about sqrt(time) of the states for backward and compute the others again.
    threads : of the engine; None: one per processor. Any number gives the same bits.

    `targets` and `sources` (synapse) are the units of the entries of `recurrent`.
    """

    def __init__(
        self,
        network: _core.Network | None = None,
        *,
        mask: _core.Mask | np.ndarray | None = None,
        n_channels: int | None = None,
        n_classes: int | None = None,
        n_rules: int = 0,
        alpha: float = 1.0,
        activation: str = "relu",
        input_mask: _core.Mask | np.ndarray | None = None,
        readout_mask: _core.Mask | np.ndarray | None = None,
        initialisation: str = "fan-in",
        seed: int | None = None,
        equation: str = "rate",
        recompute: bool = False,
        threads: int | None = None,
    ):
        if (network is None) == (mask is None):
            raise TypeError("lmrnn.jax: give a network, or a mask for a fresh one")
        if network is None:
            if isinstance(seed, jax.core.Tracer):
                raise TypeError(_INSIDE)
            if seed is None:
                raise _core.UsageError("lmrnn.jax: fresh weights are random and need a seed; give one, e.g. seed=0")
            network = network_from_mask(
                mask, n_channels=n_channels, n_classes=n_classes, n_rules=n_rules, alpha=alpha,
                activation=activation, input_mask=input_mask, readout_mask=readout_mask,
                initialisation=initialisation, seed=seed, equation=equation, name="lmrnn.jax",
            )  # fmt: skip
        elif not isinstance(network, _core.Network):
            raise TypeError(
                f"lmrnn.jax: {type(network).__name__} is not an lmrnn.Network; use Layer.load for a "
                "path, or mask= for a fresh network"
            )
        self._first = {name: np.array(value) for name, value in network.weights.items()}
        self._engine = Engine(network)
        self._wide = Engine(widened(network)) if network.n_rules else None
        self.recompute, self.threads = recompute, threads
        self.n_units, self.n_channels = network.n_units, network.n_channels
        self.n_rules, self.n_classes = network.n_rules, network.n_classes
        self.alpha, self.activation, self.mask = network.alpha, network.activation, network.recurrent
        self.equation = network.equation
        # Signed, so that differences of indices can be computed.
        self.targets = self.mask.targets.astype(np.int32)
        self.sources = self.mask.sources.astype(np.int32)

    @classmethod
    def load(cls, path: str | PathLike, **options) -> Layer:
        """From a network file, a checkpoint or a run directory."""
        return cls(_core.Network.load(Path(path)), **options)

    def weights(self) -> dict[str, Array]:
        """The initial weights: recurrent (synapse), input (unit, channel), rule (rule, unit), bias, readout (class,
        unit), readout_bias.

        The dictionary does not include the mask. Entry k of `recurrent` is the synapse from `sources[k]` to
        `targets[k]` of the layer that gets it, so weights of another layer with as many synapses are accepted, but
        belong to other synapses. To keep both together, use `to_network`."""
        return {name: jnp.asarray(value) for name, value in self._first.items()}

    def __call__(
        self,
        weights: dict[str, Array],
        inputs: Array,
        rules: Array | None = None,
        state: Array | None = None,
        *,
        resets: Array | None = None,
        recurrent_noise: float = 0.0,
        seed: Array | int = 0,
        states: bool = True,
    ) -> tuple[Array | None, Array]:
        """States (time, row, unit) and logits (time, row, class), as Network.forward. With the equation
        "voltage", states are voltages; their rates are `rates(states)`.

        inputs : (time, row, channel); rules may follow the channels, dense.
        rules : (time, row, slot) numbers of the rules that are on, -1 for none; faster than dense.
        state : (row, unit), before the first step; zeros unless given.
        resets : (time, row) bool, true where the state before the step is reset to 0.
        recurrent_noise : standard deviation of the noise inside f, which depends on `seed`. A number that must be
            known when the function is traced.
        seed : a whole number from 0 to 2^32 - 1, or an array of one. For a key of JAX:
            `jax.random.bits(key, dtype=jnp.uint32)`.
        states : False: returns None instead of the states, which saves an array of that size.

        Differentiable with respect to weights, inputs and state. Under vmap, the calls run one after the other.
        """
        _check_backend()
        weights = _checked_weights(self, weights)
        inputs = _checked(inputs, "inputs", ("time", "row", "channel"), (None, None, None))
        n_steps, n_rows, n = inputs.shape
        if n_steps == 0 or n_rows == 0:
            raise ValueError(f"lmrnn.jax: inputs {inputs.shape} have no time steps or no rows")
        engine = self._engine
        if self.n_rules and n == self.n_channels + self.n_rules:
            if rules is not None:
                raise ValueError("lmrnn.jax: rules are given twice: in the channels and by number; give them once")
            recurrent, to_units, rule, *others = weights
            engine = self._wide
            weights = (
                recurrent, jnp.concatenate([to_units, rule.T], axis=1), rule[:0], *others,
            )  # fmt: skip
        elif n != self.n_channels:
            wide = f", or {self.n_channels + self.n_rules} with dense rules" if self.n_rules else ""
            raise ValueError(
                f"lmrnn.jax: inputs have {n} channels; expected {self.n_channels}{wide}"
            )
        if rules is not None:
            rules = _checked(
                rules, "rules", ("time", "row", "slot"), (n_steps, n_rows, None), "whole numbers"
            )
        _check_values(self, weights, rules)
        if resets is not None:
            resets = _checked(resets, "resets", ("time", "row"), (n_steps, n_rows), "bool")
        if state is not None:
            state = _checked(state, "state", ("row", "unit"), (n_rows, self.n_units))
        threads = self.threads or _core.build_info()["processors"]
        keep = "segments" if self.recompute else "states"
        noise = float(_known(recurrent_noise, "recurrent_noise"))
        if noise < 0 or not math.isfinite(noise):
            raise ValueError(f"lmrnn.jax: recurrent_noise = {noise}; at least 0, and finite")
        with_states = bool(_known(states, "states"))
        given = (weights, inputs, rules, resets, state, seed)
        static = _Static(_reference(engine, given), noise, with_states, keep, threads)
        seed = _checked_seed(seed)
        all_states, logits = _operation(static, weights, inputs, rules, resets, state, seed)
        return (all_states if with_states else None), logits

    def rates(self, states: Array) -> Array:
        """What other units and the readout see of states: f of voltages; with other equations, the states
        themselves."""
        return seen(self.equation, _ACTIVATIONS[self.activation], states)

    def cell(self, weights: dict[str, Array], rule: int | None = None) -> Cell:
        """f(inputs, state) for tools that look for fixed points or compare dynamics."""
        return Cell(self, weights, rule)

    def to_network(self, weights: dict[str, Array]) -> _core.Network:
        """The weights as an lmrnn.Network: to save, to evaluate, to analyze. It has no record of what it was trained
        on; to add it, use `to_network(weights).save(path, network.metadata)` if the tasks are still those of
        `network`."""
        network = self._engine.network
        copy = _core.Network(
            network.recurrent, n_channels=self.n_channels, n_classes=self.n_classes,
            n_rules=self.n_rules, alpha=self.alpha, activation=self.activation, input=network.input,
            readout=network.readout, excitatory=network.excitatory, equation=self.equation,
        )  # fmt: skip
        copy.set_weights(**{name: np.asarray(weights[name]) for name in GROUPS})
        return copy

    def __repr__(self) -> str:
        return (
            f"Layer({self.n_units} units, {self.mask.n_synapses} synapses "
            f"({100 * self.mask.density:.3g}%), {self.n_channels} channels, {self.n_rules} rules, "
            f"{self.n_classes} classes, {self.activation}, alpha={self.alpha:g}"
            + (f", {self.equation})" if self.equation != "rate" else ")")
        )


_ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "softplus": jax.nn.softplus}


class Cell:
    """One time step, `cell(inputs, state) -> state`, under one rule, in JAX's own operations: works with any precision,
    grad, jacfwd and vmap.

    inputs : (row, channel), or (channel); without `rule`, rules may follow the channels, dense.
    state : (row, unit), or (unit).
    """

    def __init__(self, layer: Layer, weights: dict[str, Array], rule: int | None = None):
        if rule is not None and not 0 <= rule < layer.n_rules:
            raise ValueError(
                f"lmrnn.jax: rule {rule}; the layer has {layer.n_rules}, counted from 0"
            )
        _checked_weights(layer, weights)
        self.layer, self.weights, self.rule = layer, dict(weights), rule
        self.input_size, self.hidden_size = layer.n_channels, layer.n_units

    def __call__(self, inputs: Array, state: Array) -> Array:
        layer, w = self.layer, self.weights
        n, wide = layer.n_channels, layer.n_channels + layer.n_rules
        allowed = (n,) if self.rule is not None else (n, wide)
        if inputs.shape[-1] not in allowed:
            raise ValueError(
                f"lmrnn.jax: inputs have {inputs.shape[-1]} channels; expected "
                f"{' or '.join(map(str, allowed))}"
            )
        dtype = w["recurrent"].dtype
        matrix = jnp.zeros((layer.n_units, layer.n_units), dtype)
        matrix = matrix.at[layer.targets, layer.sources].set(w["recurrent"])
        to_units = w["input"] * layer._engine.network.input.to_dense()
        drive = inputs[..., :n] @ to_units.T + layer.rates(state) @ matrix.T + w["bias"]
        if self.rule is not None:
            drive = drive + w["rule"][self.rule]
        elif inputs.shape[-1] > n:
            drive = drive + inputs[..., n:] @ w["rule"]
        return next_state(layer.equation, layer.alpha, _ACTIVATIONS[layer.activation], state, drive)


# Checks ------------------------------------------------------------------------------------------


def _check_backend():
    if jax.default_backend() != "cpu":
        raise RuntimeError(
            f"lmrnn.jax: the engine is for the CPU, but JAX computes on {jax.default_backend()}; set "
            "JAX_PLATFORMS=cpu, or use jax.default_device"
        )


def _checked(x, name, axes, shape, kind="float32"):
    if kind == "whole numbers" and not isinstance(x, jax.Array):
        x = _within_32_bits(np.asarray(x))
    x = jnp.asarray(x)
    wanted = ", ".join(axis if n is None else str(n) for axis, n in zip(axes, shape))
    if x.ndim != len(axes) or any(n not in (None, m) for n, m in zip(shape, x.shape)):
        raise ValueError(f"lmrnn.jax: {name} of shape {x.shape}; give ({wanted})")
    kinds = {
        "float32": x.dtype == jnp.float32,
        "bool": x.dtype in (jnp.bool_, jnp.uint8),
        "whole numbers": jnp.issubdtype(x.dtype, jnp.integer),
    }
    if not kinds[kind]:
        raise TypeError(f"lmrnn.jax: {name} are {x.dtype}; the engine is for {kind}")
    return x


def _within_32_bits(x):
    """Converts to int32. Plain conversion would turn 2^32 + 1 into 1; this takes the nearest number, which is then
    rejected."""
    if not np.issubdtype(x.dtype, np.integer) or np.can_cast(x.dtype, np.int32):
        return x
    return np.minimum(np.maximum(x, -(2**31)) if x.dtype.kind == "i" else x, 2**31 - 1).astype(np.int32)


def _known(value, name):
    """Checks that a value which is compiled into the operation is known."""
    if isinstance(value, jax.core.Tracer):
        raise TypeError(
            f"lmrnn.jax: {name} is traced, but its value must be known when the function is compiled; take it "
            f'from outside the function, or name it in jax.jit(..., static_argnames="{name}")'
        )
    return value


def _checked_seed(seed):
    """Checks that the seed has at most 32 bits. JAX without x64 would cut it off, and two seeds would have the same
    noise."""
    if not isinstance(seed, jax.Array):
        return jnp.asarray(_seed_of_32_bits(seed), jnp.uint32)
    if jnp.issubdtype(seed.dtype, jax.dtypes.prng_key) or (seed.shape == (2,) and seed.dtype == jnp.uint32):
        raise TypeError(
            "lmrnn.jax: seed is a key of JAX; give a number from it: seed=jax.random.bits(key, dtype=jnp.uint32)"
        )
    if seed.shape or not jnp.issubdtype(seed.dtype, jnp.integer):
        raise TypeError(f"lmrnn.jax: seed is {seed.dtype} of shape {seed.shape}; give one whole number")
    if isinstance(seed, jax.core.Tracer):
        return seed  # its value is checked in _call_forward, when it is known
    return jnp.asarray(_seed_of_32_bits(int(np.asarray(seed))), jnp.uint32)


def _seed_of_32_bits(seed) -> int:
    value = _core._check_seed(seed)
    if value >= 2**32:
        raise _core.UsageError(f"lmrnn.jax: seed = {value}; JAX keeps 32 bits of it, so give 0 to {2**32 - 1}")
    return value


def _check_values(layer, weights, rules):
    """Checks values before the computation, so that errors have a short message; under jit, an error in the callback
    comes with JAX's long output."""
    for name, weight in zip(GROUPS, weights):
        if isinstance(weight, jax.core.Tracer):
            continue
        weight = np.asarray(weight)  # even under jit, where jnp would trace functions of a constant
        if not np.isfinite(weight).all():
            raise ValueError(
                f"lmrnn.jax: weights[{name!r}] hold {weight[~np.isfinite(weight)][0]}; lower the learning "
                "rate, clip the gradients, or start from finite weights"
            )
    if rules is None or isinstance(rules, jax.core.Tracer) or not rules.size:
        return
    rules = np.asarray(rules)
    least, most = int(rules.min()), int(rules.max())
    if least < -1 or most >= layer.n_rules:
        raise ValueError(
            f"lmrnn.jax: rules from {least} to {most}; the network has {layer.n_rules}, counted from 0, and -1 "
            "is none"
        )


def _checked_weights(layer, weights):
    if not isinstance(weights, Mapping):
        raise TypeError(
            f"lmrnn.jax: weights are a {type(weights).__name__}; give a dictionary of {', '.join(GROUPS)}, as "
            "layer.weights() returns it"
        )
    if sorted(weights) != sorted(GROUPS):
        raise ValueError(
            f"lmrnn.jax: weights has {', '.join(sorted(weights)) or 'nothing'}; needed are "
            f"{', '.join(GROUPS)}"
        )
    return tuple(
        _checked(weights[name], name, ("",) * layer._first[name].ndim, layer._first[name].shape)
        for name in GROUPS
    )


# The operation -----------------------------------------------------------------------------------


def _reference(engine: Engine, given):
    """A reference to the engine. Traced code may run after the layer is gone, so it keeps the engine alive. Other calls
    must not: JAX caches callbacks, which would keep every engine that was ever used."""
    is_traced = any(isinstance(x, jax.core.Tracer) for x in jax.tree.leaves(given))
    return Hold(engine) if is_traced else weakref.ref(engine)


class _Kept:
    """States between forward and backward, by ticket. They are kept here because JAX copies whatever a callback
    returns. If backward comes too late, or twice, it computes them again."""

    most = 8

    def __init__(self):
        self.lock, self.tickets = threading.Lock(), itertools.count(1)
        self.by_ticket: collections.OrderedDict[int, np.ndarray] = collections.OrderedDict()

    def put(self, kept) -> np.int32:
        with self.lock:
            ticket = next(self.tickets) % 2**31
            self.by_ticket[ticket] = kept
            while len(self.by_ticket) > self.most:
                self.by_ticket.popitem(last=False)
        return np.int32(ticket)

    def take(self, ticket):
        with self.lock:
            return self.by_ticket.pop(int(ticket), None)


_kept = _Kept()


def _arrays(weights, inputs, rules, resets, state):
    """The arrays in the form that the engine needs: NumPy, contiguous."""

    def array(x, dtype):
        return None if x is None else np.ascontiguousarray(x, dtype=dtype)

    resets = None if resets is None else array(resets, bool).view(np.uint8)
    f = np.float32
    return (
        tuple(array(w, f) for w in weights), array(inputs, f),
        None if rules is None else array(_within_32_bits(np.asarray(rules)), np.int32), resets,
        array(state, f),
    )  # fmt: skip


def _call_forward(static, keep, weights, inputs, rules, resets, state, seed):
    return static.engine().forward(
        *_arrays(weights, inputs, rules, resets, state), static.noise, _seed_of_32_bits(int(seed)),
        static.threads, keep, static.states,
    )  # fmt: skip


def _run(static, *arguments):
    states, logits, _ = _call_forward(static, "nothing", *arguments)
    return (np.empty(0, np.float32) if states is None else states), logits


def _run_and_keep(static, *arguments):
    states, logits, kept = _call_forward(static, static.keep, *arguments)
    states = np.empty(0, np.float32) if states is None else states
    return states, logits, _kept.put(kept)


def _run_backward(static, wanted, of_states, of_logits, ticket, *arguments):
    kept = _kept.take(ticket)
    if kept is None:
        *_, kept = _call_forward(static._replace(states=False), static.keep, *arguments)
    *arrays, seed = arguments

    def given(x):
        return None if x is None else np.ascontiguousarray(x)

    of_weights, of_inputs, of_state = static.engine().backward(
        *_arrays(*arrays), static.noise, int(seed), static.threads, static.keep, kept,
        given(of_states), given(of_logits), *wanted,
    )  # fmt: skip
    return tuple(of_weights), of_inputs, of_state


def _like(*shape, dtype=jnp.float32):
    return jax.ShapeDtypeStruct(shape, dtype)


def _outputs(static, weights, inputs):
    n_steps, n_rows, _ = inputs.shape
    n_units, n_classes = weights[3].shape[0], weights[5].shape[0]
    states = _like(n_steps, n_rows, n_units) if static.states else _like(0)
    return states, _like(n_steps, n_rows, n_classes)


def _callback(function, outputs, *arguments):
    return jax.pure_callback(function, outputs, *arguments, vmap_method="sequential")


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _operation(static, weights, inputs, rules, resets, state, seed):
    outputs = _outputs(static, weights, inputs)
    run = functools.partial(_run, static)
    return _callback(run, outputs, weights, inputs, rules, resets, state, seed)


def _forward(static, *primals):
    is_primal = lambda x: hasattr(x, "perturbed")  # noqa: E731
    arguments = jax.tree.map(lambda x: x.value, primals, is_leaf=is_primal)
    weights, inputs, _, _, state, _ = arguments
    outputs = (*_outputs(static, weights, inputs), _like(dtype=jnp.int32))
    run = functools.partial(_run_and_keep, static)
    states, logits, ticket = _callback(run, outputs, *arguments)
    # Known only while tracing, so it is passed as structure: () or None.
    with_inputs = () if primals[1].perturbed else None
    with_state = () if state is not None and primals[4].perturbed else None
    return (states, logits), (arguments, ticket, with_inputs, with_state)


def _backward(static, residual, cotangents):
    arguments, ticket, with_inputs, with_state = residual
    weights, inputs, _, _, state, _ = arguments
    of_states, of_logits = (None if type(x) is SymbolicZero else x for x in cotangents)
    if not static.states:
        of_states = None
    wanted = (with_inputs is not None, with_state is not None)
    outputs = (
        tuple(_like(*w.shape) for w in weights),
        _like(*inputs.shape) if wanted[0] else None,
        _like(*state.shape) if wanted[1] else None,
    )
    run = functools.partial(_run_backward, static, wanted)
    of_weights, of_inputs, of_state = _callback(
        run, outputs, of_states, of_logits, ticket, *arguments
    )
    return of_weights, of_inputs, None, None, of_state, None


_operation.defvjp(_forward, _backward, symbolic_zeros=True)


# flax.nnx ----------------------------------------------------------------------------------------


def __getattr__(name):
    # Imported late, because flax is a separate package that not every user of JAX has.
    if name == "LMRNN":
        from ._flax import LMRNN

        return LMRNN
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
