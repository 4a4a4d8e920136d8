"""The module of NeuroGym with the base classes of its tasks."""

from .absent import absent_from

__all__: list[str] = []

__getattr__ = absent_from(__name__)
