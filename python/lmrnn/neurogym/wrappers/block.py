"""Another module of NeuroGym with its wrappers."""

from ..absent import absent_from
from ..multi import MultiEnvs, ScheduleEnvs

__all__ = ["MultiEnvs", "ScheduleEnvs"]

__getattr__ = absent_from(__name__)
