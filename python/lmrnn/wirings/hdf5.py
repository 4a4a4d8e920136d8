"""HDF5 by h5py: plain datasets, netCDF, AnnData, PyTables, MATLAB 7.3, SONATA."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .._core import UsageError
from .files import choose, library
from .objects import _SOURCES, _TARGETS
from .table import SOURCE_TARGET, TARGET_SOURCE, Table


def read_hdf5(path: Path, dataset: str | None) -> Table:
    h5py = library("h5py", path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise UsageError(f"{path}: {_why_not_opened(path, h5py, error)}") from None
    with file:
        if "edges" in file and isinstance(file["edges"], h5py.Group) and _is_sonata(file["edges"], h5py):
            from .sonata import read_sonata

            return read_sonata(path, dataset)
        return _read(path, file, dataset, h5py)


def _why_not_opened(path, h5py, error) -> str:
    with open(path, "rb") as file:
        start = file.read(4096)
    if start[:3] == b"CDF":
        return 'netCDF 3, not HDF5; convert it with xarray: to_netcdf(..., engine="h5netcdf")'
    if b"\x89HDF\r\n\x1a\n" not in start:
        return "not an HDF5 file; end its name as its format does"
    return (
        f"HDF5 {h5py.version.hdf5_version} cannot open it ({error}); if a newer version wrote it: pip "
        "install --upgrade h5py"
    )


def _is_sonata(edges, h5py) -> bool:
    groups = [edges[name] for name in edges if isinstance(edges.get(name), h5py.Group)]
    return bool(groups) and all("source_node_id" in group for group in groups)


def _read(path, file, dataset, h5py) -> Table:
    if dataset is not None:
        name = dataset.strip("/")
        if name not in file:
            found = _listed(file, h5py)
            choose(path, found, dataset)
        thing = file[name]
    else:
        name = choose(path, _listed(file, h5py), None)
        thing = file[name]
    where = f"{path}: {name}"
    is_matlab = _is_matlab(file, thing)
    if isinstance(thing, h5py.Group):
        return _sparse_group(where, thing, is_matlab)
    values = _values(where, thing, h5py)
    if is_matlab:
        if values.ndim == 2:
            values = values.T
        table = Table.of_matrix(where, values)
        table.notes.append("transposed back: MATLAB stores columns first")
        return table
    return Table.of_matrix(where, values, orientation=_orientation_of(thing), names=_names_of(where, thing))


def _listed(group, h5py, prefix="", seen=None, depth=0) -> dict[str, tuple]:
    """Name and shape of all datasets that may be a matrix of numbers. Reads no values. Follows links."""
    found, seen = {}, seen or set()
    for key in group:
        try:
            thing = group[key]
        except (KeyError, OSError):  # a broken link
            continue
        name = prefix + key
        if isinstance(thing, h5py.Group):
            shape = _sparse_shape(thing)
            if shape is not None:
                found[name] = shape
            elif thing.id not in seen and depth < 20 and key != "#refs#":
                found |= _listed(thing, h5py, name + "/", {*seen, thing.id}, depth + 1)
        elif isinstance(thing, h5py.Dataset) and _may_be_mask(thing, h5py):
            found[name] = thing.shape
    return found


def _may_be_mask(thing, h5py) -> bool:
    if thing.shape is None or len(thing.shape) == 0 or thing.attrs.get("CLASS") == b"DIMENSION_SCALE":
        return False
    kind = thing.id.get_type().get_class()
    return kind in (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM, h5py.h5t.BITFIELD)


def _require_all_parts(where, thing) -> None:
    """Raises UsageError for a virtual dataset with missing files: HDF5 reads the missing parts as 0."""
    if not thing.is_virtual:
        return
    folder = Path(thing.file.filename).parent
    for source in thing.virtual_sources():
        name = source.file_name
        if name == "." or "%" in name or (folder / name).exists() or Path(name).exists():
            continue
        raise UsageError(
            f"{where}: {name}, which holds a part of it, is missing, and would be read as 0; put it next to the "
            "file, or save the whole array in one file"
        )


# netCDF's default fill values; no attribute of the dataset mentions them.
_NETCDF_FILL = {
    "i1": -127, "u1": 255, "i2": -32767, "u2": 65535, "i4": 1 - 2**31, "u4": 2**32 - 1, "i8": 2 - 2**63,
    "u8": 2**64 - 2, "f4": np.float32(9.969209968386869e36), "f8": 9.969209968386869e36,
}  # fmt: skip


def _require_written(where, thing, values) -> None:
    """Raises UsageError for entries that are missing values in netCDF: HDF5 reads them as numbers, and they would be
    weights."""
    missing = [np.ravel(thing.attrs[key])[0] for key in ("_FillValue", "missing_value") if key in thing.attrs]
    if thing.fillvalue == _NETCDF_FILL.get(thing.dtype.str[1:]):
        missing.append(thing.fillvalue)
    for number in missing:
        if number != 0 and (values == number).any():
            raise UsageError(
                f"{where}: {number} marks {(values == number).sum()} entries that are missing or were never written; "
                "write 0 for no synapse (in netCDF4, createVariable(..., fill_value=0))"
            )


def _values(where, thing, h5py) -> np.ndarray:
    if thing.shape is None:
        raise UsageError(f"{where}: an empty dataset (netCDF's mark of a dimension); name another one")
    _require_all_parts(where, thing)
    stored = thing.id.get_type()
    try:
        if stored.get_class() == h5py.h5t.BITFIELD:  # PyTables' bool
            values = np.empty(thing.shape, np.dtype(f"u{stored.get_size()}"))
            thing.id.read(h5py.h5s.ALL, h5py.h5s.ALL, values, mtype=stored)
            return values
        values = thing[()]
    except (TypeError, OSError) as error:
        raise UsageError(f"{where}: {_why_not_read(thing, error)}") from None
    _require_written(where, thing, values)
    return values


def _why_not_read(thing, error) -> str:
    plist = thing.id.get_create_plist()
    filters = [plist.get_filter(i) for i in range(plist.get_nfilters())]
    foreign = [number for number, *_ in filters if number > 255 and number != 32000]
    if foreign:
        return (
            f"compressed with filter {foreign[0]}, which h5py lacks; pip install hdf5plugin and import it "
            "before, or write the file again with gzip"
        )
    return f"cannot be read ({error}); copy or save the file again"


def _orientation_of(thing) -> str | None:
    """The orientation from the names of the dimensions (labels, netCDF's scales), if they tell it."""
    if len(thing.shape) != 2:
        return None
    names = []
    for dimension in thing.dims:
        scales = [scale.name.rsplit("/", 1)[-1] for scale in dimension.values() if scale.name]
        names.append((dimension.label or (scales[0] if scales else "")).lower())
    if names[0] in _SOURCES and names[1] in _TARGETS:
        return SOURCE_TARGET
    if names[0] in _TARGETS and names[1] in _SOURCES:
        return TARGET_SOURCE
    return None


def _names_of(where, thing) -> list[str] | None:
    """Names of the units, if rows and columns have the same ones: netCDF's coordinates, or the axes of a table that
    pandas wrote. Refuses the same names in different orders."""
    if len(thing.shape) != 2:
        return None
    labels = [[scale for scale in dimension.values() if scale.shape == (size,)]
              for dimension, size in zip(thing.dims, thing.shape)]  # fmt: skip
    if "pandas_type" in thing.parent.attrs and {"axis1", "block0_items"} <= set(thing.parent):
        labels = [[thing.parent["axis1"]], [thing.parent["block0_items"]]]
    if not all(labels):
        return None
    is_text = labels[0][0].dtype.kind in "OS"
    rows, columns = ([_text(label) for label in scales[0][()]] for scales in labels)
    if rows != columns and sorted(rows) == sorted(columns):
        raise UsageError(
            f"{where}: rows and columns hold the same names in different orders; bring them into one order before "
            "you save it"
        )
    return rows if is_text and rows == columns else None


def _text(label) -> str:
    return label.decode() if isinstance(label, bytes) else str(label)


# Sparse matrices in groups ------------------------------------------------------------------------


def _sparse_shape(group) -> tuple | None:
    if "MATLAB_sparse" in group.attrs:
        return int(group.attrs["MATLAB_sparse"]), max(0, len(group["jc"]) - 1)
    if {"data", "indices", "indptr"} <= set(group):
        for key in ("shape", "h5sparse_shape"):
            if key in group.attrs:
                return tuple(int(n) for n in group.attrs[key])
        if "shape" in group:
            return tuple(int(n) for n in group["shape"][()])
    return None


def _sparse_group(where, group, is_matlab) -> Table:
    shape = _sparse_shape(group)
    if shape is None:
        raise UsageError(f"{where}: a group, not an array; name an array in it, e.g. {next(iter(group), 'x')}")
    sparse = library("scipy.sparse", Path(where))
    for part in {"data", "indices", "indptr", "ir", "jc"} & set(group):
        _require_all_parts(where, group[part])
    if is_matlab:
        data = group["data"][()] if "data" in group else np.zeros(0)
        indices = group["ir"][()] if "ir" in group else np.zeros(0, int)
        matrix = sparse.csc_matrix((data, indices, group["jc"][()]), shape=shape)
        return Table.of_matrix(where, matrix, notes=["a sparse matrix of MATLAB"])
    parts = (group["data"][()], group["indices"][()], group["indptr"][()])
    if parts[0].dtype.kind == "b":
        parts = (parts[0].astype(np.uint8), *parts[1:])
    kind = group.attrs.get("encoding-type", group.attrs.get("h5sparse_format", ""))
    kind = kind.decode() if isinstance(kind, bytes) else str(kind)
    if kind[:3] not in ("csr", "csc"):
        raise UsageError(
            f"{where}: a sparse matrix that does not say whether rows or columns are compressed "
            "(encoding-type); read it with the package that wrote it and pass the matrix to lmrnn.Mask"
        )
    matrix = (sparse.csr_matrix if kind.startswith("csr") else sparse.csc_matrix)(parts, shape=shape)
    return Table.of_matrix(where, matrix, notes=[f"a sparse matrix in the parts of a {kind[:3]} matrix"])


def _is_matlab(file, thing) -> bool:
    return "MATLAB_class" in thing.attrs or "MATLAB_sparse" in thing.attrs or file.userblock_size >= 512 and (
        _userblock(file).startswith(b"MATLAB 7.3")
    )


def _userblock(file) -> bytes:
    with open(file.filename, "rb") as raw:
        return raw.read(64)
