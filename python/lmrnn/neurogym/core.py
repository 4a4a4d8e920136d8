"""Where NeuroGym keeps what its tasks are written with."""

from .absent import absent_from

__all__: list[str] = []

__getattr__ = absent_from(__name__)
