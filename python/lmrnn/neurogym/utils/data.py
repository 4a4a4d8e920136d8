"""The module of NeuroGym with its Dataset."""

from ..dataset import Dataset

__all__ = ["Dataset"]
