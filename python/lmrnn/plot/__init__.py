"""Figures. Each function takes what it draws (a trial, a mask, a network, runs) and an optional
`ax`, and returns the Axes; `save` writes vector graphics.

    ax = lmrnn.plot.learning_curves({"radius 4": [run1, run2], "dense": [run3, run4]})
    lmrnn.plot.save(ax, "curves.pdf")

One figure = one function in one file here and one line below. All use `style`, and nothing changes
matplotlib's global settings.
"""

from .behaviour import confusion, extrapolation, pruning, psychometric, solved_raster
from .curves import learning_curves
from .density import accuracy_against_density
from .dynamics import activity_by_direction, fixed_points
from .pools import lesions, unit_classes
from .representation import dimensions, similarity, task_similarity
from .ring import ring
from .selectivity import clusters, modularity, sheet_maps, spatial_order
from .study import study_curves, study_density, study_rates, study_units
from .style import COLOURS, save
from .tasks import task_bars, task_heat_map
from .trial import trial
from .weights import eigenvalues, weight_histogram
from .wire import weight_structure
from .wiring import mask, neighbourhood, sheet_map

__all__ = [
    "COLOURS",
    "accuracy_against_density",
    "activity_by_direction",
    "clusters",
    "confusion",
    "dimensions",
    "eigenvalues",
    "extrapolation",
    "fixed_points",
    "learning_curves",
    "lesions",
    "mask",
    "modularity",
    "neighbourhood",
    "pruning",
    "psychometric",
    "ring",
    "save",
    "sheet_map",
    "sheet_maps",
    "similarity",
    "solved_raster",
    "spatial_order",
    "study_curves",
    "study_density",
    "study_rates",
    "study_units",
    "task_bars",
    "task_heat_map",
    "task_similarity",
    "trial",
    "unit_classes",
    "weight_histogram",
    "weight_structure",
]
