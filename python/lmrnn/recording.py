"""Recordings of analyses: HDF5 files with named dimensions."""

from __future__ import annotations

import h5py
import numpy as np

from ._core import UsageError


class Recording(h5py.File):
    """An open h5py.File, read-only; its datasets have named dimensions (`.dims`)."""

    @property
    def tasks(self) -> list[str]:
        """Groups of the file: one per task, in the recording of `lmrnn analyze RUN record`."""
        return [name for name, thing in self.items() if isinstance(thing, h5py.Group)]

    def to_xarray(self, task: str | None = None):
        """An xarray.Dataset with coordinates: time in ms if the file has it, numbers of units and trials; conditions of
        trials are coordinates of `trial`.

        task : which one; needed if the file has several. Raises UsageError. The data are loaded, so the
        file may be closed afterwards. Needs the extra "xarray".
        """
        try:
            import xarray
        except ImportError as error:
            raise UsageError(f"to_xarray needs xarray ({error}): pip install 'lmrnn[xarray]'") from None
        tasks = self.tasks
        if task is None and len(tasks) > 1:
            raise UsageError(f"{self.filename}: holds several tasks; choose one of {', '.join(tasks)}")
        if task is not None and task not in tasks:
            raise UsageError(f"{self.filename}: no task {task}; there is {', '.join(tasks) or 'none'}")
        group = self[task or tasks[0]] if tasks else self
        variables: dict[str, tuple] = {}
        group.visititems(lambda name, thing: self._add(variables, name, thing))
        plain = {name: v for name, v in variables.items() if "/" not in name}
        conditions = {name.rsplit("/", 1)[1]: v for name, v in variables.items() if "/" in name}
        coordinates = {name: v for name, v in plain.items() if v[0] == (name,)}
        coordinates |= {name: v for name, v in conditions.items() if name not in plain}
        attributes = {key: str(value) for key, value in self.attrs.items()}
        if task or tasks:
            attributes["task"] = task or tasks[0]
        data = {name: v for name, v in plain.items() if name not in coordinates}
        return xarray.Dataset(data, coordinates, attributes)

    @staticmethod
    def _add(variables, name, thing) -> None:
        if not isinstance(thing, h5py.Dataset):
            return
        dimensions = tuple(_dimension(thing, axis) for axis in range(thing.ndim))
        kept = {key: thing.attrs[key] for key in ("units", "long_name") if key in thing.attrs}
        variables[name] = (dimensions, np.asarray(thing), kept)


def _dimension(dataset, axis: int) -> str:
    """The name of the dimension: "time_9" if another array of the group has another `time`."""
    dimension = dataset.dims[axis]
    if len(dimension):
        return dimension[0].name.rsplit("/", 1)[-1]
    if dataset.attrs.get("CLASS") == b"DIMENSION_SCALE":
        return dataset.name.rsplit("/", 1)[-1]
    return dimension.label or f"dimension_{axis}"
