#!/usr/bin/env bash
# PyTorch 2.15.0: seeds that agree in their last 32 bits give the same random numbers. (2026-11-30)
#
# A good guess: manual_seed takes seeds up to 2**64 - 1, and larger ones raise. So all 64 bits count, as in NumPy:
#               seeds made of parts, run << 32 | worker, give each run its own numbers.
# Instead:      the generator of the CPU takes the last 32 bits and drops the rest, though initial_seed() returns all
#               64. Runs 0 to 999 with worker 5 train the same network 1000 times, and their spread is 0. -1 is
#               2**32 - 1. So it is for torch.Generator, initial weights, dropout, randperm and shuffled loaders.
# What to do:   int(numpy.random.SeedSequence([run, worker]).generate_state(1)[0]), which mixes all parts into 32 bits.
. "$(dirname "$0")/torch.inc" numpy==2.2.6
observe <<'PYTHON'
import numpy as np
import torch
from torch.utils.data import DataLoader


def drawn(seed):
    torch.manual_seed(seed)
    network = torch.nn.GRU(2, 8)
    numbers = [network.weight_hh_l0.detach().flatten(), torch.rand(5), torch.randn(20), torch.randperm(50).float(),
               torch.nn.functional.dropout(torch.ones(50)),
               torch.tensor([int(i) for i in DataLoader(range(50), shuffle=True)]).float(),
               torch.rand(5, generator=torch.Generator().manual_seed(seed))]
    return tuple(torch.cat(numbers).tolist())


def different(seeds):
    return len({drawn(seed) for seed in seeds})


runs = range(1000)
parts = different(run << 32 | 5 for run in runs)
workers = different(7 << 32 | worker for worker in runs)
mixed = different(int(np.random.SeedSequence([run, 5]).generate_state(1)[0]) for run in runs)
in_numpy = len({np.random.default_rng(run << 32 | 5).random() for run in runs})
print("PyTorch", torch.__version__)
print("1000 seeds run << 32 | 5 give different networks:", parts, " in NumPy:", in_numpy)
print("1000 seeds 7 << 32 | worker:", workers, " 1000 seeds of SeedSequence:", mixed)
negative = drawn(-1) == drawn(2**32 - 1)
print("-1 and 2**32 - 1 are equal:", negative)
torch.manual_seed(3 << 32 | 5)
print("initial_seed of 3 << 32 | 5:", torch.initial_seed())
assert (parts, workers, mixed, in_numpy) == (1, 1000, 1000, 1000) and negative
assert torch.initial_seed() == (3 << 32 | 5)
try:
    torch.manual_seed(2**64)
except (RuntimeError, ValueError) as error:
    print("2**64 raises", type(error).__name__)
else:
    raise SystemExit("2**64 is accepted")
PYTHON
