#!/usr/bin/env bash
# optuna 5.0.0: a search that is resumed with its seed tries the points that it has tried. (2026-11-29)
#
# A good guess: a study in a database that is opened again (load_if_exists=True) with the same script goes on where it
#               stopped. With a seeded sampler, 4 trials and then 4 more are the 8 trials of one uninterrupted run.
# Instead:      the database holds the trials, not the state of the sampler. RandomSampler(seed=1) starts from its
#               seed in each process and draws the same values again, and so does TPESampler as long as it draws
#               at random (its first 10 trials). Jobs of an array that run the same script on one study all try
#               the same points: the budget is spent on repetitions, which look like a good
#               reproduction of the result. QMCSampler goes on, as it counts the trials of the study.
# What to do:   pickle the sampler after each trial and load it; or seed=hash of (seed, len(study.trials), number of
#               the job); or QMCSampler.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 optuna==5.0.0
observe <<'PYTHON'
import subprocess
import sys

import optuna

program = """
import sys
import optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
name, count = sys.argv[1], int(sys.argv[2])
sampler = getattr(optuna.samplers, name)(seed=1)
study = optuna.create_study(study_name=name, storage=f"sqlite:///{sys.argv[3]}.db", load_if_exists=True, sampler=sampler)
study.optimize(lambda trial: trial.suggest_float("learning_rate", 0, 1), n_trials=count)
print(*[round(trial.params["learning_rate"], 3) for trial in study.trials])
"""


def values(name, counts, file):
    for count in counts:
        text = subprocess.run([sys.executable, "-s", "-W", "ignore", "-c", program, name, str(count), file],
                              check=True, stdout=subprocess.PIPE, text=True).stdout
    return [float(word) for word in text.split()]


print("optuna", optuna.__version__)
for name in ("RandomSampler", "TPESampler", "QMCSampler"):
    resumed, whole = values(name, [4, 4], "resumed"), values(name, [8], "whole")
    print(f"{name}: 4 trials, resumed for 4 more: {len(set(resumed))} points {resumed}")
    print(f"{name}: 8 trials in one process:      {len(set(whole))} points {whole}")
    assert resumed[:4] == whole[:4] and len(set(whole)) == 8
    assert (resumed[4:] == resumed[:4]) == (name != "QMCSampler")
PYTHON
