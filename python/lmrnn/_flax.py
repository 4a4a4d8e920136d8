"""lmrnn.jax.LMRNN; needs flax."""

from __future__ import annotations

import jax
from flax import nnx

from . import _core
from ._operation import GROUPS
from .jax import _INSIDE, Array, Cell, Layer


class LMRNN(nnx.Module):
    """lmrnn.jax.Layer as a module of flax.nnx: its weights are nnx.Params of the same names.

        module = lmrnn.jax.LMRNN(mask=mask, n_channels=33, n_classes=17, rngs=nnx.Rngs(0))
        states, logits = module(inputs, rules)

    Takes the arguments of Layer; `rngs` may replace `seed`.
    """

    def __init__(self, network: _core.Network | None = None, *, rngs: nnx.Rngs | None = None, **options):
        if network is None and options.get("seed") is None and rngs is not None:
            drawn = jax.random.bits(rngs.params(), dtype="uint32")
            if isinstance(drawn, jax.core.Tracer):
                raise TypeError(_INSIDE)
            options["seed"] = int(drawn)
        self.layer = Layer(network, **options)
        for name, value in self.layer.weights().items():
            setattr(self, name, nnx.Param(value))

    @classmethod
    def load(cls, path, **options) -> LMRNN:
        """From a network file, a checkpoint or a run directory."""
        layer = Layer.load(path)
        module = cls(layer._engine.network, **options)
        for name, value in layer.weights().items():
            getattr(module, name)[...] = value
        return module

    def _weights(self) -> dict[str, Array]:
        return {name: getattr(self, name)[...] for name in GROUPS}

    def __call__(self, inputs: Array, rules: Array | None = None, state: Array | None = None, **options):
        """States (time, row, unit) and logits (time, row, class); takes the options of Layer."""
        return self.layer(self._weights(), inputs, rules, state, **options)

    def rates(self, states: Array) -> Array:
        """What other units and the readout see of states: f of voltages, else the states themselves."""
        return self.layer.rates(states)

    def cell(self, rule: int | None = None) -> Cell:
        """f(inputs, state) for tools that look for fixed points or compare dynamics."""
        return Cell(self.layer, self._weights(), rule)

    def to_network(self) -> _core.Network:
        """The same weights as an lmrnn.Network: to save, to evaluate, to analyze."""
        return self.layer.to_network(self._weights())

    def __repr__(self) -> str:
        return repr(self.layer).replace("Layer", "LMRNN", 1)
