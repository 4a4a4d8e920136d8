"""The measures of E5 (studies/attractor.py) in cases with known values."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import lmrnn

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def attractor():
    pytest.importorskip("matplotlib")
    spec = importlib.util.spec_from_file_location("attractor", ROOT / "studies/attractor.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pool(attractor):
    run = lmrnn.zoo("cog20-autapse-256")
    return attractor.Dynamics(run.network()), run


def linear(attractor, matrix):
    """A map in which all units are active."""
    dynamics = object.__new__(attractor.Dynamics)
    dynamics.alpha, dynamics.matrix = 1.0, matrix
    return dynamics


def test_its_states_are_those_of_the_engine(attractor, pool):
    dynamics, run = pool
    task = run.battery["dlygo"]
    delay = attractor.Delay(dynamics, task, np.array([0.3]))
    trial = task.compose(task.draw(seed=1), direction=0.3, modality=1, durations={"delay": attractor.T})
    rules = np.array(trial.rule, dtype=np.int32).reshape(1, 1, -1).repeat(len(trial), axis=0)
    states, _ = run.network().forward(trial.inputs[:, None], rules=rules)
    assert np.abs(delay.states[:, 1] - states[:, 0]).max() < 1e-5 * np.abs(states).max()


def test_growth_of_normal_directions_against_the_tangent(attractor):
    n, tangent = 6, np.zeros((1, 6))
    tangent[0, 2] = 0.1
    on = [np.ones((1, n), dtype=bool)] * 3
    growth = lambda matrix, active: attractor.growths(linear(attractor, matrix), active, tangent)[0]
    shrink = np.full(n, 0.5)
    shrink[2] = 1.0
    assert growth(np.diag(shrink), on) == pytest.approx(0.125)
    assert growth(np.eye(n), on) == pytest.approx(1)
    # The part of a normal direction that is added to the tangent moves along the manifold, so it is not growth away
    # from it.
    shear = np.diag(shrink)
    shear[2, 0] = 5.0
    assert growth(shear, on) == pytest.approx(0.125)
    # The same as the singular values of the product.
    rng = np.random.default_rng(2)
    matrix, active = rng.normal(size=(n, n)), [rng.random((1, n)) < 0.8 for _ in range(3)]
    product = np.linalg.multi_dot([np.diag(a[0]) @ matrix for a in reversed(active)])
    before, after = tangent[0] / 0.1, product @ tangent[0] / np.linalg.norm(product @ tangent[0])
    away = np.eye(n) - np.outer(after, after)
    expected = np.linalg.norm(away @ product @ (np.eye(n) - np.outer(before, before)), 2)
    expected /= np.linalg.norm(product @ tangent[0]) / 0.1
    assert growth(matrix, active) == pytest.approx(expected, rel=1e-3)


def test_variance_that_groups_explain(attractor):
    groups = np.repeat(np.arange(4), 25)
    states = np.random.default_rng(1).normal(size=(100, 3))
    assert attractor.explained(groups[:, None] * np.ones(3), groups) == pytest.approx(1)
    assert attractor.explained(states, groups) < 0.15
    assert attractor.explained(np.zeros((100, 3)), groups) == 0


def test_a_state_that_turns_and_one_that_tells_the_time(attractor, monkeypatch):
    n_ring, n_steps = 16, 10
    task = SimpleNamespace(battery=SimpleNamespace(config={"omega": 2 * np.pi / 16 / 100, "dt": 100.0}))
    held = {}
    monkeypatch.setattr(attractor, "Delay", lambda *_: SimpleNamespace(held=held["states"]))
    angle = 2 * np.pi * np.tile(np.arange(n_ring), 2) / n_ring
    time = np.arange(n_steps)[:, None]
    phase = angle + 2 * np.pi / 16 * time
    held["states"] = np.stack([np.cos(phase), np.sin(phase)], axis=2)
    assert attractor.rotation(None, task, n_ring) == pytest.approx([1, 0, 0], abs=0.3)
    held["states"] = np.stack([time + 0 * phase, 0 * phase], axis=2)
    assert attractor.rotation(None, task, n_ring)[2] == pytest.approx(1)
    assert attractor.rotation(None, task, n_ring)[0] < 0.3


def test_autapses_keep_kicks_and_do_not_contract(attractor, pool):
    dynamics, run = pool
    task = run.battery["dlygo"]
    assert np.median(attractor.errors(dynamics, task, 16)) < 11.25 * attractor.DEGREE
    normal, tangent = attractor.contraction(dynamics, task, 16)
    assert (normal > 0.3).all() and (tangent > 0).all()
    moved, bound = attractor.drift(dynamics, task, 16)
    assert 0 < moved < np.pi and bound > 0
