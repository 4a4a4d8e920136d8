"""Where NeuroGym keeps them, too."""

from ..absent import absent_from
from ..multi import MultiEnvs, ScheduleEnvs

__all__ = ["MultiEnvs", "ScheduleEnvs"]

__getattr__ = absent_from(__name__)
