#!/usr/bin/env bash
# Trains studies/quickstart.toml into runs/quickstart; a second call goes on with a run that was
# interrupted, or shows the table of one that is finished.
set -euo pipefail
cd "$(dirname "$0")/.."

lmrnn=build/release/src/cli/lmrnn
run=runs/quickstart

if [ -e "$run/DONE" ]; then
  echo "$run is there already; its table again ('rm -r $run' to train anew):" >&2
  exec "$lmrnn" eval "$run"
elif [ -d "$run" ]; then
  echo "$run was interrupted; going on ('rm -r $run' to begin anew)" >&2
  exec "$lmrnn" train --resume "$run"
fi
exec "$lmrnn" train studies/quickstart.toml --out "$run"
