"""Tasks, wirings and streams written in Python, trained by the core."""

import json
import os
import re
import subprocess

import numpy as np
import pytest

import lmrnn


def copy_task(rng):
    """Which of four signals was it? Answer at the go cue."""
    signal = rng.integers(4)
    inputs = np.zeros((8, 5), dtype=np.float32)
    inputs[1:3, signal] = 1
    inputs[5:, 4] = 1
    targets = np.zeros(8, dtype=np.int32)
    targets[5:] = 1 + signal
    return lmrnn.data.Trial(inputs, targets, scored=targets > 0)


def opposite_task(rng):
    trial = copy_task(rng)
    targets = np.where(trial.targets > 0, (trial.targets + 1) % 4 + 1, 0)
    return trial._replace(targets=targets)


@pytest.fixture
def data():
    tasks = {"copy": copy_task, "opposite": opposite_task}
    return lmrnn.data.OwnTasks("copies", tasks, n_channels=5, n_classes=5, seed=0)


@pytest.fixture
def config():
    return {
        "seed": 3,
        "wiring": {"rows": 6, "cols": 6, "radius": 2},
        "stream": {"batch": 32, "steps": 40, "reset_at_trial": True},
        "train": {"steps": 300, "log_every": 50},
        "optimiser": {"learning_rate": 1e-2},
        "evaluation": {"every": 150, "trials": 100},
        "checkpoint": {"every": 50},
    }


def test_tasks_of_ones_own_are_learned(config, data, tmp_path):
    run = lmrnn.Trainer(config, tmp_path / "run", data=data).run()
    assert run.scores["task"].tolist() == ["copy", "opposite"]
    assert (run.scores["decision_accuracy"] > 0.95).all(), run.scores
    assert run.source == run.config["source"] == "copies"
    with pytest.raises(lmrnn.UsageError, match="not on a battery"):
        run.battery
    with pytest.raises(lmrnn.UsageError, match=r'was trained on your own data \("copies"\)'):
        lmrnn.analyze(run, "weights")
    page = lmrnn.report.write_report(run.directory).read_text()
    assert "opposite" in page and "<h2>Trials" not in page
    assert "There is no ideal observer: ceilings are 1." in page and "decision period" not in page
    assert "a time constant of 1 time step;" in lmrnn.methods(run) and " ms" not in lmrnn.methods(run)
    network = run.network()
    assert (network.n_channels, network.n_rules, network.n_classes) == (5, 2, 5)
    # The network's answers match its scores, on a batch made by hand.
    batch = data.arrays("test", 0, 40, 8)
    logits = network.forward(
        batch["inputs"], batch["rules"][..., None].copy(), resets=batch["trial_starts"] != 0
    )[1]
    right = logits.argmax(-1) == batch["targets"]
    assert right[batch["scored"] != 0].mean() > 0.9


def begun(config, directory, data, steps=20):
    config["train"]["steps"] = 60
    trainer = lmrnn.Trainer(config, directory, data=data)
    trainer.run(lambda progress: progress.step >= steps, progress=False)


def test_no_settings_of_a_battery_are_told(config, data, small_run, tmp_path):
    config["train"]["steps"] = 20
    run = lmrnn.Trainer(config, tmp_path / "run", data=data).run()
    program = os.environ.get("LMRNN", "lmrnn")
    words = [program, "compare", small_run.directory, run.directory, "--json"]
    compared = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    of_battery = {d["key"]: d["b"] for d in compared["differences"] if d["key"].startswith("battery.")}
    assert of_battery.pop("battery.dt", "") in ("", "100.0") and set(of_battery.values()) == {""}
    assert {"key": "source", "a": '""', "b": '"copies"'} in compared["differences"]
    assert [task["chance"] for task in compared["b"]["tasks"]] == [None, None]
    page = lmrnn.report.write_report(run.directory, tmp_path / "p.html", against=small_run.directory).read_text()
    assert re.search(r"battery\.tasks</td><td[^>]*></td><td", page)


@pytest.mark.parametrize("tasks", [["opposite", "copy"], ["copy", "other"], ["copy"], ["copy", "opposite", "other"]])
def test_a_run_goes_on_with_its_own_tasks_only(config, data, tmp_path, tasks):
    begun(config, tmp_path / "cut", data)
    kept = sorted((tmp_path / "cut/checkpoints").iterdir())
    other = lmrnn.data.OwnTasks("copies", dict.fromkeys(tasks, copy_task), n_channels=5, n_classes=5, seed=0)
    message = f'have the tasks "{",".join(tasks)}".*the run began with the tasks "copy,opposite", 5 channels'
    with pytest.raises(lmrnn.UsageError, match=message):
        lmrnn.Trainer.resume(tmp_path / "cut", data=other)
    assert sorted((tmp_path / "cut/checkpoints").iterdir()) == kept


def test_a_run_goes_on_with_the_same_classes_only(config, data, tmp_path):
    begun(config, tmp_path / "cut", data)
    tasks = dict(zip(data.tasks, data.functions))
    other = lmrnn.data.OwnTasks("copies", tasks, n_channels=5, n_classes=6, seed=0)
    with pytest.raises(lmrnn.UsageError, match="and 6 classes; the run began with .* and 5 classes"):
        lmrnn.Trainer.resume(tmp_path / "cut", data=other)


@pytest.mark.parametrize("done", [False, True])
def test_a_run_goes_on_with_the_same_trials_only(config, data, tmp_path, done):
    config["train"]["steps"] = 60
    begun(config, tmp_path / "run", data, steps=60 if done else 10)
    assert lmrnn.Run(tmp_path / "run").done == done
    tasks = dict(zip(data.tasks, data.functions))
    others = {
        "other inputs in validation batch 0": lmrnn.data.OwnTasks("copies", tasks, n_channels=5, n_classes=5, seed=1),
        "other targets in validation batch 0": lmrnn.data.OwnTasks(
            "copies", tasks | {"opposite": copy_task}, n_channels=5, n_classes=5, seed=0
        ),
    }
    for what, other in others.items():
        message = f'the data of "copies" are not those that the run began with: {what}'
        with pytest.raises(lmrnn.UsageError, match=message):
            lmrnn.Trainer(config, tmp_path / "run", data=other, exist_ok=True)
        if not done:
            with pytest.raises(lmrnn.UsageError, match=message):
                lmrnn.Trainer.resume(tmp_path / "run", data=other)
    # Another processor may round otherwise.
    arrays = data.arrays
    data.arrays = lambda *place: (made := arrays(*place)) | {"inputs": made["inputs"] * np.float32(1 + 3e-7)}
    assert lmrnn.Trainer(config, tmp_path / "run", data=data, exist_ok=True).run(progress=False).done


def test_a_run_goes_on_with_the_same_tolerance_only(config, tmp_path):
    def held(rng):
        value = rng.uniform(-1, 1)
        return lmrnn.data.Trial(np.full((6, 1), value), np.full((6, 1), value))

    config |= {"loss": {"kind": "least-squares"}, "train": {"steps": 20}}
    lmrnn.Trainer(config, tmp_path / "run", data=lmrnn.data.OwnTasks("hold", held, tolerance=0.1, seed=0)).run()
    other = lmrnn.data.OwnTasks("hold", held, tolerance=1.0, seed=0)
    with pytest.raises(lmrnn.UsageError, match="began with: tolerance = 1 instead of 0.1"):
        lmrnn.Trainer(config, tmp_path / "run", data=other, exist_ok=True)


def test_a_directory_may_hold_the_same_run_already(config, data, tmp_path):
    begun(config, tmp_path / "cut", data)
    trained = lmrnn.Trainer(config, tmp_path / "cut", data=data, exist_ok=True).run(progress=False)
    assert trained.done
    again = lmrnn.Trainer(config, tmp_path / "cut", data=data, exist_ok=True).run(progress=False)
    assert np.array_equal(again.network().weights["recurrent"], trained.network().weights["recurrent"])
    data.name = "others"
    with pytest.raises(lmrnn.UsageError, match="source: 'copies' there, 'others' here"):
        lmrnn.Trainer(config, tmp_path / "cut", data=data, exist_ok=True)


def test_interrupted_and_resumed_equals_undisturbed(config, data, tmp_path):
    config["train"]["steps"] = 60
    whole = lmrnn.Trainer(config, tmp_path / "whole", data=data, threads=2).run()
    trainer = lmrnn.Trainer(config, tmp_path / "cut", data=data, threads=1)
    trainer.run(lambda progress: progress.step >= 20)
    del trainer
    with pytest.raises(lmrnn.UsageError, match="calling program must pass in"):
        lmrnn.Trainer.resume(tmp_path / "cut")
    cut = lmrnn.Trainer.resume(tmp_path / "cut", data=data).run()
    assert cut.done
    for name, weights in whole.network().weights.items():
        assert np.array_equal(weights, cut.network().weights[name]), name


def test_data_are_functions_of_their_place(data):
    a, b = (data.arrays("train", 5, 30, 4) for _ in range(2))
    assert all(np.array_equal(a[key], b[key]) for key in a)
    assert not np.array_equal(a["inputs"], data.arrays("validation", 5, 30, 4)["inputs"])
    # A row does not depend on the number of rows.
    assert np.array_equal(a["inputs"][:, :2], data.arrays("train", 5, 30, 2)["inputs"])
    assert not a["scored"][24:].any(), "the last trial is cut, so it is not scored"


def test_a_stream_of_ones_own_equal_to_the_batterys_gives_the_same_bits(small_config, tmp_path):
    battery = lmrnn.Battery(small_config["battery"]["tasks"])

    class Stream:
        name, tasks = "mine", battery.names
        n_channels, n_classes, n_rules = battery.n_channels, battery.n_classes, battery.n_rules

        def arrays(self, split, batch, steps, rows):
            made = battery.stream(
                batch=rows, steps=steps, seed=small_config["seed"], split=split, rules="index"
            )[batch]
            return {
                **made.info,
                "inputs": made.inputs, "targets": made.targets, "mask": made.mask,
                "scored": (made.info["periods"] == 4).astype(np.uint8),
                "rules": made.info["rules"][..., 0].copy(),
            }  # fmt: skip

    ours = lmrnn.Trainer(small_config, tmp_path / "ours").run().network()
    with pytest.warns(UserWarning, match="battery.tasks: a battery reads this, but your own data take its place"):
        mine = lmrnn.Trainer(small_config, tmp_path / "mine", data=Stream()).run().network()
    for name, weights in ours.weights.items():
        assert np.array_equal(weights, mine.weights[name]), name


def test_a_wiring_of_ones_own(small_config, tmp_path):
    dense = np.random.default_rng(0).random((36, 36)) < 0.2
    run = lmrnn.Trainer(small_config, tmp_path / "run", mask=dense).run()
    assert np.array_equal(run.network().recurrent.to_dense(), dense)
    # The configuration alone is enough to repeat the run.
    again = lmrnn.Trainer(tmp_path / "run" / "config.toml", tmp_path / "again").run()
    for name, weights in run.network().weights.items():
        assert np.array_equal(weights, again.network().weights[name]), name
    with pytest.raises(lmrnn.UsageError, match="36 units"):
        lmrnn.Trainer(small_config, tmp_path / "other", mask=np.eye(5))
    assert not (tmp_path / "other.wiring.npz").exists()


class Faulty:
    name, tasks, n_channels, n_classes, n_rules = "faulty", ["a"], 5, 5, 0

    def __init__(self, **changes):
        self.changes = changes

    def arrays(self, split, batch, steps, rows):
        made = {
            "inputs": np.zeros((steps, rows, 5), np.float32),
            "targets": np.zeros((steps, rows), np.int32),
            "mask": np.ones((steps, rows), np.float32),
            "scored": np.ones((steps, rows), np.uint8),
            "trial_starts": np.ones((steps, rows), np.uint8),
            "tasks": np.zeros((steps, rows), np.int32),
        }
        for key, change in self.changes.items():
            made[key] = change(made[key])
        return made


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"targets": lambda a: a + 5}, "targets is 5 at step 0 of row 0 of validation batch 0 .*; give whole numbers from 0 to 4"),
        ({"inputs": lambda a: a[:-1]}, r'"inputs" of a batch must have the shape \(40, 32, 5\)'),
        ({"tasks": lambda a: a + 1}, "tasks is 1 at step 0 of row 0 of validation batch 0; give whole numbers from 0 to 0"),
    ],
)
def test_faulty_batches_are_refused_in_words(config, tmp_path, changes, message):
    with pytest.raises(lmrnn.UsageError, match=message):
        lmrnn.Trainer(config, tmp_path / "run", data=Faulty(**changes))


def test_exceptions_in_ones_own_code_come_out_as_they_are(config, tmp_path):
    def fail(array):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        lmrnn.Trainer(config, tmp_path / "run", data=Faulty(inputs=fail))


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("arrays", lambda *place: None, r"arrays\(\w+, \d+, \d+, \d+\) returned a value of type NoneType;"),
        ("arrays", lambda *place: [1], "returned a value of type list; it must return a dictionary of arrays"),
        ("name", 3, "data: name = 3; give a string"),
        ("tasks", [1, 2], r"data: tasks = \[1, 2\]; give a list of strings"),
        ("tasks", ["go", "go"], 'data: tasks: two tasks are called "go"; give each a name of its own'),
        ("tasks", ["go", "stop\nnow"], r'data: tasks: task 1 is called "stop\\nnow"; give a name without line breaks'),
        ("tasks", [""], 'data: tasks: task 0 is called "";'),
    ],
)
def test_data_of_the_wrong_kind_are_refused_in_words(config, tmp_path, attribute, value, message):
    source = Faulty()
    setattr(source, attribute, value)
    with pytest.raises(lmrnn.UsageError, match=message):
        lmrnn.Trainer(config, tmp_path / "run", data=source).run()


def test_faulty_trials_are_refused_in_words(data):
    data.functions[0] = lambda rng: (np.zeros((4, 3)), np.zeros(4))
    with pytest.raises(lmrnn.UsageError, match=r"copy: inputs of shape \(4, 3\); expected \(time, 5\)"):
        data.trial("copy", np.random.default_rng(0))
    data.functions[0] = lambda rng: (np.zeros((4, 5)), np.zeros(3))
    with pytest.raises(lmrnn.UsageError, match="targets of shape"):
        data.trial("copy", np.random.default_rng(0))


NO_TRIALS = {
    "nothing": (None, "the function returned None; it must return lmrnn.data.Trial"),
    "a number": (1, "the function returned a value of type int; it must return"),
    "an array": (np.zeros((3, 5)), "the function returned a value of type ndarray; it must return"),
    "a dictionary": ({"inputs": 1, "targets": 2}, "the function returned a value of type dict; it must return"),
    "inputs alone": ((np.zeros((3, 5)),), "the function returned a value of type tuple of 1; it must return"),
    "too much": ((np.zeros((3, 5)), np.zeros(3), None, None, 1), "the function returned a value of type tuple of 5;"),
    "no targets": ((np.zeros((3, 5)), None), "targets: None; give an array"),
    "ragged targets": ((np.zeros((3, 5)), [[1], [1, 2], [1]]), "targets: not an array"),
    "ragged inputs": (([[1], [1, 2]], np.zeros(2)), "inputs: not an array"),
    "undefined targets": ((np.zeros((3, 5)), np.full(3, np.nan)), "targets is nan at step 0"),
    "words": ((np.zeros((3, 5)), ["a", "b", "c"]), "targets: .* give an array of"),
    "huge targets": ((np.zeros((3, 5)), np.full(3, 1e30)), "targets is 1e.30 at step 0"),
}


@pytest.mark.parametrize(("returned", "message"), NO_TRIALS.values(), ids=NO_TRIALS)
def test_a_task_that_returns_no_trial_is_named(config, tmp_path, returned, message):
    with pytest.raises(lmrnn.UsageError, match=f"^odd: {message}"):  # sizes are counted at once
        lmrnn.data.OwnTasks("mine", {"odd": lambda rng: returned}, seed=0)
    tasks = lmrnn.data.OwnTasks("mine", {"odd": lambda rng: returned}, n_channels=5, n_classes=6, seed=0)
    with pytest.raises(lmrnn.UsageError, match=rf"odd: {message}.*\(trial 0 of row 0 of "):
        lmrnn.Trainer(config, tmp_path / "run", data=tasks).run()


def test_tasks_may_have_different_numbers_of_trials(config, data, tmp_path):
    config["train"]["steps"] = 20
    run = lmrnn.Trainer(config, tmp_path / "run", data=data).run()
    path = run.directory / "tasks.csv"
    head, *rows = [line.split(",") for line in path.read_text().splitlines()]
    for row, n in zip(rows, (523, 1608) * len(rows)):
        row[head.index("trials")] = str(n)
    path.write_text("\n".join(",".join(row) for row in [head, *rows]) + "\n")
    run = lmrnn.Run(run.directory)
    assert "on 523 to 1608 held-out trials per task" in lmrnn.methods(run)
    assert "523 to 1,608 per task" in lmrnn.report.write_report(run.directory).read_text()


@pytest.mark.parametrize("wanted, refused", [(1, ""), ("all", ""), (3, 'stop_solved = 3, but "copies" has only 2 tasks')])
def test_criteria_are_about_the_tasks_of_the_data(config, data, tmp_path, wanted, refused):
    config |= {"train": {"steps": 4, "stop_solved": wanted}}
    if refused:
        with pytest.raises(lmrnn.UsageError, match=refused):
            lmrnn.Trainer(config, tmp_path / "run", data=data)
    else:
        lmrnn.Trainer(config, tmp_path / "run", data=data)
