#!/usr/bin/env bash
# Trains studies/quickstart.toml into runs/quickstart; a second call resumes an interrupted
# run, or shows the table of a finished one. Then writes its report.
set -euo pipefail
cd "$(dirname "$0")/.."

lmrnn=build/release/src/cli/lmrnn
run=runs/quickstart

if [ -e "$run/DONE" ]; then
  echo "$run exists already; this is its table ('rm -r $run' to train again):" >&2
  "$lmrnn" eval "$run"
elif [ -d "$run" ]; then
  echo "$run was interrupted; resuming ('rm -r $run' to start again)" >&2
  "$lmrnn" train --resume "$run"
else
  "$lmrnn" train studies/quickstart.toml --out "$run"
fi
echo "report (open it in a browser): $("$lmrnn" report "$run")"
