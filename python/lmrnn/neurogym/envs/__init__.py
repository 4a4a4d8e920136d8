"""The module of NeuroGym with its environments."""

from ..absent import absent_from
from ..multi import MultiEnvs, ScheduleEnvs
from ..registration import get_collection, make
from ..task_env import TaskEnv, configure

__all__ = ["MultiEnvs", "ScheduleEnvs", "TaskEnv", "configure", "get_collection", "make"]

__getattr__ = absent_from(__name__)
