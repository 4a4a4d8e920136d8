"""A run of a second, shared by the tests that look at runs."""

import sys
from pathlib import Path

import pytest

import lmrnn

ROOT = Path(__file__).resolve().parents[2]

SMALL = {
    "seed": 7,
    "battery": {"tasks": "go,dlygointr,antiseqr,dm1,dmc"},
    "wiring": {"rows": 6, "cols": 6, "radius": 2},
    "stream": {"batch": 16, "steps": 40},
    "train": {"steps": 40, "log_every": 10},
    "evaluation": {"every": 20, "trials": 50},
    "checkpoint": {"every": 10, "keep_every": 20},
}


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    directory = tmp_path_factory.mktemp("runs") / "small"
    return lmrnn.Trainer(SMALL, directory).run()


@pytest.fixture
def small_config():
    return {key: dict(value) if isinstance(value, dict) else value for key, value in SMALL.items()}


@pytest.fixture
def root():
    return ROOT


@pytest.fixture
def python():
    """The interpreter, for tests of what a fresh process does."""
    return sys.executable
