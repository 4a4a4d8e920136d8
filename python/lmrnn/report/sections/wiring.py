"""Which synapses exist."""

from __future__ import annotations

from math import isnan

from ... import plot
from ..html import Section, figure, grid, join, values

SHOWN = {
    "n_synapses": "synapses",
    "in_degree_mean": "sources per unit",
    "reciprocity": "reciprocity",
    "mean_path_length": "mean path length",
    "clustering": "clustering",
    "wire_length": "wire length",
}


def section(run) -> Section:
    mask = run.network().recurrent
    statistics = mask.statistics(run.sheet)
    pairs = {label: f"{statistics[key]:,.6g}" for key, label in SHOWN.items() if not isnan(statistics[key])}
    for (source, to), found in statistics.get("between", {}).items():
        pairs[f"{source} to {to}"] = f"{found['n_synapses']:,} synapses ({100 * found['density']:.3g}% of pairs)"
    figures = [
        figure(plot.neighbourhood(mask, run.sheet), "Sources of the unit in the middle."),
        figure(plot.mask(mask), "The mask: which unit (down) hears which (across)."),
    ]
    if run.sheet.areas:
        figures.append(figure(plot.areas(mask, run.sheet), "How densely areas are connected."))
    return Section("Wiring", join(values(pairs), grid(*figures)))
