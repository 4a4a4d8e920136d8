#!/usr/bin/env bash
# tensorstore 0.1.86: recording[2000:5000][2500] is sample 2500 of the recording, not of the slice. (2026-11-30)
#
# A good guess: an array of a library that says it indexes like NumPy: sample 25 of recording[20:50] is sample 45.
#               If slices kept their old indices, an error would say so.
# Instead:      a slice keeps the indices of what it was cut from: recording[20:50] has the samples 20 to 49, and
#               [25] is sample 25 of the recording. There is an error only if the index lies outside, so code for
#               NumPy runs on and takes the wrong samples whenever the window is longer than its start. With a
#               step the indices are divided: recording[10:60:10][2] is sample 20, the second of the slice. Once
#               read, the same slice counts from 0 again. -1 is no index.
# What to do:   recording[20:50].translate_to[0], or .read().result() before any further index.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 tensorstore==0.1.86
observe <<'PYTHON'
import importlib.metadata

import numpy as np
import tensorstore

array = np.arange(100)
recording = tensorstore.array(array)


def samples(view):
    return view.read().result().tolist()


print("tensorstore", importlib.metadata.version("tensorstore"))
seen = {"[20:50][25]": (samples(recording[20:50][25]), array[20:50][25].tolist()),
        "[20:50][25:28]": (samples(recording[20:50][25:28]), array[20:50][25:28].tolist()),
        "[10:60:10][2:4]": (samples(recording[10:60:10][2:4]), array[10:60:10][2:4].tolist())}
for name, (tensorstores, numpys) in seen.items():
    print(f"{name}: tensorstore {tensorstores}, NumPy {numpys}")
moved = samples(recording[20:50].translate_to[0][25])
read = recording[20:50].read().result()[25].tolist()
print("[20:50][25] with translate_to[0] in between:", moved, "after reading:", read)
try:
    recording[20:50][5]
    refused = False
except IndexError:
    refused = True
print("[20:50][5] is refused:", refused)
assert list(seen.values()) == [(25, 45), ([25, 26, 27], [45, 46, 47]), ([20, 30], [30, 40])]
assert moved == read == 45 and refused
PYTHON
