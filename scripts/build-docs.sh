#!/usr/bin/env bash
# Builds the documentation into build/site with the versions in docs/requirements.txt, in its own
# environment; a warning is an error. Needs the program and the Python package of the release build.
#   scripts/build-docs.sh [OPTION...]     of `mkdocs build`
set -euo pipefail
cd "$(dirname "$0")/.."

venv=build/docs-venv
wanted=$(sha256sum docs/requirements.txt | cut -d' ' -f1)
if [ "$(cat $venv/installed 2>/dev/null)" != "$wanted" ]; then
  python3 -m venv $venv
  $venv/bin/python -m pip install --quiet --disable-pip-version-check -r docs/requirements.txt
  echo "$wanted" >$venv/installed
fi
# The variable silences an announcement of another program. --quiet is not used, because mkdocs would
# then not count warnings.
if ! NO_MKDOCS_2_WARNING=1 $venv/bin/mkdocs build "$@" >build/docs.log 2>&1; then
  grep -v '^INFO' build/docs.log >&2
  exit 1
fi
echo "$PWD/build/site/index.html"
