"""Figures. Each function takes what it draws (a trial, a mask, a network, runs) and an optional
`ax`, and returns the Axes; `save` writes vector graphics.

    ax = lmrnn.plot.learning_curves({"radius 4": [run1, run2], "dense": [run3, run4]})
    lmrnn.plot.save(ax, "curves.pdf")

One figure = one function in one file here and one line below. All use `style`, and nothing changes
matplotlib's global settings.
"""

from .curves import learning_curves
from .density import accuracy_against_density
from .style import COLOURS, save
from .tasks import task_bars, task_heat_map
from .trial import trial
from .weights import eigenvalues, weight_histogram
from .wiring import mask, neighbourhood, sheet_map

__all__ = [
    "COLOURS",
    "accuracy_against_density",
    "eigenvalues",
    "learning_curves",
    "mask",
    "neighbourhood",
    "save",
    "sheet_map",
    "task_bars",
    "task_heat_map",
    "trial",
    "weight_histogram",
]
