"""The module of NeuroGym with its collections."""

from ...registration import get_collection

__all__ = ["get_collection"]
