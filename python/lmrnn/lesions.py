"""Networks without some of another network's units or synapses, as in `lmrnn analyze`; also for modules and cells of
PyTorch, JAX and NumPy."""

from __future__ import annotations

import copy
import sys
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np

from . import _core
from .calls import explained
from .cells import signature_of
from .run import Run

_Model = TypeVar("_Model")


@overload
def without_units(model: Run | str | PathLike, units: Any) -> _core.Network: ...
@overload
def without_units(model: _Model, units: Any) -> _Model: ...
@explained
def without_units(model, units):
    """A copy of `model` with `units` silenced: everything that they send, to other units, to themselves and to the
    readout, is 0. The units stay in place, so that indices keep their meaning.

    model : a Network, a Run or a path (a Network is returned); an LMRNN of lmrnn.torch or lmrnn.jax, or its cell;
        torch's RNN, GRU or LSTM of one layer, or their cells (a module of the same type is returned, which can replace
        the original in yours); a cell of flax.nnx; or any function `cell(inputs, states) -> states`, whose states of
        these units are then 0 before and after it.
    units : indices, or (unit) bool. Raises UsageError for an index out of range or given twice, and for a function
        from inputs to logits, whose units are not accessible. A mask of 0 and 1 could be a list of indices, so it is
        rejected, too: use mask.astype(bool).

        lesioned = lmrnn.without_units(run.network(), [3, 17])
        lmrnn.evaluate(lesioned, run.battery, seed=1)
        model.gru = lmrnn.without_units(model.gru, [3, 17])
    """
    model, kind = _kind_of(model)
    if kind == "network":
        return _silenced(model, units)
    if kind == "torch-lmrnn":
        return _torch().silenced_lmrnn(model, _chosen(units, model.n_units, "units"))
    if kind == "torch-cell":
        return without_units(model.network, units).cell(model.rule)
    if kind == "torch-rnn":
        return _torch().silenced_rnn(model, units)
    if kind == "jax-cell":
        return _with_weights(model, _silenced(model.layer.to_network(model.weights), units))
    if kind == "flax-lmrnn":
        return _flax().with_weights_of(model, _silenced(model.to_network(), units))
    if kind == "flax-cell":
        return _flax().Silenced(model, units)
    if kind == "torch-module":
        return _torch().Silenced(model, units)
    return SilencedFunction(model, units)


@overload
def without_synapses(model: Run | str | PathLike, synapses: Any) -> _core.Network: ...
@overload
def without_synapses(model: _Model, synapses: Any) -> _Model: ...
@explained
def without_synapses(model, synapses):
    """A copy of `model` with some recurrent weights set to 0.

    model : a Network, a Run or a path (a Network is returned); an LMRNN of lmrnn.torch or lmrnn.jax, or its cell;
        torch's RNN, GRU or LSTM of one layer, or their cells, where a synapse is removed in all gates.
    synapses : indices in the order of `recurrent`, (synapse) bool, or a (target, source) array of bool or of 0 and
        1, whose true pairs are removed; for torch's own modules, only such an array. Raises UsageError for other shapes
        and indices, and for functions, whose synapses are not accessible.
    """
    model, kind = _kind_of(model, functions=False)
    if kind == "network":
        return _cut(model, synapses)
    if kind == "torch-lmrnn":
        return _torch().cut_lmrnn(model, _gone(synapses, model.mask))
    if kind == "torch-cell":
        return without_synapses(model.network, synapses).cell(model.rule)
    if kind == "torch-rnn":
        return _torch().cut_rnn(model, synapses)
    if kind == "jax-cell":
        return _with_weights(model, _cut(model.layer.to_network(model.weights), synapses))
    return _flax().with_weights_of(model, _cut(model.to_network(), synapses))


# Networks ------------------------------------------------------------------------------------------


def _silenced(network: _core.Network, units) -> _core.Network:
    silent = _chosen(units, network.n_units, "units")
    sources = np.asarray(network.recurrent.sources)
    weights = network.weights
    made = copy.deepcopy(network)
    made.set_weights(
        recurrent=np.where(silent[sources], 0, weights["recurrent"]),
        readout=np.where(silent[None, :], 0, weights["readout"]),
    )
    return made


def _cut(network: _core.Network, synapses) -> _core.Network:
    made = copy.deepcopy(network)
    gone = _gone(synapses, network.recurrent)
    made.set_weights(recurrent=np.where(gone, 0, network.weights["recurrent"]))
    return made


def _gone(synapses, mask: _core.Mask) -> np.ndarray:
    """(synapse) bool: the synapses to remove."""
    given = np.asarray(synapses)
    if given.ndim != 2:
        return _chosen(given, mask.n_synapses, "synapses")
    if given.shape != mask.shape:
        raise _core.UsageError(f"synapses: of shape {given.shape}; expected {mask.shape}, (target, source)")
    return _pairs(given)[np.asarray(mask.targets), np.asarray(mask.sources)]


def _pairs(given: np.ndarray) -> np.ndarray:
    """A (target, source) array as bool. Rejects weights: everything except 0 would count as true."""
    if given.dtype != bool and not np.isin(given, (0, 1)).all():
        raise _core.UsageError(
            f"synapses: a (target, source) array of {given.dtype} with other values than 0 and 1; give a bool "
            "array that is true where a synapse goes, e.g. weights != 0"
        )
    return given.astype(bool)


def _chosen(which, n: int, name: str) -> np.ndarray:
    """(n) bool from indices or from a bool array; checks both."""
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
    which, counts = np.unique(given, return_counts=True)
    if given.size > len(which):
        # Taken as indices, a mask of 0 and 1 would silence units 0 and 1.
        if which.max() <= 1:
            raise _core.UsageError(
                f"{name}: {given.size} numbers that are all 0 or 1, which is a mask or a list of {name}; convert a "
                f"mask with .astype(bool), or give the number of each one once, from 0 to {n - 1}"
            )
        raise _core.UsageError(f"{name}: {which[counts.argmax()]} is given {counts.max()} times; give each one once")
    chosen = np.zeros(n, bool)
    chosen[given.astype(int).ravel()] = True
    return chosen


# Of other frameworks -------------------------------------------------------------------------------


class SilencedFunction:
    """`cell(inputs, states) -> states` with some states held at 0."""

    def __init__(self, cell, units):
        self.cell, self.units = cell, units
        n_units = getattr(cell, "hidden_size", None)
        if isinstance(n_units, int):
            _chosen(units, n_units, "units")

    def __call__(self, inputs, states):
        keep = kept(self.units, states)
        after = self.cell(inputs, states * keep)
        if isinstance(after, (tuple, list)):
            raise _core.UsageError(
                f"without_units: the cell returned a {type(after).__name__} of {len(after)}; return the next "
                "states alone, e.g. lambda x, h: cell(x, h)[1]"
            )
        return after * keep


def kept(units, states):
    """(unit) 1 for units that are kept, otherwise 0; in the type of `states`."""
    if not hasattr(states, "shape") or not len(states.shape):
        raise _core.UsageError(
            f"without_units: the state is a {type(states).__name__}; a lesion needs one array (..., unit)"
        )
    keep = ~_chosen(units, states.shape[-1], "units")
    if hasattr(states, "new_tensor"):
        return states.new_tensor(keep)
    return keep.astype(states.dtype)


def _kind_of(model, functions: bool = True) -> tuple[Any, str]:
    """The model, or the network that it represents, and the kind of lesion."""
    who = "without_units" if functions else "without_synapses"
    if isinstance(model, _core.Network):
        return model, "network"
    if isinstance(model, Run):
        return model.network(), "network"
    if isinstance(model, (str, PathLike)):
        return _core.Network.load(Path(model)), "network"
    modules = sys.modules
    torch, ours = modules.get("torch"), modules.get("lmrnn.torch")
    if ours is not None and isinstance(model, ours.LMRNN):
        return model, "torch-lmrnn"
    if ours is not None and isinstance(model, ours.Cell):
        return model, "torch-cell"
    if torch is not None and isinstance(model, (torch.nn.RNNBase, torch.nn.RNNCellBase)):
        return model, "torch-rnn"
    ours, nnx = modules.get("lmrnn.jax"), modules.get("flax.nnx")
    if ours is not None and isinstance(model, ours.Layer):
        raise _core.UsageError(f"{who}: a Layer holds no weights; give layer.cell(weights)")
    if ours is not None and isinstance(model, ours.Cell):
        return model, "jax-cell"
    flax = modules.get("lmrnn._flax")
    if flax is not None and isinstance(model, flax.LMRNN):
        return model, "flax-lmrnn"
    if not callable(model):
        raise _core.UsageError(
            f"{who}: an object of type {type(model).__name__} has no units; give a Network, a Run, a path, an "
            "LMRNN, a module of PyTorch or flax, or a function from inputs and states to states"
        )
    if not functions:
        raise _core.UsageError(
            f"{who}: the synapses of a {type(model).__name__} are out of sight; set weights of a copy of it to 0"
        )
    if nnx is not None and isinstance(model, nnx.RNNCellBase):
        return model, "flax-cell"
    _cell_or_error(model)
    is_module = torch is not None and isinstance(model, torch.nn.Module)
    return model, "torch-module" if is_module else "function"


def _cell_or_error(model) -> None:
    """Raises UsageError for a function of inputs only, or of inputs and rules, whose states are hidden."""
    signature = signature_of(model)
    if signature is None:
        return
    try:
        signature.bind(None, None)
        hidden = "rules" in signature.parameters
    except TypeError:
        hidden = True
    if hidden:
        raise _core.UsageError(
            f"without_units: a function of {signature} hides its units; give its recurrent part, as in "
            "model.gru = lmrnn.without_units(model.gru, units), or a function from inputs and states to states"
        )


def _with_weights(cell, network: _core.Network):
    """An lmrnn.jax.Cell with a network's weights."""
    import jax.numpy as jnp

    return cell.layer.cell({name: jnp.asarray(w) for name, w in network.weights.items()}, cell.rule)


def _torch():
    from . import _torch_lesions

    return _torch_lesions


def _flax():
    from . import _flax_lesions

    return _flax_lesions
