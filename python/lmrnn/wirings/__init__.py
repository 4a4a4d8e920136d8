"""Masks and connectomes from files and objects of other packages.

    wiring = lmrnn.wirings.read("connectome.graphml")
    print(wiring)                       # which way it was read: unit 3 receives from 17 units, ...
    lmrnn.Trainer(config, "runs/worm", seed=1, mask=wiring).run()

From the shell:

    python -m lmrnn.wirings show connectome.graphml
    python -m lmrnn.wirings convert connectome.graphml connectome.npz

| file | read with | orientation, unless you set it |
|---|---|---|
| `.npy`, `.npz`, `.safetensors`, `.pt` | NumPy, safetensors, PyTorch | target-source |
| `.npz` of `scipy.sparse.save_npz` | SciPy | target-source |
| `.h5`, `.hdf5`, `.nc`, `.h5ad`: HDF5, netCDF, AnnData, PyTables | h5py | names of dimensions, or target-source |
| `.mat`, version 5 and 7.3 | SciPy, h5py | target-source, as MATLAB shows the matrix |
| `.csv`, `.tsv`, `.txt`, `.edgelist`: edges | | source-target, or as in the header |
| `.csv`, `.tsv`, `.txt`: a matrix | | target-source |
| `.graphml`, `.gexf`, `.gml`, node-link `.json` | networkx | source-target |
| `.mtx` (Matrix Market) | SciPy | target-source |
| SONATA edges (`.h5`) | libsonata | source-target |

Objects in memory need no file: `lmrnn.Mask(...)` and `lmrnn.Trainer(mask=...)` accept arrays, lists, tensors, sparse
matrices, pandas and xarray tables and networkx graphs.

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
    """The wiring in a file. Raises UsageError, with the remedy, if the file is ambiguous.

    Parameters
    ----------
    source : path, or networkx graph
        For a graph, the names of the units are kept; lmrnn.Mask keeps only the mask.
    dataset : str, optional
        Which array, variable, group or population, if the file has several. Only this one is read.
    orientation : "target-source" or "source-target", optional
        What comes first: rows of a matrix, the first column of a list of edges. If the format or the file defines it,
        another value is an error.
    threshold : float, optional
        Entries with a magnitude above this are synapses. Matrices without zeros, such as correlations, need this or
        `density`.
    density : float, optional
        The entries of the largest magnitudes are synapses; this is their share of all pairs.
    n_units : int, optional
        For lists of edges whose numbers are those of units: how many units there are. Without it, the numbers that
        occur become units in ascending order.
    header : bool, optional
        Whether the first line of a text file is a header; needed if this is unclear.
    layout : "edges" or "matrix", optional
        The content of a text file; needed if this is unclear.
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
