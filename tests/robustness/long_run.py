#!/usr/bin/env python3
"""Trains for long, and checks for growing memory and loss of speed.

    LMRNN=build/release/src/cli/lmrnn tests/robustness/long_run.py MINUTES [--core 0] [--log FILE]

The network and battery are workload W1 of bench/ (Mod-Cog's 82 tasks, a sheet of 32 x 32 units, l1 radius 4, batches of
64 x 350 steps), with evaluations and checkpoints as in the defaults, one thread on one core. Every ten seconds the
resident memory is recorded, and at every row of metrics.csv the processor time since the row before. Prints the medians
of the first, second and last tenth of the run, and of a new training right afterwards, for a tenth of the time (at
least 3 minutes), because shared machines become slower and faster by themselves. On a machine that also does other
work, compare processor time; wall time is what a user sees.

Exit 1 if resident memory grew by more than 1% between the second tenth and the last, or if the last
tenth took more than 5% more processor time per step than the training begun anew.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = os.environ["LMRNN"]
CONFIG = """
seed = 1
[battery]
tasks = "modcog82"
[wiring]
kind = "local"
rows = 32
cols = 32
metric = "l1"
radius = 4
[stream]
batch = 64
steps = 350
[train]
steps = 1000000
log_every = 10
"""
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_megabytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def rows_of(table):
    """(step, seconds) of the whole rows."""
    if not table.exists():
        return []
    cells = [row.split(",") for row in table.read_text().split("\n")[1:-1]]
    return [(int(row[0]), float(row[2])) for row in cells]


def watch(program, run, minutes, log):
    """Samples of memory (time, MB), and per interval between rows (time, wall and CPU per step)."""
    memory, speed = [], []
    began = time.monotonic()
    before = None
    while (now := time.monotonic() - began) < 60 * minutes and program.poll() is None:
        if not memory or now - memory[-1][0] >= 10:
            memory.append((now, resident_megabytes(program.pid)))
            print(f"{now:.0f},{memory[-1][1]:.1f},{cpu_seconds(program.pid):.2f},"
                  f"{before[0] if before else 0}", file=log, flush=True)
        rows = rows_of(run / "metrics.csv")
        if rows and (before is None or rows[-1][0] > before[0]):
            step, seconds = rows[-1]
            cpu = cpu_seconds(program.pid)
            if before:
                n = step - before[0]
                speed.append((now, (seconds - before[1]) / n, (cpu - before[2]) / n))
            before = step, seconds, cpu
        time.sleep(0.25)
    return memory, speed


def between(samples, begin, end, column):
    return statistics.median([s[column] for s in samples if begin <= s[0] <= end])


def train(directory, minutes, core, log):
    """Trains for this many minutes; returns memory and speed, and the numbers of steps and evaluations."""
    run, said = directory / "run", directory / "stderr"  # a pipe without a reader would fill up
    (directory / "w1.toml").write_text(CONFIG)
    with said.open("w") as stderr:
        print("seconds,megabytes,processor_seconds,step", file=log)
        program = subprocess.Popen(
            ["taskset", "--cpu-list", str(core), PROGRAM, "train", directory / "w1.toml", "--out", run,
             "--threads", "1"], stdout=subprocess.DEVNULL, stderr=stderr)
        memory, speed = watch(program, run, minutes, log)
    program.send_signal(signal.SIGTERM)
    program.wait(timeout=600)
    if program.returncode != 75 or "--resume" not in said.read_text():
        sys.exit(f"exit {program.returncode}: {said.read_text()[-500:]}")
    n_evaluations = (run / "tasks.csv").read_text().count("\n") // 82
    return memory, speed, rows_of(run / "metrics.csv")[-1][0], n_evaluations


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("minutes", type=float)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--log", type=Path, help="CSV: seconds, MB, processor seconds, step")
    options = parser.parse_args()
    if options.minutes < 5:
        parser.error("a tenth of less than five minutes says nothing")
    with (tempfile.TemporaryDirectory() as long, tempfile.TemporaryDirectory() as fresh,
          (options.log or Path(long) / "log.csv").open("w") as log):
        memory, speed, steps, n_evaluations = train(Path(long), options.minutes, options.core, log)
        _, fresh_speed, *_ = train(Path(fresh), max(3, options.minutes / 10), options.core, log)
    end = speed[-1][0]
    tenths = {"first": (0, end / 10), "second": (end / 10, end / 5), "last": (end * 0.9, end)}
    print(f"{steps} steps and {n_evaluations} evaluations in {end / 60:.1f} minutes")
    print("tenth   MB (median)  wall s/step  processor s/step")
    for tenth, (a, b) in tenths.items():
        print(f"{tenth:7} {between(memory, a, b, 1):11.1f}  {between(speed, a, b, 1):11.4f}"
              f"  {between(speed, a, b, 2):16.4f}")
    everything = (0, fresh_speed[-1][0])
    print(f"begun anew, afterwards: {between(fresh_speed, *everything, 1):11.4f}"
          f"  {between(fresh_speed, *everything, 2):16.4f}")
    print(f"largest resident memory: {max(m for _, m in memory):.1f} MB")
    growth = between(memory, *tenths["last"], 1) / between(memory, *tenths["second"], 1) - 1
    last = between(speed, *tenths["last"], 2)
    slower = last / between(speed, *tenths["first"], 2) - 1
    slower_than_anew = last / between(fresh_speed, *everything, 2) - 1
    print(f"growth of memory {100 * growth:.2f}%; processor time per step {100 * slower:+.2f}% since the"
          f" first tenth, {100 * slower_than_anew:+.2f}% against one begun anew")
    return growth > 0.01 or slower_than_anew > 0.05


if __name__ == "__main__":
    sys.exit(main())
