"""The module of NeuroGym with its schedules."""

from ..absent import absent_from
from ..schedules import RandomSchedule, SequentialBlockSchedule, SequentialSchedule
from .ngym_random import TruncExp

__all__ = ["RandomSchedule", "SequentialBlockSchedule", "SequentialSchedule", "TruncExp"]

__getattr__ = absent_from(__name__)
