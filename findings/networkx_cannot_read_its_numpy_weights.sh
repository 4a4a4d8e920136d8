#!/usr/bin/env bash
# networkx 3.6.1 with NumPy 2.4.6: an edge list or GML file with weights of NumPy cannot be read any more. (2026-11-29)
#
# A good guess: write_edgelist and write_gml write a numpy.float64 as the number that it is, as write_graphml and
#               write_gexf do and as they did with NumPy 1, or refuse it.
# Instead:      they write its representation, np.float64(0.5), without an error. The files look fine until somebody reads
#               them: read_edgelist and read_gml of the same networkx raise. Weights that come from a matrix, a
#               trained network or a table are of NumPy.
# What to do:   weight=float(w) when adding edges, or write_weighted_edgelist.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 networkx==3.6.1
observe <<'PYTHON'
import networkx
import numpy as np

formats = {"edge list": (networkx.write_edgelist, networkx.read_edgelist), "GML": (networkx.write_gml, networkx.read_gml),
           "GraphML": (networkx.write_graphml, networkx.read_graphml),
           "weighted edge list": (networkx.write_weighted_edgelist, networkx.read_weighted_edgelist)}


def round_trip(kind, weight):
    """The weight that comes back, or the error."""
    write, read = formats[kind]
    graph = networkx.Graph()
    graph.add_edge("AVAL", "VA8", weight=weight)
    write(graph, "graph.txt")
    try:
        return read("graph.txt").edges["AVAL", "VA8"]["weight"]
    except (TypeError, networkx.NetworkXError) as error:
        return type(error).__name__


print("networkx", networkx.__version__, "NumPy", np.__version__)
for kind in formats:
    print(f"{kind}: from numpy.float64 {round_trip(kind, np.float64(0.5))}, from float {round_trip(kind, 0.5)}")
round_trip("edge list", np.float64(0.5))
with open("graph.txt") as file:
    line = file.read().strip()
print("the edge list:", line)
assert line == "AVAL VA8 {'weight': np.float64(0.5)}"
assert round_trip("edge list", np.float64(0.5)) == "TypeError" and round_trip("GML", np.float64(0.5)) == "NetworkXError"
assert round_trip("GraphML", np.float64(0.5)) == round_trip("weighted edge list", np.float64(0.5)) == 0.5
assert all(round_trip(kind, 0.5) == 0.5 for kind in formats)
PYTHON
