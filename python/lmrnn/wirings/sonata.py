"""Edges of SONATA files, by libsonata."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .._core import UsageError
from .files import library
from .table import SOURCE_TARGET, Table


def read_sonata(path: Path, dataset: str | None) -> Table:
    """`dataset`: the population of edges."""
    libsonata = library("libsonata", path)
    try:
        storage = libsonata.EdgeStorage(str(path))
        populations = sorted(storage.population_names)
        if dataset is None and len(populations) != 1:
            raise UsageError(f"{path}: holds several populations of edges ({', '.join(populations)}); choose one with dataset=NAME")
        if dataset is not None and dataset not in populations:
            raise UsageError(f'{path}: no population of edges is named "{dataset}"; there is {", ".join(populations)}')
        edges = storage.open_population(dataset or populations[0])
        every = edges.select_all()
        source, target = edges.source_nodes(every), edges.target_nodes(every)
    except libsonata.SonataError as error:
        raise UsageError(f"{path}: not a whole SONATA file ({error})") from None
    if edges.source != edges.target:
        raise UsageError(
            f"{path}: {edges.name} goes from {edges.source} to {edges.target}; a wiring between the units "
            "of one network needs edges within one population"
        )
    source, target = source.astype(np.int64), target.astype(np.int64)
    n = int(max(source.max(initial=-1), target.max(initial=-1))) + 1
    weights = np.ones(len(source))
    notes = [f"SONATA population {edges.name}: unit = node id; nodes after the last with an edge are unknown"]
    if "syn_weight" in edges.attribute_names:
        weights = edges.get_attribute("syn_weight", every).astype(float)
    pairs, place = np.unique(np.column_stack([source, target]), axis=0, return_inverse=True)
    if len(pairs) < len(source):
        notes.append(f"{len(source) - len(pairs)} synapses join nodes that others join already: weights are added")
    summed = np.zeros(len(pairs))
    np.add.at(summed, place.reshape(-1), weights)
    return Table(
        f"{path}: {edges.name}", (n, n), pairs[:, 0], pairs[:, 1], summed, orientation=SOURCE_TARGET, notes=notes
    )
