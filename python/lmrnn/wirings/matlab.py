"""MATLAB's files: version 5 by SciPy, version 7.3, which is HDF5, by h5py."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .._core import UsageError
from .files import choose, library
from .table import Table


def read_mat(path: Path, dataset: str | None) -> Table:
    with open(path, "rb") as file:
        start = file.read(1024)
    if start.startswith(b"MATLAB 7.3") or b"\x89HDF\r\n\x1a\n" in start:
        from .hdf5 import read_hdf5

        return read_hdf5(path, dataset)
    scipy_io = library("scipy.io", path)
    try:
        shapes = {name: shape for name, shape, kind in scipy_io.whosmat(path) if _is_number(kind)}
        name = choose(path, shapes, dataset)
        value = scipy_io.loadmat(path, variable_names=[name])[name]
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001  SciPy raises whatever a damaged file leads it into
        raise UsageError(f"{path}: not a whole MATLAB file ({error}); save it again") from None
    sparse = hasattr(value, "tocoo")
    return Table.of_matrix(
        f"{path}: {name}", value if sparse else np.asarray(value), notes=["a sparse matrix of MATLAB"] * sparse
    )


def _is_number(kind: str) -> bool:
    return kind in ("double", "single", "logical", "sparse") or kind.startswith(("int", "uint"))
