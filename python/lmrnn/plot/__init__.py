"""Figures. Each function takes the data to draw and an optional `ax`, and returns the Axes, or an array of them; `save`
writes vector graphics.

    ax = lmrnn.plot.learning_curves({"radius 4": ["runs/a1", "runs/a2"], "dense": ["runs/d1"]})
    lmrnn.plot.save(ax, "curves.pdf")

Instead of a run you can give its path; instead of an analysis, a run that has it, or a path. Notebooks show figures
automatically; in a script, `plt.show()` shows those made after pyplot was imported. `ax` draws into your own figure: a
function with several panels takes as many Axes, one Axes that it divides, or a Figure or SubFigure. matplotlib's global
settings never change.
"""

# One figure = one function in one file here and one line below. All use `style`.
from .behaviour import confusion, extrapolation, pruning, psychometric, psychometric_fit, solved_raster
from .curves import learning_curves
from .density import accuracy_against_density
from .dynamics import activity_by_direction, fixed_points, trajectories
from .pools import lesions, unit_classes
from .representation import dimensions, similarity, task_similarity
from .ring import ring
from .selectivity import clusters, modularity, sheet_maps, spatial_order
from .study import study_cells, study_curves, study_density, study_rates, study_units, study_wire
from .style import COLOURS, save
from .tasks import task_bars, task_comparison, task_grid, task_heat_map
from .trial import trial
from .weights import eigenvalues, weight_histogram
from .wire import weight_structure
from .wiring import areas, mask, neighbourhood, sheet_map

__all__ = [
    "COLOURS",
    "accuracy_against_density",
    "activity_by_direction",
    "areas",
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
    "psychometric_fit",
    "ring",
    "save",
    "sheet_map",
    "sheet_maps",
    "similarity",
    "solved_raster",
    "spatial_order",
    "study_cells",
    "study_curves",
    "study_density",
    "study_rates",
    "study_units",
    "study_wire",
    "task_bars",
    "task_comparison",
    "task_grid",
    "task_heat_map",
    "task_similarity",
    "trajectories",
    "trial",
    "unit_classes",
    "weight_histogram",
    "weight_structure",
]
