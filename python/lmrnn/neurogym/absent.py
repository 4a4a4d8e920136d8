"""What NeuroGym has and this package does not, and what to use instead."""

from __future__ import annotations

from collections.abc import Callable

_OWN_TASKS = (
    "to write your own task, use lmrnn.data.OwnTasks; an environment written with NeuroGym can be "
    "passed to lmrnn.neurogym.Dataset as an object"
)
_WRAPPERS = (
    "wrap the environment with gymnasium's own wrappers, or use NeuroGym's environments with "
    "NeuroGym's wrappers; Dataset takes the result as an object"
)
_LOOKING = "use lmrnn.plot, `lmrnn tasks`, and help(lmrnn.Task)"

REMEDIES = {
    **dict.fromkeys(["TrialEnv", "BaseEnv", "TrialWrapper", "spaces", "register"], _OWN_TASKS),
    **dict.fromkeys(
        ["Monitor", "Noise", "PassAction", "PassReward", "RandomGroundTruth", "ReactionTime",
         "ScheduleAttr", "SideBias", "TrialHistoryV2"],
        _WRAPPERS,
    ),
    **dict.fromkeys(
        ["all_envs", "all_tags", "all_wrappers", "info", "plot_env", "plot_psychometric",
         "plotting"],
        _LOOKING,
    ),
}  # fmt: skip


def absent_from(module: str) -> Callable:
    """The `__getattr__` of a module that replaces one of NeuroGym's."""

    def __getattr__(name: str):
        if name in REMEDIES:
            # With `from ... import name`, only the message of an ImportError is shown.
            raise ImportError(f"{module} has no {name}: {REMEDIES[name]}", name=module)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return __getattr__
