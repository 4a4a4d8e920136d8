"""Runs as Neurodata Without Borders: activity of chosen trials, for pynapple and other tools.

    lmrnn.nwb.write("runs/first", "first.nwb", tasks="dlygo", trials=50)

    import pynapple
    data = pynapple.load_file("first.nwb")
    data["states"], data["trials"]          # a TsdFrame (time, unit), an IntervalSet

Trials follow one another with `gap` seconds between them: the network begins each from state 0, and tools that join
touching intervals (pynapple shortens them by 1 us) have nothing to join.

Needs the extra "nwb": pip install 'lmrnn[nwb]'.
"""

from __future__ import annotations

import json
import tempfile
import uuid
from datetime import datetime, timezone
from os import PathLike
from pathlib import Path

import numpy as np

from . import _core
from ._core import UsageError
from .analysis import Analysis, analyze
from .run import Run
from .writing import written

_PERIODS = ("fixation", "stimulus", "delay", "second_stimulus", "decision")


def write(
    run: Run | str | PathLike,
    path: str | PathLike,
    *,
    tasks: str = "",
    trials: int = 16,
    step: int | None = None,
    noise: bool = True,
    seed: int | None = None,
    gap: float = 1.0,
    **options,
) -> None:
    """Records trials of a run and writes them as NWB. Raises UsageError.

    Parameters
    ----------
    tasks : str
        Which tasks; by default all that the network was trained on.
    trials : int
        Trials per task, from the test split.
    step : int, optional
        The checkpoint of this step instead of the newest.
    noise : bool
        Input noise.
    gap : float
        Seconds between the end of a trial and the start of the next.
    options
        Further options of the analysis `record`, e.g. directions=16, delay=500.

    What the file holds
    -------------------
    processing/misc : `states` (time, unit), `logits` (time, class), `targets` and `period` (time); if states
        are voltages (network.equation = "voltage"), `rates` (time, unit), too
    stimulus : `inputs` (time, channel)
    trials : start_time, stop_time, task, conditions, start of each period, response, accuracy (share
        of the steps of the decision with the right class)
    processing/misc : `units_of_the_network` (place on the sheet, bias, weights of inputs, rules and readout),
        `synapses` (source, target, weight)
    The configuration and the provenance of the run, as JSON in `notes`.
    """
    try:
        import pynwb
    except ImportError as error:
        raise UsageError(f"nwb.write needs pynwb ({error}): pip install 'lmrnn[nwb]'") from None
    run, path = run if isinstance(run, Run) else Run(run), Path(path)
    if path.suffix != ".nwb":
        raise UsageError(f"{path}: the name must end in .nwb")
    if not gap >= 0:
        raise UsageError(f"gap = {gap}; it must be a number of seconds >= 0")
    with tempfile.TemporaryDirectory(prefix="lmrnn-nwb-") as folder:
        analysis = analyze(
            run, "record", step=step, seed=seed, out=Path(folder) / "record",
            tasks=tasks, trials=trials, noise=noise, **options,
        )  # fmt: skip
        recorded = _Recorded(analysis, run, gap)
    made = _file(pynwb, run, step, recorded)
    with written(path) as temporary, pynwb.NWBHDF5IO(str(temporary), "w") as out:
        out.write(made)


class _Recorded:
    """Trials one after another: time series without padding, and one row of a table per trial."""

    def __init__(self, analysis: Analysis, run: Run, gap: float):
        self.dt = float(run.config["battery"]["dt"]) / 1000
        self.times, self.rows, self.conditions = [], [], []
        self.series: dict[str, list] = {name: [] for name in ("states", "logits", "inputs", "targets", "periods")}
        start = 0.0
        with analysis.recording("recording") as file:
            tasks = file.attrs["tasks"].split(",")
            if "rates" in file[tasks[0]]:  # of voltages
                self.series["rates"] = []
            for task in tasks:
                start = self._add_task(task, file[task], run, start, gap)

    def _add_task(self, task, group, run, start, gap) -> float:
        arrays = {name: np.asarray(group[name]) for name in self.series}
        conditions = {name: np.asarray(group["conditions"][name]) for name in group["conditions"]}
        responses, lengths = np.asarray(group["responses"]), np.asarray(group["lengths"])
        for k, length in enumerate(lengths.tolist()):
            for name, values in arrays.items():
                self.series[name].append(values[:length, ..., k])
            self.times.append(start + self.dt * np.arange(length))
            self.rows.append(self._row(task, arrays, k, length, int(responses[k]), start))
            self.conditions.append({name: float(values[k]) for name, values in conditions.items()})
            start += self.dt * length + gap
        return start

    def _row(self, task, arrays, k, length, response, start) -> dict:
        periods = arrays["periods"][:length, k]
        decision = periods == _PERIODS.index("decision")
        right = arrays["logits"][:length, :, k].argmax(axis=1) == arrays["targets"][:length, k]
        row = {
            "start_time": start,
            "stop_time": start + self.dt * length,
            "task": task,
            "response": response,
            "accuracy": float(right[decision].mean()) if decision.any() else float("nan"),
        }
        for number, period in enumerate(_PERIODS):
            steps = np.flatnonzero(periods == number)
            row[f"{period}_time"] = start + self.dt * steps[0] if len(steps) else float("nan")
        return row

    def whole(self, name: str) -> np.ndarray:
        return np.concatenate(self.series[name])


def _file(pynwb, run: Run, step: int | None, recorded: _Recorded):
    sessions = run.provenance.get("sessions", [])
    network = run.network(step)
    start = _start(run, sessions)
    step = run.checkpoints[-1] if step is None else step
    about = {"config": run.config, "provenance": run.provenance, "step": step}
    text = json.dumps(about, sort_keys=True, default=str)
    content = text + repr([sorted(row.items()) for row in recorded.rows])
    made = pynwb.NWBFile(
        session_description=(
            f"Simulated activity of a recurrent network of {network.n_units} units, trained by lmrnn "
            f"{_core.__version__}; run {run.name}, seed {run.seed}. One time step is {recorded.dt:g} s. "
            f"States are {'voltages' if network.equation == 'voltage' else 'rates'} without a physical unit."
        ),
        identifier=str(uuid.uuid5(uuid.NAMESPACE_URL, content)),
        session_start_time=start,
        session_id=run.name,
        experiment_description=f"Trials of {', '.join(dict.fromkeys(row['task'] for row in recorded.rows))}",
        subject=pynwb.file.Subject(
            subject_id=run.name, description="A simulated network, not an animal", sex="U",
            date_of_birth=start,
        ),
        keywords=["recurrent neural network", "simulation", "cognitive tasks"],
        notes=text,
    )
    _add_series(pynwb, made, recorded)
    _add_trials(made, recorded)
    _add_network(pynwb, made, run, network)
    return made


def _start(run: Run, sessions: list) -> datetime:
    """When the training began, in UTC."""
    for key in ("start", "started", "start_time", "time"):
        if sessions and isinstance(sessions[0].get(key), str):
            try:
                when = datetime.fromisoformat(sessions[0][key].replace("Z", "+00:00"))
                return when if when.tzinfo else when.replace(tzinfo=timezone.utc)
            except ValueError:
                continue
    return datetime.fromtimestamp((run.directory / "config.toml").stat().st_mtime, timezone.utc)


def _add_series(pynwb, made, recorded: _Recorded) -> None:
    times = np.concatenate(recorded.times)
    module = made.create_processing_module("misc", "What the units and the readout did, and the network")
    described = {
        "states": ("rates of the units, (time, unit)", "states"),
        "logits": ("values of the classes before the softmax, (time, class)", "logits"),
        "targets": ("the right class: 0 fixate, 1 + k respond in direction k", "targets"),
        "period": ("0 fixation, 1 stimulus, 2 delay, 3 second stimulus, 4 decision", "periods"),
    }
    if "rates" in recorded.series:
        described["states"] = ("voltages x of the units, (time, unit)", "states")
        described["rates"] = ("rates f(x), which other units and the readout see, (time, unit)", "rates")
    first = None
    for name, (description, source) in described.items():
        series = pynwb.TimeSeries(
            name=name, description=description, data=recorded.whole(source), unit="a.u.",
            timestamps=times if first is None else first,
        )  # fmt: skip
        first = first or series
        module.add(series)
    made.add_stimulus(
        pynwb.TimeSeries(
            name="inputs", description="input channels: cue, ring of modality 0, ring of modality 1; (time, channel)",
            data=recorded.whole("inputs"), unit="a.u.", timestamps=first,
        )
    )  # fmt: skip


def _add_trials(made, recorded: _Recorded) -> None:
    columns = {
        "task": "name of the task",
        "response": "direction to respond in, from 0; -1: keep fixating",
        "accuracy": "share of the steps of the decision at which the class with the largest logit is the target",
    }
    periods = [f"{period}_time" for period in _PERIODS]
    never = {name for name in periods if all(np.isnan(row[name]) for row in recorded.rows)}
    columns |= {
        name: f"start of the period {name.removesuffix('_time')}, s; NaN: the trial has none"
        for name in periods
        if name not in never
    }
    conditions = list(dict.fromkeys(name for row in recorded.conditions for name in row))
    columns |= {name: f"condition of the trial: {name}; NaN: the task has none" for name in conditions}
    whole = {name for name in conditions if _is_whole(name, recorded.conditions)}
    for name, description in columns.items():
        made.add_trial_column(name, description)
    for row, values in zip(recorded.rows, recorded.conditions):
        kept = {name: value for name, value in row.items() if name not in never}
        cells = {name: int(values[name]) if name in whole else values.get(name, float("nan")) for name in conditions}
        made.add_trial(**kept, **cells)


def _is_whole(name: str, rows: list[dict]) -> bool:
    """Whether it is a whole number (modality, choice, match) that every trial has, not an angle or a duration."""
    return name in ("modality", "choice", "match") and all(name in row for row in rows)


def _add_network(pynwb, made, run: Run, network) -> None:
    from hdmf.common import DynamicTable, VectorData

    module, weights = made.processing["misc"], network.weights
    sheets = run.sheet.areas or {"": run.sheet}
    places = np.concatenate([np.indices((s.rows, s.cols)).reshape(2, -1) for s in sheets.values()], axis=1)
    columns = [
        VectorData(name="row", description="row on the sheet", data=places[0]),
        VectorData(name="column", description="column on the sheet", data=places[1]),
        VectorData(name="bias", description="bias", data=weights["bias"]),
        VectorData(name="input_weights", description="from each input channel", data=weights["input"]),
        VectorData(name="readout_weights", description="to each class", data=weights["readout"].T.copy()),
    ]
    if run.sheet.areas:
        areas = [name for name, area in sheets.items() for _ in range(area.n_units)]
        columns.insert(0, VectorData(name="area", description="area, a sheet of its own", data=areas))
    if network.n_rules:
        columns.append(
            VectorData(name="rule_weights", description="from each rule input", data=weights["rule"].T.copy())
        )
    module.add(
        DynamicTable(
            name="units_of_the_network", description="The units, in the order of `states`", columns=columns
        )
    )
    module.add(
        DynamicTable(
            name="synapses",
            description="Recurrent synapses: alpha = {:g}, activation {}, state equation {}".format(
                network.alpha, network.activation, network.equation
            ),
            columns=[
                VectorData(name="target", description="unit that receives", data=network.recurrent.targets),
                VectorData(name="source", description="unit that sends", data=network.recurrent.sources.copy()),
                VectorData(name="weight", description="weight", data=weights["recurrent"]),
            ],
        )
    )
