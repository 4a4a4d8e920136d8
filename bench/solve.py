#!/usr/bin/env python3
"""W14: wall time until a network has learned the battery, for two builds with one setting each.

  bench/solve.py BEFORE AFTER                    # two build directories
  bench/solve.py BEFORE AFTER --networks local1024 --seeds 1,2,3 --runs runs/w14 --json w14.json

There are two marks, each with its settings (`MARKS`), at evaluations every 200 steps on validation trials of modcog82:

- `share`: 95% of the mean ceiling, 100 trials per task. BEFORE trains with setting A (rows of 100, batch 64, Adam at
  3e-3, cosine over 30 000 steps), AFTER for 6000 steps.
- `solved`: 80 of the 82 tasks solved (as `lmrnn eval` says), 4000 trials per task, since BEFORE solves only 79 on 1000.
  BEFORE trains with setting C (A with heavier decisions and int tasks, beta2 and the initial radius), AFTER for
  11 000 steps of 32 rows, which become 64 at step 1834 (they grow from 16, by whole blocks of 32).

AFTER has `AFTER_SETTING`. Its rates, lengths and batches were chosen on seed 101. Training gives the same bits whatever
else runs on the machine, so the steps to the mark are counted once, at any time. The time per step is then measured on
both sides in turns, on the same core, without evaluations, for every number of rows that batches have; the time to the
mark is the sum over its steps. Runs stay in --runs: finished ones are not trained again, and interrupted ones are
resumed.

BEFORE and AFTER are build directories with src/cli/lmrnn and bench/bench_driver.
"""

import argparse
import csv
import dataclasses
import json
import math
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import machine
from against import compare
from ours import Ours

NETWORKS = {
    "local1024": 'kind = "local"\nrows = 32\ncols = 32\nradius = 4',
    "dense256": 'kind = "dense"\nrows = 16\ncols = 16',
}
# Keys under names that the first version also knew.
COMMON = """seed = {seed}
[battery]
tasks = "modcog82"
{battery}
[wiring]
{wiring}
[network]
{network}
[stream]
steps = 100
batch = {batch}
reset_at_trial = true
{stream}
[optimiser]
learning_rate = {rate}
{optimiser}
[train]
steps = {steps}
{train}
[evaluation]
every = 200
trials = {trials}
[checkpoint]
every = 1000
keep_every = 0
{more}
"""
BEFORE_SETTING = dict(
    battery="", network="", batch=64, stream="", rate=3e-3, optimiser="", steps=30000, train="", more=""
)
AFTER_SETTING = dict(
    battery='weights = {"*dlydm*int*" = 3.0}',
    network='initialisation = "spectral-radius"',
    batch=32,
    stream="",
    optimiser="beta2 = 0.99",
    train="average = 0.99",
    more='[curriculum]\nadaptive = 1.0\n[loss]\nbalance = "tasks"\n[loss.weights]\ndecision = 5.0',
)


def growing(setting, first, last, until, block):
    """The setting with batches that grow by whole blocks; `rows_of` says how."""
    return dict(
        setting, batch=last, stream=f"grow_from = {first}\ngrow_until = {until}",
        train=f"{setting['train']}\nblock = {block}", grows=(first, until * setting["steps"], block),
    )  # fmt: skip


def rows_of(setting, step):
    """Rows of the batch of step `step`, from 0."""
    first, n_steps, block = setting.get("grows", (0, 0, 1))
    if step >= n_steps:
        return setting["batch"]
    return min(setting["batch"], math.ceil((first + (setting["batch"] - first) * step / n_steps) / block) * block)


def seconds_of(setting, n_steps, seconds_by_rows):
    return sum(seconds_by_rows[rows_of(setting, step)] for step in range(n_steps))


@dataclasses.dataclass(frozen=True)
class Mark:
    column: str  # of metrics.csv
    least: float
    words: str
    before: dict
    after: dict  # by network

    def first(self, directory):
        """(step of the first evaluation at the mark or None, highest value so far)"""
        file = directory / "metrics.csv"
        values = [(0, 0.0)]
        if file.is_file():
            with open(file, newline="") as rows:
                for row in csv.DictReader(rows):
                    if row[self.column]:
                        values.append((int(row["step"]), float(row[self.column])))
        return next((step for step, value in values if value >= self.least), None), max(v for _, v in values)


MARKS = {
    "share": Mark(
        "mean_share_of_ceiling", 0.95, "95% of the mean ceiling",
        before=dict(BEFORE_SETTING, trials=100),
        after={
            "local1024": dict(AFTER_SETTING, rate=5e-3, steps=6000, trials=100),
            "dense256": dict(AFTER_SETTING, rate=3e-3, steps=6000, trials=100),
        },
    ),
    "solved": Mark(
        "tasks_solved", 80, "80 of 82 tasks solved",
        before=dict(
            BEFORE_SETTING, trials=4000, battery=AFTER_SETTING["battery"],
            network='initialisation = "radius"', optimiser="beta2 = 0.99",
            more="[loss.weights]\ndecision = 5.0",
        ),
        after={
            "local1024": growing(
                dict(AFTER_SETTING, rate=5e-3, steps=11000, trials=4000), first=16, last=64, until=0.5, block=32
            )
        },
    ),
}  # fmt: skip


class Setting:
    """The part of a workload that Ours needs."""

    kind = "step"

    def __init__(self, name, network, seed, setting):
        self.id, self.setting = name, dict(setting, wiring=NETWORKS[network], seed=seed)

    def config(self):
        return COMMON.format(**self.setting)


def train_to_mark(program, mark, setting, directory):
    """Trains until the mark is reached; returns (step or None, highest value)."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    config = directory.parent / f"{directory.name}.toml"
    config.write_text(setting.config())
    while True:
        step, highest = mark.first(directory)
        if step is not None or (directory / "DONE").is_file():
            return step, highest
        command = [program, "train", "--resume", directory]
        if not (directory / "config.toml").is_file():
            command = [program, "train", config, "--out", directory, "--threads", "1"]
        with open(directory.parent / f"{directory.name}.log", "a") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
            while process.poll() is None and mark.first(directory)[0] is None:
                time.sleep(2)
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            if process.wait() not in (0, 130, 75) and mark.first(directory)[0] is None:
                sys.exit(f"bench/solve.py: training {directory} failed; see {log.name}")


def time_steps(sides, network, settings, seconds):
    """Times a step of both sides in turns, for each number of rows that batches of AFTER have."""
    before, after = settings
    plain = {key: value for key, value in after.items() if key != "grows"}
    timing = {}
    for rows in sorted({rows_of(after, step) for step in range(after["steps"])}):
        at = dict(plain, batch=rows, stream="")
        pair = [Setting(f"{network}-{rows}", network, 1, setting) for setting in (before, at)]
        timing[rows] = compare(sides, pair, 1, seconds)
    return timing


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=pathlib.Path, help="build directory")
    parser.add_argument("after", type=pathlib.Path, help="build directory")
    parser.add_argument("--mark", choices=MARKS, default="share", help="default: share")
    parser.add_argument("--networks", default="", help="e.g. local1024; default: all that have a setting for the mark")
    parser.add_argument("--seeds", default="1", help="e.g. 1,2,3")
    parser.add_argument("--runs", type=pathlib.Path, default=pathlib.Path("runs/w14"))
    parser.add_argument("--seconds", type=float, default=20, help="for the pairs of a network")
    parser.add_argument("--no-timing", action="store_true", help="only train to the mark")
    parser.add_argument("--json", type=pathlib.Path, help="where the figures go")
    return parser.parse_args()


def main():
    options = arguments()
    builds = (options.before.resolve(), options.after.resolve())
    mark = MARKS[options.mark]
    networks = options.networks.split(",") if options.networks else list(mark.after)
    if unknown := set(networks) - set(mark.after):
        sys.exit(f"bench/solve.py: {', '.join(sorted(unknown))} has no setting for {options.mark}")
    for build in builds:
        for file in (build / "bench/bench_driver", build / "src/cli/lmrnn"):
            if not file.is_file():
                sys.exit(f"bench/solve.py: {file} does not exist; build it first")
    results = []
    with tempfile.TemporaryDirectory() as folder, open(pathlib.Path(folder) / "log", "w") as log:
        sides = []
        for name, build in zip(("before", "after"), builds):
            (pathlib.Path(folder) / name).mkdir()
            sides.append(Ours(build / "bench/bench_driver", pathlib.Path(folder) / name, log))
        for network in networks:
            reached = []
            settings = mark.before, mark.after[network]
            for seed in map(int, options.seeds.split(",")):
                row = {"network": network, "seed": seed}
                for name, build, setting in zip(("before", "after"), builds, settings):
                    run = options.runs / options.mark / f"{network}-{name}-{seed}"
                    step, highest = train_to_mark(
                        build / "src/cli/lmrnn", mark, Setting(name, network, seed, setting), run
                    )
                    row[name] = {"steps": step, "highest": highest}
                print(f"{network} seed {seed}: steps to {mark.words} {row['before']} and {row['after']}", flush=True)
                reached.append(row)
            results.append({"network": network, "runs": reached})
            if not options.no_timing:
                timing = time_steps(sides, network, settings, options.seconds)
                results[-1]["timing"] = timing
                for row in reached:
                    steps = [row[side]["steps"] for side in ("before", "after")]
                    if None in steps:
                        continue
                    # The time of BEFORE beside each batch size of AFTER, so that a slow minute meets both.
                    before = statistics.median(t["before"] for t in timing.values()) * steps[0]
                    after = seconds_of(settings[1], steps[1], {rows: t["after"] for rows, t in timing.items()})
                    row["seconds"], row["gain"] = (before, after), before / after
                    print(
                        f"{network} seed {row['seed']}: {before:.0f} s and {after:.0f} s to {mark.words}, "
                        f"gain {row['gain']:.2f} (steps {steps[0] / steps[1]:.2f})",
                        flush=True,
                    )
        builds = [side.peak() for side in sides]
    if options.json:
        document = {"mark": mark.words, "machine": machine.describe(), "builds": builds, "results": results}
        options.json.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
