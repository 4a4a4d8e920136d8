"""Graphs by networkx, and Matrix Market by SciPy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from .._core import UsageError
from .files import library
from .table import SOURCE_TARGET, Table

_COORDINATES = (("x", "y", "z"), ("x", "y"))
_TYPES = ("cell_type", "type")


def read_graph(path: Path, dataset: str | None) -> Table:
    networkx = library("networkx", path)
    read = {".graphml": networkx.read_graphml, ".gexf": networkx.read_gexf, ".gml": networkx.read_gml}
    try:
        graph = read[path.suffix.lower()](path)
    except Exception as error:  # noqa: BLE001  each format has errors of its own
        raise UsageError(f"{path}: networkx cannot read it ({error}); save it again") from None
    return of_graph(path, graph, dataset)


def read_json(path: Path, dataset: str | None) -> Table:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON ({error})") from None
    if isinstance(content, list):
        try:
            matrix = np.array(content)
        except ValueError:
            raise UsageError(f"{path}: rows of different lengths; a mask has one length") from None
        return Table.of_matrix(str(path), matrix)
    known = content if isinstance(content, dict) else {}
    edges = "links" if "links" in known else "edges"
    if "nodes" not in known or edges not in known:
        what = f"an object with the keys {sorted(content)}" if known else f"{content!r:.40}"
        raise UsageError(
            f"{path}: holds {what}, neither a matrix nor networkx's node-link data; save a list of rows, "
            'or an object with "nodes" and "links"'
        )
    _refuse_unlisted(path, content["nodes"], content[edges])
    networkx = library("networkx", path)
    content = {**content, "links": content[edges], "edges": content[edges]}
    content.setdefault("directed", False)
    content.setdefault("multigraph", False)
    content.setdefault("graph", {})
    try:
        try:
            graph = networkx.node_link_graph(content, edges="links")
        except TypeError:  # before networkx 3.4
            graph = networkx.node_link_graph(content)
    except Exception as error:  # noqa: BLE001
        raise UsageError(f"{path}: not networkx's node-link data ({error!r})") from None
    return of_graph(path, graph, dataset)


def _refuse_unlisted(path, nodes, links) -> None:
    """networkx adds a node for every end of a link that is not listed."""
    try:
        names = {node["id"] for node in nodes}
        ends = [(link["source"], link["target"]) for link in links]
        missing = next((end for link in ends for end in link if end not in names), None)
    except (TypeError, KeyError):
        return  # networkx says what is wrong, or knows other names
    if missing is not None:
        raise UsageError(f"{path}: a link names the node {missing!r}, which is not among the nodes; add it or remove the link")


def of_graph(path: Path | str, graph, dataset: str | None) -> Table:
    """`dataset`: the edge attribute that is the weight; by default "weight"."""
    nodes = list(graph.nodes)
    number = {node: i for i, node in enumerate(nodes)}
    attribute = dataset or "weight"
    if dataset and not any(dataset in data for *_, data in graph.edges(data=True)):
        known = sorted({key for *_, data in graph.edges(data=True) for key in data})
        raise UsageError(f'{path}: no edge has the attribute "{dataset}"; there are {known}')
    notes = ["units are in the order of the graph's nodes"]
    rows, columns, values, n_double = [], [], [], 0
    place: dict[tuple[int, int], int] = {}
    for source, target, weight in graph.edges(data=attribute, default=1):
        try:
            weight = float(weight)
        except (TypeError, ValueError):
            raise UsageError(f"{path}: edge {source} to {target}: weight {weight!r} is not a number") from None
        pairs = {(number[source], number[target])}
        if not graph.is_directed():
            pairs.add((number[target], number[source]))
        for pair in pairs:
            if pair in place:
                values[place[pair]] += weight
                n_double += 1
                continue
            place[pair] = len(values)
            rows.append(pair[0])
            columns.append(pair[1])
            values.append(weight)
    if not graph.is_directed():
        notes.append("the graph has no directions: every edge is a synapse both ways")
    if n_double:
        notes.append(f"{n_double} edges join units that others join already: weights are added")
    n = len(nodes)
    return Table(
        str(path),
        (n, n),
        np.array(rows, int),
        np.array(columns, int),
        np.array(values, float),
        orientation=SOURCE_TARGET,
        names=[str(graph.nodes[node].get("label", node)) for node in nodes],
        coordinates=_coordinates(graph, nodes),
        types=_types(graph, nodes),
        notes=notes,
    )


def _coordinates(graph, nodes):
    for keys in _COORDINATES:
        try:
            return np.array([[float(graph.nodes[node][key]) for key in keys] for node in nodes])
        except (KeyError, TypeError, ValueError):
            continue
    return None


def _types(graph, nodes):
    for key in _TYPES:
        if nodes and all(graph.nodes[node].get(key) is not None for node in nodes):
            return [str(graph.nodes[node][key]) for node in nodes]
    return None


def read_matrix_market(path: Path, dataset: str | None) -> Table:
    if dataset is not None:
        raise UsageError(f"{path}: a Matrix Market file holds one matrix; leave dataset out")
    scipy_io = library("scipy.io", path)
    try:
        matrix = scipy_io.mmread(path)
        _, _, _, layout, field, symmetry = scipy_io.mminfo(path)
    except Exception as error:  # noqa: BLE001
        raise UsageError(f"{path}: not a whole Matrix Market file ({error})") from None
    return Table.of_matrix(str(path), matrix, notes=[f"Matrix Market: {layout}, {field}, {symmetry}"])
