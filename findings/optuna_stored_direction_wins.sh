#!/usr/bin/env bash
# optuna 5.0.0: direction="maximize" is ignored, without a word, if the study exists. (2026-11-30)
#
# A good guess: create_study(..., load_if_exists=True, direction="maximize") of a stored study that minimises raises an
#               error or warns, as those of 2021 did ("Cannot overwrite study direction").
# Instead:      it returns the stored study and drops `direction` and `directions`. Whoever forgot the direction in the
#               first script and adds it in the second one goes on minimising the accuracy: the search looks for the
#               worst networks, and best_trial is the worst of all. directions=["minimize", "maximize"] gives a study
#               of one value. The only message is "Using an existing study", at level INFO.
# What to do:   after create_study, compare study.directions with those that you asked for.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 optuna==5.0.0
observe <<'PYTHON'
import warnings

import optuna

warnings.simplefilter("error")
optuna.logging.set_verbosity(optuna.logging.WARNING)
stored = {"study_name": "search", "storage": "sqlite:///search.db", "load_if_exists": True}


def accuracy(trial):
    return 1 - (trial.suggest_float("leak", 0, 1) - 0.3) ** 2  # the best leak is 0.3


def sampler(seed):
    return optuna.samplers.TPESampler(seed=seed)


optuna.create_study(**stored, sampler=sampler(1)).optimize(accuracy, n_trials=20)  # the direction was forgotten
study = optuna.create_study(**stored, direction="maximize", sampler=sampler(2))
study.optimize(accuracy, n_trials=30)
two = optuna.create_study(**stored, directions=["minimize", "maximize"])
fresh = optuna.create_study(direction="maximize", sampler=sampler(2))
fresh.optimize(accuracy, n_trials=50)
values = [trial.value for trial in study.trials]
print("optuna", optuna.__version__)
print('asked for: "maximize"; the direction of the study:', study.direction.name)
print("asked for two directions; the study has:", len(two.directions))
print(f"best_value {study.best_value:.3f}; lowest {min(values):.3f} and highest accuracy {max(values):.3f} of all trials")
print(f"best leak: {study.best_params['leak']:.2f}; of a new study: {fresh.best_params['leak']:.2f}")
assert study.direction.name == "MINIMIZE" and len(two.directions) == 1
assert study.best_value == min(values) < 0.6 and study.best_params["leak"] > 0.9
assert abs(fresh.best_params["leak"] - 0.3) < 0.05
PYTHON
