"""NumPy's files, SciPy's sparse ones, safetensors and PyTorch's."""

from __future__ import annotations

import ast
import zipfile
from pathlib import Path

import numpy as np

from .._core import UsageError
from .files import choose, library
from .table import Table


def read_npy(path: Path, dataset: str | None) -> Table:
    if dataset is not None:
        raise UsageError(f'{path}: dataset = "{dataset}", but an .npy file holds one array; leave it out')
    return Table.of_matrix(str(path), _load(path))


def read_npz(path: Path, dataset: str | None) -> Table:
    if not zipfile.is_zipfile(path):
        raise UsageError(f"{path}: not a whole npz file; copy or save it again")
    with _load(path) as file:
        if {"format", "shape"} <= set(file.files) and ("data" in file.files or "row" in file.files):
            return _sparse(path, dataset)
        if dataset is None and _is_ours(file):
            return _ours(path, file)
        # Reads only headers: type and shape do not need the data.
        found, refused = {}, []
        for name in file.files:
            shape, dtype = _header(file, name)
            if dtype.kind in "biufc":
                found[name] = shape
            elif shape:
                refused.append(f"{name} ({dtype})")
        others = f" (but {', '.join(refused)})" if refused else ""
        name = choose(path, found, dataset, others=others)
        return Table.of_matrix(f"{path}: {name}", file[name])


def _load(path: Path):
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        text = str(error)
        if "pickle" in text.lower():
            text = "it holds Python objects, not an array of numbers"
        raise UsageError(f"{path}: cannot be read by NumPy ({text}); save the mask as an array") from None


def _header(file, name):
    with file.zip.open(name + ".npy") as member:
        version = np.lib.format.read_magic(member)
        length = int.from_bytes(member.read(2 if version == (1, 0) else 4), "little")
        header = ast.literal_eval(member.read(length).decode("utf-8" if version == (3, 0) else "latin1"))
    return header["shape"], np.lib.format.descr_to_dtype(header["descr"])


_KNOWN = ("weights", "coordinates", "types", "excitatory", "names")


def _is_ours(file) -> bool:
    """Whether the file is from Wiring.save, or has arrays with the names that [wiring] needs."""
    names = set(file.files)
    if "mask" not in names:
        return False
    if "source" in names:
        return True
    mask = _header(file, "mask")[0]
    headers = {name: _header(file, name) for name in names.intersection(_KNOWN)}
    return bool(headers) and all(
        dtype.kind != "O" and (shape == mask if name == "weights" else len(mask) == 2 and shape[:1] == mask[:1])
        for name, (shape, dtype) in headers.items()
    )


def _ours(path: Path, file) -> Table:
    """The content of a file from Wiring.save, or of another file with the same names."""
    matrix = file["mask"]
    if "weights" in file.files:
        if np.any((file["weights"] != 0) & (matrix == 0)):
            raise UsageError(
                f'{path}: weights has synapses that mask lacks; multiply it with the mask, or read one of them with '
                'dataset="mask"'
            )
        matrix = file["weights"]
    table = Table.of_matrix(
        str(path),
        matrix,
        orientation="target-source",
        names=[str(name) for name in file["names"]] if "names" in file.files else None,
        coordinates=file["coordinates"] if "coordinates" in file.files else None,
        types=_types(file),
        excitatory=file["excitatory"] if "excitatory" in file.files else None,
    )
    if lost := np.count_nonzero(file["mask"]) - len(table.values):
        table.notes.append(f"{lost} of the synapses of the mask have the weight 0 and are left out")
    if "source" in file.files:
        table.notes.append(f"converted by lmrnn.wirings from {file['source']}")
    else:
        others = ", ".join(name for name in sorted(_KNOWN) if name in file.files)
        table.notes.append(f"besides the mask, these arrays were read by their names: {others}")
    return table


def _types(file) -> list[str] | None:
    """Names of the cell types; their numbers if the file has no names."""
    if "types" not in file.files:
        return None
    if "type_names" not in file.files:
        return [str(number) for number in file["types"]]
    return [str(file["type_names"][number]) for number in file["types"]]


def _sparse(path: Path, dataset: str | None) -> Table:
    if dataset is not None:
        raise UsageError(
            f'{path}: dataset = "{dataset}", but it holds the parts of one sparse matrix of SciPy, read '
            "together; leave it out"
        )
    sparse = library("scipy.sparse", path)
    try:
        matrix = sparse.load_npz(path)
    except (ValueError, KeyError, NotImplementedError) as error:
        raise UsageError(f"{path}: not a sparse matrix of SciPy after all ({error})") from None
    table = Table.of_matrix(f"{path}", matrix)
    table.notes.append(f"a sparse matrix of SciPy, stored as {matrix.format}")
    return table


def read_safetensors(path: Path, dataset: str | None) -> Table:
    safetensors = library("safetensors", path)
    try:
        with safetensors.safe_open(str(path), framework="numpy") as file:
            found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
            name = choose(path, found, dataset)
            try:
                array = file.get_tensor(name)
            except (TypeError, AttributeError, KeyError):  # bfloat16, which NumPy does not have
                array = _bfloat16(path, name)
    except safetensors.SafetensorError as error:
        raise UsageError(f"{path}: not a whole safetensors file ({error})") from None
    return Table.of_matrix(f"{path}: {name}", array)


def _bfloat16(path: Path, name: str) -> np.ndarray:
    import json

    with open(path, "rb") as file:
        start = 8 + int.from_bytes(header := file.read(8), "little")
        entry = json.loads(file.read(int.from_bytes(header, "little")))[name]
        if entry["dtype"] != "BF16":
            raise UsageError(f"{path}: {name} is of type {entry['dtype']}; save it as float32")
        first, last = entry["data_offsets"]
        file.seek(start + first)
        upper = np.frombuffer(file.read(last - first), "<u2").astype(np.uint32)
    return (upper << 16).view(np.float32).reshape(entry["shape"])


def read_torch(path: Path, dataset: str | None) -> Table:
    torch = library("torch", path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001  whatever unpickling raises
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{path}: holds more than tensors ({first}); save the state_dict() or the tensor") from None
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    tensors = content if isinstance(content, dict) else {"tensor": content}
    tensors = {str(name): value for name, value in tensors.items() if isinstance(value, torch.Tensor)}
    name = choose(path, {key: tuple(value.shape) for key, value in tensors.items()}, dataset)
    from .objects import plain

    return Table.of_matrix(f"{path}: {name}", np.asarray(plain(tensors[name], name)))
