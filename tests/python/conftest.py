"""A run of one second that tests of runs share."""

import sys
from pathlib import Path

import numpy as np
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


@pytest.fixture(autouse=True)
def figures_are_closed():
    """Figures that a test leaves open would add up over a session, until matplotlib warns of them."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def small_config():
    return {key: dict(value) if isinstance(value, dict) else value for key, value in SMALL.items()}


@pytest.fixture
def root():
    return ROOT


@pytest.fixture
def python():
    """The interpreter, for tests that need a fresh process."""
    return sys.executable


def assert_same_in_pytorch(run):
    """Checks that a run's network computes the same in PyTorch as here, to 1e-5."""
    torch = pytest.importorskip("torch")
    from lmrnn.torch import LMRNN

    network = run.network()
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(7, 3, network.n_channels)).astype(np.float32)
    rules = rng.integers(network.n_rules, size=(7, 3, 1)).astype(np.int32)
    expected = network.forward(inputs, rules)
    for backend in ("engine", "reference"):
        module = LMRNN.load(run.directory, backend=backend)
        with torch.no_grad():
            found = module(torch.from_numpy(inputs), torch.from_numpy(rules.astype(np.int64)))
        for one, other in zip(found, expected):
            np.testing.assert_allclose(one.numpy(), other, rtol=1e-5, atol=1e-5)
