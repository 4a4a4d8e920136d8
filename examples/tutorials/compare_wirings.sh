#!/bin/sh
# Which wiring learns faster? Tuned separately, paired by seed, with intervals.
set -e
study=$(dirname "$0")/compare_wirings.toml

# --8<-- [start:run]
lmrnn study plan "$study"                 # the runs: tuning first, then two wirings x six seeds
lmrnn study run "$study" --jobs 2         # a minute; may be stopped and started again at any time
lmrnn study collect "$study"
cat runs/compare_wirings/tables/contrasts.csv
# --8<-- [end:run]
