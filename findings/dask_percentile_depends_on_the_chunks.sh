#!/usr/bin/env bash
# dask 2026.8.0: the median and the 95th percentile of the same numbers change with the chunks. (2026-11-30)
#
# A good guess: dask.array.percentile of the same numbers is the same number, up to the small error of an
#               approximation that the manual mentions. Chunks are about memory.
# Instead:      it computes the asked percentiles of each chunk and merges these alone. Of 10 000 random
#               numbers, the 95th percentile is 5.2 in 2 chunks, 5.5 in 10 and 8.1 in 100, and the median 1.31
#               instead of 0.99. More data of the same chunk size makes it no better, and there is no warning.
#               For sorted numbers it also matters what else is asked for: the 95th percentile alone is 8.5,
#               next to the median it is 5.07. Thresholds and intervals of a bootstrap are wrong by half.
# What to do:   dask.array.median along an axis, or percentile of array.rechunk(-1).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 dask==2026.8.0
observe <<'PYTHON'
import dask
import dask.array
import numpy as np

values = np.random.default_rng(1).lognormal(size=10_000)


def chunked(values, chunk):
    return dask.array.from_array(values, chunks=chunk)


def percentiles(array, wanted):
    return dask.array.percentile(array, wanted).compute().round(2).tolist()


print("dask", dask.__version__)
print("NumPy: median and 95th percentile:", np.percentile(values, [50, 95]).round(2).tolist())
seen = {chunk: percentiles(chunked(values, chunk), [50, 95]) for chunk in (10_000, 5_000, 1_000, 100)}
for chunk, each in seen.items():
    print(f"dask, {10_000 // chunk} chunks of {chunk}:", each)
ordered = np.sort(values)
alone, together = (percentiles(chunked(ordered, 1_000), wanted) for wanted in ([95], [50, 95]))
print("sorted, 10 chunks: 95th percentile alone", alone, "both", together)
safe = percentiles(chunked(values, 100).rechunk(-1), [50, 95])
print("100 chunks after rechunk(-1):", safe)
assert seen[10_000] == safe == [0.99, 5.06] and seen[100][0] > 1.2 and seen[100][1] > 7 and seen[1_000][1] > 5.4
assert alone[0] > 8 and together[1] < 5.1
PYTHON
