#!/usr/bin/env python3
"""Adds a finished run to the zoo: copies what is kept of it, scores it on 4000 test trials per task,
and writes the index and the table of docs/results/zoo.md.

  zoo/add.py runs/mine cog20-autapse-256 --about "20-Cog-tasks by units that hear only themselves"

The run must be one that zoo/make.py can make again: finished, by one commit of this repository
without changes (resuming changes no bit), with `simd` pinned in its configuration, and from no file of its own.
"""

import argparse
import csv
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from entries import MOST_BYTES, ROOT, TRIALS, ZOO, index, network_file, sha256, size, write_index

MOST_EVALUATIONS = 12  # in the tasks.csv that is kept


def refuse(message):
    sys.exit(f"zoo/add.py: {message}")


def check_run(run: Path):
    """(configuration, the session that trained it). Refuses what could not be made again."""
    if not (run / "DONE").is_file():
        refuse(f"{run}: is not a finished run; finish it with lmrnn train --resume {run}")
    config = tomllib.loads((run / "config.toml").read_text())
    provenance = json.loads((run / "provenance.json").read_text())
    makers = {(s["commit"], s["simd"]) for s in provenance["sessions"]}
    if len(makers) != 1:
        refuse(f"{run}: was resumed by another program than began it; train it again, so that one command makes it")
    if provenance.get("inputs") or config.get("source"):
        refuse(f"{run}: was made from files or data of its own; the zoo keeps configurations only")
    if config["simd"] == "auto":
        refuse(f'{run}: set simd = "avx2" in its configuration, so that most machines make the same bits')
    session = provenance["sessions"][0]
    if not re.fullmatch(r"[0-9a-f]{40}", session["commit"]):
        refuse(f"{run}: was made by commit {session['commit']}; build a commit without changes")
    known = subprocess.run(["git", "-C", ROOT, "cat-file", "-e", session["commit"] + "^{commit}"], capture_output=True)
    if known.returncode:
        refuse(f"{run}: its commit {session['commit']} is not in this repository; fetch or push it first")
    return config, session


def thin_rows(source: Path, target: Path, keep) -> None:
    """Copies the rows of a CSV file that `keep(rows)` returns."""
    with open(source, newline="") as file:
        reader = csv.DictReader(file)
        header, rows = reader.fieldnames, list(reader)
    with open(target, "w", newline="") as file:
        writer = csv.DictWriter(file, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(keep(rows))


def evaluations(rows):
    return [row for row in rows if row["mean_accuracy"]]


def some_evaluations(rows):
    """The last two evaluations, which say what is solved, and some before them."""
    steps = list(dict.fromkeys(row["step"] for row in rows))
    stride = max(1, -(-len(steps) // (MOST_EVALUATIONS - 2)))
    kept = {*steps[::-1][::stride], *steps[-2:]}
    return [row for row in rows if row["step"] in kept]


def score(program, network: Path, target: Path, threads: int) -> dict:
    """Scores on the test split, as CSV; returns their means."""
    words = [program, "eval", network, "--trials", str(TRIALS), "--threads", str(threads), "--json"]
    scores = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)
    with open(target, "w", newline="") as file:
        writer = csv.DictWriter(file, [k for k in scores["tasks"][0] if k != "solved"], lineterminator="\n",
                                extrasaction="ignore")
        writer.writeheader()
        writer.writerows({k: int(v) if isinstance(v, bool) else v for k, v in row.items()} for row in scores["tasks"])
    return scores


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a finished run directory")
    parser.add_argument("name", help="its name in the zoo, e.g. modcog82-local-1024")
    parser.add_argument("--about", default="", help="one sentence about it")
    parser.add_argument("--program", default=ROOT / "build/release/src/cli/lmrnn", help="the lmrnn that scores it")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--replace", action="store_true", help="replace a network of this name")
    options = parser.parse_args()
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", options.name):
        refuse(f'"{options.name}": names are small letters, digits and dashes, e.g. modcog82-local-1024')
    content = index()
    if options.name in content["networks"] and not options.replace:
        refuse(f"{options.name}: is in the zoo already; give another name, or --replace")
    config, session = check_run(options.run)
    done = json.loads((options.run / "DONE").read_text())
    network = network_file(options.run)

    folder = ZOO / options.name
    if folder.exists():
        shutil.rmtree(folder)
    step = folder / network.parent.relative_to(options.run)
    step.mkdir(parents=True)
    shutil.copy(network, step)
    for name in ("config.toml", "provenance.json", "DONE"):
        shutil.copy(options.run / name, folder)
    thin_rows(options.run / "metrics.csv", folder / "metrics.csv", evaluations)
    thin_rows(options.run / "tasks.csv", folder / "tasks.csv", some_evaluations)
    scores = score(options.program, step, folder / "scores.csv", options.threads)
    info = json.loads(subprocess.run([options.program, "info", step, "--json"], check=True, stdout=subprocess.PIPE,
                                     text=True).stdout)["network"]
    content["networks"][options.name] = {
        "about": options.about,
        "tasks": config["battery"]["tasks"],
        "semantics": config["battery"]["semantics"]["base"],
        "n_tasks": len(scores["tasks"]),
        "wiring": config["wiring"]["kind"],
        "units": info["units"],
        "synapses": info["recurrent_synapses"],
        "test_trials": TRIALS,
        "tasks_passed": scores["tasks_passed"],
        **{k: scores[k] for k in ("mean_accuracy", "mean_share_of_ceiling", "worst_share_of_ceiling")},
        "seed": config["seed"],
        "steps": done["steps"],
        "seconds": round(done["seconds"], 1),
        **{k: session[k] for k in ("threads", "processor", "simd", "version", "commit")},
        "sha256": sha256(network),
    }
    write_index(content)
    if size() > MOST_BYTES:
        print(f"zoo/add.py: the zoo has {size() / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:.0f} MB; take a network out",
              file=sys.stderr)
        return 1
    print(f"zoo:{options.name}: {scores['tasks_passed']} of {len(scores['tasks'])} tasks passed, "
          f"{100 * scores['mean_share_of_ceiling']:.1f}% of the ceiling; the zoo has {size() / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
