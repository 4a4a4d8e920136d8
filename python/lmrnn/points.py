"""Fixed and slow points of any cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _core
from .calls import explained
from .cells import Cell, NetworkCell, cell_of, settle
from .evaluation import as_network, mismatch, plain
from .table import Table

_INNER = 2**24
"""Entries of the Jacobians that are held at a time."""


@dataclass(frozen=True)
class FixedPoints:
    """Fixed and slow points, ordered by the first search that ended at each.

    table : a row per point: `point`; `starts`, how many searches ended there; `speed`, relative to the norm of the
        states, and `kind`, "fixed" or "slow"; `stability`, attractor, marginal, rotation, saddle or repeller;
        `unstable` and `marginal`, eigenvalues above 1 and near it; the leading `eigenvalue_real`,
        `eigenvalue_imaginary`; its `growth`; `time_constant` in steps and `frequency` per step; `norm`; `first_start`.
        A slow point is a minimum of the speed, which always has an eigenvalue of 1: its stability means nothing, and
        its time constant is NaN.
    states : (point, unit). inputs : (point, channel), the constant input of each point.
    eigenvalues : (point, unit) of the Jacobian of one step, largest modulus first.
    scale : mean norm of the states where searches began, or the median norm of those where they ended, if that is
        larger; "relative" refers to it.
    starts : (start, unit) the states where searches began.
    """

    table: Table
    states: np.ndarray
    inputs: np.ndarray
    eigenvalues: np.ndarray
    scale: float
    starts: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.states)

    def __repr__(self) -> str:
        fixed = int((self.table["kind"] == "fixed").sum()) if len(self) else 0
        return (
            f"FixedPoints: {fixed} fixed and {len(self) - fixed} slow, from {len(self.starts)} starts\n"
            f"{self.table}"
        )

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


@explained
def fixed_points(
    cell: Any,
    inputs: Any = None,
    states: Any = None,
    *,
    task: _core.Task | None = None,
    seed: int | None = None,
    starts: int = 64,
    period: str = "auto",
    rule: int | None = None,
    n_units: int | None = None,
    alpha: float | None = None,
    framework: str | None = None,
    jacobian: Callable[..., Any] | None = None,
    iterations: int = 100,
    fixed: float = 1e-6,
    slow: float = 0.01,
    merge: float = 0.01,
    marginal: float = 0.03,
) -> FixedPoints:
    """Fixed and slow points of a cell under constant input, as in the analysis "fixed-points", but for anything with a
    state.

        points = lmrnn.fixed_points(torch.nn.GRUCell(3, 64), inputs=np.zeros(3), states=states)
        points = lmrnn.fixed_points(my_cell, task=battery["dlygo"], seed=1, n_units=64)

    cell : a Network, a Run, a path, an LMRNN or its `cell()`, torch's GRUCell, RNNCell, GRU or RNN of one
        layer, flax.nnx's GRUCell or SimpleCell, or any function `cell(inputs, states) -> states` in NumPy,
        PyTorch or JAX; inputs (row, channel), states (row, unit). Modules of PyTorch are copied and used in
        float64 and in eval mode.
    inputs : (channel), or (start, channel), one for each of `states`; held constant.
    states : (start, unit) where the searches begin, e.g. states of your trials.
    task, seed : instead of these, states at the end of a `period` ("auto": delay, otherwise stimulus) of `starts`
        trials without noise, under the input of that step. A cell gets the channels and then a channel per rule, or
        only the channels if it was made for this number. `n_units`: needed for a function, whose size is unknown.
    rule : for lmrnn's networks.
    alpha : dt / tau of a leaky cell, so that speeds and growth are per time constant; default: the network's own,
        otherwise 1 (per step).
    framework : "numpy", "torch" or "jax", for functions; default: detected.
    jacobian : for a function in NumPy, (inputs, states) -> (row, next unit, unit); default: central differences.
    iterations : the most steps of the minimisation. fixed, slow : a point is fixed if its speed is at most this share
        of the norm of the states (`FixedPoints.scale`), and slow up to this; faster ones are left out. merge : points
        closer than this share are merged. marginal : an eigenvalue is near 1 if its growth is within this.

    Raises UsageError for a cell that cannot have such points: a state that is not one array, noise, dropout, rows that
    depend on each other, a function that hides its state.
    """
    try:
        made, inputs, states = _beginning(
            cell, inputs, states, task, seed, starts, period, n_units, rule, framework, jacobian
        )
        alpha = alpha or made.alpha or 1.0
        return _found(made, inputs, states, alpha, iterations, fixed, slow, merge, marginal)
    except _core.UsageError as error:
        raise _core.UsageError(f"fixed_points: {error}") from None


def _found(cell: Cell, inputs, states, alpha, iterations, fixed, slow, merge, marginal) -> FixedPoints:
    ends = _in_parts(lambda i, h: _minimised(cell, i, h, alpha, iterations), inputs, states)
    speeds = np.linalg.norm(cell(inputs, ends) - ends, axis=1) / alpha
    # Searches may begin at 0, and a silent network stays there.
    norms = np.linalg.norm(states, axis=1), np.linalg.norm(ends, axis=1)
    scale = max(float(norms[0].mean()), float(np.median(norms[1])), 1e-12)
    groups = _merged(ends, speeds, inputs, merge * scale, slow * scale)
    best = np.array([group[np.argmin(speeds[group])] for group in groups], dtype=int)
    found, under = ends[best], inputs[best]
    values = np.zeros(found.shape, complex)
    if len(best):
        values = _in_parts(lambda i, h: _eigenvalues(cell.jacobian(i, h)), under, found)
    table = _table(groups, speeds[best] / scale, values, found, alpha, fixed, marginal)
    return FixedPoints(table, found, under, values, scale, states)


# Where searches begin ------------------------------------------------------------------------------


def _beginning(cell, inputs, states, task, seed, starts, period, n_units, rule, framework, jacobian):
    """The settled cell, and inputs and states (start, ...)."""
    if task is not None and (inputs is not None or states is not None):
        raise _core.UsageError("give inputs and states, or a task, not both")
    if task is None and (inputs is None or states is None):
        raise _core.UsageError("where do searches begin? Give inputs and states, or task= and seed=")
    if task is not None and not isinstance(task, _core.Task):
        raise _core.UsageError(
            f"task is a {type(task).__name__}; give a task of a battery, e.g. battery[\"dlygo\"]"
        )
    made = cell_of(cell, rule=rule, framework=framework, jacobian=jacobian)
    if task is not None:
        network = as_network(cell) if isinstance(made, NetworkCell) and rule is None else None
        complaint = None if network is None else mismatch(network, task.battery)
        if complaint:
            raise _core.UsageError(complaint)
        return _starts_of(made, task, seed, starts, period, n_units)
    inputs, states = _checked_starts(made, inputs, states)
    return settle(made, inputs, states), inputs, states


def _checked_starts(cell: Cell, inputs, states):
    inputs, states = (_numbers(*named) for named in (("inputs", inputs), ("states", states)))
    states = np.atleast_2d(states)
    if states.ndim != 2 or 0 in states.shape:
        raise _core.UsageError(f"states of shape {states.shape}; give (start, unit), at least one of each")
    if inputs.ndim == 1:
        inputs = np.broadcast_to(inputs, (len(states), len(inputs)))
    if inputs.ndim != 2 or len(inputs) != len(states):
        raise _core.UsageError(
            f"inputs of shape {inputs.shape} for {len(states)} starts; give (channel), or (start, channel)"
        )
    for name, array in (("inputs", inputs), ("states", states)):
        if not np.isfinite(array).all():
            raise _core.UsageError(f"{name} hold {array[~np.isfinite(array)][0]}; give finite numbers")
    if cell.n_units not in (None, states.shape[1]):
        raise _core.UsageError(f"states have {states.shape[1]} units, the cell {cell.n_units}")
    wide = cell.n_channels
    if isinstance(cell, NetworkCell):
        wide = {cell.n_channels, cell.n_channels + len(cell.rules)}
    if wide is not None and inputs.shape[1] not in (wide if isinstance(wide, set) else {wide}):
        wanted = " or ".join(map(str, sorted(wide))) if isinstance(wide, set) else wide
        raise _core.UsageError(f"inputs have {inputs.shape[1]} channels, the cell takes {wanted}")
    return np.array(inputs), np.array(states)


def _numbers(name, x) -> np.ndarray:
    x = plain(x)
    if np.ma.is_masked(x):  # asarray would drop the mask
        raise _core.UsageError(
            f"some of the {name} are masked; leave these starts out, or give {name}.filled with the number that you mean"
        )
    x = np.asarray(x)
    if x.dtype.kind == "c":
        raise _core.UsageError(f"{name} are complex; give real numbers, e.g. {name}.real")
    return np.asarray(x, dtype=float)


def _starts_of(cell: Cell, task, seed, n, period, n_units):
    """The settled cell, and inputs and states of trials without noise at the end of a period."""
    if seed is None:
        raise _core.UsageError("trials are random and need a seed; give one, e.g. seed=0")
    if n < 1:
        raise _core.UsageError(f"starts={n}; at least 1")
    if period == "auto":
        period = "delay" if "delay" in task.periods else "stimulus"
    n_units = cell.n_units or n_units
    if n_units is None:
        raise _core.UsageError("how many units? This cell does not say; give n_units=")
    trials = [task.compose(task.draw(seed=seed, trial=k)) for k in range(n)]
    ends = [[last for name, first, last in trial.periods if name == period and last > first] for trial in trials]
    kept = [k for k in range(n) if ends[k]]
    if not kept:
        names = ", ".join(dict.fromkeys(name for name, _, _ in trials[0].periods))
        raise _core.UsageError(f"trials of {task.name} have no period {period!r}; they have {names}")
    last = np.array([ends[k][0] - 1 for k in kept])
    rules = _dense_rules(cell, task)
    drive = np.zeros((last.max() + 1, len(kept), task.battery.n_channels + len(rules)))
    drive[:, :, task.battery.n_channels :] = rules
    for row, k in enumerate(kept):
        shown = trials[k].inputs[: len(drive)]
        drive[: len(shown), row, : task.battery.n_channels] = shown
    states = np.zeros((len(kept), n_units))
    found = np.zeros_like(states)
    cell = settle(cell, drive[0], states)
    for t, inputs in enumerate(drive):
        states = cell(inputs, states)
        found[last == t] = states[last == t]
    return cell, drive[last, np.arange(len(kept))], found


def _dense_rules(cell: Cell, task) -> np.ndarray:
    battery = task.battery
    if isinstance(cell, NetworkCell):
        if cell.n_channels != battery.n_channels or len(cell.rules) not in (0, battery.n_rules):
            raise _core.UsageError(
                f"the network has {cell.n_channels} channels and {len(cell.rules)} rules, the battery of the "
                f"task {battery.n_channels} and {battery.n_rules}; give a task of its own battery"
            )
        wide = cell.n_channels + len(cell.rules)
    else:
        wide = cell.n_channels
    if wide == battery.n_channels:
        return np.zeros(0)
    if wide not in (None, battery.n_channels + battery.n_rules):
        raise _core.UsageError(
            f"the cell takes {wide} channels, the battery has {battery.n_channels} and {battery.n_rules} rules"
        )
    rules = np.zeros(battery.n_rules)
    rules[task.trial(seed=0).rule] = 1
    return rules


# The search ----------------------------------------------------------------------------------------


def _in_parts(function, inputs, states):
    """function(inputs, states), called for as many rows at a time as memory for their Jacobians allows."""
    rows = max(1, _INNER // states.shape[1] ** 2)
    parts = [function(inputs[k : k + rows], states[k : k + rows]) for k in range(0, len(states), rows)]
    return np.concatenate(parts)


def _minimised(cell: Cell, inputs, states, alpha, iterations) -> np.ndarray:
    """Minima of |v|^2 / 2, v = (F(h) - h) / alpha: Levenberg-Marquardt from every state, as in
    src/analysis/fixed_points/minimisation.cpp, but with the full Jacobian."""
    h = states.copy()
    v = (cell(inputs, h) - h) / alpha
    n, size = h.shape
    damping, mark = np.full(n, 1e-2), np.linalg.norm(v, axis=1)
    accepted, going, stale = np.zeros(n, int), np.ones(n, bool), np.ones(n, bool)
    normal, slope = np.zeros((n, size, size)), np.zeros((n, size))
    tolerance = max(1e-10, float(np.finfo(cell.precision).eps))
    for _ in range(iterations):
        going &= np.linalg.norm(v, axis=1) > tolerance * (1 + np.linalg.norm(h, axis=1))
        if not going.any():
            break
        new = np.flatnonzero(going & stale)
        if len(new):
            a = (cell.jacobian(inputs[new], h[new]) - np.eye(size)) / alpha
            normal[new] = a.swapaxes(1, 2) @ a
            slope[new] = np.einsum("kij,ki->kj", a, v[new])
            stale[new] = False
        rows = np.flatnonzero(going)
        damped = normal[rows] + damping[rows, None, None] * np.eye(size)
        step = np.linalg.solve(damped, -slope[rows][..., None])[..., 0]
        ahead = h[rows] + step
        velocity = (cell(inputs[rows], ahead) - ahead) / alpha
        better = (velocity**2).sum(axis=1) < (v[rows] ** 2).sum(axis=1)
        won, lost = rows[better], rows[~better]
        h[won], v[won], stale[won] = ahead[better], velocity[better], True
        damping[won] = np.maximum(damping[won] / 5, 1e-12)
        damping[lost] *= 4
        going[lost] = damping[lost] <= 1e8
        accepted[won] += 1
        # A minimum that is not a fixed point: ten steps have gained less than a tenth.
        due = won[accepted[won] % 10 == 0]
        speed = np.linalg.norm(v[due], axis=1)
        going[due] = speed <= 0.9 * mark[due]
        mark[due] = speed
    return h


def _merged(states, speeds, inputs, distance, slow) -> list[np.ndarray]:
    """Groups of starts that ended at the same point. Points under different inputs are different points."""
    groups: list[list[int]] = []
    for k in np.flatnonzero(speeds <= slow):
        for group in groups:
            best = min(group, key=lambda i: speeds[i])
            apart = np.linalg.norm(inputs[best] - inputs[k]) > 1e-6 * (1 + np.linalg.norm(inputs[k]))
            if not apart and np.linalg.norm(states[best] - states[k]) <= distance:
                group.append(int(k))
                break
        else:
            groups.append([int(k)])
    return [np.array(group) for group in groups]


def _eigenvalues(jacobians) -> np.ndarray:
    values = np.linalg.eigvals(jacobians).astype(complex)
    order = np.argsort(-np.abs(values), axis=1, kind="stable")
    return np.take_along_axis(values, order, axis=1)


# What they are -------------------------------------------------------------------------------------


def _table(groups, speeds, values, states, alpha, fixed, marginal) -> Table:
    growth = (np.abs(values) - 1) / alpha
    unstable = (growth > marginal).sum(axis=1)
    near = np.abs(growth) <= marginal
    real = (near & (np.abs(values - 1) <= alpha * marginal)).any(axis=1)
    stability = np.select(
        [unstable == values.shape[1], unstable > 0, real, near.any(axis=1)],
        ["repeller", "saddle", "marginal", "rotation"], "attractor",
    ) if len(values) else np.zeros(0, str)  # fmt: skip
    first = values[:, 0] if len(values) else np.zeros(0, complex)
    modulus = np.abs(first)
    with np.errstate(divide="ignore"):
        time_constant = np.where(modulus > 0, -1 / np.log(np.where(modulus > 0, modulus, 0.5)), 0.0)
    time_constant[np.abs(modulus - 1) < 1e-15] = np.inf
    # A minimum of the speed has an eigenvalue of 1, so its time constant is a rounding error.
    time_constant[speeds > fixed] = np.nan
    return Table(
        {
            "point": np.arange(len(groups)),
            "starts": np.array([len(group) for group in groups], dtype=int),
            "speed": speeds,
            "kind": np.where(speeds <= fixed, "fixed", "slow") if len(groups) else np.zeros(0, str),
            "stability": stability,
            "unstable": unstable,
            "marginal": near.sum(axis=1),
            "eigenvalue_real": first.real,
            "eigenvalue_imaginary": first.imag,
            "growth": (modulus - 1) / alpha,
            "time_constant": time_constant,
            "frequency": np.abs(np.angle(first)) / (2 * np.pi),
            "norm": np.linalg.norm(states, axis=1),
            "first_start": np.array([group[0] for group in groups], dtype=int),
        }
    )
