"""Locality-masked recurrent networks on batteries of cognitive tasks.

    import lmrnn

    battery = lmrnn.Battery("modcog82")
    inputs, targets, mask, info = next(iter(battery.stream(batch=64, steps=350, seed=0)))

    trainer = lmrnn.Trainer("studies/quickstart.toml", "runs/first", seed=1)
    trainer.run()
    run = lmrnn.Run("runs/first")

Submodules are loaded when they are first used: `lmrnn.plot` (figures), `lmrnn.report` (HTML), `lmrnn.torch` (PyTorch),
`lmrnn.jax` (JAX), `lmrnn.neurogym` (NeuroGym's calls), `lmrnn.gym` (Gymnasium), `lmrnn.tensorboard`, `lmrnn.wirings`
and `lmrnn.networks` (masks, connectomes and networks from other sources), `lmrnn.nwb` (Neurodata Without Borders).
"""

import importlib as _importlib
import importlib.util as _util
import sys as _sys

if _util.find_spec("lmrnn._core") is None:
    raise ImportError(
        "lmrnn: its core was built for another Python than this one, "
        f"{_sys.version.split()[0]} ({_sys.executable}); use that one, or pip install lmrnn with this"
    )

from . import calls, display

calls.install()  # before its functions are imported below
display.install()

from ._core import (
    Battery,
    Ceiling,
    Conditions,
    Evaluation,
    Mask,
    Network,
    Progress,
    RunError,
    Sheet,
    Task,
    TaskScore,
    Trial,
    TrialBatch,
    UsageError,
    __version__,
    build_info,
    collections,
    config_reference,
    resolve_config,
    select_tasks,
    solved_definition,
    to_toml,
)
from . import data
from .analysis import Analysis, analyses, analyze
from .evaluation import evaluate, psychometric
from .lesions import without_synapses, without_units
from .methods import methods
from .points import FixedPoints, fixed_points
from .run import Run
from .stream import Batch, Stream
from .study import Study
from .trainer import Trainer
from .zoo_run import ZooRun, zoo

__all__ = [
    "Analysis",
    "Batch",
    "Battery",
    "Ceiling",
    "Conditions",
    "Evaluation",
    "FixedPoints",
    "Mask",
    "Network",
    "Progress",
    "Run",
    "RunError",
    "Sheet",
    "Stream",
    "Study",
    "Task",
    "TaskScore",
    "Trainer",
    "Trial",
    "TrialBatch",
    "UsageError",
    "ZooRun",
    "__version__",
    "analyses",
    "analyze",
    "build_info",
    "collections",
    "config_reference",
    "data",
    "evaluate",
    "fixed_points",
    "methods",
    "psychometric",
    "resolve_config",
    "select_tasks",
    "solved_definition",
    "to_toml",
    "without_synapses",
    "without_units",
    "zoo",
]

_SUBMODULES = {
    "gym", "jax", "networks", "neurogym", "nwb", "plot", "report", "tensorboard", "torch", "wirings",
}  # fmt: skip


# The extra that installs what a submodule needs.
_EXTRAS = {
    "gym": "gymnasium", "jax": "jax", "networks": "networks", "nwb": "nwb", "plot": "plot", "report": "report",
    "tensorboard": "tensorboard", "torch": "torch", "wirings": "wirings",
}  # fmt: skip


def __getattr__(name):
    if name not in _SUBMODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return _importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if name not in _EXTRAS or (error.name or "").startswith("lmrnn"):
            raise
        raise ModuleNotFoundError(
            f"lmrnn.{name} needs {error.name}, which is not installed; pip install 'lmrnn[{_EXTRAS[name]}]'",
            name=error.name,
        ) from None


def __dir__():
    return sorted([*__all__, *_SUBMODULES])
