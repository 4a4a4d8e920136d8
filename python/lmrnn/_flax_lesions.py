"""Lesions of flax's modules; see lesions.py."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from . import _core
from .lesions import _chosen, kept


def with_weights_of(module, network: _core.Network):
    """A copy of an lmrnn.jax.LMRNN with the weights of `network`."""
    made = nnx.clone(module)
    for name, value in network.weights.items():
        getattr(made, name)[...] = jnp.asarray(value)
    return made


class Silenced(nnx.RNNCellBase):
    """A cell of flax, state first, with some states held at 0."""

    def __init__(self, cell: nnx.RNNCellBase, units):
        self.cell = nnx.clone(cell)
        n_units = getattr(cell, "hidden_features", None)
        if isinstance(n_units, int):
            _chosen(units, n_units, "units")
        self.units = tuple(np.asarray(units).ravel().tolist())
        self.hidden_features = n_units
        self.in_features = getattr(cell, "in_features", None)

    def _muted(self, states):
        return jax.tree.map(lambda x: x * kept(list(self.units), x), states)

    def __call__(self, carry, inputs):
        carry, output = self.cell(self._muted(carry), inputs)
        return self._muted(carry), self._muted(output)

    def initialize_carry(self, *arguments, **options):
        return self.cell.initialize_carry(*arguments, **options)

    @property
    def num_feature_axes(self) -> int:
        return self.cell.num_feature_axes
