"""Where NeuroGym keeps its wrappers."""

from ..envs import MultiEnvs, ScheduleEnvs

__all__ = ["MultiEnvs", "ScheduleEnvs"]
