"""Analyses from Python: each one runs, is read back, and has its figure and its section in the report."""

import csv
import json
import shutil
import warnings

import matplotlib
import numpy as np
import pytest

import lmrnn
from lmrnn import plot
from lmrnn.report.sections import analyses as section

matplotlib.use("agg")

QUICK = {
    "record": {"trials": 16, "directions": 8},
    "fixed-points": {"starts": 4, "iterations": 10},
    "ring": {"angles": 32, "repeats": 2, "kicks": 2},
    "autapse": {"trials": 10, "random_lesions": 2},
    "variance": {"trials": 10, "most_clusters": 4, "lesion_trials": 10},
    "sheet": {"trials": 10, "permutations": 19},
    "modularity": {"trials": 4, "permutations": 3},
    "dimensionality": {"trials": 5},
    "similarity": {"trials": 5},
    "psychometric": {"trials": 10},
    "pruning": {"trials": 10, "fractions": [0.5]},
    "extrapolation": {"trials": 10},
    "confusion": {"trials": 10},
    "weights": {},
}
CONFIG = {
    "seed": 7,
    "battery": {"tasks": "go,dlygo,dlygointr,dm1,dms"},
    "wiring": {"rows": 5, "cols": 5, "radius": 1},
    "stream": {"batch": 16, "steps": 40},
    "train": {"steps": 20},
    "evaluation": {"every": 10, "trials": 20},
    "checkpoint": {"every": 10, "keep_every": 10},
}


# The figures of analyses, which need more runs than the tests of the other figures have.
FIGURES = {
    "activity_by_direction",
    "clusters",
    "confusion",
    "dimensions",
    "extrapolation",
    "fixed_points",
    "lesions",
    "modularity",
    "pruning",
    "psychometric",
    "ring",
    "sheet_maps",
    "similarity",
    "solved_raster",
    "spatial_order",
    "task_similarity",
    "trajectories",
    "unit_classes",
    "weight_structure",
}


def options_of(name, run):
    options = dict(QUICK.get(name, {}))
    if name == "similarity":
        options["other"] = str(run.directory / "checkpoints" / "step-00000000")
    return options


@pytest.fixture(scope="module")
def analysed(tmp_path_factory):
    """A local run and an autapse run with all analyses."""
    folder = tmp_path_factory.mktemp("analysed")
    local = lmrnn.Trainer(CONFIG, folder / "local").run()
    autapse = lmrnn.Trainer(
        {**CONFIG, "wiring": {**CONFIG["wiring"], "kind": "autapse"}}, folder / "autapse"
    ).run()
    made = {}
    for name in lmrnn.analyses():
        run = autapse if name == "autapse" else local
        made[name] = lmrnn.analyze(run, name, threads=2, **options_of(name, run))
    return local, autapse, made


def test_the_catalogue_is_covered():
    assert set(QUICK) <= set(lmrnn.analyses())
    assert set(section.FIGURES) | {"record"} == set(lmrnn.analyses())


def test_every_analysis_leaves_tables_and_a_summary(analysed):
    for name, analysis in analysed[2].items():
        assert analysis.name == name
        assert analysis.summary, name
        for table in analysis.tables:
            assert analysis.table(table) is not None
        assert json.loads((analysis.directory / "summary.json").read_text()) == analysis.summary


def test_recordings_have_named_dimensions(analysed):
    with analysed[2]["record"].recording("recording") as file:
        states = file["dlygo/states"]
        assert [d.label for d in states.dims] == ["time", "unit", "trial"]
        assert states.shape[1:] == (25, 16)
        np.testing.assert_allclose(file["dlygo/conditions/direction"][:8], np.arange(8) * np.pi / 4)


def test_recorded_states_are_those_of_the_network(analysed):
    local, _, made = analysed
    with made["record"].recording("recording") as file:
        inputs, states = file["dlygo/inputs"][:], file["dlygo/states"][:]
        rule = file["dlygo/rules"][0, 0, 0]
    network = local.network()
    w = network.weights
    h = np.zeros((25, 16))
    for t in range(4):
        drive = w["input"] @ inputs[t] + (w["rule"][rule] + w["bias"])[:, None]
        h = np.maximum(0, network.recurrent_matrix @ h + drive)
        np.testing.assert_allclose(h, states[t], atol=1e-5)


def figures(analysed):
    local, _, made = analysed
    yield "fixed_points", lambda: plot.fixed_points(made["fixed-points"], "dlygo")
    yield "fixed_points", lambda: plot.fixed_points(local, "dlygo", recording=False)
    yield "trajectories", lambda: plot.trajectories(local, "dms")
    yield "activity_by_direction", lambda: plot.activity_by_direction(made["record"], "dlygo")
    yield "ring", lambda: plot.ring(made["ring"])
    yield "unit_classes", lambda: plot.unit_classes(made["autapse"])
    yield "lesions", lambda: plot.lesions(made["autapse"])
    yield "lesions", lambda: plot.lesions(made["variance"], group="cluster")
    yield "clusters", lambda: plot.clusters(made["variance"])
    yield "sheet_maps", lambda: plot.sheet_maps(made["sheet"])
    yield "spatial_order", lambda: plot.spatial_order({"a": made["sheet"], "b": made["sheet"]})
    yield "modularity", lambda: plot.modularity(made["modularity"])
    yield "dimensions", lambda: plot.dimensions(made["dimensionality"])
    yield "task_similarity", lambda: plot.task_similarity(made["dimensionality"])
    yield "similarity", lambda: plot.similarity(made["similarity"])
    yield "psychometric", lambda: plot.psychometric(made["psychometric"])
    yield "confusion", lambda: plot.confusion(made["confusion"], "go")
    yield "extrapolation", lambda: plot.extrapolation(made["extrapolation"])
    yield "pruning", lambda: plot.pruning(made["pruning"])
    yield "solved_raster", lambda: plot.solved_raster(local)
    yield "weight_structure", lambda: plot.weight_structure(made["weights"])


def test_every_figure_draws_and_saves(analysed, tmp_path):
    drawn = set()
    for number, (name, draw) in enumerate(figures(analysed)):
        path = plot.save(draw(), tmp_path / f"{name}{number}.svg")
        assert path.read_bytes().startswith(b"<?xml"), name
        drawn.add(name)
    assert drawn == FIGURES


@pytest.mark.parametrize("every", [1, 2])
def test_figures_say_what_is_undefined(analysed, tmp_path, every):
    """If all numbers of an analysis are undefined, or those of every other row, nothing fails or warns."""
    for name, analysis in analysed[2].items():
        shutil.copytree(analysis.directory, tmp_path / name)
        undefined = lmrnn.Analysis(tmp_path / name)
        for table in undefined.tables:
            numbers = {key for key, column in undefined.table(table).items() if column.dtype.kind == "f"}
            path = undefined.directory / f"{table}.csv"
            header, *rows = csv.reader(path.read_text().splitlines())
            for row in rows[::every]:
                row[:] = ["" if key in numbers else cell for key, cell in zip(header, row)]
            with path.open("w") as file:
                csv.writer(file).writerows([header, *rows])
        for axes, _ in section.FIGURES.get(name, lambda analysis: [])(undefined):
            shown = plot.save(axes, tmp_path / "figure.svg").read_text()
            if every == 1 and name in ("similarity", "sheet", "modularity", "autapse"):
                assert "undefined" in shown, name


def test_a_silent_network_has_figures_and_a_report(tmp_path):
    config = {**CONFIG, "optimiser": {"learning_rate": 1e-9}}
    first = lmrnn.Trainer(config, tmp_path / "first").run().network()
    first.set_weights(bias=np.full(25, -1000, np.float32))
    first.save(tmp_path / "silent.safetensors", first.metadata)
    config["init_from"] = str(tmp_path / "silent.safetensors")
    run = lmrnn.Trainer(config, tmp_path / "run").run()
    for name in ("record", "variance", "sheet", "modularity", "dimensionality", "similarity", "confusion"):
        lmrnn.analyze(run, name, **options_of(name, run))
    lmrnn.report.write_report(run.directory)
    assert "no unit is active" in plot.clusters(run).texts[0].get_text()
    assert plot.activity_by_direction(run, "dlygo").get_title("left") == "dlygo: 0 of 25 units are tuned"
    assert len(plot.trajectories(run, "dms").lines) and plot.sheet_maps(run, shared=True).size


def test_a_run_and_a_path_stand_for_their_analyses(analysed):
    local, autapse, made = analysed
    for name, draw in (("ring", plot.ring), ("weights", plot.weight_structure), ("sheet", plot.sheet_maps),
                       ("psychometric", plot.psychometric), ("extrapolation", plot.extrapolation)):  # fmt: skip
        n = np.size(draw(made[name]))
        for subject in (local, str(local.directory), str(made[name].directory)):
            assert np.size(draw(subject)) == n
        assert np.size(draw(local, ax=matplotlib.figure.Figure())) == n
    assert plot.lesions(autapse).get_ylabel() == "class removed (units)"
    assert plot.lesions(local).get_ylabel() == "cluster removed (units)"
    with pytest.raises(lmrnn.UsageError, match="no task 'og'; it has"):
        plot.trajectories(local, "og")
    with pytest.raises(lmrnn.UsageError, match="not a recorded task with one direction; those are .*dlygo"):
        plot.activity_by_direction(local, "dms")


def test_psychometric_has_only_panels_with_data(analysed):
    made = analysed[2]["psychometric"]
    assert [ax.get_xlabel() for ax in plot.psychometric(made, tasks=["dm1"])] == [
        "difference of strengths, first − second"
    ]
    assert len(plot.psychometric(made, tasks=["go", "dlygo"])) == 2
    fits = plot.psychometric_fit(made)
    assert list(fits["task"]) == ["dm1"] and set(fits) == {"task", "bias", "deviation", "threshold", "slope"}
    with pytest.raises(lmrnn.UsageError, match="no psychometric curve of"):
        plot.psychometric(made, tasks=["og"])


def test_clusters_are_tested_on_the_tasks_in_which_they_vary_most(analysed):
    variance = analysed[2]["variance"]
    means, lesions = variance.table("clusters"), variance.table("lesions")
    costs = []
    for task in dict.fromkeys(means["task"]):
        rows = means.where(means["task"] == task)
        owner = rows["cluster"][rows["variance"].argmax()]
        mine = lesions.where((lesions["task"] == task) & (lesions["cluster"] == owner))
        costs.append([mine["cost"][0], mine["random_cost"][0]])
    cost, random = np.mean(costs, axis=0)
    assert variance.summary["cost_on_own_tasks"] == pytest.approx(cost)
    assert variance.summary["random_cost_on_own_tasks"] == pytest.approx(random)


def test_the_report_shows_them(analysed):
    local, autapse, made = analysed
    body = str(section.section(local).body) + str(section.section(autapse).body)
    for name in made:
        assert f"<h3>{name}</h3>" in body
    assert body.count("<svg") >= 13


def test_same_bits_for_any_number_of_threads(analysed, tmp_path):
    local = analysed[0]
    texts = [
        (lmrnn.analyze(local, "ring", threads=n, out=tmp_path / str(n), **QUICK["ring"]).directory
         / "measures.csv").read_text()
        for n in (1, 3)
    ]
    assert texts[0] == texts[1]


def test_steps_controls_and_places(analysed, tmp_path):
    local = analysed[0]
    assert lmrnn.analyze(local, "weights", step=0).name == "weights-step0"
    assert lmrnn.analyze(local, "weights", control="shuffled-weights").name == (
        "weights-shuffled-weights"
    )
    network = local.directory / "checkpoints" / "step-00000020" / "network.safetensors"
    with pytest.raises(lmrnn.UsageError, match="out="):
        lmrnn.analyze(network, "weights")
    assert lmrnn.analyze(network, "weights", out=tmp_path / "w", latex=True).tables
    assert "toprule" in (tmp_path / "w" / "distance.tex").read_text()


def test_mistakes_are_named(analysed, tmp_path):
    with pytest.raises(lmrnn.UsageError, match="did you mean"):
        lmrnn.analyze(analysed[0], "rings")
    with pytest.raises(lmrnn.UsageError, match="angles"):
        lmrnn.analyze(analysed[0], "ring", angels=16)
    with pytest.raises(lmrnn.UsageError, match="no analysis"):
        lmrnn.Analysis(tmp_path)
    with pytest.raises(lmrnn.UsageError, match="it has"):
        analysed[2]["ring"].table("nothing")


def test_columns_of_two_directions_stand_at_their_directions(analysed, tmp_path):
    made = lmrnn.analyze(analysed[0], "record", out=tmp_path / "two", tasks="dlygo", trials=8, directions=2)
    mesh = plot.activity_by_direction(made, "dlygo").collections[0]
    edges = mesh.get_coordinates()[0, :, 0]
    np.testing.assert_allclose(edges, [-90, 90, 270], atol=1e-5)  # 0° and 180° in the middle


def test_methods_tell_what_is_not_by_default(tmp_path):
    config = {
        "battery": {"tasks": "go", "timing": "neurogym", "input_noise": 3.0},
        "wiring": {"kind": "random", "rows": 4, "cols": 4, "radius": 2, "autapses": False},
        "network": {"input": {"density": 0.3}, "initialisation": "spectral-radius"},
        "stream": {"row_steps": 30, "batch": 8, "trials_per_task": 20, "grow_from": 3, "grow_until": 0.5},
        "optimiser": {"epsilon": 1e-3}, "train": {"steps": 8, "block": 2}, "evaluation": {"every": 4, "trials": 20},
    }  # fmt: skip
    with pytest.warns(UserWarning, match="stream.grow_from = 3, but the first batch has 4 rows"):
        trainer = lmrnn.Trainer(config, tmp_path / "run", seed=1)
    text = lmrnn.methods(trainer.run(progress=False))
    for told in (
        'battery.timing = "neurogym"', "battery.input_noise = 3.0", "wiring.radius = 2.0", "wiring.autapses = false",
        "network.input.density = 0.3", "stream.trials_per_task = 20", "optimiser.epsilon = 0.001",
        "4 rows growing towards 8 at step 4", "over at least 1000 trials",
    ):  # fmt: skip
        assert told in text, (told, text)
    for elsewhere in ("stream.batch", "wiring.rows", "evaluation.", "network.initialisation", "storage"):
        assert elsewhere not in text, text


def test_methods_paragraph(analysed):
    text = lmrnn.methods(analysed[0])
    assert lmrnn.methods(analysed[0].directory) == text
    for words in ("5 tasks", "25 units", "125 recurrent synapses", "Adam", "20 steps", "seed was 7"):
        assert words in text, text


def test_an_analysis_of_an_earlier_step_says_so(tmp_path):
    trainer = lmrnn.Trainer(CONFIG, tmp_path / "run")
    trainer.run(lambda progress: progress.step >= 10)
    lmrnn.analyze(tmp_path / "run", "weights")
    lmrnn.analyze(tmp_path / "run", "weights", step=0)
    del trainer
    run = lmrnn.Trainer.resume(tmp_path / "run").run()
    with pytest.warns(UserWarning, match="made at step 10, but the run is at step 20 now; make it again"):
        old = run.analysis("weights")
    assert old.provenance["step"] == 10 and old.provenance["seed"] == 7 and old.provenance["analysis"] == "weights"
    lmrnn.report.write_report(run.directory)
    assert (run.directory / "report.html").read_text().count("Made at step 10, but the run is at step 20 now.") == 1
    run.analyze("weights")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run.analysis("weights").provenance["step"] == 20
        assert run.analysis("weights-step0").provenance["step"] == 0


def test_recorded_trials_are_those_of_the_test_split(analysed, tmp_path):
    run = analysed[0]
    made = lmrnn.analyze(run, "record", out=tmp_path / "record", tasks="dm1,dms", trials=8)
    with made.recording("recording") as file:
        for task in ("dm1", "dms"):
            trials = run.battery.trials(task, 8, seed=run.seed)
            assert np.array_equal(file[task]["inputs"][:], trials.inputs.transpose(0, 2, 1))
            after = np.arange(trials.inputs.shape[0])[:, None] >= file[task]["lengths"][:]
            rules = file[task]["rules"][:, 0]
            assert (rules[after] == -1).all() and (rules[~after] == run.battery[task].index).all()
        assert after.any(), "trials of dms differ in length"
