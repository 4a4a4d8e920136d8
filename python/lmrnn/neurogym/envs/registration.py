"""The module of NeuroGym with `make`."""

from ..absent import absent_from
from ..registration import get_collection, make

__all__ = ["get_collection", "make"]

__getattr__ = absent_from(__name__)
