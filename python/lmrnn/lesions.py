"""Networks that lack some units or synapses of another one, as `lmrnn analyze` makes them."""

from __future__ import annotations

import numpy as np

from . import _core
from .calls import explained


@explained
def without_units(network: _core.Network, units) -> _core.Network:
    """A copy of `network` with `units` silenced: everything that they send, to other units, to
    themselves and to the readout, is 0. The units stay in place, so that indices mean the same.

    units : indices, or (unit) bool. Raises UsageError for an index out of range.

        lesioned = lmrnn.without_units(run.network(), [3, 17])
        lmrnn.evaluate(lesioned, run.battery, seed=1)
    """
    silent = _chosen(units, network.n_units, "units")
    sources = np.asarray(network.recurrent.sources)
    weights = network.weights
    made = _copy(network)
    made.set_weights(
        recurrent=np.where(silent[sources], 0, weights["recurrent"]),
        readout=np.where(silent[None, :], 0, weights["readout"]),
    )
    return made


@explained
def without_synapses(network: _core.Network, synapses) -> _core.Network:
    """A copy of `network` with some recurrent weights set to 0.

    synapses : indices in the order of `network.recurrent`, (synapse) bool, or a (target, source) bool
        array, whose true pairs are removed. Raises UsageError for other shapes and indices.
    """
    given = np.asarray(synapses)
    mask = network.recurrent
    if given.ndim == 2:
        if given.shape != mask.shape:
            raise _core.UsageError(f"synapses: of shape {given.shape}; expected {mask.shape}, (target, source)")
        gone = given.astype(bool)[np.asarray(mask.targets), np.asarray(mask.sources)]
    else:
        gone = _chosen(given, mask.n_synapses, "synapses")
    made = _copy(network)
    made.set_weights(recurrent=np.where(gone, 0, network.weights["recurrent"]))
    return made


def _chosen(which, n: int, name: str) -> np.ndarray:
    """(n) bool from indices or from a bool array."""
    given = np.asarray(which)
    if given.dtype == bool:
        if given.shape != (n,):
            raise _core.UsageError(f"{name}: a bool array of shape {given.shape}; expected ({n},)")
        return given
    if given.size and not np.issubdtype(given.dtype, np.integer):
        raise _core.UsageError(f"{name}: expected whole numbers or a bool array, got {given.dtype}")
    if given.size and (given.min() < 0 or given.max() >= n):
        wrong = given[(given < 0) | (given >= n)].ravel()[0]
        raise _core.UsageError(f"{name}: {wrong} is outside 0 to {n - 1}; the network has {n} {name}")
    chosen = np.zeros(n, bool)
    chosen[given.astype(int).ravel()] = True
    return chosen


def _copy(network: _core.Network) -> _core.Network:
    import copy

    return copy.deepcopy(network)
