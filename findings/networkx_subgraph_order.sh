#!/usr/bin/env bash
# networkx 3.6.1: the order of a small subgraph's nodes differs between processes. (2026-11-29)
#
# A good guess: the nodes of graph.subgraph(selection) come in the order of the graph, so that
#               to_numpy_array of the same cells of a connectome is the same matrix in every process.
# Instead:      if fewer than half of the nodes are selected, they come in the order of a set. For cells
#               with names that order depends on the hash seed of the process: the matrices are permutations
#               of one another, and so are masks, initial weights and results. Selecting more than half
#               gives the order of the graph, so that a test with a large selection does not show it.
# What to do:   nx.to_numpy_array(graph, nodelist=[n for n in graph if n in selection])
. "$(dirname "$0")/packages.inc" numpy==2.4.6 networkx==3.6.1
observe <<'PYTHON'
import subprocess
import sys

program = """
import sys, networkx as nx
cells = [f"AV{c}{side}" for c in "ABDEFGHJKL" for side in "LR"]
graph = nx.DiGraph()
graph.add_nodes_from(cells)
graph.add_edges_from(zip(cells, cells[1:]))
print(*graph.subgraph(cells[:int(sys.argv[1])]))
"""

def orders(n):
    """Of the first n of 20 nodes, in processes with 8 hash seeds."""
    return {
        subprocess.run([sys.executable, "-c", program, str(n)], env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": ":".join(sys.path)},
                       check=True, capture_output=True, text=True).stdout
        for seed in range(1, 9)
    }

import networkx
few, many = orders(6), orders(14)
print("networkx", networkx.__version__)
print(f"6 of 20 nodes: {len(few)} orders in 8 processes, e.g.")
print("  " + "  ".join(sorted(few)[:2]).rstrip())
print(f"14 of 20 nodes: {len(many)} order")
assert len(few) > 1 and len(many) == 1
PYTHON
