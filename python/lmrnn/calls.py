"""Gives the core's functions real Python signatures, and reports wrong arguments in the words of the documentation
instead of those of the binding library."""

from __future__ import annotations

import ast
import difflib
import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from . import _core


def _read_signatures() -> dict[str, tuple[inspect.Signature, str | None]]:
    """(signature, docstring) of every function of the core by qualified name, from its stub."""
    path = Path(__file__).with_name("_core.pyi")
    if not path.is_file():
        return {}
    found: dict[str, tuple[inspect.Signature, str | None]] = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = _signature(node, method=False)
        elif isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.FunctionDef):
                    static = any(getattr(d, "id", "") == "staticmethod" for d in part.decorator_list)
                    # The last of several overloads has the docstring.
                    found[f"{node.name}.{part.name}"] = _signature(part, method=not static)
    return found


def _signature(node: ast.FunctionDef, method: bool):
    kinds, a = inspect.Parameter, node.args
    parameters = []
    positional = [*a.posonlyargs, *a.args]
    defaults = [None] * (len(positional) - len(a.defaults)) + list(a.defaults)
    for i, (argument, default) in enumerate(zip(positional, defaults)):
        kind = kinds.POSITIONAL_ONLY if i < len(a.posonlyargs) else kinds.POSITIONAL_OR_KEYWORD
        parameters.append(_parameter(argument, kind, default))
    if a.vararg:
        parameters.append(_parameter(a.vararg, kinds.VAR_POSITIONAL, None))
    for argument, default in zip(a.kwonlyargs, a.kw_defaults):
        parameters.append(_parameter(argument, kinds.KEYWORD_ONLY, default))
    if a.kwarg:
        parameters.append(_parameter(a.kwarg, kinds.VAR_KEYWORD, None))
    returns = ast.unparse(node.returns) if node.returns else inspect.Signature.empty
    return inspect.Signature(parameters, return_annotation=returns), ast.get_docstring(node)


class _Default:
    """A default that the stub shows as `...`."""

    def __repr__(self) -> str:
        return "..."


def _parameter(argument: ast.arg, kind, default) -> inspect.Parameter:
    value: Any = inspect.Parameter.empty
    if default is not None:
        try:
            value = ast.literal_eval(default)
        except ValueError:
            value = _Default()
        value = _Default() if value is ... else value
    annotation = ast.unparse(argument.annotation) if argument.annotation else inspect.Parameter.empty
    return inspect.Parameter(argument.arg, kind, default=value, annotation=annotation)


_SIGNATURES = _read_signatures()


def refuse(name: str, arguments: tuple, keywords: dict) -> None:
    """Raises a TypeError that says what is wrong with a call of `name` (Battery, Battery.trials).

    `arguments` are those after `self`."""
    signature = _SIGNATURES.get(f"{name}.__init__") or _SIGNATURES.get(name)
    shown = name.removesuffix(".__init__")
    if signature is None:
        raise TypeError(f"{shown}: wrong arguments")
    signature = _without_self(signature[0])
    raise TypeError(f"{shown}: {_fault(signature, arguments, keywords)}; {_usage(shown, signature)}")


def _without_self(signature: inspect.Signature) -> inspect.Signature:
    parameters = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
    return signature.replace(parameters=parameters)


def _usage(name: str, signature: inspect.Signature) -> str:
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    # Shows types and functions as `...`: their text is long and says little.
    bare = [p.replace(default=p.default if _is_plain(p.default) else _Default()) for p in bare]
    return f"call it as {name.rsplit('.', 1)[-1]}{inspect.Signature(bare)}"


def _is_plain(default: Any) -> bool:
    plain = (bool, int, float, str, tuple, type(None), _Default)
    return default is inspect.Parameter.empty or isinstance(default, plain)


def _fault(signature: inspect.Signature, arguments: tuple, keywords: dict) -> str:
    fault = _binding_fault(signature, arguments, keywords)
    if fault is not None:
        return fault
    known = signature.parameters
    given = _given(signature, arguments, keywords)
    for name, value in given.items():
        expected = known[name].annotation if name in known else inspect.Parameter.empty
        if not _fits(value, expected):
            hint = _SEED if name == "seed" and value is None else ""
            return f"{name}: expected {_type_words(expected)}, got {_short(value)}{hint}"
    # The type is right but the value is not: sizes cannot be negative.
    for name, value in given.items():
        if isinstance(value, int) and value < 0 and "int" in str(known[name].annotation if name in known else ""):
            return f"{name} = {value}; give a whole number that is at least 0"
    return "wrong arguments"


def _by_position(signature: inspect.Signature) -> list[inspect.Parameter]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p for p in signature.parameters.values() if p.kind in kinds]


def _given(signature: inspect.Signature, arguments: tuple, keywords: dict) -> dict[str, Any]:
    return dict(zip((p.name for p in _by_position(signature)), arguments)) | keywords


def _binding_fault(signature: inspect.Signature, arguments: tuple, keywords: dict) -> str | None:
    """The error in names or numbers of arguments, or None."""
    known = signature.parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in known.values())
    for keyword in keywords:
        if keyword not in known and not takes_any:
            return f"no argument {keyword!r}{_meant(keyword, known)}"
    by_position = _by_position(signature)
    if len(arguments) > len(by_position) and not any(p.kind is p.VAR_POSITIONAL for p in known.values()):
        only = [p.name for p in known.values() if p.kind is p.KEYWORD_ONLY]
        extra = arguments[len(by_position)]
        name = only[0] if only else ""
        hint = f"; give the others by name, e.g. {name}={_short(extra)}" if name else ""
        return f"takes {len(by_position)} arguments by position, got {len(arguments)}{hint}"
    given = _given(signature, arguments, keywords)
    for p in known.values():
        if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name not in given:
            return f"argument {p.name!r} is missing{_SEED if p.name == 'seed' else ''}"
    return None


_SEED = " (nothing random has a default seed; give one, e.g. seed=0)"


def _meant(word: str, known) -> str:
    names = [name for name in known if name not in ("self",)]
    # e.g. trials= for n_trials
    near = [name for name in names if word in name.split("_")]
    near = near or difflib.get_close_matches(word, names, 1, 0.7)
    return f"; did you mean {near[0]!r}?" if near else ""


_TYPES: dict[str, Any] = {
    "int": int, "float": (int, float), "str": str, "bool": bool, "dict": dict, "tuple": tuple,
    "list": (list, tuple), "None": type(None), "NoneType": type(None), "os.PathLike": object,
}  # fmt: skip


def _fits(value: Any, annotation: Any) -> bool:
    if not isinstance(annotation, str):
        return True
    return any(_fits_one(value, part.strip()) for part in annotation.split(" | "))


def _fits_one(value: Any, annotation: str) -> bool:
    if annotation in ("int", "float") and isinstance(value, bool):
        return False
    if annotation in ("int", "float") and hasattr(value, "__index__" if annotation == "int" else "__float__"):
        return True
    expected = _TYPES.get(annotation) or getattr(_core, annotation, None)
    if annotation.startswith("Sequence["):
        inner = annotation[len("Sequence[") : -1]
        return isinstance(value, (list, tuple)) and all(_fits(one, inner) for one in value)
    if annotation.startswith("Mapping["):
        return hasattr(value, "items")
    if not isinstance(expected, (type, tuple)):
        return True  # cannot be checked here
    return isinstance(value, expected)


def _type_words(annotation: str) -> str:
    return annotation.replace("os.PathLike", "a path").replace(" | ", " or ")


def _short(value: Any) -> str:
    if value is None or isinstance(value, (bool, int, float, str)):
        text = repr(value)
        return text if len(text) <= 40 else f"{text[:37]}..."
    return type(value).__name__


_Function = TypeVar("_Function", bound=Callable[..., Any])


def explained(function: _Function) -> _Function:
    """Decorator for public functions written in Python: reports wrong names or numbers of arguments as for the core's
    functions, with the right call."""

    @functools.wraps(function)
    def call(*arguments, **keywords):
        try:
            return function(*arguments, **keywords)
        except TypeError as error:
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise  # raised within the function
            signature = inspect.signature(function)
            method = next(iter(signature.parameters), "") in ("self", "cls")
            fault = _binding_fault(_without_self(signature), arguments[method:], keywords)
            if fault is None:
                raise
            name = function.__qualname__.removesuffix(".__init__")
            message = f"{name}: {fault}; {_usage(name, _without_self(signature))}"
        raise TypeError(message)

    return call  # type: ignore[return-value]


def _wrapped(name: str, function, method: bool):
    signature, doc = _SIGNATURES[name]
    takes_names = all(p.kind is not p.VAR_KEYWORD for p in signature.parameters.values())

    @functools.wraps(function, assigned=())
    def call(*arguments, **keywords):
        try:
            return function(*arguments, **keywords)
        except (TypeError, AttributeError) as error:
            unknown = takes_names and any(keyword not in signature.parameters for keyword in keywords)
            if "incompatible function arguments" not in str(error) and not unknown:
                raise
        refuse(name, arguments[1:] if method else arguments, keywords)

    del call.__wrapped__  # remove it, so that inspect does not look for a signature there
    call.__name__ = name.rsplit(".", 1)[-1]
    call.__qualname__ = name
    call.__module__ = "lmrnn"
    call.__doc__ = doc or function.__doc__
    call.__signature__ = signature
    return call


def _wrap_class(cls: type) -> None:
    for name, method in list(vars(cls).items()):
        key = f"{cls.__name__}.{name}"
        if key not in _SIGNATURES or name.startswith("__"):
            continue
        if type(method).__name__ == "nb_method":
            setattr(cls, name, _wrapped(key, method, method=True))
        elif type(method).__name__ == "nb_func":
            setattr(cls, name, staticmethod(_wrapped(key, method, method=False)))
    if f"{cls.__name__}.__init__" in _SIGNATURES:
        cls.__signature__ = _without_self(_SIGNATURES[f"{cls.__name__}.__init__"][0])


def install() -> None:
    """Gives signatures to all classes and functions of the core. lmrnn calls it once."""
    for name, thing in list(vars(_core).items()):
        if isinstance(thing, type) and not issubclass(thing, Exception):
            _wrap_class(thing)
        elif type(thing).__name__ == "nb_func" and name in _SIGNATURES and name != "draw_trials":
            # (Battery.trials calls this one and reports its errors.)
            setattr(_core, name, _wrapped(name, thing, method=False))
