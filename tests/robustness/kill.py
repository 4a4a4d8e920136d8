#!/usr/bin/env python3
"""Kills a training with SIGKILL at random moments, resumes it, and compares the result.

    LMRNN=build/release/src/cli/lmrnn tests/robustness/kill.py RUNS [--seed N] [--record DIRECTORY]

Every run is killed at a random moment of its first session, and sometimes in later sessions; the last session ends
normally. Then checkpoints (SHA-256 of both files), metrics.csv (without its column of seconds), tasks.csv and DONE must
equal those of an undisturbed run. After every kill the directory is inspected as it is: each file with a final name
must be whole, and only the steps since the last checkpoint may be lost.

The configuration writes a checkpoint and rows at every step, so that about half of the time is spent writing; a quarter
of the kills waits until a checkpoint's temporary directory appears, so that they certainly interrupt its writing. Exit
1 unless all runs are identical.

With --record, a line per run is added to runs.jsonl in that directory, and runs that are not identical are kept there;
when started again, the harness continues after the last line. The random moments of a run depend only on seed and
number.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

PROGRAM = os.environ["LMRNN"]
N_STEPS = 120
CONFIG = f"""
seed = 5
[battery]
tasks = "go,dlygointr,antiseqr"
[wiring]
rows = 4
cols = 4
radius = 1
[stream]
batch = 16
steps = 40
[train]
steps = {N_STEPS}
log_every = 1
[evaluation]
every = 20
trials = 20
[checkpoint]
every = 1
keep_last = 2
keep_every = 30
"""


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fingerprint(run):
    """Everything in a run directory that does not depend on the clock."""
    result = {str(path.relative_to(run)): digest(path)
              for path in sorted((run / "checkpoints").rglob("*.safetensors"))}
    rows = [row.split(",") for row in (run / "metrics.csv").read_text().splitlines()]
    result["metrics.csv"] = [row[:2] + row[3:] for row in rows]
    result["tasks.csv"] = (run / "tasks.csv").read_text()
    done = json.loads((run / "DONE").read_text())
    result["DONE"] = {key: value for key, value in done.items() if key != "seconds"}
    result["files"] = sorted(str(path.relative_to(run)) for path in run.rglob("*"))
    return result


def checkpoint_steps(run):
    return sorted(int(path.name[5:]) for path in run.glob("checkpoints/step-*"))


def last_row(table):
    """The step of the last whole row of metrics.csv."""
    rows = table.read_text().split("\n")[1:-1]
    return max((int(row.split(",")[0]) for row in rows), default=0)


def inspect(run, interval=1):
    """The errors in a directory that a killed process left, of a run that writes a row per step and a checkpoint per
    `interval` steps; an empty list if there are none."""
    wrong = []
    for checkpoint in run.glob("checkpoints/step-*"):
        for name in ("network.safetensors", "state.safetensors"):
            try:
                content = (checkpoint / name).read_bytes()
                size = int.from_bytes(content[:8], "little")
                header = json.loads(content[8:8 + size])
                end = max(entry["data_offsets"][1] for key, entry in header.items()
                          if key != "__metadata__")
                if len(content) != 8 + size + end:
                    wrong.append(f"{checkpoint.name}/{name} is cut short")
            except (OSError, ValueError) as error:
                wrong.append(f"{checkpoint.name}/{name}: {error}")
    for name in ("provenance.json", "DONE"):
        if (run / name).exists():
            try:
                json.loads((run / name).read_text())
            except ValueError as error:
                wrong.append(f"{name}: {error}")
    saved = max(checkpoint_steps(run), default=0)
    if (run / "metrics.csv").exists():
        logged = last_row(run / "metrics.csv")
        if not saved <= logged <= saved + interval:
            wrong.append(f"rows up to step {logged}, checkpoints up to {saved}")
    return wrong


def session(run, config, kill_after, at_writing):
    """Trains until the end, or kills after `kill_after` seconds. Returns "killed", "done" or the program's message."""
    fresh = not (run / "config.toml").exists()
    arguments = [config, "--out", run] if fresh else ["--resume", run]
    program = subprocess.Popen([PROGRAM, "train", *arguments, "--threads", "1"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if kill_after is not None:
        deadline = time.monotonic() + kill_after
        while time.monotonic() < deadline and program.poll() is None:
            time.sleep(min(0.001, max(0, deadline - time.monotonic())))
        limit = time.monotonic() + 0.5
        while at_writing and program.poll() is None and time.monotonic() < limit:
            if any(run.glob("checkpoints/.writing-*")):
                break
        program.kill()
    _, said = program.communicate(timeout=3600)  # longer means a hang; even slow machines are faster
    if program.returncode == -9:
        return "killed"
    return "done" if program.returncode == 0 else f"exit {program.returncode}: {said[-300:]}"


def torture(run, config, generator, seconds):
    """Kills and resumes until the run is done. Returns its sessions, where kills hit, and errors."""
    n_kills, wrong, fell = 0, [], Counter()
    while not (run / "DONE").exists():
        last = n_kills > 0 and generator.random() < 0.6
        kill_after = None if last else generator.uniform(0, seconds)
        outcome = session(run, config, kill_after, generator.random() < 0.25)
        if outcome not in ("killed", "done"):
            return n_kills, wrong + [outcome], fell
        if outcome == "done":
            break
        n_kills += 1
        wrong += inspect(run)
        if not (run / "config.toml").exists():
            fell["before there was a configuration"] += 1
        elif any(run.glob("checkpoints/.writing-*")):
            fell["within the writing of a checkpoint"] += 1
        elif any(run.glob("checkpoints/.removing-*")):
            fell["within the removal of one"] += 1
        elif any(run.rglob("*.tmp-*")):
            fell["within the writing of another file"] += 1
        else:
            fell["elsewhere"] += 1
    return n_kills, wrong, fell


def compare(run, expected):
    """The differences from the undisturbed run."""
    try:
        found = fingerprint(run)
    except (OSError, ValueError) as error:
        return [str(error)]
    return [f"differs in {key}" for key in expected if found.get(key) != expected[key]]


def one_run(number, options, directory, config, seconds, expected):
    """Does one run; returns its line for the record."""
    run = directory / f"run{number}"
    generator = random.Random(f"{options.seed}/{number}")
    n_kills, wrong = 0, []
    while not n_kills and not wrong:  # repeat if it ended before it was killed
        shutil.rmtree(run, ignore_errors=True)
        n_kills, wrong, fell = torture(run, config, generator, seconds)
    wrong = wrong or compare(run, expected)
    for what in wrong:
        print(f"run {number} (seed {options.seed}): {what}", flush=True)
    if wrong and options.record:
        shutil.copytree(run, options.record / run.name, dirs_exist_ok=True)
    shutil.rmtree(run, ignore_errors=True)
    return {"seed": options.seed, "run": number, "kills": n_kills, "fell": fell, "wrong": wrong}


def recorded(path, seed):
    if not path.exists():
        return []
    return [line for line in map(json.loads, path.read_text().splitlines()) if line["seed"] == seed]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", type=int)
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    parser.add_argument("--record", type=Path, metavar="DIRECTORY", help="of earlier runs and this one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        config = directory / "kill.toml"
        config.write_text(CONFIG)
        began = time.monotonic()
        if (outcome := session(directory / "whole", config, None, False)) != "done":
            sys.exit(f"the undisturbed run: {outcome}")
        seconds = time.monotonic() - began
        expected = fingerprint(directory / "whole")
        record = (options.record or directory) / "runs.jsonl"
        record.parent.mkdir(parents=True, exist_ok=True)
        lines = recorded(record, options.seed)
        with record.open("a") as file:
            for number in range(len(lines), options.runs):
                lines.append(one_run(number, options, directory, config, seconds, expected))
                print(json.dumps(lines[-1]), file=file, flush=True)
    n_same = sum(not line["wrong"] for line in lines)
    n_kills = sum(line["kills"] for line in lines)
    fell = sum((Counter(line["fell"]) for line in lines), Counter())
    print(f"{n_same} of {len(lines)} runs identical; {n_kills} kills of a run of {seconds:.1f} s:")
    for where, n in fell.most_common():
        print(f"  {n:4} {where}")
    return n_same != len(lines)


if __name__ == "__main__":
    sys.exit(main())
