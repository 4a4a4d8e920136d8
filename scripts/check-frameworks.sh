#!/usr/bin/env bash
# Checks the operation with recent PyTorch and JAX: what needs PyTorch >= 2.4 (torch.library, opcheck,
# torch.compile), the tests of lmrnn.torch and lmrnn.jax again, and that the benchmark's W9 to W11 have
# the peers' losses and gradients to 1e-4. Uses its own environment, build/frameworks-venv, with the
# versions of tests/frameworks/requirements.txt: a download of gigabytes, once. The last lines of its
# output say what was run and what was not.
#
#   scripts/check-frameworks.sh [BUILD]       a build tree; default: build/release
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

build=$(realpath "${1:-build/release}")
environment=build/frameworks-venv
requirements=tests/frameworks/requirements.txt
say() { printf 'check-frameworks: %s\n' "$*" >&2; }

[ -d "$build/python/lmrnn" ] || { say "no Python package in $build; run make build first"; exit 1; }
if ! cmp --quiet "$requirements" "$environment/installed.txt" 2>/dev/null; then
  say "installing PyTorch and JAX into $environment (a large download, once)"
  # The interpreter that the package was built for.
  python=$(.venv/bin/python -c 'import sys; print(sys._base_executable)')
  "$python" -m venv "$environment" &&
    "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" &&
    cp "$requirements" "$environment/installed.txt" || { say "the installation failed"; exit 1; }
fi

export PYTHONPATH=$build/python LMRNN=$build/src/cli/lmrnn
python=$environment/bin/python
results=()
failed=0
check() { # NAME COMMAND...
  local name=$1
  shift
  if "$@"; then results+=("ok: $name"); else results+=("FAILED: $name") && failed=1; fi
}
# Warnings of other packages' newest versions do not count as errors here.
check "opcheck, torch.compile" "$python" -m pytest -q -W default tests/frameworks
check "lmrnn.torch" "$python" -m pytest -q -W default tests/python/test_torch.py
check "lmrnn.jax" "$python" -m pytest -q -W default tests/python/test_jax.py
check "lmrnn.evaluate" "$python" -m pytest -q -W default tests/python/test_evaluate_anything.py
if [ -x "$build/bench/bench_driver" ]; then
  check "losses and gradients of W9 to W11, small, to 1e-4" "$python" bench/compare.py --smoke \
    --only W9,W9-dense,W10,W11 --threads 1 --driver "$build/bench/bench_driver" \
    --package "$build/python" --peers torch_masked,torch_csr,jax_masked
else
  results+=("not run: losses and gradients of W9 to W11; build the target bench_driver")
fi
results+=("not run: CUDA and MPS, where PyTorch's own operations answer")
"$python" -c 'import torch, jax; print(f"PyTorch {torch.__version__}, JAX {jax.__version__}")'
printf '%s\n' "${results[@]}"
exit $failed
