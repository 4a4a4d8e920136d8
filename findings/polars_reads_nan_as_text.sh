#!/usr/bin/env bash
# polars 2.1.0: a column with one "nan" is read as text, and its mean is None. (2026-11-29)
#
# A good guess: read_csv takes nan, which Python, NumPy, C and C++ write for a missing float and which polars has as a
#               float of its own, for a number; or a column of numbers and words is an error.
# Instead:      the column has type String. What follows does not fail: mean() is None, max() is "nan", or without that
#               the last in the alphabet (1e-05 comes after 0.9), and sort() is alphabetical. A column whose first 100
#               rows are empty, as a score that is not computed at the start, becomes text as well.
# What to do:   polars.read_csv(..., null_values=["nan"], infer_schema_length=None), or give the types:
#               schema_overrides={"loss": polars.Float64}, which takes nan for a number.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 polars==2.1.0
observe <<'PYTHON'
import io

import polars

table = "step,loss\n1,0.9\n2,nan\n3,0.12\n4,1e-05\n"
late = "step,score\n" + "".join(f"{step},{'' if step <= 100 else step / 1000}\n" for step in range(1, 201))


def read(text, **options):
    return polars.read_csv(io.StringIO(text), **options)


print("polars", polars.__version__)
loss, score = read(table)["loss"], read(late)["score"]
numbers = loss.filter(loss != "nan")
print("loss, one nan:", loss.dtype, " mean:", loss.mean(), " max:", loss.max(), " largest of the others:", numbers.max())
print("score, from row 101:", score.dtype, " mean:", score.mean())
given = read(table, schema_overrides={"loss": polars.Float64})["loss"]
whole = read(late, infer_schema_length=None)["score"]
print("with schema_overrides:", given.dtype, given.to_list(), " with infer_schema_length=None:", whole.dtype)
assert loss.dtype == score.dtype == polars.String and loss.mean() is None and score.mean() is None
assert loss.max() == "nan" and numbers.max() == "1e-05"
assert given.dtype == whole.dtype == polars.Float64 and abs(whole.mean() - 0.1505) < 1e-9
PYTHON
