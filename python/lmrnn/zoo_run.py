"""The zoo: trained networks that come with the package."""

from __future__ import annotations

import json
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, overload

from . import _core
from .run import Run
from .table import Table

# The folder in a wheel; in a source tree and after cmake --install, the core finds the zoo itself.
_FOLDER = Path(__file__).resolve().parent / "_zoo"
if (_FOLDER / "index.json").is_file():
    _core.use_zoo(_FOLDER)


class ZooRun(Run):
    """A network of the zoo: a run directory that is never written to.

    Results about it (analyses, a report) are written to runs/NAME by default. It has no optimiser state: start from its
    weights with `init_from="zoo:NAME"` instead of resuming it.
    """

    def __init__(self, name: str | PathLike):
        super().__init__(f"zoo:{str(name).removeprefix('zoo:')}")

    @cached_property
    def about(self) -> dict[str, Any]:
        """The entry in the index: tasks, wiring, units, scores, commit, seconds, SHA-256."""
        index = json.loads((self.directory.parent / "index.json").read_text("utf-8"))
        return index["networks"][self.name]

    @cached_property
    def test_scores(self) -> Table:
        """Scores on the test split, which was not used for any selection: a row per task, as in tasks.csv."""
        return Table.read(self.directory / "scores.csv")

    def __repr__(self) -> str:
        n = self.about
        return f"ZooRun('zoo:{self.name}', {n['tasks_passed']} of {n['n_tasks']} tasks passed)"


@overload
def zoo() -> list[str]: ...
@overload
def zoo(name: str) -> ZooRun: ...
def zoo(name=None):
    """A trained network that comes with the package, as a run; without a name, the names that exist.

        lmrnn.zoo()                                  # names
        run = lmrnn.zoo("cog20-autapse-256")
        run.test_scores["decision_accuracy"]         # 4000 test trials per task
        network = run.network()

    "zoo:NAME" can be used instead of a path of a run or a network file. Raises UsageError, with the existing names, for
    an unknown one.
    """
    return _core.zoo_names() if name is None else ZooRun(name)
