#!/usr/bin/env bash
# polars 2.1.0: an accuracy of NaN passes every threshold, and is the best of a ranking. (2026-11-29)
#
# A good guess: `accuracy >= 0.95` is false for NaN, as in IEEE 754, Python, NumPy and pandas.
# Instead:      NaN is greater than every number, infinity included: a task whose accuracy could not be computed counts as
#               solved, filter(accuracy > 1) keeps it, sort(descending=True) and top_k put it first. max() on the other hand
#               leaves it out, so that the largest value is not the first of the sorted ones.
# What to do:   column.fill_nan(None) after reading or computing: null passes no threshold.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 polars==2.1.0
observe <<'PYTHON'
import numpy as np
import polars

table = polars.DataFrame({"task": ["go", "dm1", "anti"], "accuracy": [0.99, float("nan"), 0.5]})


def look(table):
    accuracy = table["accuracy"]
    return {"solved": table.filter(polars.col("accuracy") >= 0.95)["task"].to_list(),
            "number solved": (accuracy >= 0.95).sum(),
            "above 1": table.filter(polars.col("accuracy") > 1)["task"].to_list(),
            "best": table.top_k(1, by="accuracy")["task"].to_list(), "max": accuracy.max()}


print("polars", polars.__version__)
seen, safe = look(table), look(table.with_columns(polars.col("accuracy").fill_nan(None)))
in_numpy = int((table["accuracy"].to_numpy() >= 0.95).sum())
print("polars:", seen)
print("number solved in NumPy:", in_numpy)
print("with fill_nan(None):", safe)
assert seen == {"solved": ["go", "dm1"], "number solved": 2, "above 1": ["dm1"], "best": ["dm1"], "max": 0.99}
assert in_numpy == 1 and safe == {"solved": ["go"], "number solved": 1, "above 1": [], "best": ["go"], "max": 0.99}
PYTHON
