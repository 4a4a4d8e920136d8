"""Where NeuroGym keeps them, too."""

from ..envs import MultiEnvs, ScheduleEnvs

__all__ = ["MultiEnvs", "ScheduleEnvs"]
