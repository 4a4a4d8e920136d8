"""Evaluates any model on held-out trials, and displays the scores."""

from __future__ import annotations

import html
import inspect
import sys
from collections.abc import Callable, Sequence
from itertools import zip_longest
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from . import _core
from .calls import explained
from .run import Run
from .table import Table


@explained
def evaluate(
    model: _core.Network | Run | str | PathLike | Callable[..., Any],
    battery: _core.Battery | None = None,
    *,
    seed: int | None = None,
    split: str = "test",
    n_trials: int = 1000,
    tasks: Sequence[str] = (),
    recurrent_noise: float = 0.0,
    threads: int = 0,
    rules: str | None = None,
    framework: str | None = None,
    batch_first: bool = False,
) -> _core.Evaluation:
    """Scores of a model on trials 0 ... n_trials - 1 of every task (or of `tasks`), with ceilings.

    model : a Network, a Run, a path (run, checkpoint, network file), an lmrnn.torch.LMRNN or
        lmrnn.jax.LMRNN, or anything that can be called: `model(inputs) -> logits`, or `model(inputs,
        rules) -> logits`. inputs (time, row, channel) float32, rules (time, row, slot) int32 numbers,
        -1 for none; logits (time, row, class). Every model sees the same trials, which begin from
        state 0; rows are padded to the longest of up to 256 trials.
    battery, seed : by default those that a Run or a network file was trained with.
    rules : "index" passes rule numbers as the second argument; "dense" appends a channel per rule to the inputs.
        None: "index" if the callable has an argument named `rules`, otherwise "dense".
    framework : the framework of the arrays that a callable gets: "numpy", "torch" or "jax". None: "torch" for
        torch.nn.Module, "jax" for flax.nnx.Module; for any other callable NumPy, and PyTorch if NumPy fails and PyTorch
        is loaded. PyTorch modules are in eval mode during the evaluation.
    batch_first : the callable takes and returns (row, time, ...).

    Raises UsageError for a model that does not fit the battery. If a network's file says what it was trained on, its
    rule inputs and time step must be the battery's; anything else may differ (semantics, noise, durations).
    """
    network, battery, seed = _subject("evaluate", model, battery, seed)
    options = {"seed": seed, "split": split, "n_trials": n_trials, "tasks": list(tasks)}
    if network is not None:
        return _core.evaluate(
            network, battery, recurrent_noise=recurrent_noise, threads=threads, **options
        )
    if recurrent_noise:
        raise _core.UsageError("evaluate: recurrent_noise is for lmrnn's networks; this is a function")
    call = _Call("evaluate", model, battery, rules, framework, batch_first)
    with call.in_eval_mode():
        return _core._evaluate_callable(call, battery, threads=threads, **options)


@explained
def psychometric(
    model: _core.Network | Run | str | PathLike | Callable[..., Any],
    battery: _core.Battery | None = None,
    *,
    seed: int | None = None,
    n_trials: int = 500,
    tasks: str | Sequence[str] = (),
    threads: int = 0,
    rules: str | None = None,
    framework: str | None = None,
    batch_first: bool = False,
) -> Table:
    """Psychometric curves of any model: the table of the analysis "psychometric", for lmrnn.plot.

        curves = lmrnn.psychometric(my_gru, battery, seed=1, tasks=["dm1"])
        lmrnn.plot.psychometric(curves)

    Takes the arguments of `evaluate`. n_trials : trials per point; the model is called once per point. tasks : names,
    or an expression such as "dm*".

    Columns: task, axis (evidence, delay, direction), x, trials, accuracy with the lower and upper end of its 95%
    interval, chose_first with the same, and ideal, the result of an ideal observer.
    """
    network, battery, seed = _subject("psychometric", model, battery, seed)
    chosen = tasks if isinstance(tasks, str) else ",".join(tasks)
    if chosen and not set(_core.select_tasks(chosen)) & set(battery.names):
        raise _core.UsageError(
            f"psychometric: none of {chosen} is in the battery; it has {', '.join(battery.names)}"
        )
    options = {"tasks": chosen, "trials": n_trials}
    if network is not None:
        columns, rows = _core._psychometric(network, battery, options, seed, threads)
    else:
        call = _Call("psychometric", model, battery, rules, framework, batch_first)
        with call.in_eval_mode():
            columns, rows = _core._psychometric_callable(call, battery, options, seed, threads)
    cells = zip(*rows) if rows else [()] * len(columns)
    return Table({name: np.array(column) for name, column in zip(columns, cells)})


def _subject(who, model, battery, seed):
    """The network that a model represents, if any; the battery and the seed."""
    jax = sys.modules.get("lmrnn.jax")
    if jax is not None and isinstance(model, jax.Layer):
        raise _core.UsageError(f"{who}: a Layer holds no weights; give layer.to_network(weights)")
    network = as_network(model)
    if network is None and not callable(model):
        raise _core.UsageError(
            f"{who}: an object of type {type(model).__name__} cannot be evaluated; give a Network, a Run, a path, an "
            "LMRNN, or a function from inputs (time, row, channel) to logits (time, row, class)"
        )
    battery, seed = _battery_and_seed(who, model, network, battery, seed)
    complaint = None if network is None else mismatch(network, battery)
    if complaint:
        raise _core.UsageError(f"{who}: {complaint}")
    return network, battery, seed


def mismatch(network: _core.Network, battery: _core.Battery) -> str | None:
    """The reason why a network must not get trials of this battery: it would get other tasks' rules, or another time
    step. None if there is no reason, or if the network's metadata do not say what it was trained on."""
    if "battery" not in network.metadata:
        return None
    try:
        own = network.trained_on()["battery"]
    except _core.UsageError:  # trained on the user's own data
        return None
    remedy = "give the network's own battery, network.trained_on()[\"battery\"]"
    if own.config["rule"] != battery.config["rule"]:
        return (
            f"the network was trained with rule={own.config['rule']!r}, the battery has "
            f"{battery.config['rule']!r}; {remedy}"
        )
    # Composed rules are named after parts of tasks, so any tasks will do.
    if own.config["rule"] == "task" and own.names != battery.names:
        pairs = enumerate(zip_longest(own.names, battery.names, fillvalue="nothing"))
        at, (ours, theirs) = next((k, names) for k, names in pairs if names[0] != names[1])
        return (
            f"rule input {at} of the network is for {ours}, that of the battery for {theirs}; {remedy}, and "
            "choose tasks of it"
        )
    if own.dt != battery.dt:
        return (
            f"the network was trained with steps of {own.dt:g} ms, the battery has {battery.dt:g}; "
            f"make the battery with dt={own.dt:g}"
        )
    return None


def as_network(model) -> _core.Network | None:
    if isinstance(model, _core.Network):
        return model
    if isinstance(model, Run):
        return model.network()
    if isinstance(model, (str, PathLike)):
        return _core.Network.load(Path(model))
    to_network = getattr(model, "to_network", None)
    return to_network() if callable(to_network) and not _computes_otherwise(model) else None


def _computes_otherwise(model) -> bool:
    """Whether a subclass of a class with `to_network` has its own forward pass."""

    def definer(method):
        return next((made for made in type(model).__mro__ if method in vars(made)), object)

    network = definer("to_network")
    return any(
        definer(method) is not network and issubclass(definer(method), network)
        for method in ("forward", "__call__")
    )


def plain(x) -> Any:
    """Converts a tensor to a NumPy array (bfloat16, which NumPy lacks, to float32); returns anything else unchanged."""
    if not hasattr(x, "detach"):
        return x
    x = x.detach().cpu()
    return (x.float() if str(x.dtype) == "torch.bfloat16" else x).numpy()


def _battery_and_seed(who, model, network, battery, seed):
    if battery is not None and not isinstance(battery, _core.Battery):
        raise _core.UsageError(
            f"{who}: battery is a {type(battery).__name__}; give an lmrnn.Battery"
        )
    if isinstance(model, Run):
        return battery or model.battery, model.seed if seed is None else seed
    if battery is None or seed is None:
        known = {}
        if network is not None and network.metadata:
            known = network.trained_on()
        battery = battery or known.get("battery")
        seed = known.get("seed") if seed is None else seed
    if battery is None:
        raise _core.UsageError(f"{who}: this model does not name its battery; give battery=")
    if seed is None:
        raise _core.UsageError(f"{who}: trials are random and need a seed; give one, e.g. seed=0")
    return battery, seed


class _Call:
    """A model in the form that the core calls: NumPy arrays in and out."""

    def __init__(self, who, model, battery, rules, framework, batch_first):
        for name, value, allowed in (
            ("rules", rules, ("index", "dense")),
            ("framework", framework, ("numpy", "torch", "jax")),
        ):
            if value is not None and value not in allowed:
                raise _core.UsageError(f"{who}: {name}={value!r}; {' or '.join(allowed)}")
        self.who, self.model, self.n_rules, self.batch_first = who, model, battery.n_rules, batch_first
        self.dense = (rules or _rules_wanted(model)) == "dense"
        self.framework, self.fixed = framework or _framework_of(model), framework is not None

    def __call__(self, inputs, rules):
        if self.dense:
            inputs = np.concatenate([inputs, _one_hot(rules, self.n_rules)], axis=-1)
        arrays = [inputs] if self.dense else [inputs, rules]
        if self.batch_first:
            arrays = [np.ascontiguousarray(x.swapaxes(0, 1)) for x in arrays]
        logits = self._logits(arrays)
        if self.batch_first and logits.ndim == 3:
            logits = logits.swapaxes(0, 1)
        if logits.ndim != 3:
            raise _core.UsageError(
                f"{self.who}: the model returned an array of shape {logits.shape}; logits are (time, row, "
                "class)"
            )
        return np.ascontiguousarray(logits, dtype=np.float32)

    def _logits(self, arrays):
        try:
            return self._numbers(self._in(self.framework or "numpy", arrays))
        except _core.UsageError:
            raise
        except Exception:
            # A callable has no mark of its framework, so try PyTorch if it is loaded.
            if self.framework or "torch" not in sys.modules:
                raise
            try:
                logits = self._numbers(self._in("torch", arrays))
            except Exception:
                logits = None
            if logits is None:
                raise
            self.framework = "torch"
            return logits

    def _in(self, framework, arrays):
        if framework == "torch":
            import torch

            tensors = [torch.from_numpy(x) for x in arrays]
            parameters = self.model.parameters() if isinstance(self.model, torch.nn.Module) else ()
            for parameter in parameters:
                if parameter.is_floating_point():
                    tensors[0] = tensors[0].to(parameter)  # its dtype and its device
                    break
            with torch.no_grad():
                return self.model(*tensors)
        if framework == "jax":
            import jax.numpy as jnp

            return self.model(*map(jnp.asarray, arrays))
        return self.model(*arrays)

    def _numbers(self, logits) -> np.ndarray:
        if isinstance(logits, (tuple, list)):
            raise _core.UsageError(
                f"{self.who}: the model returned a {type(logits).__name__} of {len(logits)}; return the logits "
                f"alone, e.g. {self.who}(lambda x: model(x)[0], ...)"
            )
        logits = plain(logits)
        if np.ma.is_masked(logits):  # asarray would drop the mask
            raise _core.UsageError(
                f"{self.who}: some logits that the model returned are masked; return logits.filled with the "
                "number that you mean"
            )
        array = np.asarray(logits)
        if array.dtype.kind not in "fiu" and array.dtype.name != "bfloat16":
            raise _core.UsageError(
                f"{self.who}: the model returned {type(logits).__name__} of {array.dtype}; logits are numbers"
            )
        return array

    def in_eval_mode(self):
        return _EvalMode(self.model if self.framework == "torch" else None)


class _EvalMode:
    """Puts a module into eval mode (no dropout) for a while."""

    def __init__(self, module):
        self.module = module if hasattr(module, "training") and hasattr(module, "train") else None

    def __enter__(self):
        if self.module is not None:
            self.modes = [(part, part.training) for part in self.module.modules()]
            self.module.eval()

    def __exit__(self, *_):
        if self.module is not None:
            for part, training in self.modes:
                part.training = training


def _rules_wanted(model) -> str:
    function = model.forward if _framework_of(model) == "torch" else model
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return "dense"
    return "index" if "rules" in parameters else "dense"


def _framework_of(model) -> str | None:
    torch, nnx = sys.modules.get("torch"), sys.modules.get("flax.nnx")
    if torch is not None and isinstance(model, torch.nn.Module):
        return "torch"
    if nnx is not None and isinstance(model, nnx.Module):
        return "jax"
    return None


def _one_hot(rules, n_rules):
    dense = np.zeros((*rules.shape[:2], n_rules + 1), np.float32)  # -1 selects the last column
    for slot in range(rules.shape[2]):
        np.add.at(dense, (*np.indices(rules.shape[:2]), rules[..., slot]), 1)
    return dense[..., :n_rules]


# How an evaluation is shown ----------------------------------------------------------------------

_COLUMNS = ("task", "accuracy", "lower", "ceiling", "of ceiling", "trials right", "n", "passed")
_MOST_ROWS = 30


def to_pandas(evaluation: _core.Evaluation):
    """A DataFrame with a row per task, indexed by its name."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError("Evaluation.to_pandas needs pandas: pip install pandas") from error
    names = (
        "decision_accuracy", "decision_lower", "trial_accuracy", "trial_lower", "share_of_ceiling",
        "n_trials", "passed", "solved",
    )  # fmt: skip
    columns = {name: [getattr(score, name) for score in evaluation] for name in names}
    columns["ceiling"] = [score.ceiling.decision_accuracy.value for score in evaluation]
    index = pandas.Index([score.name for score in evaluation], name="task")
    return pandas.DataFrame(columns, index=index)


def _cells(score: _core.TaskScore) -> tuple[str, ...]:
    return (
        score.name,
        f"{score.decision_accuracy:.3f}",
        f"{score.decision_lower:.3f}",
        f"{score.ceiling.decision_accuracy.value:.3f}",
        f"{100 * score.share_of_ceiling:.1f}%",
        f"{score.trial_accuracy:.3f}",
        str(score.n_trials),
        "yes" if score.passed else "no",
    )


def _summary(e: _core.Evaluation) -> str:
    n = len(e)
    return (
        f"{n} task{'' if n == 1 else 's'}: mean accuracy {e.mean_accuracy:.3f}, "
        f"{100 * e.mean_share_of_ceiling:.1f}% of the ceiling (worst "
        f"{100 * e.worst_share_of_ceiling:.1f}%), {e.n_passed} passed"
    )


def as_text(evaluation: _core.Evaluation) -> str:
    rows = [_COLUMNS, *map(_cells, list(evaluation)[:_MOST_ROWS])]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["Evaluation of " + _summary(evaluation)]
    for cells in rows:
        padded = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:])]
        lines.append("  ".join([cells[0].ljust(widths[0]), *padded]))
    if len(evaluation) > _MOST_ROWS:
        lines.append(f"... and {len(evaluation) - _MOST_ROWS} more; to_pandas() has them all")
    return "\n".join([*lines, *_core.solved_definition.split("; ")])


def as_html(evaluation: _core.Evaluation) -> str:
    head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in _cells(score)) + "</tr>"
        for score in evaluation
    )
    return (
        f"<table><caption>{_summary(evaluation)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table><p>{html.escape(_core.solved_definition)}.</p>"
    )
