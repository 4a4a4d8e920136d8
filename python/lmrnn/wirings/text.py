"""Lists of edges and matrices as text: commas, tabs, semicolons or spaces.

Identifiers are never read as floats, which have only 15 digits. They become units like this:

- with n_units=N, numbers are those of units, from 0, or from 1 if N itself occurs;
- 0 ... n - 1 without gaps: unit = number;
- 1 ... n without gaps: unit = number - 1;
- other numbers, in ascending order; names, in alphabetical order: units 0, 1, 2, ...
"""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

import numpy as np

from .._core import UsageError
from .table import SOURCE_TARGET, TARGET_SOURCE, Table

_SOURCE = {"source", "src", "from", "pre", "presynaptic", "sender", "tail", "id_from"}
_TARGET = {"target", "tgt", "dst", "to", "post", "postsynaptic", "receiver", "head", "id_to"}
_WEIGHT = {
    "weight", "weights", "w", "synweight", "syncount", "synapses", "nsyn", "nsynapses", "count", "strength",
    "value", "number", "connections", "nbr",
}  # fmt: skip
_CALLED_WEIGHT = {"weight", "weights", "w", "synweight"}
_WHOLE = re.compile(r"[+-]?\d+")
_WITH_ATTRIBUTES = re.compile(r"([^\s,;]+)([\s,;]+)([^\s,;]+)\2(\{.*\})\s*")


def read_text(path: Path, *, n_units, header, layout) -> Table:
    if layout not in (None, "edges", "matrix"):
        raise UsageError(f'layout = "{layout}"; write "edges" or "matrix"')
    rows = _rows(path)
    columns = _columns_of_edges(path, rows, header)
    if layout is None:
        layout = _layout(path, rows, columns, header)
    if layout == "matrix":
        if n_units is not None:
            raise UsageError(f"{path}: n_units is for lists of edges, and this is a matrix; leave it out")
        return _matrix(path, rows, header)
    return _edges(path, rows, columns, header, n_units)


# Lines -------------------------------------------------------------------------------------------


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """(line number, fields) of every line that is neither empty nor a comment."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not a text in UTF-8; save it as CSV (UTF-8)") from None
    lines = [
        (number, line.rstrip("\r"))
        for number, line in enumerate(text.split("\n"), 1)
        if line.strip() and not line.lstrip().startswith(("#", "%", "//"))
    ]
    if not lines:
        raise UsageError(f"{path}: there is no edge; a wiring needs at least one line source,target")
    lines = _without_attributes(path, lines)
    separator = next((mark for mark in ("\t", ",", ";") if mark in lines[0][1]), None)
    if separator is None:
        return [(number, line.split()) for number, line in lines]
    parsed = csv.reader((line for _, line in lines), delimiter=separator, skipinitialspace=True)
    return [(number, [field.strip() for field in fields]) for (number, _), fields in zip(lines, parsed)]


def _without_attributes(path: Path, lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Handles networkx.write_edgelist, which writes a dictionary after every edge; the weight is taken from it."""
    if not lines[0][1].rstrip().endswith("}"):
        return lines
    matches = [_WITH_ATTRIBUTES.fullmatch(line) for _, line in lines]
    if not all(matches):
        return lines
    edges = []
    for (number, _), match in zip(lines, matches):
        try:
            weight = dict(ast.literal_eval(match[4])).get("weight")
        except (ValueError, SyntaxError, TypeError):
            raise UsageError(
                f"{path}:{number}: {match[4]} cannot be read; write attributes as plain numbers and texts"
            ) from None
        edges.append((number, match, weight))
    weighted = any(weight is not None for _, _, weight in edges)
    end = lambda match, weight: f"{match[2]}{1 if weight is None else weight}" if weighted else ""  # noqa: E731
    return [(number, f"{match[1]}{match[2]}{match[3]}{end(match, weight)}") for number, match, weight in edges]


def _plain(field: str) -> str:
    """Turns "Source_ID" and "source id" into "source"."""
    name = re.sub(r"[^a-z]", "", field.lower())
    return re.sub(r"(rootid|bodyid|nodeid|neuronid|unit|neuron|node|index|idx|id)$", "", name) or name


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _columns_of_edges(path, rows, header) -> dict[str, int] | None:
    """The meaning of each column, if the first line names them."""
    if header is False:
        return None
    names = [_plain(field) for field in rows[0][1]]
    swapped = [re.sub(r"^(bodyid|rootid|id|node|neuron|unit)", "", name) or name for name in names]
    found = {}
    for what, known in (("source", _SOURCE), ("target", _TARGET), ("weight", _WEIGHT)):
        places = [i for i, (a, b) in enumerate(zip(names, swapped)) if a in known or b in known]
        if what == "weight" and len(places) > 1:  # number,source,target,weight
            places = [i for i in places if names[i] in _CALLED_WEIGHT] or places
        if len(places) > 1:
            raise UsageError(f"{path}:{rows[0][0]}: two columns could be the {what}; rename one")
        if places:
            found[what] = places[0]
    if not {"source", "target"} <= set(found):
        return None
    if "weight" in found and names[found["weight"]] == "number":
        _refuse_numbered_lines(path, rows, found["weight"])
    return found


def _refuse_numbered_lines(path, rows, column) -> None:
    """A column "number" may hold numbers of synapses, or 1, 2, 3, ... down the file."""
    fields = [fields[column] for _, fields in rows[1:] if column < len(fields)]
    if len(fields) > 2 and any(fields == [str(k) for k in range(first, first + len(fields))] for first in (0, 1)):
        raise UsageError(
            f'{path}:{rows[0][0]}: the column "{rows[0][1][column]}" numbers the lines; remove it, or call it weight if '
            "these are weights"
        )


def _layout(path, rows, columns, header) -> str:
    if columns:
        return "edges"
    widths = {len(fields) for _, fields in rows}
    body = rows[1:] if header else rows
    width = len(body[0][1]) if body else 0
    first = rows[0][1]
    labelled = first[0] == "" or len(first) == len(rows[1][1]) - 1 if len(rows) > 1 else False
    if labelled or (width > 3 and len(widths) == 1 and len(rows) in (width, width + 1)):
        return "matrix"
    if len(body) == width and width in (2, 3) and all(_is_number(x) for _, fields in body for x in fields):
        if width == 3 and any(not _WHOLE.fullmatch(x) for _, fields in body for x in fields[:2]):
            return "matrix"
        raise UsageError(
            f"{path}: {width} lines of {width} numbers may be a matrix or a list of edges; choose one: "
            'layout="matrix" or layout="edges"'
        )
    return "edges"


# Matrices ----------------------------------------------------------------------------------------


def _matrix(path, rows, header) -> Table:
    names = None
    first = rows[0][1]
    has_header = header if header is not None else not all(_is_number(field) for field in first)
    body = rows
    if has_header or (len(rows) > 1 and first[0] == ""):
        body = rows[1:]
        if not body:
            raise UsageError(f"{path}: a header and nothing else")
        n_columns = len(body[0][1])
        if len(first) == n_columns - 1 or first[0] == "" or not _is_number(body[0][1][0]):
            labels = [fields[0] for _, fields in body]
            names = first if len(first) == n_columns - 1 else first[1:]
            if names != labels and sorted(names) == sorted(labels):
                raise UsageError(
                    f"{path}: rows and columns hold the same names in different orders; bring them into one"
                )
            if names != labels:
                raise UsageError(f"{path}: the names of rows and columns differ ({labels[0]}, {names[0]}, ...)")
            body = [(number, fields[1:]) for number, fields in body]
        else:
            names = first
    width = len(body[0][1])
    values = np.empty((len(body), width))
    for i, (number, fields) in enumerate(body):
        if len(fields) != width:
            raise UsageError(f"{path}:{number}: {len(fields)} fields, but the lines before have {width}")
        for j, field in enumerate(fields):
            try:
                values[i, j] = float(field)
            except ValueError:
                known = {"true": 1.0, "false": 0.0}.get(field.lower())
                if known is None:
                    what = f'"{field}" is not a number' if field else "an empty field"
                    raise UsageError(f"{path}:{number}: {what} (column {j + 1}); write 0 for no synapse") from None
                values[i, j] = known
    if header is None and len(values) == width + 1 and not has_header:
        raise UsageError(
            f"{path}: {len(values)} lines of {width} numbers; a wiring is square. If the first line has the names of the "
            "units, say header=True"
        )
    table = Table.of_matrix(str(path), values, names=names)
    table.notes.append("a matrix as text")
    return table


# Edges -------------------------------------------------------------------------------------------


def _edges(path, rows, columns, header, n_units) -> Table:
    orientation = SOURCE_TARGET
    if columns is None and header is not False:
        columns, rows = _columns_without_names(path, rows, header)
    elif columns is not None:
        if columns["target"] < columns["source"]:
            orientation = TARGET_SOURCE
        rows = rows[1:]
    if columns is None:
        columns = {"source": 0, "target": 1} | ({"weight": 2} if len(rows[0][1]) == 3 else {})
    if not rows:
        raise UsageError(f"{path}: there is no edge; a wiring needs at least one line source,target")
    needed = max(columns.values()) + 1
    width = len(rows[0][1])
    if set(columns) == {"source", "target"} | ({"weight"} & set(columns)) and width > 3 and header is False:
        raise UsageError(f"{path}:{rows[0][0]}: {width} columns; name them in a header: source,target,weight")
    edges, weights = [], []
    for number, fields in rows:
        if len(fields) < needed:
            raise UsageError(f"{path}:{number}: {len(fields)} fields; an edge here has {needed}")
        for what in ("source", "target"):
            if fields[columns[what]] == "":
                raise UsageError(f"{path}:{number}: no {what}; write its name or number")
        edges.append((fields[columns["source"]], fields[columns["target"]]))
        weights.append(_weight(path, number, fields[columns["weight"]]) if "weight" in columns else 1.0)
    lines = [number for number, _ in rows]
    units, names, notes, n = _units(path, edges, lines, n_units)
    return _table(path, units, np.array(weights), "weight" in columns, n, names, notes, orientation)


def _columns_without_names(path, rows, header):
    """Columns, and the lines with edges, if there is no header with names."""
    first, rest = rows[0][1], rows[1:]
    if len(first) not in (2, 3):
        raise UsageError(
            f"{path}:{rows[0][0]}: {len(first)} columns; name those of an edge in a header: source,target,weight"
        )
    columns = {"source": 0, "target": 1} | ({"weight": 2} if len(first) == 3 else {})
    if header is True:
        return columns, rest
    numeric = all(_is_number(field) for field in first)
    if len(first) == 3 and not _is_number(first[2]) and rest and _is_number(rest[0][1][-1]):
        raise UsageError(_which_column(path, rows))  # a header: its weight is not a number
    if not numeric and rest:
        later = {field for _, fields in rest for field in fields[:2]}
        if all(_is_number(field) for field in rest[0][1][:2]) or not later & set(first[:2]):
            raise UsageError(_which_column(path, rows))
    return columns, rows


def _which_column(path, rows) -> str:
    return (
        f'{path}:{rows[0][0]}: is "{",".join(rows[0][1])}" a header, and which column is the source? Write '
        "source,target there (in Python: header=False if it is an edge, header=True if source comes first)"
    )


def _weight(path, number, field) -> float:
    try:
        weight = float(field)
    except ValueError:
        weight = float("nan")
    if not np.isfinite(weight):
        raise UsageError(f'{path}:{number}: the weight "{field}" is not a finite number')
    return weight


def _units(path, edges, lines, n_units):
    """(edge, 2) units, names of the units or None, notes, number of units."""
    fields = [field for edge in edges for field in edge]
    whole = [_as_whole(path, lines[i // 2], field) for i, field in enumerate(fields)]
    if any(number is None for number in whole):
        if n_units is not None:
            named = next(field for field, number in zip(fields, whole) if number is None)
            raise UsageError(f'{path}: n_units is for numbered units, but one is called "{named}"; leave it out')
        names = sorted(set(fields))
        place = {name: i for i, name in enumerate(names)}
        units = np.array([place[field] for field in fields]).reshape(-1, 2)
        return units, names, ["units are in the alphabetical order of the names"], len(names)
    least, most = min(whole), max(whole)
    if n_units is not None:
        base = 1 if most == n_units and least >= 1 else 0
        bad = next((i for i, number in enumerate(whole) if not base <= number < n_units + base), None)
        if bad is not None:
            raise UsageError(
                f"{path}:{lines[bad // 2]}: unit {whole[bad]}, but n_units = {n_units} has numbers from 0 to "
                f"{n_units - 1}, or from 1 to {n_units}"
            )
        notes = ["the file counts units from 1; here they count from 0"] if base else []
        return np.array(whole).reshape(-1, 2) - base, None, notes, n_units
    distinct = sorted(set(whole))
    if least in (0, 1) and most - least + 1 == len(distinct):
        notes = ["the file counts units from 1; here they count from 0"] if least else []
        return np.array(whole).reshape(-1, 2) - least, None, notes, len(distinct)
    if least >= 0 and most < 4 * len(distinct) + 16:
        missing = next(number for number in range(least, most) if number not in set(distinct))
        raise UsageError(
            f"{path}: units {least} to {most}, but {missing}"
            f"{' and others have' if most - least + 1 - len(distinct) > 1 else ' has'} no edge; say how many "
            f"units there are, e.g. n_units={most + 1}, or give names instead of numbers if these are not the "
            "numbers of units"
        )
    place = {number: i for i, number in enumerate(distinct)}
    units = np.array([place[number] for number in whole]).reshape(-1, 2)
    notes = ["units are in the ascending order of the identifiers"]
    return units, [str(number) for number in distinct], notes, len(distinct)


def _as_whole(path, line, field: str) -> int | None:
    if _WHOLE.fullmatch(field):
        return int(field)
    if not _is_number(field):
        return None
    value = float(field)
    if "e" in field.lower() or abs(value) >= 2**53:
        raise UsageError(
            f"{path}:{line}: the identifier {field} went through a float and may have lost digits; export it "
            "again as a whole number or a text"
        )
    if not value.is_integer():
        raise UsageError(f"{path}:{line}: {field} is not the number of a unit; write whole numbers or names")
    return int(value)


def _table(path, units, weights, weighted, n, names, notes, orientation) -> Table:
    pairs, place = np.unique(units, axis=0, return_inverse=True)
    summed = np.zeros(len(pairs))
    np.add.at(summed, place.reshape(-1), weights)
    n_double = len(units) - len(pairs)
    if n_double:
        does = "their weights are added" if weighted else "they count once"
        notes.append(f"{n_double} edges occur more than once: {does}")
        if not weighted:
            summed = np.ones(len(pairs))
    n_zero = int((summed == 0).sum())
    if n_zero:
        notes.append(f"{n_zero} edges have the weight 0 and are no synapses")
    first, second = pairs[:, 0], pairs[:, 1]
    if orientation == TARGET_SOURCE:
        first, second = second, first
    return Table(
        str(path), (n, n), first, second, summed, orientation=orientation, names=names, notes=notes
    )
