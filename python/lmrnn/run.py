"""Reads run directories."""

from __future__ import annotations

import json
import warnings
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from .calls import explained
from .display import pairs_html, table_html
from .table import Table

if TYPE_CHECKING:
    from .analysis import Analysis


class Run:
    """A run directory, finished or not, or "zoo:NAME". Raises UsageError if it is not a run."""

    def __init__(self, directory: str | PathLike):
        self.directory = Path(_core.resolve_zoo(directory))
        self.output = Path(_core.output_folder(directory))
        self._record = _core.open_run(self.directory)

    @property
    def _subject(self) -> str:
        """The run's name in commands."""
        return str(self.directory) if self.output == self.directory else f"zoo:{self.name}"

    @property
    def name(self) -> str:
        return self.directory.resolve().name

    @property
    def config(self) -> dict[str, Any]:
        """The whole configuration, including defaults, as nested dictionaries."""
        return self._record["config"]

    @property
    def done(self) -> bool:
        return self._record["done"]

    @property
    def checkpoints(self) -> list[int]:
        """Steps at which there is a checkpoint, ascending."""
        return self._record["checkpoints"]

    @property
    def source(self) -> str:
        """Name of the custom data that the run was trained on; empty: a battery."""
        return self.config["source"]

    @property
    def battery(self) -> _core.Battery:
        """The battery. Raises UsageError for a run on custom data."""
        if self.source:
            raise _core.UsageError(f'{self.directory}: trained on "{self.source}", not on a battery')
        return self._record["battery"]

    @cached_property
    def sheet(self) -> _core.Sheet:
        """The sheet with the places of the units. Coordinates of a measured wiring are read from the newest network, or
        from their file if there is none yet."""
        return _core.sheet_of_run(self.directory)

    @property
    def seed(self) -> int:
        return self.config["seed"]

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The content of DONE; empty while the run is not done."""
        return _json(self.directory / "DONE") if self.done else {}

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Version, commit, compiler, SIMD target and processor of every session."""
        return _json(self.directory / "provenance.json")

    @cached_property
    def metrics(self) -> Table:
        """metrics.csv: a row per log interval; NaN where there was no evaluation."""
        return _numbers(self.directory / "metrics.csv", {"tasks_reached": "tasks_passed"})

    @cached_property
    def tasks(self) -> Table:
        """tasks.csv: a row per evaluation and task. Rows of an evaluation that is not over, because metrics.csv does
        not have it yet, are left out. Raises UsageError if rows are missing."""
        metrics = self.metrics
        tasks = _numbers(self.directory / "tasks.csv", {"reached": "passed"})
        over = metrics["step"][np.isfinite(metrics["mean_accuracy"])] if metrics.n_rows else metrics.get("step", [])
        if not len(over):
            return tasks.where(np.zeros(tasks.n_rows, dtype=bool))
        accuracy = tasks["decision_accuracy"][tasks["step"] == over[-1]]
        whole = len(accuracy) and abs(accuracy.mean() - metrics["mean_accuracy"][metrics["step"] == over[-1]][0]) < 2e-6
        if not whole:  # both files have six digits
            what = "whole evaluation" if len(accuracy) else "evaluation"
            raise _core.UsageError(
                f"{self.directory / 'tasks.csv'}: does not have the {what} that metrics.csv has of step {over[-1]}; "
                "copy the run again"
            )
        return tasks.where(tasks["step"] <= over[-1])

    @cached_property
    def scores(self) -> Table:
        """The rows of `tasks` of the last evaluation; without rows if there has been none."""
        tasks = self.tasks
        return tasks.where(tasks["step"] == tasks["step"].max()) if tasks.n_rows else tasks

    @explained
    def network(self, step: int | None = None) -> _core.Network:
        """The network of a checkpoint, by default the newest."""
        if step is None:
            return _core.Network.load(self.directory)
        return _core.Network.load(self.checkpoint(step))

    def checkpoint(self, step: int) -> Path:
        """The folder of the checkpoint of a step. Raises UsageError, with the existing steps, if there is none."""
        folder = _checkpoint(self.directory, step)
        if not folder.is_dir():
            there = ", ".join(map(str, Run(self.directory).checkpoints))
            raise _core.UsageError(
                f"{self.directory}: no checkpoint of step {step}; there are those of {there}"
            )
        return folder

    def gains(self, step: int | None = None) -> Table:
        """The gains of a checkpoint (`wiring.gains`), by default the newest: `target` and `source` (the types or units
        whose synapses have the gain; -1: all) and `gain`. Raises UsageError if the run trained weights."""
        if step is None and not self.checkpoints:
            raise _core.UsageError(f"{self.directory}: has no checkpoint yet; train it first")
        folder = self.checkpoint(self.checkpoints[-1] if step is None else step)
        arrays = _small_arrays(folder / "state.safetensors", "gains.")
        if "values" not in arrays:
            raise _core.UsageError(
                f"{self.directory}: has no gains; it trained weights. wiring.gains trains gains instead"
            )
        names = {"target": "target", "source": "source", "gain": "values"}
        return Table({name: arrays[key] for name, key in names.items()})

    @property
    def untrained(self) -> Path | None:
        """The checkpoint of step 0, if it was kept."""
        folder = _checkpoint(self.directory, 0)
        return folder if folder.is_dir() else None

    @cached_property
    def untrained_scores(self) -> _core.Evaluation:
        """Scores before the first step, on up to 200 held-out trials per task. They are computed on request, because
        training does not compute them. Raises UsageError if the initial network cannot be made again: it was trained on
        your own data, or a file that it needs is missing."""
        network = self.network(0) if self.untrained else _core.untrained_network(self.directory)
        evaluation = self.config["evaluation"]
        seed = evaluation.get("seed")  # 0 is a seed
        return _core.evaluate(
            network, self.battery, seed=self.seed if seed is None else seed, split=evaluation["split"],
            n_trials=min(evaluation["trials"], 200),
        )  # fmt: skip

    def evaluate(self, **options) -> _core.Evaluation:
        """Scores on held-out trials; takes the options of lmrnn.evaluate. By default with the run's seed and split
        "test"."""
        options.setdefault("seed", self.seed)
        return _core.evaluate(self.network(), self.battery, **options)

    @property
    def analyses(self) -> list[str]:
        """Names of the analyses with results in analysis/."""
        folder = self.output / "analysis"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    @explained
    def analysis(self, name: str) -> Analysis:
        """The results of an analysis. Warns if they are of an earlier checkpoint than the newest. Raises UsageError, with
        the remedy, if there are none."""
        from .analysis import Analysis

        folder = self.output / "analysis" / name
        if not (folder / "summary.json").is_file():
            there = f"; it has {', '.join(self.analyses)}" if self.analyses else ""
            raise _core.UsageError(
                f"{self.directory}: no analysis {name!r} yet; make it with run.analyze({name!r}), or with "
                f"lmrnn analyze {self._subject} {name}{there}"
            )
        analysis = Analysis(folder)
        if outdated := self.outdated(analysis):
            warnings.warn(f"{folder}: {outdated}; make it again with run.analyze({name!r})", stacklevel=3)
        return analysis

    def outdated(self, analysis: Analysis) -> str:
        """Says that an analysis of this run is of an earlier checkpoint than the newest, though its name does not; "" if
        that is not so, or not known."""
        step, newest = analysis.provenance.get("step"), max(self.checkpoints, default=None)
        if step is None or newest is None or step == newest or "-step" in analysis.name:
            return ""
        return f"made at step {step}, but the run is at step {newest} now"

    def analyze(self, name: str, **options: Any) -> Analysis:
        """Runs an analysis, like lmrnn.analyze(run, name, ...)."""
        from .analysis import analyze

        return analyze(self, name, **options)

    def __eq__(self, other: object) -> bool:
        return self.directory == other.directory if isinstance(other, Run) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.directory)

    def __repr__(self) -> str:
        state = "done" if self.done else "not done"
        data = self.source or self.config["battery"]["tasks"]
        return f"Run({str(self.directory)!r}, {state}, {data!r})"

    def _repr_html_(self) -> str:
        scores, pairs = self.scores, {"state": "done" if self.done else "not done", "seed": self.seed}
        pairs |= {"data": self.source or self.config["battery"]["tasks"], "checkpoints": self.checkpoints}
        if self.analyses:
            pairs["analyses"] = ", ".join(self.analyses)
        page = pairs_html(f"Run {self.directory}", pairs)
        if not scores.n_rows:
            return f"{page}<p>no evaluation yet</p>"
        columns = ["task", "decision_accuracy", "decision_ceiling", "share_of_ceiling", "solved"]
        rows = [[bool(row[c]) if c == "solved" else row[c] for c in columns] for row in scores.rows()]
        caption = f"scores after {scores['step'][0]:,} steps"
        return page + table_html([c.replace("_", " ") for c in columns], rows, caption=caption)


def _json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise _core.UsageError(f"{path}: is missing; copy the run again") from None
    except ValueError as error:
        raise _core.UsageError(f"{path}: is damaged ({error}); copy the run again") from None


def _numbers(path: Path, renamed: dict[str, str]) -> Table:
    """A table of numbers, the names of tasks aside. Raises UsageError for a cell that is none."""
    table = Table.read(path, renamed)
    for name, column in table.items():
        if name != "task" and column.dtype.kind == "U":
            line = 2 + next(i for i, cell in enumerate(column) if not _is_number(cell))
            raise _core.UsageError(f"{path}:{line}: column {name} is damaged; copy the run again")
    return table


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True


def _checkpoint(directory: Path, step: int) -> Path:
    return directory / "checkpoints" / f"step-{step:08d}"


def _small_arrays(path: Path, prefix: str) -> dict[str, np.ndarray]:
    """Arrays of a safetensors file whose names begin with `prefix`, by the rest of their names."""
    types = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U32": "<u4", "U64": "<u8", "U8": "u1"}
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        arrays = {}
        for name, entry in header.items():
            if not name.startswith(prefix):
                continue
            first, last = entry["data_offsets"]
            file.seek(8 + length + first)
            values = np.frombuffer(file.read(last - first), types[entry["dtype"]])
            arrays[name.removeprefix(prefix)] = values.reshape(entry["shape"])
    return arrays
