"""TensorBoard reads what we write."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import lmrnn

pytest.importorskip("tensorboard")
import lmrnn.tensorboard as ours  # noqa: E402
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: E402


def read(folder):
    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def assert_holds(events, run):
    steps, losses = zip(*events["loss"])
    assert list(steps) == run.metrics["step"].tolist()
    assert np.allclose(losses, run.metrics["loss"])
    assert [step for step, _ in events["accuracy/mean"]] == [20, 40]
    for name in run.battery.names:
        assert [step for step, _ in events[f"tasks/{name}"]] == [20, 40]
        last = run.scores["decision_accuracy"][run.scores["task"] == name][0]
        assert events[f"tasks/{name}"][-1][1] == pytest.approx(last, abs=1e-5)


def test_afterwards(small_run, tmp_path):
    ours.write_events(small_run.directory, tmp_path)
    assert_holds(read(tmp_path), small_run)


def test_alongside(small_config, tmp_path):
    small_config["train"]["steps"] = 40
    trainer = lmrnn.Trainer(small_config, tmp_path / "run")
    halfway, go_on = threading.Event(), threading.Event()

    def wait(progress):
        if progress.step == 25:
            halfway.set()
            go_on.wait(60)

    training = threading.Thread(target=trainer.run, args=(wait,))
    training.start()
    assert halfway.wait(60)
    following = threading.Thread(
        target=ours.follow, args=(tmp_path / "run",), kwargs={"seconds": 0.05}
    )
    following.start()
    folder = tmp_path / "run" / "tensorboard"
    for _ in range(200):
        if folder.is_dir() and len(read(folder).get("loss", [])) == 2:
            break
        following.join(0.05)
    assert following.is_alive(), "it ended before the run did"
    go_on.set()
    training.join(60)
    following.join(60)
    assert_holds(read(folder), lmrnn.Run(tmp_path / "run"))


def files_of(folder):
    return {path.name: path.read_bytes() for path in Path(folder).glob("*")}


def test_exporting_again_changes_nothing(small_run, tmp_path):
    ours.write_events(small_run.directory, tmp_path)
    before = files_of(tmp_path)
    ours.write_events(small_run.directory, tmp_path)
    ours.follow(small_run.directory, tmp_path, seconds=0.01)
    assert ours.main([str(small_run.directory), "--out", str(tmp_path), "--follow"]) == 0
    assert files_of(tmp_path) == before
    assert_holds(read(tmp_path), small_run)


def test_what_a_killed_export_left_out_is_added(small_run, tmp_path):
    ours.write_events(small_run.directory, tmp_path)
    (path,) = tmp_path.glob("*")
    whole = path.read_bytes()
    for size in (len(whole) // 2, len(whole) // 3, 10, 0):
        for other in tmp_path.glob("*"):
            other.unlink()
        path.write_bytes(whole[:size])  # in the middle of an event
        ours.write_events(small_run.directory, tmp_path)
        assert_holds(read(tmp_path), small_run)


def test_a_callback_after_kill_and_resume_writes_no_step_twice(small_config, tmp_path):
    small_config["train"]["steps"] = 40
    small_config["checkpoint"] = {"every": 10}
    code = """
import json, os, signal, sys
import lmrnn, lmrnn.tensorboard
def kill(progress):
    if progress.step == 27:
        os.kill(os.getpid(), signal.SIGKILL)
config, run, logs = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
lmrnn.Trainer(config, run).run([lmrnn.tensorboard.Callback(logs, every=3), kill])
"""
    run, logs = tmp_path / "run", tmp_path / "logs"
    killed = subprocess.run(
        [sys.executable, "-c", code, json.dumps(small_config), str(run), str(logs)], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    callback = ours.Callback(logs, every=3)
    lmrnn.Trainer.resume(run).run(callback)
    callback.close()
    whole = ours.Callback(tmp_path / "whole", every=3)
    lmrnn.Trainer(small_config, tmp_path / "undisturbed").run(whole)
    whole.close()
    events = read(logs)
    assert [step for step, _ in events["loss of one step"]] == sorted({*range(3, 41, 3), 20, 40})
    assert events == read(tmp_path / "whole")


def test_as_a_callback(small_config, tmp_path):
    callback = ours.Callback(tmp_path / "logs", every=7)
    run = lmrnn.Trainer(small_config, tmp_path / "run").run(callback)
    callback.close()
    events = read(tmp_path / "logs")
    assert [step for step, _ in events["loss of one step"]] == [7, 14, 20, 21, 28, 35, 40]
    # Afterwards, from the tables: existing values are neither written again nor overwritten.
    ours.write_events(run.directory, tmp_path / "logs")
    again = read(tmp_path / "logs")
    assert again.keys() - events.keys() == {"loss", "gradient norm", "learning rate", "clipped share"}
    assert all(again[tag] == values for tag, values in events.items())
    assert np.allclose([loss for _, loss in again["loss"]], run.metrics["loss"])
    last = run.scores["decision_accuracy"].mean()
    assert events["accuracy/mean"][-1] == (40, pytest.approx(last, abs=1e-5))


def test_the_command(small_run, tmp_path, capsys):
    assert ours.main([str(small_run.directory), "--out", str(tmp_path / "a")]) == 0
    assert list(Path(tmp_path / "a").glob("events.out.*"))
    assert ours.main([str(tmp_path)]) == 2
    assert "lmrnn.tensorboard: " in capsys.readouterr().err
