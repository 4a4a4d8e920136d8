"""Recurrent weights and their eigenvalues."""

from __future__ import annotations

import numpy as np

from . import style
from .inputs import labelled, network_of

_DASHES = (("-", ":"), ("--", "-."))
"""Of weights between units and of autapses; the second pair where colours repeat."""


@style.figure
def weight_histogram(networks, *, ax=None):
    """Distribution of the recurrent weights, autapses apart.

    networks : a Network, a Run, the path of either, or a mapping from label to such. Returns the
    Axes.
    """
    ax = style.new_axes(ax)
    for number, (label, network) in enumerate(labelled(networks, network_of).items()):
        weights = network.weights["recurrent"]
        autapse = np.asarray(network.recurrent.targets) == np.asarray(network.recurrent.sources)
        colour, _, _ = style.series(number)
        turn = number // len(style.COLOURS)
        solid, dotted = _DASHES[turn % len(_DASHES)]
        for part, which, dash in (("between units", ~autapse, solid), ("autapses", autapse, dotted)):
            if which.any():
                counts, edges = np.histogram(weights[which], bins=_bins(which.sum()))
                density = counts / counts.sum() / np.diff(edges)
                name = f"{label}, {part}" if label else part
                width = 1.5 if turn < len(_DASHES) else 0.7
                ax.stairs(density, edges, label=name, linestyle=dash, color=colour, linewidth=width)
    ax.axvline(0, color=style.PALE, linewidth=0.8, zorder=0)
    ax.set_xlabel("recurrent weight")
    ax.set_ylabel("probability density")
    ax.legend()
    return ax


@style.figure
def eigenvalues(networks, *, ax=None):
    """Eigenvalues of (1 - alpha) I + alpha W, the linear part of one time step; the unit circle
    divides decay from growth.

    networks : a Network, a Run, the path of either, or a mapping from label to such. Returns the
    Axes.
    """
    ax = style.new_axes(ax, 3.6, 3.6)
    angle = np.linspace(0, 2 * np.pi, 200)
    ax.plot(np.cos(angle), np.sin(angle), color=style.GREY, linewidth=0.8)
    markers = ["o", "x", "^", "s"]
    found = labelled(networks, network_of)
    for number, (label, network) in enumerate(found.items()):
        step = network.alpha * network.recurrent_matrix.astype(float)
        step[np.diag_indices_from(step)] += 1 - network.alpha
        values = np.linalg.eigvals(step)
        marker = markers[number % len(markers)]
        ax.plot(values.real, values.imag, marker, markersize=2.5, alpha=0.7, label=label, mew=0.6)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel("real part")
    ax.set_ylabel("imaginary part")
    if len(found) > 1:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=len(found), borderaxespad=0.2)
    return ax


def _bins(n: int) -> int:
    """More bins for more weights: with 15 bins, a few hundred weights make a smooth curve."""
    return int(np.clip(np.sqrt(n) / 1.5, 8, 60))
