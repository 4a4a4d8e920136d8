"""Where NeuroGym keeps its Dataset."""

from ..dataset import Dataset

__all__ = ["Dataset"]
