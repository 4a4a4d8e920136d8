"""Excitatory and inhibitory units, and the cost of wire, from Python."""

import copy
import pickle

import lmrnn
import numpy as np
import pytest

TYPED = {
    "wiring": {"rows": 6, "cols": 6, "radius": 2, "excitatory": 0.75, "radius_ei": 3},
    "loss": {"wire_penalty": 1e-3},
    "optimiser": {"learning_rate": 0.01},
}


@pytest.fixture(scope="module")
def typed_run(tmp_path_factory):
    from conftest import SMALL

    directory = tmp_path_factory.mktemp("runs") / "typed"
    return lmrnn.Trainer(SMALL | TYPED, directory).run()


@pytest.fixture(scope="module")
def network(typed_run):
    return lmrnn.Network.load(typed_run.directory)


def test_a_trained_network_obeys_dales_law(network):
    assert network.excitatory.dtype == bool
    assert network.excitatory.sum() == 27
    columns = network.recurrent_matrix.T  # a row per source
    assert (columns[network.excitatory] >= 0).all()
    assert (columns[~network.excitatory] <= 0).all()
    assert columns.min() < 0 < columns.max()


def test_the_table_has_the_wire_of_every_evaluation(typed_run, network):
    metrics = typed_run.metrics
    assert (np.isfinite(metrics["wire"]) == np.isfinite(metrics["mean_accuracy"])).all()
    sheet = lmrnn.Sheet(6, 6)
    lengths = np.array([sheet.distances_from(unit).ravel() for unit in range(36)])
    wire = (lengths * np.abs(network.recurrent_matrix)).sum()
    assert metrics["wire"][-1] == pytest.approx(wire, rel=1e-5)


def test_the_methods_say_it(typed_run):
    text = lmrnn.methods(typed_run)
    assert "27 were excitatory and 9 inhibitory (drawn at random)" in text
    assert "The largest distance was 3 from excitatory onto inhibitory units." in text
    assert "The loss included 0.001 times the sum" in text


def test_copies_keep_the_types(network, tmp_path):
    network.save(tmp_path / "saved.safetensors")
    copies = [
        pickle.loads(pickle.dumps(network)),
        copy.deepcopy(network),
        lmrnn.Network.load(tmp_path / "saved.safetensors"),
    ]
    for other in copies:
        assert (other.excitatory == network.excitatory).all()
    assert lmrnn.Network(np.eye(3), n_channels=1, n_classes=2).excitatory is None


def test_a_network_of_your_own_starts_with_the_signs_of_its_units():
    types = [True, False, True, True]
    network = lmrnn.Network(np.ones((4, 4)), n_channels=1, n_classes=2, excitatory=types)
    network.initialise(seed=1)
    assert (np.sign(network.recurrent_matrix) == np.where(types, 1, -1)).all()
    with pytest.raises(lmrnn.UsageError, match="excitatory is 2 at unit 1"):
        lmrnn.Network(np.ones((4, 4)), n_channels=1, n_classes=2, excitatory=[1, 2, 0, 0])
    with pytest.raises(lmrnn.UsageError, match="3 units have a type"):
        lmrnn.Network(np.ones((4, 4)), n_channels=1, n_classes=2, excitatory=[1, 1, 0])


def test_radii_of_pairs_need_a_seed():
    keys = {"rows": 6, "cols": 6, "radius": 2, "excitatory": 0.75, "radius_ii": 1}
    with pytest.raises(lmrnn.UsageError, match="say which"):
        lmrnn.Mask.make("local", **keys)
    assert lmrnn.Mask.make("local", seed=1, **keys) != lmrnn.Mask.make("local", seed=2, **keys)
    lmrnn.Mask.make("local", excitatory_placement="lattice", **keys)


def test_pytorch_computes_the_same_and_hands_the_types_back(typed_run, network):
    from conftest import assert_same_in_pytorch

    assert_same_in_pytorch(typed_run)
    import lmrnn.torch

    module = lmrnn.torch.LMRNN.load(typed_run.directory)
    assert (module.to_network().excitatory == network.excitatory).all()
