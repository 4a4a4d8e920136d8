"""NeuroGym's and Mod-Cog's calls on this battery, so that a script changes its imports only:

    from neurogym ...                       ->  from lmrnn.neurogym ...
    from Mod_Cog.mod_cog_tasks import *     ->  from lmrnn.neurogym.mod_cog_tasks import *

Task factories (`go()`, `dlygointr(dt=20)`), `ScheduleEnvs`, `MultiEnvs`, the schedules, `Dataset` and
`dataset.env` take the same arguments and return arrays of the same shapes. Differences:

- Tasks follow the corrected semantics; `lmrnn.neurogym.configure(semantics={"base": "published"},
  seed=0)` before the factories are called gives those of the published code.
- Observations have both rings in every task (as Mod-Cog's single-modality wrappers arrange it).
- As there, everything is random unless it is seeded: `dataset.seed(1)` or `env.seed(1)`.

Needs the extra "gymnasium": pip install 'lmrnn[gymnasium]'.
"""

from .dataset import Dataset
from .envs import MultiEnvs, ScheduleEnvs, TaskEnv, configure
from .schedules import RandomBlockSchedule, RandomSchedule, SequentialBlockSchedule, SequentialSchedule

__all__ = [
    "Dataset",
    "MultiEnvs",
    "RandomBlockSchedule",
    "RandomSchedule",
    "ScheduleEnvs",
    "SequentialBlockSchedule",
    "SequentialSchedule",
    "TaskEnv",
    "configure",
    "get_collection",
    "make",
]


def get_collection(collection: str) -> list[str]:
    """Names that `make` takes: of "yang19" (the 20 base tasks), or of any collection of ours."""
    from .._core import select_tasks

    return select_tasks({"yang19": "cog20"}.get(collection, collection))


def make(name: str, **keywords):
    """The environment of a task by name."""
    return TaskEnv(name, **keywords)
