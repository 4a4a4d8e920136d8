"""The factories of NeuroGym's yang19 with its durations: `go()`, `dm1(dt=20)`, ..."""

from functools import partial

from ...registration import YANG19, yang19

__all__ = list(YANG19)

globals().update({name: partial(yang19, name) for name in YANG19})
