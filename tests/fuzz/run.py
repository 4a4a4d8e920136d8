#!/usr/bin/env python3
"""Fuzzes the readers: every fuzz target, or the named ones, for SECONDS each.

    tests/fuzz/run.py SECONDS [READER...]      after: cmake --build --preset sanitize
    tests/fuzz/run.py SECONDS --until MINUTES [READER...]

The seed is fresh and printed. With --seed, the inputs and their order are the same every time, as far as the time
allows; for this, the corpus must be the same, too. "commit" is the seed that belongs to the commit.

With --until, the readers take turns of SECONDS each, beginning with the one that has had the least time, until every
reader has had this many minutes of processor time, including earlier runs in the record. A reader with a finding gets
no further turns.

Inputs that increase the coverage are kept in build/fuzz/corpus, findings are written to build/fuzz/findings (move them
to tests/fuzz/corpus/READER/found-* once they are fixed: ctest replays each of them), and build/fuzz/record.csv gets a
row per run. Exit 1 if there is any finding.
"""

import argparse
import csv
import os
import re
import resource
import secrets
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from commit_seed import seed_from  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build/fuzz"
SEEDS = ROOT / "tests/fuzz/corpus"
RECORD = WORK / "record.csv"
LIMITS = ["-timeout=10", "-rss_limit_mb=1500", "-malloc_limit_mb=256", "-max_len=16384"]
# With the words of their format, readers of text get to interesting inputs sooner.
WORDS = {
    "config": ["[battery]", "[wiring]", "[battery.durations]", "tasks", "uniform", "choice",
               "kind", "init_from", "\\\"\\\"\\\"", "'''", "inf", "nan", "[["],
    "set": ["battery.", "wiring.", "network.input.patch", "semantics", "durations", "kind="],
    "tasks": ["modcog", "cog20", "dly", "ctx", "intl", "intr", "seql", "seqr", "*", ",!"],
    "network": ["dtype", "F32", "U32", "U8", "shape", "data_offsets", "__metadata__", "[0,0]"],
    "safetensors": ["dtype", "F32", "BF16", "BOOL", "shape", "data_offsets", "__metadata__"],
    "golden": ["params", "observation", "direction", "delay_ms", "n_ring", "1e308", "-1", "null"],
    "run_directory": ["format", "sessions", "[{}]", "step,trials,seconds"],
    "study": ["[axis.", "[grid]", "[[override]]", "when", "set", "skip", "[tuning]", "values",
              "[[contrast]]", "[[best]]", "measure", "pruning", "[config]", "statistics", "marks",
              "optimiser.learning_rate", "finished", "diverged", "seeds"],
    "npz": ["descr", "fortran_order", "shape", "True", "<f4", ">i8", "|b1", "PK"],
}


def program_of(reader):
    return ROOT / "build/sanitize/tests/fuzz" / f"fuzz_{reader}"


def fuzz(reader, seconds, seed):
    """Fuzzes once; returns statistics, and whether anything was found."""
    corpus, findings = WORK / "corpus" / reader, WORK / "findings" / reader
    for directory in (corpus, findings):
        directory.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    words = WORK / f"{reader}.words"
    words.write_text("# words\n" + "".join(f'"{word}"\n' for word in WORDS.get(reader, ["\\x00"])))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Inputs become files, here in memory, because a disk would be waited for ten thousand times.
    memory = {"TMPDIR": "/dev/shm"} if os.access("/dev/shm", os.W_OK) else {}
    result = subprocess.run(
        [program_of(reader), f"-max_total_time={seconds}", f"-seed={seed}",
         *LIMITS, f"-dict={words}", f"-artifact_prefix={findings}/", "-print_final_stats=1", corpus,
         SEEDS / reader],
        stderr=subprocess.PIPE, text=True, errors="replace",
        env={**os.environ, **memory, "ASAN_OPTIONS": "detect_leaks=1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = without_standstill(reader, result, set(findings.iterdir()) - before)
    number = lambda pattern: int((re.findall(pattern, result.stderr) or [0])[-1])
    found = sorted(path.name for path in set(findings.iterdir()) - before)
    if result.returncode != 0:
        print(result.stderr[-6000:], file=sys.stderr)
        for line in re.findall(r"^(?:SUMMARY|broken promise).*$", result.stderr, re.M):
            found.append(line)
        found = found or [f"exit {result.returncode}"]
    return {"reader": reader, "executions": number(r"number_of_executed_units: (\d+)"),
            "cpu_seconds": round(after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime, 1),
            "edges": number(r"cov: (\d+)"), "peak_mb": number(r"peak_rss_mb:\s+(\d+)"),
            "found": "; ".join(found)}


def without_standstill(reader, result, found):
    """Filters out false time-outs. The limit of ten seconds is wall-clock time, which continues while a virtual machine
    is paused. So an input that took too long counts as a finding only if it does so again."""
    names = [path.name for path in found]
    if result.returncode == 0 or len(names) != 1 or not names[0].startswith("timeout-"):
        return result
    [path] = found
    again = subprocess.run([program_of(reader), *LIMITS, path], stderr=subprocess.PIPE, text=True,
                           errors="replace")
    if again.returncode == 0:
        print(f"{path.name}: took more than ten seconds once, and not again; no finding")
        path.unlink()
        result.returncode = 0
    return result


def turn(reader, seconds, seed):
    """Fuzzes one reader and writes the record; returns whether anything was found."""
    row = fuzz(reader, seconds, seed)
    new = not RECORD.exists()
    with RECORD.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)
    print("  ".join(f"{key} {value}" for key, value in row.items() if value != ""), flush=True)
    return bool(row["found"])


def minutes_had(reader):
    if not RECORD.exists():
        return 0
    with RECORD.open(newline="") as file:
        return sum(float(row["cpu_seconds"]) for row in csv.DictReader(file)
                   if row["reader"] == reader) / 60


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seconds", type=int)
    parser.add_argument("readers", nargs="*", metavar="READER", default=[])
    parser.add_argument("--until", type=float, metavar="MINUTES", default=0)
    parser.add_argument("--seed", type=seed_from, metavar="N",
                        help='a fresh one unless given; "commit" for the one that belongs to this commit')
    options = parser.parse_intermixed_args()
    seed = options.seed or secrets.randbelow(2**31 - 1) + 1  # for libFuzzer, 0 means "any"
    print(f"seed {seed}; the same again: tests/fuzz/run.py {options.seconds} --seed {seed}", flush=True)
    left = options.readers or sorted(path.name for path in SEEDS.iterdir())
    if not options.until:
        return any([turn(reader, options.seconds, seed) for reader in left])
    found = False
    while left := [reader for reader in left if minutes_had(reader) < options.until]:
        reader = min(left, key=minutes_had)
        if turn(reader, options.seconds, seed):
            found = True
            left.remove(reader)
    return found


if __name__ == "__main__":
    sys.exit(main())
