"""What figures accept: objects, or paths to them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypeVar

from .. import _core
from ..analysis import Analysis
from ..calls import explained
from ..run import Run
from ..study import Study
from ..table import Table

PATH = (str, PathLike)


def run_of(thing) -> Run:
    """A Run: itself, that of a Trainer, or the one in a directory."""
    if isinstance(thing, PATH):
        return Run(thing)
    if not hasattr(thing, "metrics") and hasattr(thing, "directory"):
        return Run(thing.directory)
    if not hasattr(thing, "metrics"):
        raise _wrong(thing, "a Run, a Trainer or the path of a run directory")
    return thing


def analysis_of(thing, name: str) -> Analysis:
    """An Analysis: itself, the one in a directory, or the analysis `name` of a run.

    Raises UsageError, with the call that makes it, if the run has none."""
    if isinstance(thing, Analysis):
        return thing
    if isinstance(thing, PATH) and (Path(thing) / "summary.json").is_file():
        return Analysis(thing)
    if not isinstance(thing, PATH) and not hasattr(thing, "directory"):
        raise _wrong(thing, f"an Analysis of {name!r}, a Run, or the path of either")
    return run_of(thing).analysis(name)


def table_of(thing, name: str, table: str) -> Table:
    """A Table: itself, or that of an analysis."""
    return thing if isinstance(thing, Table) else analysis_of(thing, name).table(table)


def network_of(thing) -> _core.Network:
    """A Network: itself, that of a Run or a Trainer, or the one at a path."""
    if isinstance(thing, PATH):
        return _core.Network.load(fspath(thing))
    if isinstance(thing, _core.Network):
        return thing
    if callable(getattr(thing, "network", None)):
        return thing.network()
    raise _wrong(thing, "a Network, a Run, a Trainer, or the path of a network file or a run directory")


def mask_of(thing) -> _core.Mask:
    """A Mask: itself, that of a network or a run, or one made from an array."""
    if isinstance(thing, _core.Mask):
        return thing
    if isinstance(thing, PATH) or isinstance(thing, _core.Network) or hasattr(thing, "network"):
        return network_of(thing).recurrent
    return _core.Mask(thing)


def sheet_of(thing, given) -> _core.Sheet:
    """The sheet given, or that of a Run or a path, or the one that a Network was trained on."""
    if given is not None:
        return given
    if isinstance(thing, _core.Network):
        return thing.trained_on()["sheet"]
    if isinstance(thing, PATH) or hasattr(thing, "network") or hasattr(thing, "metrics"):
        return run_of(thing).sheet
    raise _core.UsageError("sheet: needed, for a mask or an array does not say where its units are; "
                           "give a Sheet, e.g. lmrnn.Sheet(16, 16), or run.sheet")  # fmt: skip


def study_of(thing) -> Study:
    """A Study: itself, or the one in a directory."""
    if isinstance(thing, PATH):
        return Study(thing)
    if not hasattr(thing, "cells"):
        raise _wrong(thing, "a Study or the path of its directory")
    return thing


def labelled(things, convert) -> dict[str, Any]:
    """One thing (label ""), or a mapping from label to things; all are converted."""
    if isinstance(things, Mapping):
        if not things:
            raise _core.UsageError("nothing to draw: the mapping is empty")
        return {str(label): convert(thing) for label, thing in things.items()}
    return {"": convert(things)}


_Function = TypeVar("_Function", bound=Callable[..., Any])


def takes(convert: Callable[..., Any], *arguments: Any) -> Callable[[_Function], _Function]:
    """Decorator that passes the first argument of a figure function through `convert`."""

    def decorate(function: _Function) -> _Function:
        name = next(iter(inspect.signature(function).parameters))
        told = explained(function)

        @functools.wraps(function)
        def converted(*positional, **named):
            if positional:
                return told(convert(positional[0], *arguments), *positional[1:], **named)
            if name in named:
                named[name] = convert(named[name], *arguments)
            return told(**named)

        return converted  # type: ignore[return-value]

    return decorate


def _wrong(thing, expected: str) -> _core.UsageError:
    return _core.UsageError(f"expected {expected}; got {type(thing).__name__}")
