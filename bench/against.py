#!/usr/bin/env python3
"""Compares two builds of this program on the same workloads, in turns on the same cores.

  bench/against.py BEFORE AFTER                  # two build directories
  bench/against.py BEFORE AFTER --only W1,W4 --seconds 20 --json against.json
  bench/against.py BUILD BUILD --only W1 --set-after 'network.equation = "voltage"'   # two settings of one

BEFORE and AFTER are build directories with bench/bench_driver (cmake --build --preset release --target bench_driver).
Every pair times BEFORE, then AFTER (the next pair in the opposite order), and the gain is the median of the pairs'
quotients: above 1, AFTER is faster. Peak memory is that of each process after its last step. The losses of both are
printed, because a build that computes something else is not faster.
"""

import argparse
import contextlib
import dataclasses
import json
import pathlib
import statistics
import sys
import tempfile

import machine
from ours import Ours
from workloads import WORKLOADS


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=pathlib.Path, help="build directory")
    parser.add_argument("after", type=pathlib.Path, help="build directory")
    parser.add_argument("--only", default="", help="workloads, e.g. W1,W4")
    parser.add_argument("--threads", type=int, help="only with so many threads")
    parser.add_argument("--seconds", type=float, default=12, help="for the pairs of a workload")
    for side in ("before", "after"):
        parser.add_argument(
            f"--set-{side}", action="append", default=[], metavar="TABLE.KEY=VALUE",
            help=f"a key of {side.upper()} alone, as a line of TOML; may be repeated",
        )  # fmt: skip
    parser.add_argument("--json", type=pathlib.Path, help="where the figures go")
    return parser.parse_args()


def timed(process, command, count):
    return statistics.median(process.ask(command, count)["seconds"])


def pairs_of(before, after, command, seconds):
    """(seconds before, seconds after) of at least five pairs, and as many as `seconds` allow."""
    for process in (before, after):  # warm-up; the first steps also write a checkpoint
        losses = process.ask(command, 4).get("losses", [])
        print(f"    losses {losses}" if losses else "", file=sys.stderr)
    once = timed(before, command, 1) + timed(after, command, 1)
    repeat = max(1, round(0.5 / once))
    pairs = []
    for i in range(max(5, min(40, round(seconds / (repeat * once))))):
        order = (before, after) if i % 2 == 0 else (after, before)
        times = {id(process): timed(process, command, repeat) for process in order}
        pairs.append((times[id(before)], times[id(after)]))
    return pairs


def compare(sides, workloads, n_threads, seconds):
    """Times the workload of each side, usually the same, in turns."""
    with contextlib.ExitStack() as stack:
        before, after = (
            stack.enter_context(side.start(workload, n_threads)[0])
            for side, workload in zip(sides, workloads)
        )
        pairs = pairs_of(before, after, workloads[0].kind, seconds)
        memory = [process.ask("memory") for process in (before, after)]
    gains = sorted(b / a for b, a in pairs)
    return {
        "workload": workloads[0].id,
        "threads": n_threads,
        "before": statistics.median(b for b, _ in pairs),
        "after": statistics.median(a for _, a in pairs),
        "gain": statistics.median(gains),
        "least": gains[0],
        "most": gains[-1],
        "pairs": pairs,
        "memory": memory,
    }


def chosen(only):
    names = only.split(",") if only else []
    unknown = set(names) - {workload.id for workload in WORKLOADS}
    if unknown:
        sys.exit(f"bench/against.py: no workload is called {', '.join(sorted(unknown))}")
    for workload in WORKLOADS:
        if workload.side == "driver" and (not names or workload.id in names):
            yield workload


def main():
    options = arguments()
    drivers = [folder / "bench/bench_driver" for folder in (options.before, options.after)]
    for driver in drivers:
        if not driver.is_file():
            sys.exit(f"bench/against.py: {driver} does not exist; build the target bench_driver")
    results = []
    with tempfile.TemporaryDirectory() as folder:
        with open(pathlib.Path(folder) / "log", "w") as log:
            sides = []
            for name, driver in zip(("before", "after"), drivers):
                directory = pathlib.Path(folder) / name
                directory.mkdir()
                sides.append(Ours(driver.resolve(), directory, log))
            builds = [side.peak() for side in sides]
            for workload in chosen(options.only):
                for n_threads in workload.threads:
                    if options.threads in (None, n_threads):
                        keys = (options.set_before, options.set_after)
                        both = [dataclasses.replace(workload, keys=tuple(k)) for k in keys]
                        r = compare(sides, both, n_threads, options.seconds)
                        results.append(r)
                        print(
                            f"{r['workload']:<4} {n_threads} thread{'s' if n_threads > 1 else ' '}  "
                            f"{1e3 * r['before']:9.2f} ms  {1e3 * r['after']:9.2f} ms  "
                            f"gain {r['gain']:.2f} ({r['least']:.2f} to {r['most']:.2f}, "
                            f"{len(r['pairs'])} pairs)",
                            flush=True,
                        )
    if options.json:
        document = {"machine": machine.describe(), "builds": builds, "results": results}
        options.json.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
