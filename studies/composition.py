#!/usr/bin/env python3
"""What networks answer in combinations of int and seq that they were not trained on (E8).

    lmrnn study run studies/e8-reach-small.toml --jobs 2
    studies/composition.py runs/e8-reach-small docs/results/data     # with the package's Python

For every trial of a task that was held out, the right answers under the rule of each of the nine combinations are
known: the same conditions, composed by the sister task. Writes STUDY-answers.csv: per run and held-out task, the share
of decision steps at which the network's answer is that of each combination, and the same for the right answer (the
score of a network without errors). Prints the means over seeds.
"""

import csv
import fnmatch
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

import lmrnn

N_TRIALS = 400
COMBINATIONS = [i + s for i in ("", "intr", "intl") for s in ("", "seqr", "seql")]


def held_out(run):
    """Tasks whose weight in training was 0."""
    return [
        task
        for pattern, weight in run.config["battery"]["weights"].items()
        if weight == 0
        for task in lmrnn.select_tasks(run.config["battery"]["tasks"])
        if fnmatch.fnmatchcase(task, pattern)
    ]


def agreement(network, task):
    """Per combination: shares of decision steps at which (answer, right answer) are its own."""
    trials = task.battery.trials(task.name, N_TRIALS, seed=1)
    answers = network.forward(trials.inputs, trials.rules)[1].argmax(-1)
    shares = np.zeros((len(COMBINATIONS), 2))
    for k, conditions in enumerate(trials.conditions):
        decision = np.flatnonzero(trials.periods[:, k] == 4)
        for c, combination in enumerate(COMBINATIONS):
            sister = task.battery[task.base + combination].compose(conditions).targets
            # Without int or seq a trial is shorter: only the rest of its decision counts.
            known = decision[decision < len(sister)]
            for column, given in enumerate((answers, trials.targets)):
                shares[c, column] += np.mean(given[known, k] == sister[known]) / N_TRIALS
    return shares


def main(directory, out):
    study = Path(directory)
    with open(study / "tables/runs.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["held_out_share"]]
    table, means = [], defaultdict(list)
    for row in rows:
        run = lmrnn.Run(study / "runs" / f"{row['run']}-{row['hash'][:8]}")
        network = run.network()
        for task in held_out(run):
            shares = agreement(network, run.battery[task])
            for combination, (answers, right) in zip(COMBINATIONS, shares):
                table.append([row["cell"], row["seed"], task, combination or "none",
                              f"{answers:.4f}", f"{right:.4f}"])
            means[row["cell"]].append(shares[:, 0])
    path = Path(out) / f"{study.name}-answers.csv"
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["cell", "seed", "task", "combination", "answers", "right_answers"])
        writer.writerows(table)
    print(path)
    print("| cell | " + " | ".join(c or "none" for c in COMBINATIONS) + " |")
    for cell, shares in means.items():
        print(f"| {cell} | " + " | ".join(f"{share:.2f}" for share in np.mean(shares, 0)) + " |")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
