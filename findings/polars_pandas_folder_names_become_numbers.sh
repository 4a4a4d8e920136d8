#!/usr/bin/env bash
# pandas 3.1.1, polars 2.1.0: a text column that names the folders of a table is read as numbers. (2026-12-01)
#
# A good guess: Parquet stores types. A table that pandas writes with to_parquet(folder, partition_cols=["run"]) has
#               the same runs when it is read again: "007" is a text.
# Instead:      the column is only in the names of the folders, and its type is guessed from all of them. polars makes
#               numbers of them: the versions "1.1" and "1.10" are both 1.1, and the runs "1000", "1e3" and
#               "10e2" are one run, so a mean per version mixes two versions. pandas makes integers of "007" and
#               "010", and keeps the others as categories. One more run with a letter in its name turns all of them
#               back to text, so a program breaks or is repaired by a new run. No message.
# What to do:   polars: read_parquet(folder, hive_schema={"run": pl.String}). pandas: pass a
#               pyarrow.dataset.partitioning with a schema, or begin each name with a letter ("run007"). polars' own
#               write_parquet(partition_by="run") also keeps the column in the files.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 pandas==3.1.1 polars==2.1.0 pyarrow==26.0.1
observe <<'PYTHON'
import numpy as np
import pandas as pd
import polars as pl
import pyarrow
import pyarrow.dataset

print("pandas", pd.__version__, "polars", pl.__version__, "pyarrow", pyarrow.__version__)
folders = iter(range(100))


def read(runs):
    folder = f"runs{next(folders)}"
    table = pd.DataFrame({"run": runs, "accuracy": np.arange(len(runs)) / 10})
    table.to_parquet(folder, partition_cols=["run"])
    in_polars = pl.read_parquet(folder).sort("accuracy")
    means = in_polars.group_by("run").agg(pl.col("accuracy").mean()).height
    text = pl.read_parquet(folder, hive_schema={"run": pl.String}).sort("accuracy")["run"].to_list()
    schema = pyarrow.schema([("run", pyarrow.string())])
    parts = pyarrow.dataset.partitioning(schema, flavor="hive")
    in_pandas = pd.read_parquet(folder).sort_values("accuracy").run.tolist()
    pandas_text = pd.read_parquet(folder, partitioning=parts).sort_values("accuracy").run.tolist()
    assert text == pandas_text == runs
    print(f"{runs}: polars {in_polars['run'].to_list()}, {means} groups, pandas {in_pandas}")
    return in_polars["run"].to_list(), means, in_pandas


assert read(["007", "010"]) == ([7, 10], 2, [7, 10])
assert read(["1.1", "1.10"]) == ([1.1, 1.1], 1, ["1.1", "1.10"])
assert read(["1000", "1e3", "10e2"]) == ([1000, 1000, 1000], 1, ["1000", "1e3", "10e2"])
assert read(["1.1", "1.10", "1.2a"]) == (["1.1", "1.10", "1.2a"], 3, ["1.1", "1.10", "1.2a"])
pl.DataFrame({"run": ["1.1", "1.10"], "accuracy": [0.0, 0.1]}).write_parquet("own", partition_by="run")
own = pl.read_parquet("own").sort("accuracy")["run"].to_list()
print("written by polars itself:", own)
assert own == ["1.1", "1.10"]
PYTHON
