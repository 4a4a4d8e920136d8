import os
import signal
import subprocess
import textwrap

import numpy as np
import pytest

import lmrnn


def test_a_run_as_an_object(small_run):
    assert small_run.done and small_run.summary["outcome"] == "finished"
    assert small_run.checkpoints == [0, 20, 30, 40]
    assert small_run.metrics["step"].tolist() == [10, 20, 30, 40]
    assert np.isnan(small_run.metrics["mean_accuracy"][[0, 2]]).all()
    assert small_run.scores["task"].tolist() == small_run.battery.names
    assert small_run.network(0).weights["bias"].sum() == 0
    assert small_run.network().trained_on()["tasks"] == small_run.battery.names
    with pytest.raises(lmrnn.UsageError, match="lmrnn analyze"):
        small_run.analysis("variance")


def test_evaluation_repeats_what_training_saw(small_run):
    again = small_run.evaluate(split="validation", n_trials=50, threads=2)
    for score, row in zip(again.tasks, small_run.scores.rows()):
        assert score.name == row["task"]
        assert score.decision_accuracy == pytest.approx(row["decision_accuracy"], abs=1e-6)


def test_callbacks_see_every_step_and_can_stop(small_config, tmp_path):
    seen = []
    trainer = lmrnn.Trainer(small_config, tmp_path / "run")
    trainer.run([lambda p: seen.append((p.step, p.loss)), lambda p: p.step >= 12])
    assert trainer.outcome == "interrupted"
    assert [step for step, _ in seen][:13] == list(range(1, len(seen) + 1))[:13]
    assert all(np.isfinite(loss) for _, loss in seen)
    resumed = lmrnn.Trainer.resume  # the lock must be gone first
    del trainer
    run = resumed(tmp_path / "run").run()
    assert run.done


def test_interrupted_and_resumed_equals_undisturbed(small_run, small_config, tmp_path):
    trainer = lmrnn.Trainer(small_config, tmp_path / "run", threads=1)
    trainer.run(lambda p: p.step >= 12)
    del trainer
    run = lmrnn.Trainer.resume(tmp_path / "run", threads=2).run()
    for name, weights in small_run.network().weights.items():
        assert np.array_equal(weights, run.network().weights[name]), name


def test_exceptions_of_callbacks_come_out_and_leave_a_checkpoint(small_config, tmp_path):
    def fail(progress):
        if progress.step == 13:
            raise KeyError("mine")

    trainer = lmrnn.Trainer(small_config, tmp_path / "run")
    with pytest.raises(KeyError, match="mine"):
        trainer.run(fail)
    assert trainer.step == 14
    assert lmrnn.Run(tmp_path / "run").checkpoints[-1] == 14


def test_ctrl_c_saves_and_raises(python, tmp_path):
    code = textwrap.dedent(
        """
        import lmrnn, sys
        from conftest import SMALL
        config = SMALL | {"train": {"steps": 1000000, "log_every": 1000}}
        config = config | {"evaluation": {"every": 0, "trials": 10}, "checkpoint": {"every": 0}}
        trainer = lmrnn.Trainer(config, sys.argv[1])
        def tell(progress):
            if progress.step == 20:
                print("training", flush=True)
        try:
            trainer.run(tell)
        except KeyboardInterrupt:
            print("interrupted at", trainer.step, flush=True)
        """
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])}
    process = subprocess.Popen(
        [python, "-c", code, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True,
        env=environment,
    )
    assert process.stdout.readline() == "training\n"
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=300)
    step = int(rest.split()[-1])
    assert step >= 20
    assert lmrnn.Run(tmp_path / "run").checkpoints[-1] == step


def test_the_gil_is_free_while_training(small_config, tmp_path):
    import threading

    counted = []
    done = threading.Event()

    def count():
        while not done.is_set():
            counted.append(0)

    small_config["train"]["steps"] = 100
    trainer = lmrnn.Trainer(small_config, tmp_path / "run")
    thread = threading.Thread(target=count)
    thread.start()
    trainer.run()
    done.set()
    thread.join()
    assert len(counted) > 1000


def test_refusals(small_run, small_config, tmp_path):
    with pytest.raises(lmrnn.UsageError):
        lmrnn.Trainer(small_config, small_run.directory)
    with pytest.raises(lmrnn.UsageError, match="seed"):
        lmrnn.Trainer({**small_config, "seed": None}, tmp_path / "run")
    with pytest.raises(lmrnn.UsageError, match="radus"):
        lmrnn.Trainer(small_config, tmp_path / "run", overrides={"wiring.radus": 1})
    assert not (tmp_path / "run").exists()
    with pytest.raises(lmrnn.UsageError):
        lmrnn.Run(tmp_path)
    with pytest.raises(TypeError, match="cannot be part of a configuration"):
        lmrnn.resolve_config({"seed": object()})


def test_a_diverging_training_is_a_run_error(small_config, tmp_path):
    small_config["optimiser"] = {"kind": "sgd", "learning_rate": 1e30, "clip": 0}
    with pytest.raises(RuntimeError, match="diverged"):
        lmrnn.Trainer(small_config, tmp_path / "run").run()
