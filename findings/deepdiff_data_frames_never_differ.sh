#!/usr/bin/env bash
# deepdiff 9.1.0: two data frames with the same columns have no differences, whatever they contain. (2026-12-01)
#
# A good guess: DeepDiff(old, new) of results that contain a data frame reports the changed values, as it does for
#               lists, NumPy arrays and pandas' Series. For a type that it cannot compare, it raises.
# Instead:      a data frame is compared as the list of its column names. Accuracies of 0.5 and 0.9, 2 rows and 1,
#               float64 and float32: the result is {}, also deep in a dict and with ignore_order or significant_digits.
#               A graph of networkx is compared as the list of its nodes: other edges and weights give {} as well. The
#               index of a Series is ignored. `assert not DeepDiff(old, new)` then passes. No message.
#               DeepHash of the same package does tell the data frames apart.
# What to do:   compare frame.to_dict("split") and networkx.to_dict_of_dicts(graph), or pass a custom operator for
#               data frames, which works at any depth.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 pandas==3.1.1 networkx==3.6.1 deepdiff==9.1.0
observe <<'PYTHON'
import deepdiff
import networkx as nx
import pandas as pd
from deepdiff import DeepDiff, DeepHash
from deepdiff.operator import BaseOperator

print("deepdiff", deepdiff.__version__)
old = pd.DataFrame({"accuracy": [0.5, 0.6]}, index=["a", "b"])
new = pd.DataFrame({"accuracy": [0.9, 0.1]}, index=["a", "b"])
chain, ring = nx.path_graph(3), nx.cycle_graph(3)
nx.set_edge_attributes(ring, 5.0, "weight")
pairs = {"arrays": (old.accuracy.to_numpy(), new.accuracy.to_numpy()),
         "Series": (old.accuracy, new.accuracy),
         "Series with another index": (old.accuracy, old.accuracy.set_axis(["b", "a"])),
         "data frames": (old, new),
         "data frames of 2 rows and 1": (old, old.head(1)),
         "data frames of two types": (old, old.astype("float32")),
         "data frames with another column": (old, old.rename(columns={"accuracy": "loss"})),
         "graphs": (chain, ring)}
seen = {}
for name, (first, second) in pairs.items():
    first, second = {"step": 1, "result": first}, {"step": 1, "result": second}
    seen[name] = [len(DeepDiff(first, second, **options)) > 0
                  for options in ({}, {"ignore_order": True}, {"significant_digits": 5})]
    print(f"{name}: found different: {seen[name]}")
for name, found in seen.items():
    assert found == [name in ("arrays", "Series", "data frames with another column")] * 3


class Frames(BaseOperator):
    def give_up_diffing(self, level, diff_instance):
        if not level.t1.equals(level.t2):
            diff_instance.custom_report_result("frames_differ", level)
        return True


def compare(first, second):
    return DeepDiff({"result": first}, {"result": second}, custom_operators=[Frames(types=[pd.DataFrame])])


hashes = []
for each in old, new, old.copy():
    results = {"result": each}
    hashes.append(DeepHash(results)[results])
print("DeepHash differs:", hashes[0] != hashes[1])
split = DeepDiff(old.to_dict("split"), new.to_dict("split"))
print("to_dict('split'):", split)
edges = DeepDiff(nx.to_dict_of_dicts(chain), nx.to_dict_of_dicts(ring))
print("to_dict_of_dicts:", edges)
print("a custom operator:", compare(old, new), "and for equal ones", compare(old, old.copy()))
assert hashes[0] != hashes[1] and hashes[0] == hashes[2]
assert len(split["values_changed"]) == 2 and edges
assert "frames_differ" in compare(old, new) and compare(old, old.copy()) == {}
PYTHON
