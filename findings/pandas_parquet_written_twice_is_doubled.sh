#!/usr/bin/env bash
# pandas 3.1.1, pyarrow 26.0.1: to_parquet with partition_cols, run twice, has each run twice. (2026-11-30)
#
# A good guess: to_parquet replaces what is at the path, as it does without partition_cols and as to_csv does.
# Instead:      each call adds files with new random names next to the old ones, and read_parquet reads them all.
#               A script that saves its results and is started again leaves each result in the table twice: the
#               means stay right, n is doubled, and p-values become smaller. After a correction, old and new
#               values are both there. Tasks that were taken out stay in. No message.
# What to do:   to_parquet(..., partition_cols=..., existing_data_behavior="delete_matching") replaces the
#               partitions that are written again; only removing the folder removes the others.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 pandas==3.1.1 pyarrow==26.0.1 scipy==1.17.1
observe <<'PYTHON'
import numpy as np
import pandas
import pyarrow
from scipy.stats import ttest_ind

gains = np.random.default_rng(2).normal(size=20) + np.repeat([0, 0.7], 10)
table = pandas.DataFrame({"mask": np.repeat(["random", "grown"], 10), "seed": list(range(10)) * 2, "gain": gains})


def p_value(table):
    grown = table["mask"] == "grown"
    return len(table), round(float(ttest_ind(table.gain[grown], table.gain[~grown]).pvalue), 4)


print("pandas", pandas.__version__, "pyarrow", pyarrow.__version__)
seen = {}
for name, settings in {"no partition_cols": {}, "partition_cols": {"partition_cols": ["mask"]}, "delete_matching":
                       {"partition_cols": ["mask"], "existing_data_behavior": "delete_matching"}}.items():
    for start in "first", "second":
        table.to_parquet(name, **settings)
        seen[name, start] = p_value(pandas.read_parquet(name))
        print(f"{name}, {start} call: (rows, p-value) {seen[name, start]}")
right = seen["no partition_cols", "first"]
assert right[0] == 20 and seen["no partition_cols", "second"] == right
assert seen["partition_cols", "first"] == right and seen["partition_cols", "second"][0] == 40
assert seen["partition_cols", "second"][1] < 0.5 * right[1]
assert seen["delete_matching", "first"] == seen["delete_matching", "second"] == right
PYTHON
