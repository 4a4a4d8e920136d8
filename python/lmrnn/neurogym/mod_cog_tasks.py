"""One factory per task, by its name: `go()`, `dlygointr(dt=20)`, ...

Keywords: dt, dim_ring, sigma (scale of the input noise), rewards, timing, and keys of [battery].
"""

from .._core import select_tasks
from .task_env import TaskEnv


def _factory(name: str):
    def make(**keywords) -> TaskEnv:
        return TaskEnv(name, **keywords)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"An environment of the task {name}."
    return make


__all__ = select_tasks("modcog132")
# The published code calls Xintrseqr Xintseq.
__all__ += [name[: -len("rseqr")] + "seq" for name in __all__ if name.endswith("intrseqr")]

globals().update({name: _factory(name) for name in __all__})
