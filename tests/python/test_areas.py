"""Networks of several areas from Python: everything that depends on which unit is where."""

import math
import pickle

import lmrnn
import numpy as np
import pytest

AREAS = {
    "wiring": {
        "radius": 1,
        "areas": [{"name": "sensory", "rows": 3, "cols": 4}, {"name": "motor", "rows": 2, "cols": 3, "radius": 2}],
        "projections": [{"from": "sensory", "to": "motor", "density": 0.5}],
        "between_density": 0.25,
    },
    "network": {"input": {"areas": ["sensory"]}, "readout": {"areas": ["motor"]}},
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    from conftest import SMALL

    return lmrnn.Trainer(SMALL | AREAS, tmp_path_factory.mktemp("runs") / "areas").run()


def test_a_run_and_its_network_know_the_area_of_each_unit(run):
    for sheet in (run.sheet, lmrnn.Network.load(run.directory).trained_on()["sheet"]):
        assert list(sheet.areas) == ["sensory", "motor"] and sheet.n_units == 18
        assert (sheet.areas["motor"].rows, sheet.areas["motor"].cols) == (2, 3)
        assert sheet.unit_areas.tolist() == [0] * 12 + [1] * 6
        assert sheet.units_of("motor").tolist() == list(range(12, 18))
        assert sheet.distance(0, 11) == sheet.areas["sensory"].distance(0, 11)
        assert sheet.distance(0, 12) == np.inf
        assert sheet.distances_from(12).ravel()[:12].tolist() == [np.inf] * 12
    with pytest.raises(lmrnn.UsageError, match='"moter" is not one of .*; did you mean "motor"'):
        run.sheet.units_of("moter")
    with pytest.raises(lmrnn.UsageError, match="no areas"):
        lmrnn.Sheet(2, 2).units_of("motor")
    assert lmrnn.Sheet(2, 2).areas == {} and lmrnn.Sheet(2, 2).unit_areas.tolist() == [0] * 4


def test_wire_is_told_only_if_all_synapses_have_a_length(run, tmp_path):
    from conftest import SMALL

    assert np.isnan(run.metrics["wire"]).all()  # must not be that of synapses within areas
    wiring = AREAS["wiring"] | {"between_length": 3}
    known = lmrnn.Trainer(SMALL | AREAS | {"wiring": wiring}, tmp_path / "run").run()
    assert np.array_equal(np.isnan(known.metrics["wire"]), np.isnan(known.metrics["mean_accuracy"]))


def test_masks_are_those_of_areas(run):
    network = run.network()
    mask, motor = network.recurrent.to_dense(), run.sheet.units_of("motor")
    sensory = run.sheet.units_of("sensory")
    assert mask[np.ix_(motor, sensory)].sum() == 36 and mask[np.ix_(sensory, motor)].sum() == 18
    assert not network.weights["input"][motor].any() and network.weights["input"][sensory].all()
    assert not network.weights["readout"][:, sensory].any()
    found = network.recurrent.statistics(run.sheet)
    assert found["between"]["sensory", "motor"] == {"n_synapses": 36, "density": 0.5}
    alone = lmrnn.Mask.make("local", rows=2, cols=3, radius=2).statistics(lmrnn.Sheet(2, 3))
    assert found["areas"]["motor"] == alone
    assert "areas" not in alone


def test_sheets_of_areas_are_values(run):
    sheet = lmrnn.Sheet.of_areas({"sensory": (3, 4), "motor": (2, 3)})
    assert sheet == run.sheet and hash(sheet) == hash(run.sheet)
    assert sheet != lmrnn.Sheet.of_areas({"motor": (3, 4), "sensory": (2, 3)})
    assert sheet != lmrnn.Sheet(1, 18)
    again = pickle.loads(pickle.dumps(sheet))
    assert again == sheet and list(again.areas) == ["sensory", "motor"]
    assert repr(sheet) == (
        'Sheet.of_areas({"sensory": (3, 4), "motor": (2, 3)}, metric="l1", boundary="torus")'
    )
    apart = lmrnn.Sheet.of_areas({"a": (1, 1), "b": (1, 1)}, between_length=0.1234567)
    assert pickle.loads(pickle.dumps(apart)) == apart and eval(repr(apart), {"Sheet": lmrnn.Sheet}) == apart
    assert lmrnn.Mask([[0, 1], [1, 0]]).statistics(apart)["wire_length"] == 2 * 0.1234567
    unknown = lmrnn.Sheet.of_areas({"a": (1, 1), "b": (1, 1)})
    assert "between_length" not in repr(unknown)
    assert pickle.loads(pickle.dumps(unknown)) == unknown != apart
    assert math.isnan(lmrnn.Mask([[0, 1], [1, 0]]).statistics(unknown)["wire_length"])
    assert lmrnn.Mask([[1, 0], [0, 1]]).statistics(unknown)["wire_length"] == 0
    with pytest.raises(lmrnn.UsageError, match="between_length"):
        lmrnn.Sheet.of_areas({"a": (1, 1)}, between_length=-1)
    for sizes in ({"a": 3}, {"a": (2, 3, 4)}, {1: (2, 3)}):
        with pytest.raises(lmrnn.UsageError, match=r"areas: .*; give names of areas with \(rows, cols\)"):
            lmrnn.Sheet.of_areas(sizes)
    with pytest.raises(lmrnn.UsageError, match="letters, digits"):
        lmrnn.Sheet.of_areas({"a b": (1, 1)})
    with pytest.raises(lmrnn.UsageError, match="out of range"):
        lmrnn.Sheet.of_areas({"a": (0, 1)})
    with pytest.raises(lmrnn.UsageError, match="this sheet has areas"):
        lmrnn.Mask.make("local", sheet=sheet)


def test_masks_of_areas_are_made_from_keywords():
    keywords = {"rows": 2, "cols": 2, "radius": 0, "areas": [{"name": "a"}, {"name": "b"}]}
    mask = lmrnn.Mask.make("local", seed=1, between_density=0.5, **keywords)
    assert mask.n_synapses == 8 + 2 * 8
    with pytest.raises(lmrnn.UsageError, match="seed"):
        lmrnn.Mask.make("local", between_density=0.5, **keywords)
    assert lmrnn.Mask.make("local", between_density=0, **keywords).n_synapses == 8


def test_a_mask_of_ones_own_has_the_units_of_all_areas(tmp_path):
    from conftest import SMALL

    wiring = {"areas": [{"name": "a", "rows": 2, "cols": 3}, {"name": "b", "rows": 2, "cols": 2}]}
    config = SMALL | {"wiring": wiring, "train": {"steps": 2}}
    run = lmrnn.Trainer(config, tmp_path / "run", mask=np.ones((10, 10))).run()
    assert run.network().recurrent.n_synapses == 100 and list(run.sheet.areas) == ["a", "b"]
    with pytest.raises(lmrnn.UsageError, match="wiring.areas have 10 units"):
        lmrnn.Trainer(config, tmp_path / "other", mask=np.ones((9, 9)))


def test_analyses_report_and_methods_know_areas(run):
    maps = lmrnn.analyze(run, "sheet", trials=20, permutations=19)
    with maps.recording("maps") as file:
        assert file["map000"].shape == (18,) and file.attrs["areas"] == "sensory 3x4, motor 2x3"
    distances = maps.table("autocorrelation")["distance"]
    assert max(distances) == 3  # 3 x 4 on a torus: 1 row and 2 columns
    image = lmrnn.plot.sheet_maps(maps, n=2)[0, 0].images[0].get_array()
    assert np.ma.filled(image, np.nan).shape == (3, 8)
    weights = lmrnn.analyze(run, "weights")
    table = weights.table("areas")
    assert list(zip(table["from"], table["to"])) == [
        ("sensory", "sensory"), ("sensory", "motor"), ("motor", "sensory"), ("motor", "motor"),
    ]  # fmt: skip
    assert table["synapses"].tolist()[1:3] == [36, 18]
    within = table["synapses"][0] + table["synapses"][3]
    assert sum(weights.table("distance")["synapses"]) == within
    assert sum(weights.table("wire_length")["synapses"]) == within
    assert "weights_and_areas_adjusted_rand" in lmrnn.analyze(run, "modularity", trials=2).summary
    text = lmrnn.methods(run)
    assert "The areas were sensory (3 × 4, radius 1), motor (2 × 3, radius 2)." in text
    assert "50% from sensory to motor, 25% from every other area to every other" in text
    assert "Only units of sensory received input." in text
    from lmrnn.report import write_report

    page = write_report(run.directory).read_text()
    assert "sensory to motor" in page and "sensory (3 x 4), motor (2 x 3)" in page


def test_nwb_says_the_area_of_each_unit(run, tmp_path):
    pynwb = pytest.importorskip("pynwb")
    path = tmp_path / "areas.nwb"
    lmrnn.nwb.write(run, path, tasks="go", trials=2, seed=1, directions=2)
    with pynwb.NWBHDF5IO(str(path), "r") as file:
        units = file.read().processing["misc"]["units_of_the_network"].to_dataframe()
    assert units["area"].tolist() == ["sensory"] * 12 + ["motor"] * 6
    assert units["row"].tolist()[12:] == [0, 0, 0, 1, 1, 1]
    assert units["column"].tolist()[:5] == [0, 1, 2, 3, 0]


def test_pytorch_computes_the_same(run):
    from conftest import assert_same_in_pytorch

    assert_same_in_pytorch(run)
