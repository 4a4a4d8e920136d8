#!/bin/sh
# The same study on a cluster: what would be submitted.
set -e
cp "$(dirname "$0")/compare_wirings.toml" .

# --8<-- [start:submit]
lmrnn study submit compare_wirings.toml --out runs/cluster --dry-run    # without --dry-run: sbatch
cat runs/cluster/slurm/*.sh
# --8<-- [end:submit]
