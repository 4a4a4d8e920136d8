"""How objects of the core are made again by pickle and copy."""

from . import _core


def make_battery(config: dict, seed: int) -> _core.Battery:
    return _core._make_battery(config, seed)
