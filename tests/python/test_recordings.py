"""Recordings and runs opened by other packages: xarray, netCDF, NWB."""

import json

import numpy as np
import pytest

import lmrnn

pytestmark = pytest.mark.filterwarnings("default")  # those of other packages are not ours


@pytest.fixture(scope="module")
def recorded(small_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("record") / "record"
    return lmrnn.analyze(small_run, "record", out=out, seed=1, trials=6, tasks="go,dlygointr")


def test_xarray_shows_dimensions_with_coordinates(recorded):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    with xarray.open_dataset(recorded.directory / "recording.h5", engine="h5netcdf", group="go") as data:
        assert data["states"].dims == ("time", "unit", "trial")
        assert data["inputs"].dims == ("time", "channel", "trial")
        assert set(data.coords) >= {"time", "unit", "trial", "class", "channel"}
        assert data["time"].attrs["units"] == "ms"
        assert np.array_equal(np.diff(data["time"]), np.full(data.sizes["time"] - 1, 100.0))
        assert np.array_equal(data["unit"], np.arange(36))
        with recorded.recording("recording") as file:
            assert np.array_equal(data["states"], file["go/states"])
        late = data["states"].sel(time=slice(500, None), unit=3)
        assert late.dims == ("time", "trial")
    conditions = xarray.open_dataset(
        recorded.directory / "recording.h5", engine="h5netcdf", group="go/conditions"
    )
    with conditions:
        assert conditions["direction"].dims == ("trial",)


def test_to_xarray_has_conditions_as_coordinates(recorded):
    pytest.importorskip("xarray")
    with recorded.recording("recording") as file:
        assert file.tasks == ["dlygointr", "go"]
        data = file.to_xarray("go")
        with pytest.raises(lmrnn.UsageError, match="choose one of dlygointr, go"):
            file.to_xarray()
        with pytest.raises(lmrnn.UsageError, match="no task antigo; there is dlygointr, go"):
            file.to_xarray("antigo")
    assert data["states"].dims == ("time", "unit", "trial") and data.attrs["task"] == "go"
    assert data["direction"].dims == ("trial",) and "direction" in data.coords
    by_direction = data["states"].groupby("direction").mean()
    assert by_direction.sizes["direction"] == len(np.unique(data["direction"]))


def test_what_comes_after_a_trial_belongs_to_no_trial(small_run, tmp_path):
    pytest.importorskip("xarray")
    made = lmrnn.analyze(small_run, "record", out=tmp_path / "r", seed=1, trials=40, tasks="dlygointr")
    with made.recording("recording") as file:
        data = file.to_xarray("dlygointr")
    after = np.arange(data.sizes["time"])[:, None] >= data["lengths"].values
    assert after.any() and not after.all()
    assert np.array_equal(np.isnan(data["states"].values).all(axis=1), after)
    assert np.array_equal(np.isnan(data["states"].values).any(axis=1), after)
    assert np.array_equal(data["periods"].values == 255, after)
    assert "255 after the trial" in data["periods"].attrs["long_name"]
    for name in ("logits", "inputs"):
        assert not data[name].values.transpose(0, 2, 1)[after].any() and np.isfinite(data[name].values).all()
    # Accuracies of whole trials, as in an evaluation, computed only from the recording.
    decision = data["periods"] == 4
    right = (data["logits"].argmax("class") == data["targets"]).where(decision)
    with made.recording("recording") as file:
        logits, targets, lengths = (file[f"dlygointr/{name}"][:] for name in ("logits", "targets", "lengths"))
        periods = file["dlygointr/periods"][:]
    by_hand = [
        (logits[:n, :, k].argmax(axis=1) == targets[:n, k])[periods[:n, k] == 4].mean() for k, n in enumerate(lengths)
    ]
    assert np.allclose(right.mean("time"), by_hand)


def test_netcdf4_groups_share_dimensions(recorded):
    h5netcdf = pytest.importorskip("h5netcdf")
    with h5netcdf.File(recorded.directory / "recording.h5", "r") as file:
        go = file["go"]
        assert {"time", "unit", "trial", "channel", "class", "slot"} <= set(go.dimensions)
        assert go["conditions"]["direction"].dimensions == ("trial",)
        assert go["states"].dimensions == ("time", "unit", "trial")


def test_every_recording_opens(small_run, tmp_path):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    opened = 0
    for name in ("confusion", "variance", "dimensionality", "sheet"):
        analysis = lmrnn.analyze(small_run, name, out=tmp_path / name, seed=1)
        for path in sorted((tmp_path / name).glob("*.h5")):
            with xarray.open_dataset(path, engine="h5netcdf") as data:
                assert not any(str(dimension).startswith("phony") for dimension in data.sizes)
            with analysis.recording(path.stem) as file:
                assert file.to_xarray().sizes
            opened += 1
    assert opened >= 4
    with pytest.raises(lmrnn.UsageError, match="no recording states; it has"):
        analysis.recording("states")


def test_samples_of_trials_open(tmp_path):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    import os
    import subprocess

    path = tmp_path / "s.h5"
    command = ["tasks", "sample", "--tasks", "go,dm1", "--trials", "3", "--seed", "1", "--out", path]
    subprocess.run([os.environ.get("LMRNN", "lmrnn"), *command], check=True)
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        assert data["inputs"].dims == ("time", "trial", "channel")


# NWB ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nwb(small_run, tmp_path_factory):
    pytest.importorskip("pynwb")
    path = tmp_path_factory.mktemp("nwb") / "small.nwb"
    lmrnn.nwb.write(small_run, path, tasks="go,dlygointr", trials=5, seed=1, directions=4)
    return path


def test_nwb_holds_what_was_recorded(nwb, small_run, tmp_path):
    pynwb = pytest.importorskip("pynwb")
    recorded = lmrnn.analyze(
        small_run, "record", out=tmp_path / "r", seed=1, trials=5, tasks="go,dlygointr", directions=4
    )
    with pynwb.NWBHDF5IO(str(nwb), "r") as file, recorded.recording("recording") as truth:
        content = file.read()
        states = content.processing["misc"]["states"]
        trials = content.trials.to_dataframe()
        assert len(trials) == 10 and list(trials["task"].unique()) == truth.attrs["tasks"].split(",")
        times, data = states.timestamps[:], states.data[:]
        assert data.shape == (len(times), 36) and np.all(np.diff(times) > 0)
        for task, rows in trials.groupby("task"):
            for k, (_, row) in enumerate(rows.iterrows()):
                inside = (times >= row["start_time"] - 1e-9) & (times < row["stop_time"] - 1e-9)
                length = truth[f"{task}/lengths"][k]
                assert inside.sum() == length
                assert np.array_equal(data[inside], truth[f"{task}/states"][:length, :, k])
                assert row["direction"] == truth[f"{task}/conditions/direction"][k]
                assert row["response"] == truth[f"{task}/responses"][k]
        gaps = trials["start_time"].to_numpy()[1:] - trials["stop_time"].to_numpy()[:-1]
        assert np.allclose(gaps, 1.0)
        synapses = content.processing["misc"]["synapses"].to_dataframe()
        network = small_run.network()
        assert np.array_equal(synapses["weight"], network.weights["recurrent"])
        assert np.array_equal(synapses["source"], network.recurrent.sources)
        assert '"provenance"' in content.notes and content.session_start_time.tzinfo is not None
    assert not pynwb.validate(path=str(nwb))


def test_nwb_is_the_same_twice_and_refuses(nwb, small_run, tmp_path):
    pynwb = pytest.importorskip("pynwb")
    lmrnn.nwb.write(small_run, tmp_path / "b.nwb", tasks="go,dlygointr", trials=5, seed=1, directions=4)
    names = []
    for path in (nwb, tmp_path / "b.nwb"):
        with pynwb.NWBHDF5IO(str(path), "r") as file:
            names.append(file.read().identifier)
    assert names[0] == names[1]
    for keywords, message in (({"gap": -1}, "gap"), ({"tasks": "antigo"}, "antigo")):
        with pytest.raises(lmrnn.UsageError, match=message):
            lmrnn.nwb.write(small_run, tmp_path / "c.nwb", **keywords)
    with pytest.raises(lmrnn.UsageError, match="end in .nwb"):
        lmrnn.nwb.write(small_run, tmp_path / "c.h5")
    assert not list(tmp_path.glob("c.*"))


def test_nwb_names_the_untrained_network(small_run, tmp_path):
    pynwb = pytest.importorskip("pynwb")
    lmrnn.nwb.write(small_run, tmp_path / "a.nwb", step=0, tasks="go", trials=2, seed=1, directions=4)
    with pynwb.NWBHDF5IO(str(tmp_path / "a.nwb"), "r") as file:
        assert json.loads(file.read().notes)["step"] == 0


def test_pynapple_tunes_the_units(nwb, small_run):
    pynapple = pytest.importorskip("pynapple")
    data = pynapple.load_file(str(nwb))
    states, trials = data["states"], data["trials"]
    assert states.shape[1] == 36 and len(trials) == 10
    first = states.restrict(trials[0])
    assert len(first) == round((trials["end"][0] - trials["start"][0]) / 0.1)
