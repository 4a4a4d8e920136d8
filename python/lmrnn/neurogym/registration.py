"""Environments by name."""

from __future__ import annotations

import gymnasium

from .. import _core
from .task_env import TaskEnv, _settings

# NeuroGym's order.
YANG19 = (
    "go", "rtgo", "dlygo", "anti", "rtanti", "dlyanti", "dm1", "dm2", "ctxdm1", "ctxdm2", "multidm",
    "dlydm1", "dlydm2", "ctxdlydm1", "ctxdlydm2", "multidlydm", "dms", "dnms", "dmc", "dnmc",
)  # fmt: skip
# yang19's dm1 has its own timing, unless a timing is given.
_YANG19_TIMING = {"dm1": {"stimulus": ("choice", [200, 400, 600])}}


def get_collection(collection: str) -> list[str]:
    """Names for `make`: of "yang19" (the 20 base tasks), or of any collection of ours."""
    if collection == "yang19":
        return [f"yang19.{name}-v0" for name in YANG19]
    return _core.select_tasks(collection)


def make(id_: str, **keywords) -> TaskEnv:
    """The environment of a task by name: "yang19.go-v0", with its timing, or "go", as in Mod-Cog."""
    name = id_.removeprefix("lmrnn/").removesuffix("-v0")
    if name.startswith("yang19."):
        env = yang19(name.removeprefix("yang19."), **keywords)
    elif name in _core.select_tasks("modcog132"):
        env = TaskEnv(name, **keywords)
    else:
        raise _unknown(id_)
    env.spec = gymnasium.envs.registration.EnvSpec(id_, entry_point=f"{__name__}:make")
    return env


def yang19(name: str, **keywords) -> TaskEnv:
    """A task of NeuroGym's yang19 with its durations."""
    if name not in YANG19:
        raise _unknown(f"yang19.{name}")
    timing = keywords.pop("timing", None) or _YANG19_TIMING.get(name)
    return TaskEnv(name, timing=timing, table=_settings.get("timing", "neurogym"), **keywords)


def _unknown(id_: str) -> _core.UsageError:
    return _core.UsageError(
        f'"{id_}" is not a task of this package. It has yang19 ("yang19.go-v0", ...; '
        'get_collection("yang19")) and Mod-Cog ("dlygointr", ...). Any other environment of '
        "NeuroGym can be passed to Dataset as an object: Dataset(neurogym.make(...))"
    )
