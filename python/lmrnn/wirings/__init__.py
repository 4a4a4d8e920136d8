"""Masks and connectomes from other people's files and objects.

    wiring = lmrnn.wirings.read("connectome.graphml")
    print(wiring)                       # which way it was read: unit 3 receives from 17 units, ...
    lmrnn.Trainer(config, "runs/worm", seed=1, mask=wiring).run()

From the shell:

    python -m lmrnn.wirings show connectome.graphml
    python -m lmrnn.wirings convert connectome.graphml connectome.npz

| file | read with | orientation, unless you say it |
|---|---|---|
| `.npy`, `.npz`, `.safetensors`, `.pt` | NumPy, safetensors, PyTorch | target-source |
| `.npz` of `scipy.sparse.save_npz` | SciPy | target-source |
| `.h5`, `.hdf5`, `.nc`, `.h5ad`: HDF5, netCDF, AnnData, PyTables | h5py | names of dimensions, or target-source |
| `.mat`, version 5 and 7.3 | SciPy, h5py | target-source, as MATLAB shows the matrix |
| `.csv`, `.tsv`, `.txt`, `.edgelist`: edges | | source-target, or what the header says |
| `.csv`, `.tsv`, `.txt`: a matrix | | target-source |
| `.graphml`, `.gexf`, `.gml`, node-link `.json` | networkx | source-target |
| `.mtx` (Matrix Market) | SciPy | target-source |
| SONATA edges (`.h5`) | libsonata | source-target |

Objects in memory need no file: `lmrnn.Mask(...)` and `lmrnn.Trainer(mask=...)` take arrays, lists,
tensors, sparse matrices, pandas and xarray tables and networkx graphs alike.

Files need the extra "wirings": pip install 'lmrnn[wirings]'.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from .. import _core
from .table import SOURCE_TARGET, TARGET_SOURCE, Table
from .wiring import Wiring

__all__ = ["SOURCE_TARGET", "TARGET_SOURCE", "Wiring", "read"]


def read(
    source: str | PathLike | object,
    *,
    dataset: str | None = None,
    orientation: str | None = None,
    threshold: float | None = None,
    density: float | None = None,
    n_units: int | None = None,
    header: bool | None = None,
    layout: str | None = None,
) -> Wiring:
    """The wiring in a file. Raises UsageError, with the remedy, for what could be meant in two ways.

    Parameters
    ----------
    source : path, or networkx graph
        Of a graph, the names of the units are kept; lmrnn.Mask keeps the mask alone.
    dataset : str, optional
        Which array, variable, group or population, if the file has several. Only this one is read.
    orientation : "target-source" or "source-target", optional
        What comes first: rows of a matrix, the first column of a list of edges. Where the format or
        the file says it, another answer is an error.
    threshold : float, optional
        Synapses are the entries whose magnitude is above it. Matrices without zeros, such as
        correlations, need this or `density`.
    density : float, optional
        Synapses are the entries of the largest magnitudes, this share of all pairs.
    n_units : int, optional
        Lists of edges whose numbers are those of units: how many units there are. Without it, the
        numbers that occur become units in ascending order.
    header : bool, optional
        Whether the first line of a text file is a header, where it cannot be told.
    layout : "edges" or "matrix", optional
        What a text file holds, where it cannot be told.
    """
    if isinstance(source, (str, PathLike)):
        from .files import load

        table: Table = load(Path(source), dataset, n_units=n_units, header=header, layout=layout)
    elif hasattr(source, "is_directed") and hasattr(source, "nodes"):
        from .graphs import of_graph

        table = of_graph("graph", source, dataset)
    else:
        raise _core.UsageError(
            f"wirings.read: {type(source).__name__} is neither a path nor a graph of networkx; lmrnn.Mask takes "
            "arrays, tables and tensors"
        )
    return table.wiring(orientation, threshold, density)
