"""NeuroGym's and Mod-Cog's calls on this battery: a script needs to change only its imports:

    import neurogym as ngym                 ->  import lmrnn.neurogym as ngym
    from neurogym ...                       ->  from lmrnn.neurogym ...
    from Mod_Cog.mod_cog_tasks import *     ->  from lmrnn.neurogym.mod_cog_tasks import *

`make("yang19.go-v0")`, task factories (`go()`, `dlygointr(dt=20)`), `ScheduleEnvs`, `MultiEnvs`, the schedules,
`Dataset` and `dataset.env` take the same arguments with the same defaults, return arrays of the same shapes and types,
and begin and end as in NeuroGym 2.3.1. Differences:

- Tasks follow the corrected semantics; `lmrnn.neurogym.configure(semantics={"base": "published"},
  seed=0)` before the factories are called gives those of the published code.
- Observations have both rings in every task (as Mod-Cog's single-modality wrappers arrange it).
- As there, everything is random unless it is seeded; `dataset.seed(1)`, `env.seed(1)` and
  `env.reset(seed=1)` do make it reproducible.
- NeuroGym's other environments and its wrappers are not available; the error says what to use instead.

docs/howto/neurogym-and-mod-cog.md compares the two, situation by situation.

Needs the extra "gymnasium": pip install 'lmrnn[gymnasium]'.
"""

from .absent import absent_from
from .dataset import Dataset
from .multi import MultiEnvs, ScheduleEnvs
from .registration import get_collection, make
from .schedules import (
    RandomBlockSchedule,
    RandomSchedule,
    SequentialBlockSchedule,
    SequentialSchedule,
)
from .task_env import TaskEnv, configure

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

__getattr__ = absent_from(__name__)
