#!/usr/bin/env bash
# Installs a build and builds a small project against what was installed.
#   tests/consume/run.sh BUILD_DIRECTORY
set -euo pipefail
build=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

cmake --install "$build" --prefix "$place/prefix" >/dev/null
cmake -G Ninja -S "$here" -B "$place/build" -DCMAKE_PREFIX_PATH="$place/prefix" >/dev/null
cmake --build "$place/build"
# Headers must come from the installation, not from the source tree that lies beside it.
if grep -r "$(realpath "$here/../..")/include" "$place/prefix/lib"*/ --include='*.cmake'; then
  echo "the installed package refers to the source tree" >&2
  exit 1
fi
"$place/build/consume"
"$place/prefix/bin/lmrnn" --version
# The zoo that was installed, not that of the source tree.
name=$(ls "$place/prefix/share/lmrnn/zoo" | grep -v '\.' | head -1)
"$place/prefix/bin/lmrnn" info "zoo:$name" | grep "^file .*$place/prefix/share/lmrnn/zoo/$name/"
