"""Measured networks from Python: data of wirings, saving them, and training."""

import pickle

import lmrnn
import numpy as np
import pytest
from lmrnn import wirings
from lmrnn.wirings import layout

TYPES = ["sensory", "inter", "inter", "motor", "motor", "inter"]
PLACES = np.array([[0, 0, 0], [10, 1, 0], [20, 0, 0], [30, 1, 0], [40, 0, 0], [50, 1, 0]], float)


@pytest.fixture
def worm():
    """Six neurons in a chain that closes, with counts of contacts; the last one is inhibitory."""
    weights = np.zeros((6, 6))
    for source in range(6):
        weights[(source + 1) % 6, source] = source + 1
    weights[0, 2] = 7
    mask = lmrnn.Mask(weights)
    return wirings.Wiring(
        mask=mask, weights=weights[mask.targets, mask.sources], names=list("abcdef"), coordinates=PLACES,
        types=TYPES, excitatory=[1, 1, 1, 1, 1, 0], where="here",
    )  # fmt: skip


def small(**sections):
    from conftest import SMALL

    return SMALL | sections


def test_what_is_known_is_saved_and_read(worm, tmp_path):
    path = tmp_path / "worm.npz"
    worm.save(path)
    again = wirings.read(path)
    assert again == worm and again.types == TYPES and again.excitatory.tolist() == [True] * 5 + [False]
    assert "3 types of cells" in str(again) and "5 excitatory units, 1 inhibitory" in str(again)
    assert np.load(path)["types"].tolist() == [2, 0, 0, 1, 1, 0]  # in alphabetical order


def test_units_are_taken_with_all_that_is_known(worm):
    part = worm.take(["c", "a", "b"])
    assert part.names == ["c", "a", "b"] and part.types == ["inter", "sensory", "inter"]
    assert part.coordinates.tolist() == PLACES[[2, 0, 1]].tolist()
    assert part.matrix.tolist() == [[0, 0, 2], [7, 0, 0], [0, 1, 0]]  # b -> c, c -> a, a -> b
    assert worm.take(np.array([True] * 3 + [False] * 3)) == worm.take([0, 1, 2])
    for units, message in [
        (["x"], "no unit is named 'x'"), ([0, 0], "each unit once"), ([6], "from 0 to 5"), ([0, 3], "no synapse"),
        ([True], "1 values of bool"),
    ]:  # fmt: skip
        with pytest.raises(lmrnn.UsageError, match=message):
            worm.take(units)


def test_weights_are_scaled_with_the_signs_of_their_units(worm):
    chain = worm.replace(weights=np.where(worm.weights == 7, 0, worm.weights))
    # A cycle of six: the radius is the sixth root of the product of the weights, 720, whatever their signs.
    assert chain.scaled(0.5).weights == pytest.approx(chain.weights * 0.5 / 720 ** (1 / 6))
    signed = worm.matrix * np.where(worm.excitatory, 1, -1)
    scaled = worm.scaled(0.9)
    assert np.abs(np.linalg.eigvals(signed * scaled.weights[0] / worm.weights[0])).max() == pytest.approx(0.9)
    assert (scaled.weights > 0).all()
    unsigned = np.abs(np.linalg.eigvals(worm.replace(excitatory=None).scaled(0.9).matrix)).max()
    assert unsigned == pytest.approx(0.9)
    assert "weights_scale" in worm.keys("x.npz") and "weights_scale" not in scaled.keys("x.npz")
    with pytest.raises(lmrnn.UsageError, match="no weights"):
        worm.replace(weights=None).scaled()
    with pytest.raises(lmrnn.UsageError, match="the spectral radius is 0"):
        worm.take(["a", "b"]).scaled()


def test_units_near_in_space_are_near_on_the_sheet(worm):
    shuffled = worm.take([3, 5, 0, 4, 2, 1])
    sheet = shuffled.on_sheet(2, 3)
    # Columns by the long axis, rows by the second: y.
    assert sheet.names == ["a", "c", "e", "b", "d", "f"]
    assert sheet.matrix.sum() == worm.matrix.sum()
    assert sheet == worm.on_sheet(2, 3)
    with pytest.raises(lmrnn.UsageError, match="4 x 2 places for 6 units"):
        worm.on_sheet(4, 2)
    with pytest.raises(lmrnn.UsageError, match="no coordinates"):
        worm.replace(coordinates=None).on_sheet(2, 3)


def test_a_sheet_has_places(worm):
    sheet = worm.sheet(2, 3)
    assert (sheet.rows, sheet.cols, sheet.metric, sheet.boundary) == (2, 3, "l2", "open")
    assert sheet.distance(0, 5) == np.sqrt(2501) and sheet.spacing == pytest.approx(np.hypot(10, 1))
    assert sheet.coordinates.tolist() == PLACES.tolist()
    again = pickle.loads(pickle.dumps(sheet))
    assert again == sheet and hash(again) == hash(sheet) and again.distance(0, 5) == sheet.distance(0, 5)
    assert sheet != lmrnn.Sheet(2, 3, "l2", "open") and lmrnn.Sheet(2, 3).coordinates is None
    with pytest.raises(lmrnn.UsageError, match='wiring.boundary = "open"'):
        lmrnn.Sheet(2, 3, coordinates=PLACES)
    with pytest.raises(lmrnn.UsageError, match="15 numbers for 6 units in 3 dimensions"):
        lmrnn.Sheet(2, 3, "l2", "open", coordinates=PLACES[:5])
    with pytest.raises(lmrnn.UsageError, match="give coordinates_path"):
        lmrnn.Mask.make("local", sheet=sheet)


def test_statistics_stand_next_to_those_of_other_wirings(worm):
    statistics = worm.compare(seed=1)
    assert list(statistics) == ["wiring", "shuffled", "local"]
    assert {s["n_synapses"] for s in statistics.values()} == {7}
    lengths = layout.distances(worm.sheet())
    assert statistics["wiring"]["wire_length"] == pytest.approx((lengths * worm.mask.to_dense()).sum())
    assert statistics["local"]["wire_length"] == pytest.approx(7 * np.hypot(10, 1))
    assert statistics["shuffled"]["in_degree_max"] == statistics["wiring"]["in_degree_max"] == 2


def test_pairs_that_are_closest_by_hand():
    distance = np.array([[0, 1, 3], [1, 0, 2], [3, 2, 0]], float)
    mask = np.array([[1, 0, 1], [0, 0, 1], [1, 0, 0]], bool)  # one autapse, three others
    expected = [[True, True, False], [True, False, True], [False, False, False]]
    assert layout.closest_pairs(mask, distance).tolist() == expected


def test_bad_places_and_files_of_older_versions(worm, tmp_path):
    with pytest.raises(lmrnn.UsageError, match=r"coordinates: shape \(6,\); give \(unit, dimension\)"):
        worm.replace(coordinates=PLACES[:, 0])
    missing = PLACES.copy()
    missing[2, 1] = np.nan
    with pytest.raises(lmrnn.UsageError, match="the place of unit 2 is not finite"):
        worm.replace(coordinates=missing).on_sheet(2, 3)
    worm.save(tmp_path / "worm.npz")
    arrays = dict(np.load(tmp_path / "worm.npz"))
    del arrays["type_names"]
    np.savez(tmp_path / "numbers.npz", **arrays)
    assert wirings.read(tmp_path / "numbers.npz").types == ["2", "0", "0", "1", "1", "0"]


def test_arrays_with_the_documented_names_are_read_together(worm, tmp_path):
    path = tmp_path / "plain.npz"
    np.savez(path, mask=worm.mask.to_dense(), weights=worm.matrix, coordinates=PLACES, types=[2, 0, 0, 1, 1, 0],
             excitatory=[1, 1, 1, 1, 1, 0])  # fmt: skip
    found = wirings.read(path)
    assert found == worm.replace(names=None, types=["2", "0", "0", "1", "1", "0"])
    assert "coordinates, excitatory, types, weights" in found.notes[-1]
    assert {"weights_path", "coordinates_path", "types_path", "excitatory_path"} <= set(found.keys(path))
    assert wirings.read(path, dataset="mask").weights is None
    np.savez(path, mask=worm.mask.to_dense(), weights=np.ones(3))  # of something else
    assert wirings.read(path).weights is None
    np.savez(path, mask=worm.mask.to_dense(), weights=np.ones((6, 6)))
    with pytest.raises(lmrnn.UsageError, match="weights has synapses that mask lacks"):
        wirings.read(path)
    fewer = worm.matrix.copy()
    fewer[0, 2] = 0
    np.savez(path, mask=worm.mask.to_dense(), weights=fewer)
    assert "1 of the synapses of the mask have the weight 0" in wirings.read(path).notes[0]


def test_sizes_and_scales_that_cannot_be_are_refused(worm):
    for radius in (0, -1, np.nan, np.inf):
        with pytest.raises(lmrnn.UsageError, match="spectral_radius = .*; give a number above 0"):
            worm.scaled(radius)
    with pytest.raises(lmrnn.UsageError, match="rows = 0, cols = None; give whole numbers of at least 1"):
        worm.keys("worm.npz", rows=0)


def test_what_does_not_fit_is_refused(worm):
    for change, message in [
        ({"types": ["a"]}, "types: 1 for 6 units"), ({"excitatory": [1, 2, 0, 0, 0, 0]}, "write True"),
        ({"weights": np.ones(3)}, r"weights: shape \(3,\), but the mask has 7 synapses"),
        ({"coordinates": PLACES[:2]}, "coordinates: 2 for 6 units"),
        ({"excitatory": np.ones((6, 2))}, r"excitatory: shape \(6, 2\); give \(unit\)"),
        ({"weights": [1, 2, 3, 4, 5, 6, np.nan]}, "weights: some are not finite"),
        ({"weights": np.ma.masked_less(np.arange(7.0), 2)}, "weights: some of its entries are masked"),
    ]:  # fmt: skip
        with pytest.raises(lmrnn.UsageError, match=message):
            worm.replace(**change)


@pytest.fixture
def keys(worm, tmp_path):
    worm.save(tmp_path / "worm.npz")
    return worm.keys(tmp_path / "worm.npz", rows=2, cols=3)


def test_keys_start_a_network_with_all_that_is_known(worm, keys, tmp_path):
    run = lmrnn.Trainer(small(wiring=keys | {"gains": "types"}), tmp_path / "run").run()
    first = run.network(0).recurrent_matrix
    wanted = worm.matrix * np.where(worm.excitatory, 1, -1)  # counts get the sign of their source
    wanted *= np.sqrt(6 / (wanted**2).sum())
    np.testing.assert_allclose(first, wanted, rtol=1e-6)
    assert run.sheet.coordinates.tolist() == PLACES.tolist()
    assert lmrnn.Network.load(run.directory).trained_on()["sheet"].distance(0, 5) == np.sqrt(2501)
    gains = run.gains()
    assert list(zip(gains["target"], gains["source"])) == sorted(set(zip(gains["target"], gains["source"])))
    number = {(t, s): g for t, s, g in zip(gains["target"], gains["source"], gains["gain"])}
    types = [2, 0, 0, 1, 1, 0]
    last = run.network().recurrent_matrix
    for target, source in np.argwhere(first != 0):
        gain = number[types[target], types[source]]
        assert last[target, source] == pytest.approx(first[target, source] * gain, rel=1e-5)
    assert (run.gains(0)["gain"] == 1).all()
    text = lmrnn.methods(run)
    for part in ("measured coordinates", "started at measured ones, scaled", "a gain for each pair of types"):
        assert part in text


def test_pytorch_computes_the_same(keys, tmp_path):
    from conftest import assert_same_in_pytorch

    assert_same_in_pytorch(lmrnn.Trainer(small(wiring=keys | {"gains": "types"}), tmp_path / "run").run())


def test_all_weights_or_none_can_be_trained(keys, tmp_path):
    free = lmrnn.Trainer(small(wiring=keys), tmp_path / "free").run()
    assert (free.network().recurrent_matrix != free.network(0).recurrent_matrix).any()
    with pytest.raises(lmrnn.UsageError, match="has no gains; it trained weights"):
        free.gains()
    fixed = lmrnn.Trainer(small(wiring=keys | {"plastic": {"kind": "none"}}), tmp_path / "fixed").run()
    assert (fixed.network().recurrent_matrix == fixed.network(0).recurrent_matrix).all()


def test_a_local_mask_of_places(keys):
    options = {k: keys[k] for k in ("rows", "cols", "metric", "boundary", "coordinates_path")}
    mask = lmrnn.Mask.make("local", radius=11, autapses=False, **options)
    assert np.argwhere(mask.to_dense()).tolist() == sorted(
        [[i, i + 1] for i in range(5)] + [[i + 1, i] for i in range(5)]
    )
    assert lmrnn.Mask.make("exponential", seed=1, density=0.3, length=10, **options).n_synapses > 0


def test_convert_names_all_keys(worm, tmp_path, capsys):
    from lmrnn.wirings.__main__ import main

    worm.save(tmp_path / "in.npz")
    assert main(["convert", str(tmp_path / "in.npz"), str(tmp_path / "out.npz")]) == 0
    out = capsys.readouterr().out
    for key in ("weights_path", 'weights_scale = "fan-in"', "coordinates_path", "types_path", "excitatory_path"):
        assert key in out


def test_types_of_cells_of_a_graph():
    networkx = pytest.importorskip("networkx")
    graph = networkx.DiGraph([("a", "b"), ("b", "a")])
    assert wirings.read(graph).types is None
    networkx.set_node_attributes(graph, {"a": "sensory", "b": "motor"}, "cell_type")
    assert wirings.read(graph).types == ["sensory", "motor"]
