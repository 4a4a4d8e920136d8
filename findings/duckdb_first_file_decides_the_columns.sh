#!/usr/bin/env bash
# duckdb 2.0.1, pyarrow 26.0.1: a column that the first file of a folder lacks is dropped. (2026-11-30)
#
# A good guess: reading all tables of a folder gives the columns of all of them, with empty cells where a file
#               has no such column, or raises.
# Instead:      duckdb ('runs/*.csv', 'runs/*.parquet') and pyarrow.dataset take the columns of the file that
#               comes first by name. A column that only later files have, as after a new version of the program,
#               is dropped without a message. With the names exchanged, so that the file with more columns comes
#               first, pyarrow fills in empty cells and duckdb refuses: the name of a run decides which columns
#               there are.
# What to do:   union_by_name=true in duckdb; in pyarrow, schema=pyarrow.unify_schemas(...) of the schemas of
#               all files.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 pyarrow==26.0.1 duckdb==2.0.1
observe <<'PYTHON'
import os

import duckdb
import pyarrow
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet

old = pyarrow.table({"run": [1, 2], "accuracy": [0.5, 0.6]})
new = pyarrow.table({"run": [3, 4], "accuracy": [0.9, 0.8], "finished": [1, 0]})
for folder, tables in {"old_first": (old, new), "new_first": (new, old)}.items():
    os.makedirs(f"{folder}/csv")
    os.makedirs(f"{folder}/parquet")
    for number, table in enumerate(tables):
        pyarrow.csv.write_csv(table, f"{folder}/csv/{number}.csv")
        pyarrow.parquet.write_table(table, f"{folder}/parquet/{number}.parquet")


def rows_of(read):
    try:
        return read()
    except duckdb.Error as error:
        return type(error).__name__


print("duckdb", duckdb.__version__, "pyarrow", pyarrow.__version__)
seen = {}
for folder in "old_first", "new_first":
    for kind in "csv", "parquet":
        files = f"'{folder}/{kind}/*.{kind}'"
        fragments = pyarrow.dataset.dataset(f"{folder}/{kind}", format=kind).get_fragments()
        union = pyarrow.unify_schemas([fragment.physical_schema for fragment in fragments])
        ways = {"duckdb": lambda: duckdb.sql(f"from {files}").fetchall(),
                "pyarrow": lambda: pyarrow.dataset.dataset(f"{folder}/{kind}", format=kind).to_table().to_pylist(),
                "duckdb, union_by_name": lambda: duckdb.sql(
                    f"select run, accuracy, finished from read_{kind}({files}, union_by_name=true)").fetchall(),
                "pyarrow, schema of all": lambda: pyarrow.dataset.dataset(
                    f"{folder}/{kind}", format=kind, schema=union).to_table().to_pylist()}
        for way, read in ways.items():
            rows = rows_of(read)
            if isinstance(rows, list):
                rows = [tuple(row.values()) if isinstance(row, dict) else row for row in rows]
            seen[folder, kind, way] = rows
            print(f"{folder}, {kind}, {way}: {rows}")
for kind in "csv", "parquet":
    for way in "duckdb", "pyarrow":
        assert seen["old_first", kind, way] == [(1, 0.5), (2, 0.6), (3, 0.9), (4, 0.8)]
    for folder in "old_first", "new_first":
        for way in "duckdb, union_by_name", "pyarrow, schema of all":
            assert sorted(seen[folder, kind, way]) == [(1, 0.5, None), (2, 0.6, None), (3, 0.9, 1), (4, 0.8, 0)]
    assert seen["new_first", kind, "pyarrow"] == seen["new_first", kind, "pyarrow, schema of all"]
    assert isinstance(seen["new_first", kind, "duckdb"], str)
PYTHON
