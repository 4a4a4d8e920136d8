"""How pickle and copy make objects of the core again."""

from . import _core


def make_battery(config: dict, seed: int) -> _core.Battery:
    return _core._make_battery(config, seed)
