#!/usr/bin/env bash
# Python 3.11: the more workers a Pool has, the fewer of the trials of one simulation are different. (2026-11-30)
#
# A good guess: pool.map(simulation.run, trials), where the simulation holds a seeded generator, draws either
#               the numbers of a plain loop or, as each worker has a copy, the same ones in every trial.
# Instead:      map sends the trials in chunks and copies the simulation, generator and all, once for each
#               chunk. The trials of a chunk continue each other; each chunk starts with the same numbers again.
#               The chunks depend on the number of workers: of 64 trials, 16 are different with 1 worker, 8 with
#               2, 4 with 4 and 1 with 16. A test with 4 trials and 1 worker sees nothing but copies, one with
#               `chunksize` 64 what a loop does. So the mean over 64 trials has the error of 8 on one machine
#               and of 4 on another, and the results of a seeded run depend on the machine's number of cores.
#               imap and ProcessPoolExecutor.map send chunks of one trial: all trials are the same. The same
#               holds for functools.partial(run, generator).
# What to do:   one generator for each trial: pool.starmap(run, zip(generator.spawn(64), trials)).
. "$(dirname "$0")/packages.inc" numpy==2.4.6
observe <<'PYTHON'
import platform
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import Pool

import numpy as np


class Simulation:
    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def run(self, trial):
        return float(self.random.normal())


def run(random, trial):
    return float(random.normal())


def of_generator(random):
    return float(random.normal())


if __name__ == "__main__":
    print("Python", platform.python_version(), "NumPy", np.__version__)
    simulation = Simulation(1)
    loop = [simulation.run(trial) for trial in range(64)]
    print("different values of 64 trials, in a loop:", len(set(loop)))
    different = {}
    for workers in (1, 2, 4, 8, 16):
        with Pool(workers) as pool:
            values = pool.map(Simulation(1).run, range(64))
            same = pool.map(partial(run, np.random.default_rng(1)), range(64)) == values
            single = list(pool.imap(Simulation(1).run, range(64)))
            spawned = pool.map(of_generator, np.random.default_rng(1).spawn(64))
        n = different[workers] = len(set(values))
        error = np.std([np.mean(np.random.default_rng(seed).normal(size=n)) for seed in range(2000)])
        print(f"{workers:2} workers: {n:2}, as with partial: {same}; imap: {len(set(single))}, spawned: {len(set(spawned))};",
              f"error of the mean: {error:.2f}; first values", np.round(values[:5], 2).tolist())
        assert values == (loop[:n] * 64)[:64] and same and len(set(single)) == 1 and len(set(spawned)) == 64
    with Pool(2) as pool:
        whole = pool.map(Simulation(1).run, range(64), chunksize=64)
    with ProcessPoolExecutor(2) as executor:
        of_executor = list(executor.map(Simulation(1).run, range(64)))
    print("chunksize=64: as the loop:", whole == loop, " ProcessPoolExecutor:", len(set(of_executor)))
    assert different == {1: 16, 2: 8, 4: 4, 8: 2, 16: 1} and len(set(loop)) == 64
    assert whole == loop and len(set(of_executor)) == 1
PYTHON
