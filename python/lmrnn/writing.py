"""Writes files as a whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from . import _core


@contextmanager
def written(path: str | PathLike, remedy: str = "write to another place") -> Iterator[Path]:
    """Yields a temporary file next to `path`, with the same ending, that replaces it at the end. Makes the
    folder if it is missing. Raises RunError with the remedy if any of this fails."""
    path = Path(path)
    temporary = path.with_name(f"{path.stem}.tmp{path.suffix}")
    with told(path, "written", remedy):
        if not path.parent.exists():  # a file there raises "Not a directory", which is a clear message
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            temporary.replace(path)
        except BaseException:
            _remove(temporary)
            raise


@contextmanager
def told(path: str | PathLike, done: str, remedy: str) -> Iterator[None]:
    """Turns an OSError inside into a RunError: what, why, remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            remedy = f"free some space, or {remedy}"
        why = os.strerror(error.errno) if error.errno else error  # HDF5's own message is long
        raise _core.RunError(f"{path}: cannot be {done} ({why}); {remedy}") from None


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        pass  # missing, or in a folder that is not writable
