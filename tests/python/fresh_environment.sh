#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh virtual environment, and uses program and package away
# from the clone, as a user would.
#   tests/python/fresh_environment.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
unset PYTHONPATH

"$root/scripts/build-wheel.sh" "$place/wheels"
"$root/.venv/bin/python" -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  "$(echo "$place"/wheels/*.whl)[report,gymnasium]"
cd "$place"
export PATH="$place/venv/bin:$PATH"

lmrnn --version
python - <<'PYTHON'
import time
import numpy
start = time.perf_counter()
import lmrnn
print(f"import: {time.perf_counter() - start:.3f} s, from {lmrnn.__file__}")
inputs, targets, mask, info = lmrnn.Battery("modcog82").stream(batch=64, steps=350, seed=0)[0]
assert inputs.shape == (350, 64, 33 + 82)
config = {
    "battery": {"tasks": "go,dlygointr"},
    "wiring": {"rows": 6, "cols": 6, "radius": 2},
    "stream": {"steps": 40, "batch": 16},
    "train": {"steps": 20},
    "evaluation": {"every": 10, "trials": 20},
}
print(lmrnn.Trainer(config, "run", seed=1).run())
import gymnasium, lmrnn.gym
gymnasium.make("lmrnn/dlygointr-v0").reset(seed=0)
PYTHON
lmrnn eval run --trials 20 | tail -n 1
lmrnn report run
grep -q '<svg' run/report.html
