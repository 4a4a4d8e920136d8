#!/usr/bin/env bash
# safetensors 0.8.0: NumPy views are saved with other numbers. (2026-11-29)
#
# A good guess: safetensors.numpy.save_file saves the values of an array, or refuses one that is not
#               contiguous, as safetensors.torch does. Weights change hands transposed (W of `W h` is the
#               transpose of a Keras kernel), so that `save_file({"w": kernel.T})` is what one writes.
# Instead:      the memory behind the view is saved under the shape of the view, without a word: a
#               transposed matrix comes back with its numbers at other places, and every second element as
#               the first half of all.
# What to do:   numpy.ascontiguousarray(array) around everything that is saved.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 safetensors==0.8.0
observe <<'PYTHON'
import numpy as np
import safetensors
from safetensors.numpy import load_file, save_file

kernel = np.arange(6.0).reshape(2, 3)
arrays = {"transposed": kernel.T, "every second": np.arange(6.0)[::2], "contiguous": np.ascontiguousarray(kernel.T)}
save_file(arrays, "weights.safetensors")
loaded = load_file("weights.safetensors")
print("safetensors", safetensors.__version__, "numpy", np.__version__)
for name, array in arrays.items():
    print(f"{name}: saved {array.tolist()}  loaded {loaded[name].tolist()}")
assert loaded["transposed"].tolist() == [[0, 1], [2, 3], [4, 5]] and loaded["every second"].tolist() == [0, 1, 2]
assert (loaded["contiguous"] == kernel.T).all()
PYTHON
