#!/usr/bin/env bash
# keras 3.15.1: the NumPy backend needs JAX. (2026-11-29)
#
# A good guess: KERAS_BACKEND=numpy reads a trained recurrent network where only NumPy and SciPy are
#               installed; that is what the backend is for.
# Instead:      `import keras` ends in ModuleNotFoundError: No module named 'jax', which neither keras's
#               requirements nor the message of another missing backend lead one to expect.
# What to do:   install jax beside it, or read the weights of the .keras file (a zip with model.weights.h5
#               in it) with h5py.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 keras==3.15.1
observe <<'PYTHON'
import importlib.metadata
import os
import subprocess
import sys

environment = {**os.environ, "KERAS_BACKEND": "numpy", "KERAS_HOME": "."}
result = subprocess.run([sys.executable, "-s", "-c", "import keras"], env=environment, capture_output=True, text=True)
print("keras", importlib.metadata.version("keras"), "requires", sorted(r for r in importlib.metadata.requires("keras")))
print(result.stderr.strip().splitlines()[-1])
assert result.returncode == 1 and "No module named 'jax'" in result.stderr
assert not any(r.startswith("jax") for r in importlib.metadata.requires("keras"))
PYTHON
