#!/usr/bin/env bash
# pandas 3.1.1: to_json writes a p-value of 3e-12 as 0.0, and one of 3e-16 as 3e-16. (2026-11-30)
#
# A good guess: JSON keeps all digits of a number, as to_csv and the module json do, or a fixed number of
#               significant ones. A smaller number is never written as the larger one.
# Instead:      to_json keeps 10 digits after the point: 3e-12 is 0.0 and a learning rate of 1.25e-10 is 1e-10.
#               Only numbers below 1e-15 are written with an exponent, and keep their digits. The order changes:
#               of the p-values 3e-12 and 3e-16, the first is now the smaller one, its logarithm is minus
#               infinity, and a weight or a variance of 3e-12 is no longer there. No message.
# What to do:   to_json(double_precision=15), which still keeps only one digit of 3e-15; or to_csv, parquet, or
#               json.dumps(table.to_dict()).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 pandas==3.1.1
observe <<'PYTHON'
import io
import json

import pandas

p_values = [0.04, 3.21e-9, 3.21e-12, 3.21e-15, 3.21e-16]
table = pandas.DataFrame({"p_value": p_values}, index=["a", "b", "c", "d", "e"])


def read(text):
    return pandas.read_json(io.StringIO(text), precise_float=True)["p_value"]


print("pandas", pandas.__version__)
texts = {"to_json()": table.to_json(), "to_json(double_precision=15)": table.to_json(double_precision=15),
         "json.dumps": json.dumps(table.to_dict())}
seen = {name: read(text).tolist() for name, text in texts.items()}
print("saved:", p_values)
for name, values in seen.items():
    print(f"{name}: {values}")
csv = pandas.read_csv(io.StringIO(table.to_csv()), index_col=0)["p_value"].tolist()
smallest = read(texts["to_json()"]).idxmin(), table["p_value"].idxmin()
print("smallest p-value, in the JSON and in the table:", smallest)
assert seen["to_json()"] == [0.04, 3.2e-9, 0, 0, 3.21e-16] and smallest == ("c", "e")
assert seen["to_json(double_precision=15)"] == [0.04, 3.21e-9, 3.21e-12, 3e-15, 3.21e-16]
assert seen["json.dumps"] == csv == p_values
PYTHON
