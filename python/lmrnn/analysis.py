"""Runs analyses of a run, and reads their results."""

from __future__ import annotations

import json
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

from . import _core
from .calls import explained
from .display import pairs_html
from .run import Run
from .table import Table


class Analysis:
    """The results of an analysis: a directory of tables (CSV), recordings (HDF5) and a summary."""

    def __init__(self, directory: str | PathLike):
        self.directory = Path(directory)
        if not (self.directory / "summary.json").is_file():
            raise _core.UsageError(
                f"{self.directory}: contains no analysis; make one with lmrnn analyze or lmrnn.analyze"
            )

    def __fspath__(self) -> str:
        return str(self.directory)

    @property
    def name(self) -> str:
        return self.directory.name

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The headline numbers."""
        return json.loads((self.directory / "summary.json").read_text())

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """What it was made from: `step` of the training, `seed`, `control`, `version`, `commit`. Empty if an earlier
        version made it, which did not write this."""
        path = self.directory / "provenance.json"
        return json.loads(path.read_text()) if path.is_file() else {}

    @property
    def tables(self) -> list[str]:
        return sorted(path.stem for path in self.directory.glob("*.csv"))

    def table(self, name: str) -> Table:
        """A table by name. Raises UsageError, with the existing names, if there is no such table."""
        path = self.directory / f"{name}.csv"
        if not path.is_file():
            raise _core.UsageError(f"{self.directory}: no table {name}; it has {self.tables}")
        return Table.read(path)

    def recording(self, name: str):
        """A lmrnn.recording.Recording: an open h5py.File whose datasets have named dimensions, with `to_xarray`. Raises
        UsageError, with the existing names, if there is no such recording."""
        from .recording import Recording

        path = self.directory / f"{name}.h5"
        if not path.is_file():
            there = sorted(path.stem for path in self.directory.glob("*.h5"))
            raise _core.UsageError(f"{self.directory}: no recording {name}; it has {there}")
        return Recording(path, "r")

    def __eq__(self, other: object) -> bool:
        return self.directory == other.directory if isinstance(other, Analysis) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.directory)

    def __repr__(self) -> str:
        return f"Analysis({str(self.directory)!r}, tables {self.tables})"

    def _repr_html_(self) -> str:
        return pairs_html(f"Analysis {self.name}", {**self.summary, "tables": ", ".join(self.tables)})


def analyses() -> dict[str, str]:
    """Name and meaning of every analysis."""
    return {name: meaning for name, meaning, _ in _core.list_analyses()}


@explained
def analyze(
    run: Run | str | PathLike,
    name: str,
    *,
    step: int | None = None,
    control: str = "none",
    out: str | PathLike | None = None,
    seed: int | None = None,
    threads: int = 0,
    latex: bool = False,
    **options: Any,
) -> Analysis:
    """Runs the analysis `name` on a run, or on a network file if `out` is given.

    step : the checkpoint of this step instead of the newest (0: untrained).
    control : "shuffled-weights" permutes the recurrent weights among the existing synapses first.
    out : the folder to write to; by default RUN/analysis/NAME (runs/NAME/analysis/... for zoo:NAME), with step and
        control in the name.
    options : those of the analysis; `lmrnn analyze --list NAME` explains them.

        lmrnn.analyze("runs/quickstart", "ring", angles=32).table("tests")
    """
    if not isinstance(run, (Run, str, PathLike)):
        raise _core.UsageError(
            f"analyze: a {type(run).__name__} is neither a Run nor a path; save a network first, with the "
            "metadata of a run of its battery: network.save(path, run.network().metadata); give out=. Of any "
            "model: lmrnn.evaluate, lmrnn.psychometric, lmrnn.fixed_points, lmrnn.without_units"
        )
    if not isinstance(run, Run) and (Path(_core.resolve_zoo(run)) / "config.toml").is_file():
        run = Run(run)
    if isinstance(run, Run):
        network, untrained = run.directory, run.untrained
        if step is not None:
            network = run.checkpoint(step)
        label = name + (f"-step{step}" if step is not None else "")
        label += f"-{control}" if control != "none" else ""
        out = out or run.output / "analysis" / label
    else:
        network, untrained = Path(run), None
        if not network.exists():
            raise _core.UsageError(f"{network}: does not exist; give a run directory, or a network file and out=")
        if out is None or step is not None:
            missing = "give out=, the directory to write" if out is None else f"it has no step {step}"
            raise _core.UsageError(f"{network} is not a run directory; {missing}")
    _core.analyze(
        network,
        name,
        options,
        Path(out),
        untrained=untrained,
        control=control,
        seed=seed,
        threads=threads,
        latex=latex,
    )
    return Analysis(out)
