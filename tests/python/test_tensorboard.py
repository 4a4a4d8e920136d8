"""TensorBoard reads what we write."""

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


def test_as_a_callback(small_config, tmp_path):
    callback = ours.Callback(tmp_path / "logs", every=7)
    run = lmrnn.Trainer(small_config, tmp_path / "run").run(callback)
    callback.close()
    events = read(tmp_path / "logs")
    assert [step for step, _ in events["loss"]] == [7, 14, 20, 21, 28, 35, 40]
    last = run.scores["decision_accuracy"].mean()
    assert events["accuracy/mean"][-1] == (40, pytest.approx(last, abs=1e-5))


def test_the_command(small_run, tmp_path, capsys):
    assert ours.main([str(small_run.directory), "--out", str(tmp_path / "a")]) == 0
    assert list(Path(tmp_path / "a").glob("events.out.*"))
    assert ours.main([str(tmp_path)]) == 2
    assert "lmrnn.tensorboard: " in capsys.readouterr().err
