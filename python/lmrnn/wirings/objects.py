"""Converts objects in memory to what the core accepts: one conversion for every argument that is a mask."""

from __future__ import annotations

import sys

import numpy as np

from .._core import Mask, UsageError

_TARGETS = {"target", "targets", "post", "postsynaptic", "to", "row", "rows"}
_SOURCES = {"source", "sources", "pre", "presynaptic", "from", "column", "columns"}


def plain(value, name: str):
    """`value` as a Mask or something that NumPy can convert to an array. Raises UsageError.

    Arrays, lists, tensors, sparse matrices and tables have the target first; tables of xarray whose
    dimensions are called source and target go by those names. Edges of graphs go from source to
    target, and the units are in the order of the graph's nodes.
    """
    from .wiring import Wiring

    if isinstance(value, Mask):
        return value
    if isinstance(value, Wiring):
        return value.mask
    for module, is_mine, convert in _KINDS:
        # If a package was never imported, `value` cannot be from it.
        if module in sys.modules and is_mine(sys.modules[module], value):
            return convert(value, name)
    if isinstance(value, (str, bytes)) or hasattr(value, "__fspath__"):
        raise UsageError(
            f"{name}: {value!r} is a path; read the file first: lmrnn.wirings.read({str(value)!r})"
        )
    return value


def _from_sparse(value, name):
    if len(value.shape) != 2:
        raise UsageError(f"{name}: a sparse array of shape {value.shape}; give (target, source)")
    entries = value.tocoo(copy=True)
    entries.sum_duplicates()
    if entries.dtype.kind not in "biuf":
        raise UsageError(f"{name}: a sparse matrix of {entries.dtype}; give bool or numbers")
    bad = np.flatnonzero(~np.isfinite(entries.data))
    if len(bad):
        place = f"[{entries.row[bad[0]]}, {entries.col[bad[0]]}]"
        raise UsageError(f"{name} is {entries.data[bad[0]]} at {place}; write 0 for no synapse")
    present = entries.data != 0
    return _mask(entries.shape, entries.row[present], entries.col[present], name)


def _mask(shape, targets, sources, name) -> Mask:
    if len(targets) == 0:
        raise UsageError(
            f"{name}: there is no synapse; a mask needs at least one value that is not 0"
        )
    return Mask.from_pairs(shape[0], shape[1], np.column_stack([targets, sources]))


def _from_frame(value, name):
    rows, columns = list(value.index), list(value.columns)
    if rows != columns and set(rows) == set(columns) and len(rows) == len(columns):
        raise UsageError(
            f"{name}: rows and columns of the table hold the same names in different orders; give "
            "table.loc[names, names]"
        )
    values = value.to_numpy()
    if values.dtype.kind in "biuf":
        return values
    missing = np.argwhere(value.isna().to_numpy())
    if len(missing):
        raise UsageError(f"{name} is missing at {missing[0].tolist()}; write 0 for no synapse")
    try:
        return values.astype(np.float64)  # converts columns of different types
    except (TypeError, ValueError):
        text = sorted({str(kind) for kind in value.dtypes if getattr(kind, "kind", "O") not in "biuf"})
        raise UsageError(
            f"{name}: the table has columns of {', '.join(text)}; give a matrix of numbers. For a table "
            "of edges: Mask.from_pairs(n, n, table[['target', 'source']])"
        ) from None


def _from_xarray(value, name):
    if type(value).__name__ == "Dataset":
        raise UsageError(f"{name}: an xarray.Dataset; give one of its arrays: {', '.join(value.data_vars)}")
    if value.ndim == 2:
        first, second = (str(dimension).lower() for dimension in value.dims)
        if first in _SOURCES and second in _TARGETS:
            value = value.transpose()
        labels = [list(map(str, value.coords[d].values)) for d in value.dims if d in value.coords]
        if len(labels) == 2 and labels[0] != labels[1] and sorted(labels[0]) == sorted(labels[1]):
            raise UsageError(
                f"{name}: {value.dims[0]} and {value.dims[1]} hold the same names in different orders; "
                "bring them into one order, e.g. with .sel or .reindex"
            )
    return value.to_numpy()


def _from_graph(value, name):
    nodes = list(value.nodes)
    number = {node: i for i, node in enumerate(nodes)}
    weights: dict[tuple[int, int], float] = {}
    for source, target, weight in value.edges(data="weight", default=1):
        pairs = {(number[target], number[source])}
        if not value.is_directed():
            pairs.add((number[source], number[target]))
        for pair in pairs:
            weights[pair] = weights.get(pair, 0) + float(weight)
    present = [pair for pair, weight in weights.items() if weight != 0]
    if not all(np.isfinite(weight) for weight in weights.values()):
        raise UsageError(f"{name}: an edge of the graph has a weight that is not finite")
    pairs = np.array(present, dtype=np.int64).reshape(-1, 2)
    return _mask((len(nodes), len(nodes)), pairs[:, 0], pairs[:, 1], name)


def _from_tensor(value, name):
    import torch

    value = value.detach().cpu()
    if value.is_sparse or value.layout != torch.strided:
        value = value.to_dense()
    return (value.float() if value.dtype in (torch.bfloat16, torch.float16) else value).numpy()


def _from_jax(value, name):
    value = np.asarray(value)
    return value.astype(np.float32) if value.dtype.name == "bfloat16" else value


def _is_sparse(scipy_sparse, value):
    return scipy_sparse.issparse(value) or isinstance(value, getattr(scipy_sparse, "sparray", ()))


_KINDS = (
    ("scipy.sparse", _is_sparse, _from_sparse),
    ("pandas", lambda m, v: isinstance(v, m.DataFrame), _from_frame),
    ("xarray", lambda m, v: isinstance(v, (m.DataArray, m.Dataset)), _from_xarray),
    ("networkx", lambda m, v: isinstance(v, m.Graph), _from_graph),
    ("torch", lambda m, v: isinstance(v, m.Tensor), _from_tensor),
    ("jax", lambda m, v: isinstance(v, m.Array), _from_jax),
)
