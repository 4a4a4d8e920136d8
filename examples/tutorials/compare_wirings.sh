#!/bin/sh
# Which wiring learns faster? Tuned separately, paired by seed, with intervals.
set -e
cp "$(dirname "$0")/compare_wirings.toml" .

# --8<-- [start:run]
lmrnn study plan compare_wirings.toml      # the runs: tuning first, then two wirings x six seeds
lmrnn study run compare_wirings.toml --jobs 2  # a minute; may be stopped and started again at any time
lmrnn study collect compare_wirings.toml
cat runs/compare_wirings/tables/contrasts.csv
# --8<-- [end:run]
