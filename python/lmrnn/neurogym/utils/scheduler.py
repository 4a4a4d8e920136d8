"""NeuroGym's schedules."""

from ..schedules import (
    BaseSchedule,
    RandomBlockSchedule,
    RandomSchedule,
    SequentialBlockSchedule,
    SequentialSchedule,
)

__all__ = [
    "BaseSchedule",
    "RandomBlockSchedule",
    "RandomSchedule",
    "SequentialBlockSchedule",
    "SequentialSchedule",
]
