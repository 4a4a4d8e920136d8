"""studies/composition.py: which combination of int and seq explains a network's answers."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import lmrnn

path = Path(__file__).resolve().parents[2] / "studies/composition.py"
spec = importlib.util.spec_from_file_location("composition", path)
composition = importlib.util.module_from_spec(spec)
spec.loader.exec_module(composition)


class Oracle:
    """Answers every trial of `task` like the task of that combination."""

    def __init__(self, task, combination):
        sister = task.battery[task.base + combination]
        trials = task.battery.trials(task.name, composition.N_TRIALS, seed=1)
        self.answers = np.zeros(trials.targets.shape, int)
        for k, conditions in enumerate(trials.conditions):
            targets = sister.compose(conditions).targets
            self.answers[: len(targets), k] = targets[: len(self.answers)]

    def forward(self, inputs, rules):
        return None, np.eye(17)[self.answers]


@pytest.mark.parametrize("combination", ["intrseql", "intlseqr", "seqr"])
def test_answers_of_a_combination_are_recognised(combination):
    task = lmrnn.Battery("dlygo*")["dlygointrseql"]
    answers, right = composition.agreement(Oracle(task, combination), task).T
    named = composition.COMBINATIONS.index
    assert answers[named(combination)] == pytest.approx(1)
    assert right[named("intrseql")] == pytest.approx(1)
    # Differs only in seq, so it is the same in the first step of five.
    assert right[named("intrseqr")] == pytest.approx(0.2)
    assert all(answers[i] < 0.5 for i in range(9) if i != named(combination))
