"""The texts of objects, and the messages about wrong calls."""

import inspect
import io
import sys

import numpy as np
import pytest

import lmrnn
from lmrnn import calls, plot, progress


@pytest.fixture(scope="module")
def battery():
    return lmrnn.Battery("go,dm1,dms")


def everything(run, battery):
    task = battery["dm1"]
    trial = task.trial(seed=1)
    yield from (battery, task, trial, trial.conditions, task.ceiling(seed=1, n_trials=50))
    yield from (battery.trials("go", 3, seed=1), battery.stream(seed=1), run, run.scores, run.metrics)
    yield from (run.network(), run.network().recurrent, run.sheet, run.evaluate(n_trials=5))
    yield lmrnn.data.OwnTasks("copy", lambda rng: (np.zeros((4, 2)), np.zeros(4, int)), seed=1)


def test_everything_has_a_text_of_its_own(small_run, battery):
    for thing in everything(small_run, battery):
        text = repr(thing)
        assert " object at 0x" not in text and len(text) > 8, type(thing)
        page = getattr(thing, "_repr_html_", lambda: "")()
        assert "object at 0x" not in page


def test_notebooks_get_tables_and_pictures(small_run, battery):
    assert "<td>dlygointr</td>" in small_run._repr_html_()
    assert small_run.scores._repr_html_().count("<tr>") == 6
    assert battery["go"].trial(seed=1)._repr_png_().startswith(b"\x89PNG")
    assert small_run.network().recurrent._repr_png_().startswith(b"\x89PNG")
    assert "22.5°" in repr(battery["go"].compose(battery["go"].draw(seed=1), direction=np.pi / 8).conditions)


def test_long_tables_show_both_ends():
    table = lmrnn.table.Table({"x": np.arange(1000), "<b>": np.full(1000, np.nan)})
    text = repr(table)
    assert text.count("\n") == 62 and "  0" in text and "999" in text and text.endswith("1000 rows")
    assert "<b>" not in table._repr_html_() and "&lt;b&gt;" in table._repr_html_()


def test_tables_become_data_frames(small_run):
    pandas = pytest.importorskip("pandas")
    frame = small_run.scores.to_pandas()
    assert isinstance(frame, pandas.DataFrame) and list(frame["task"]) == list(small_run.scores["task"])


def test_keys_complete(battery):
    assert battery._ipython_key_completions_() == ["go", "dm1", "dms"]
    assert "go" in battery and "og" not in battery and [t.name for t in battery] == battery.names


def test_every_public_call_has_a_signature():
    without = {"RunError", "UsageError"}
    for name in lmrnn.__all__:
        thing = getattr(lmrnn, name)
        if not callable(thing) or name in without:
            continue
        if getattr(thing, "__module__", "") != "lmrnn._core" or f"{name}.__init__" in calls._SIGNATURES:
            inspect.signature(thing)  # (others are made by the core only)
        for attribute, method in vars(thing).items() if isinstance(thing, type) else ():
            if callable(method) and not attribute.startswith("_") and not isinstance(method, type):
                inspect.signature(method)
    assert list(inspect.signature(lmrnn.Battery.trials).parameters)[:3] == ["self", "task", "n"]
    assert "input_noise" in inspect.signature(lmrnn.Battery).parameters
    assert lmrnn.Battery.trials.__doc__.strip().startswith("Trials number first")


MISTAKES = {
    "missing": (lambda b: b.trials("go"), TypeError, "Battery.trials: argument 'n' is missing"),
    "no seed": (lambda b: b["go"].draw(), TypeError, "'seed' is missing .nothing random has a default"),
    "seed None": (lambda b: b.trials("go", 3, seed=None), TypeError, "seed: expected int, got None"),
    "seed text": (lambda b: b.trials("go", 3, seed="x"), lmrnn.UsageError, "seed = 'x'; a seed is a whole number"),
    "by position": (lambda b: b.stream(64), TypeError, "by position, got 1; .* e.g. batch=64; call it as stream"),
    "keyword": (lambda b: lmrnn.evaluate(3, b, trials=3, seed=1), TypeError, "evaluate: no argument 'trials'; did you mean 'n_trials'"),
    "type": (lambda b: b["go"].compose(3), TypeError, "Task.compose: conditions: expected Conditions, got 3"),
    "condition": (lambda b: b["go"].compose(b["go"].draw(seed=1), dirction=1), TypeError, "'dirction'; did you mean 'direction'"),
    "task": (lambda b: b["og"], lmrnn.UsageError, 'unknown task "og"; did you mean "go"'),
    "number": (lambda b: b[3], IndexError, "task 3 of 3; they are numbered from 0 to 2"),
    "split": (lambda b: b.trials("go", 1, seed=1, split="tst"), lmrnn.UsageError, "split"),
    "weights": (lambda b: b.stream(seed=1, weights={"delya": 1}), lmrnn.UsageError, "weights = 'delya'; it must be one of"),
    "battery": (lambda b: lmrnn.Battery(3), TypeError, "Battery: tasks: expected str or Sequence.str., got 3"),
    "key": (lambda b: lmrnn.Battery("go", n_rng=8), lmrnn.UsageError, 'unknown key "n_rng"; did you mean "n_ring"'),
    "sheet": (lambda b: lmrnn.Sheet(4), TypeError, "Sheet: argument 'cols' is missing; call it as Sheet"),
    "network": (lambda b: lmrnn.Network(3), TypeError, "Network: argument 'n_channels' is missing"),
    "mask kind": (lambda b: lmrnn.Mask.make("lcoal"), lmrnn.UsageError, 'did you mean "local"'),
    "set_weights": (
        lambda b: lmrnn.Network(lmrnn.Mask(np.eye(2)), n_channels=1, n_classes=2).set_weights(bais=[0, 0]),
        lmrnn.UsageError, 'no weights are called "bais"; did you mean "bias"',
    ),
    "shape of weights": (
        lambda b: lmrnn.Network(lmrnn.Mask(np.eye(2)), n_channels=1, n_classes=2).set_weights(bias=[0, 0, 0]),
        lmrnn.UsageError, r'bias has the shape \(3,\); weights\["bias"\] has \(2,\)',
    ),
    "negative": (lambda b: b.trials("go", -3, seed=1), TypeError, "n = -3; give a whole number that is at least 0"),
    "lesion": (
        lambda b: lmrnn.without_units(lmrnn.Network(lmrnn.Mask(np.eye(2)), n_channels=1, n_classes=2), [5]),
        lmrnn.UsageError, "units: 5 is outside 0 to 1",
    ),
    "no such run": (lambda b: lmrnn.analyze("runs/none", "ring"), lmrnn.UsageError, "runs/none: does not exist"),
    "callbacks": (lambda b: lmrnn.Trainer.__new__(lmrnn.Trainer).run([3]), TypeError, "callbacks: .* got int"),
    "progress": (lambda b: progress.shower("bra"), lmrnn.UsageError, "progress = 'bra'; it must be one of"),
    "trainer": (lambda b: lmrnn.Trainer({}, "runs/x", sed=1), TypeError, "Trainer: no argument 'sed'; did you mean 'seed'"),
    "directory": (lambda b: lmrnn.Trainer({}), TypeError, "Trainer: argument 'directory' is missing; call it as Trainer"),
    "figure": (lambda b: plot.mask(np.eye(2), axis=3), TypeError, "mask: no argument 'axis'; .*call it as mask"),
    "through a path": (lambda b: plot.task_heat_map(), TypeError, "task_heat_map: argument 'run' is missing"),
    "own tasks": (lambda b: lmrnn.data.OwnTasks("x", 3, seed=1), lmrnn.UsageError, "expected a function, or a mapping"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told_in_words(battery, mistake):
    call, error, message = MISTAKES[mistake]
    with pytest.raises(error, match=message) as caught:
        call(battery)
    assert "incompatible function arguments" not in str(caught.value)


def test_lists_of_tasks_are_taken():
    assert lmrnn.Battery(["dms", "go"]) == lmrnn.Battery("dms,go")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "shown"), [(io.StringIO, False), (Terminal, True)])
def test_bars_are_shown_in_terminals(small_config, tmp_path, monkeypatch, stream, shown):
    error = stream()
    monkeypatch.setattr(sys, "stderr", error)
    lmrnn.Trainer(small_config, tmp_path / "a").run()
    assert ("step 40/40" in error.getvalue()) is shown
    if shown:
        assert "solved 0/5" in error.getvalue() and error.getvalue().endswith("\n")


def test_bars_can_be_asked_for_and_turned_off(small_config, tmp_path, monkeypatch):
    error = io.StringIO()
    monkeypatch.setattr(sys, "stderr", error)
    lmrnn.Trainer(small_config, tmp_path / "a").run(progress=True)
    assert [line.split("  ")[0].split(",")[0] for line in error.getvalue().splitlines()] == ["step 20/40", "step 40/40"]
    monkeypatch.setattr(sys, "stderr", Terminal())
    lmrnn.Trainer(small_config, tmp_path / "b").run(progress=False)
    assert sys.stderr.getvalue() == ""


def test_clocks():
    assert [progress.clock(s) for s in (3, 75, 3700)] == ["0:03", "1:15", "1:01:40"]


# Cells that run twice ------------------------------------------------------------------------------


def test_a_cell_runs_twice(small_config, tmp_path):
    trainer = lmrnn.Trainer(small_config, tmp_path / "run", exist_ok=True)
    trainer.run(lambda p: p.step == 10)
    with pytest.raises(lmrnn.UsageError, match=r"holds an unfinished run; resume it with lmrnn.Trainer.resume\('.*exist_ok=True"):
        lmrnn.Trainer(small_config, tmp_path / "run")
    again = lmrnn.Trainer(small_config, tmp_path / "run", exist_ok=True)
    assert again.step == 10
    run = again.run()
    assert run.done
    finished = lmrnn.Trainer(small_config, tmp_path / "run", exist_ok=True)
    assert "finished" in repr(finished) and finished.step == 40 and finished.run() == run
    assert finished.battery == run.battery and finished.network() == run.network()
    with pytest.raises(lmrnn.UsageError, match=r"holds a finished run; read it with lmrnn.Run.*overwrite=True"):
        lmrnn.Trainer(small_config, tmp_path / "run")
    with pytest.raises(lmrnn.UsageError, match="nothing to resume; read it with lmrnn.Run"):
        lmrnn.Trainer.resume(tmp_path / "run")


def test_taking_up_refuses_another_configuration(small_config, tmp_path):
    lmrnn.Trainer(small_config, tmp_path / "run").run()
    small_config["train"]["steps"] = 50
    with pytest.raises(lmrnn.UsageError, match=r"another configuration \(train.steps: 40 there, 50 here\).*overwrite=True"):
        lmrnn.Trainer(small_config, tmp_path / "run", exist_ok=True)
    assert lmrnn.Trainer(small_config, tmp_path / "run", overwrite=True).config["train"]["steps"] == 50


def test_overwriting_deletes_runs_only(small_config, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("precious")
    with pytest.raises(lmrnn.UsageError, match="deletes runs only"):
        lmrnn.Trainer(small_config, tmp_path / "thesis", overwrite=True)
    assert (tmp_path / "thesis" / "chapter1.tex").read_text() == "precious"
    old = lmrnn.Trainer(small_config, tmp_path / "run")
    small_config["wiring"]["radius"] = -1
    with pytest.raises(lmrnn.UsageError, match="radius"):
        lmrnn.Trainer(small_config, tmp_path / "run", overwrite=True)
    assert (tmp_path / "run" / "config.toml").is_file() and old.step == 0
    small_config["wiring"]["radius"] = 2
    new = lmrnn.Trainer(small_config, tmp_path / "run", overwrite=True)
    assert new.run().done and "given up" in repr(old)
    with pytest.raises(lmrnn.UsageError, match="contradict"):
        lmrnn.Trainer(small_config, tmp_path / "run", overwrite=True, exist_ok=True)


def interrupt(progress):
    raise KeyboardInterrupt


@pytest.mark.parametrize("again", ["exist_ok", "overwrite", "resume"])
def test_an_interrupted_cell_runs_again_while_its_traceback_is_kept(small_config, tmp_path, again):
    directory = tmp_path / "run"
    kept = []  # like the tracebacks that a notebook keeps, whose frames hold the trainer
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt) as caught:
            lmrnn.Trainer(small_config, directory, exist_ok=True).run(interrupt)
        kept.append(caught)
    if again == "resume":
        trainer = lmrnn.Trainer.resume(directory)
    else:
        trainer = lmrnn.Trainer(small_config, directory, **{again: True})
    assert trainer.step == (0 if again == "overwrite" else 2) and trainer.run().done


def test_a_trainer_that_was_given_up_says_so(small_config, tmp_path):
    old = lmrnn.Trainer(small_config, tmp_path / "run")
    new = lmrnn.Trainer.resume(tmp_path / "run")
    properties = ("step", "config", "battery", "evaluation", "notices")
    for use in (old.run, old.network, *(lambda name=name: getattr(old, name) for name in properties)):
        with pytest.raises(lmrnn.UsageError, match="run: this Trainer was given up .* read the run with lmrnn.Run"):
            use()
    assert old.directory == new.directory and "given up" in repr(old) and "given up" in old._repr_html_()
    assert new.run().done


def test_a_mask_is_compared_when_a_run_is_taken_up(small_config, tmp_path):
    mask = np.eye(36)
    lmrnn.Trainer(small_config, tmp_path / "run", mask=mask).run()
    assert lmrnn.Trainer(small_config, tmp_path / "run", mask=mask, exist_ok=True).run().done
    mask[0, 1] = 1
    with pytest.raises(lmrnn.UsageError, match="another mask"):
        lmrnn.Trainer(small_config, tmp_path / "run", mask=mask, exist_ok=True)


# Lesions, analyses, own tasks ------------------------------------------------------------------------


def test_lesions_silence_what_they_name(small_run):
    network = small_run.network()
    lesioned = lmrnn.without_units(network, [3, 17])
    w = lesioned.recurrent_matrix
    assert not w[:, [3, 17]].any() and not lesioned.weights["readout"][:, [3, 17]].any()
    others = np.delete(np.arange(36), [3, 17])
    assert np.array_equal(w[:, others], network.recurrent_matrix[:, others])
    chosen = np.zeros(36, bool)
    chosen[[3, 17]] = True
    assert lmrnn.without_units(network, chosen) == lesioned and lmrnn.without_units(network, []) == network
    pairs = np.zeros((36, 36), bool)
    pairs[np.diag_indices(36)] = True
    assert not np.diag(lmrnn.without_synapses(network, pairs).recurrent_matrix).any()
    for wrong in ([36], [-1], [0.5], np.zeros(35, bool)):
        with pytest.raises(lmrnn.UsageError, match="units"):
            lmrnn.without_units(network, wrong)
    with pytest.raises(lmrnn.UsageError, match="synapses: of shape"):
        lmrnn.without_synapses(network, np.zeros((3, 3), bool))


def test_a_run_makes_and_finds_its_analyses(small_config, tmp_path):
    run = lmrnn.Trainer(small_config, tmp_path / "run").run()
    with pytest.raises(lmrnn.UsageError, match="no analysis 'weights' yet; make it with run.analyze"):
        run.analysis("weights")
    made = run.analyze("weights")
    assert isinstance(run.analysis("weights"), lmrnn.Analysis) and run.analysis("weights") == made
    assert lmrnn.Analysis(made) == made and "spectral" in made._repr_html_()


def test_sizes_of_own_tasks_are_inferred():
    def one(rng):
        return np.zeros((4, 3)), rng.integers(0, 5, 4)

    own = lmrnn.data.OwnTasks("mine", {"a": one, "b": one}, seed=1)
    assert (own.n_channels, own.n_classes, own.n_rules) == (3, 5, 2)
    assert lmrnn.data.OwnTasks("mine", one, seed=1, n_classes=9).n_classes == 9
    with pytest.raises(lmrnn.UsageError, match="same number of channels; 3 in a, 2 in b"):
        lmrnn.data.OwnTasks("mine", {"a": one, "b": lambda rng: (np.zeros((4, 2)), np.zeros(4, int))}, seed=1)


def test_channels_mean_the_same_everywhere(battery):
    stream = battery.stream(seed=1, batch=2, steps=20)
    assert stream.n_channels == battery.n_channels
    assert stream.n_inputs == stream[0].inputs.shape[2] == battery.n_channels + battery.n_rules
    assert battery.stream(seed=1, rules="index").n_inputs == battery.n_channels


def test_batches_and_trials_of_your_own_show_shapes_not_numbers(battery):
    batch = battery.stream(seed=1, batch=2, steps=20)[0]
    assert repr(batch).startswith("Batch(inputs=float32 (20, 2, ") and len(repr(batch)) < 400
    assert "'trial_starts': uint8 (20, 2)" in repr(batch) or "'trial_starts': bool (20, 2)" in repr(batch)
    assert repr(lmrnn.data.Trial(np.zeros((5, 2)), np.zeros(5, int))) == (
        "Trial(inputs=float64 (5, 2), targets=int64 (5,), mask=None, scored=None)"
    )


def test_a_network_takes_masks_as_mask_does():
    sparse = pytest.importorskip("scipy.sparse")
    ring = np.roll(np.eye(5), 1, axis=1)
    readout = [[1, 0, 1, 0, 0], [0, 1, 0, 0, 0]]
    made = [
        lmrnn.Network(mask, n_channels=3, n_classes=2, readout=readout)
        for mask in (ring, ring.tolist(), sparse.csr_matrix(ring), lmrnn.Mask(ring))
    ]
    for network in made:
        assert np.array_equal(network.recurrent.to_dense(), ring != 0)
        assert np.array_equal(network.readout.to_dense(), np.array(readout) != 0)
    with pytest.raises(lmrnn.UsageError, match="recurrent: there is no synapse"):
        lmrnn.Network(np.zeros((3, 3)), n_channels=1, n_classes=2)
    with pytest.raises(lmrnn.UsageError, match=r"the readout mask has shape \(1, 5\); 2 classes and 5 units need"):
        lmrnn.Network(ring, n_channels=3, n_classes=2, readout=[[1, 1, 1, 1, 1]])


def test_a_configuration_takes_tasks_as_battery_does(small_config):
    tasks = ["go", "anti"]
    of_list = lmrnn.resolve_config({**small_config, "battery": {"tasks": tasks}})
    assert of_list == lmrnn.resolve_config({**small_config, "battery": {"tasks": "go,anti"}})
    assert of_list == lmrnn.resolve_config(small_config, {"battery.tasks": tuple(tasks)})
    with pytest.raises(lmrnn.UsageError, match="battery.tasks = "):
        lmrnn.resolve_config({**small_config, "battery": {"tasks": ["go", 3]}})
