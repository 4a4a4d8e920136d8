#!/usr/bin/env bash
# zarr 3.1.6: threads that write different chunks of a sharded array lose most of what they write. (2026-11-30)
#
# A good guess: threads that write to different chunks need no lock. shards=... only packs many chunks into one file.
# Instead:      a chunk is written by reading its shard, changing it and writing it back, without a lock inside one
#               process either. The last thread to finish wins: of 64 rows that 8 threads write, each its own chunk,
#               about 50 are 0 afterwards, and no message says so. Without shards=... no row is lost, so that a program
#               that worked breaks when its author adds shards to have fewer files.
# What to do:   let each thread or process write whole shards (z.shards instead of z.chunks), or take a lock.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 zarr==3.1.6
observe <<'PYTHON'
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import zarr


def lost(name, rows, **layout):
    recording = zarr.create_array(name, shape=(64, 100), chunks=(1, 100), dtype="f8", fill_value=0, **layout)

    def write(start):
        recording[start:start + rows] = start + 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(0, 64, rows)))
    return int((zarr.open_array(name)[:, 0] == 0).sum())


print("zarr", zarr.__version__, "64 rows, one chunk each, written by 8 threads")
plain = lost("plain.zarr", 1)
sharded = [lost(f"sharded{i}.zarr", 1, shards=(16, 100)) for i in range(5)]
whole = lost("whole.zarr", 16, shards=(16, 100))
print("without shards, rows that are 0:               ", plain)
print("shards of 16 rows, at least 10 in each of 5 runs:", min(sharded) >= 10)
print("shards of 16 rows, each thread writes a shard: ", whole)
assert plain == whole == 0 and min(sharded) >= 10
PYTHON
