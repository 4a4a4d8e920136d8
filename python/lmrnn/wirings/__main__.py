"""python -m lmrnn.wirings: shows the wiring in a file, and converts it for the command line."""

from __future__ import annotations

import argparse
import os
import re
import sys

from .. import _core
from . import read


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m lmrnn.wirings",
        description="Reads masks and connectomes from files of other tools.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    show = verbs.add_parser("show", help="show what is in a file, and how it is read")
    convert = verbs.add_parser("convert", help="write a file that wiring.path reads")
    for verb in (show, convert):
        verb.add_argument("input", metavar="IN", help="file to read")
        _add_options(verb)
    convert.add_argument("output", metavar="OUT.npz", help="file to write")
    options = vars(parser.parse_args(arguments))
    verb, path, output = options.pop("verb"), options.pop("input"), options.pop("output", None)
    try:
        if output is not None and os.path.exists(output) and os.path.samefile(path, output):
            raise _core.UsageError(f"{output}: is the file to read; write to another one")
        wiring = read(path, **options)
        if output is not None:
            wiring.save(output)
    except (_core.UsageError, _core.RunError, OSError) as error:
        print(f"python -m lmrnn.wirings: {_for_the_shell(str(error))}", file=sys.stderr)
        return 2
    print(wiring.describe())
    if output is not None:
        keys = wiring.keys(output)
        given = [f"wiring.{key} = {_toml(keys.pop(key))}" for key in ("kind", "path", "rows", "cols")]
        print(f"wrote {output}; in a configuration: {', '.join(given)}")
        if keys:  # otherwise weights are drawn, and distances are those of rows and columns
            more = [f"wiring.{key} = {_toml(value)}" for key, value in keys.items()]
            print(f"and, for what else the file holds: {', '.join(more)}")
    return 0


def _toml(value) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _for_the_shell(message: str) -> str:
    """Replaces Python's keywords in messages by the options of this command."""
    message = message.replace("header=False", "--no-header").replace("header=True", "--header")
    message = message.replace("in Python: ", "")
    message = re.sub(r"\bn_units ?= ?", "--units ", message)
    return re.sub(r"\b(dataset|layout|orientation|threshold|density) ?= ?", r"--\1 ", message)


def _add_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--dataset", help="array, variable or population to read, if there are several")
    verb.add_argument(
        "--orientation",
        choices=["target-source", "source-target"],
        help="what the rows of a matrix are, or the first column of a list of edges",
    )
    verb.add_argument("--threshold", type=float, help="synapses are the entries of a larger magnitude")
    verb.add_argument("--density", type=float, help="synapses are the largest entries, this share of all")
    verb.add_argument(
        "--units", dest="n_units", type=int, metavar="N", help="units of a list of edges with numbers"
    )
    verb.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether the first line of a text file is a header",
    )
    verb.add_argument("--layout", choices=["edges", "matrix"], help="what a text file holds")


if __name__ == "__main__":
    sys.exit(main())
