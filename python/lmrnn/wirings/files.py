"""Selects the reader of a file: by its ending, and for HDF5 by its content."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

from .._core import UsageError
from .table import Table


def load(path: Path, dataset: str | None, *, n_units, header, layout) -> Table:
    if not path.is_file():
        reason = "is a folder" if path.is_dir() else "does not exist"
        raise UsageError(f"{path}: {reason}; give the path of a readable file")
    ending = path.suffix.lower()
    if ending not in READERS:
        raise UsageError(
            f"{path}: unknown file format; lmrnn.wirings reads {', '.join(READERS)}. With another package, read "
            "the object yourself and pass it to lmrnn.Mask"
        )
    module, name, is_text = READERS[ending]
    options = {"n_units": n_units, "header": header, "layout": layout}
    if not is_text:
        given = [key for key, value in options.items() if value is not None]
        if given:
            raise UsageError(f"{path}: {given[0]} is only for text files; leave it out")
        options = {}
    elif dataset is not None:
        raise UsageError(f'{path}: dataset = "{dataset}", but a text file holds one table; leave it out')
    reader: Callable[..., Table] = getattr(importlib.import_module(module, __package__), name)
    return reader(path, **options) if is_text else reader(path, dataset)


READERS = {
    ".npy": (".arrays", "read_npy", False),
    ".npz": (".arrays", "read_npz", False),
    ".safetensors": (".arrays", "read_safetensors", False),
    ".pt": (".arrays", "read_torch", False),
    ".pth": (".arrays", "read_torch", False),
    ".h5": (".hdf5", "read_hdf5", False),
    ".hdf5": (".hdf5", "read_hdf5", False),
    ".hdf": (".hdf5", "read_hdf5", False),
    ".h5ad": (".hdf5", "read_hdf5", False),
    ".nc": (".hdf5", "read_hdf5", False),
    ".mat": (".matlab", "read_mat", False),
    ".csv": (".text", "read_text", True),
    ".tsv": (".text", "read_text", True),
    ".txt": (".text", "read_text", True),
    ".edgelist": (".text", "read_text", True),
    ".edges": (".text", "read_text", True),
    ".graphml": (".graphs", "read_graph", False),
    ".gexf": (".graphs", "read_graph", False),
    ".gml": (".graphs", "read_graph", False),
    ".json": (".graphs", "read_json", False),
    ".mtx": (".graphs", "read_matrix_market", False),
}


def library(name: str, path: Path):
    """A package that a format needs. Raises UsageError, with the remedy, if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(
            f"{path}: reading it needs {name.split('.')[0]} ({error}): pip install 'lmrnn[wirings]'"
        ) from None


def choose(path: Path, found: dict[str, tuple], dataset: str | None, *, others: str = "") -> str:
    """The name of the array to take. `found`: shape by name of every array of numbers.

    Without a name: the only array, or the one called "mask", or the only square matrix.
    """
    listed = ", ".join(f"{name} {tuple(int(n) for n in shape)}" for name, shape in found.items())
    if dataset is not None:
        if dataset in found:
            return dataset
        what = f"there are {listed}" if found else "there is no array of numbers" + others
        raise UsageError(f'{path}: no array of numbers is named "{dataset}"; {what}')
    if not found:
        raise UsageError(f"{path}: contains no array of numbers{others}; save the mask as one")
    if len(found) == 1:
        return next(iter(found))
    if "mask" in found:
        return "mask"
    square = [name for name, shape in found.items() if len(shape) == 2 and shape[0] == shape[1]]
    if len(square) == 1:
        return square[0]
    raise UsageError(f"{path}: contains several arrays ({listed}); choose one with dataset=NAME")
