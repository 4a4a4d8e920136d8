#!/usr/bin/env bash
# polars 2.1.0: fewer right than wrong answers are 4 294 967 295 more. (2026-11-30)
#
# A good guess: the number of right answers minus that of wrong ones is negative where a network guesses, as it
#               is in pandas and NumPy.
# Instead:      sums of booleans, pl.len(), count and n_unique are unsigned (UInt32), and so is their
#               difference: -1 is 4294967295. A whole number of Python takes the type of the column, so that
#               pl.len() - 5 of 3 trials is 4294967294. The worst task then leads the ranking, and the mean over
#               tasks is in the billions. `diff` gives signed numbers, so that one step of an analysis is right
#               and the next one is not. Sums of Int32 columns wrap as well; those of Int8 and Int16 do not, as
#               they become Int64.
# What to do:   .cast(pl.Int64) right after counting, or before summing Int32.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 polars==2.1.0
observe <<'PYTHON'
import polars as pl

trials = pl.DataFrame({"task": ["go"] * 3 + ["anti"] * 3, "right": [True, True, True, True, False, False]})
right, wrong = pl.col("right").sum(), (~pl.col("right")).sum()


def scores(right, wrong, number):
    table = trials.group_by("task", maintain_order=True).agg(right=right, wrong=wrong, number=number)
    right, wrong, number = pl.col("right"), pl.col("wrong"), pl.col("number")
    return table.select("task", margin=right - wrong, missing=number - 5, more_wrong=wrong.diff())


print("polars", pl.__version__)
seen = scores(right, wrong, pl.len()).to_dict(as_series=False)
safe = scores(right.cast(pl.Int64), wrong.cast(pl.Int64), pl.len().cast(pl.Int64)).to_dict(as_series=False)
print("counts as they come:", seen)
print("cast to Int64:      ", safe)
total = {str(dtype): pl.Series([100, 100], dtype=dtype).sum() for dtype in (pl.Int8, pl.Int16)}
total["Int32"] = pl.Series([2**31 - 1, 1], dtype=pl.Int32).sum()
print("sums of 100 + 100, and of (2**31 - 1) + 1:", total)
assert seen == {"task": ["go", "anti"], "margin": [3, 2**32 - 1], "missing": [2**32 - 2] * 2, "more_wrong": [None, 2]}
assert safe == {"task": ["go", "anti"], "margin": [3, -1], "missing": [-2, -2], "more_wrong": [None, 2]}
assert total == {"Int8": 200, "Int16": 200, "Int32": -(2**31)}
PYTHON
