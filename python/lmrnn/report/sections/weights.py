"""What training did to the weights, and maps of the sheet."""

from __future__ import annotations

import numpy as np

from ... import plot
from ..html import Section, figure, grid

LARGEST_SPECTRUM = 2048  # units; beyond that, eigenvalues take minutes


def section(run) -> Section:
    last = run.network()
    networks = {"trained": last}
    if run.untrained and run.checkpoints[-1] > 0:
        networks = {"untrained": run.network(0), "trained": last}
    figures = [figure(plot.weight_histogram(networks), "Recurrent weights.")]
    if last.n_units <= LARGEST_SPECTRUM:
        figures.append(
            figure(plot.eigenvalues(networks), "Eigenvalues of one linear step; unit circle.")
        )
    figures += [
        figure(
            plot.sheet_map(last.weights["bias"], run.sheet, label="bias", signed=True),
            "Bias of every unit, on the sheet.",
        ),
        figure(
            plot.sheet_map(_readout_norm(last), run.sheet, label="norm"),
            "Norm of every unit's readout weights, on the sheet.",
        ),
    ]
    return Section("Weights", grid(*figures))


def _readout_norm(network):
    return np.linalg.norm(network.weights["readout"], axis=0)
