import os
import signal
import subprocess
import textwrap
import threading

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
    assert [step for step, _ in seen] == list(range(1, 13))  # no unreported step
    assert trainer.step == 12
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


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_exceptions_of_callbacks_come_out_and_leave_a_checkpoint(error, small_config, tmp_path):
    seen = []

    def fail(progress):
        seen.append(progress.step)
        if progress.step == 13:
            if error is KeyboardInterrupt:
                signal.raise_signal(signal.SIGINT)
            raise error("mine")

    trainer = lmrnn.Trainer(small_config, tmp_path / "run")
    with pytest.raises(error):
        trainer.run(fail)
    assert seen[-1] == trainer.step == 13  # no unreported step
    assert lmrnn.Run(tmp_path / "run").checkpoints[-1] == 13


def training_process(python, run, code, before=""):
    """A process that trains in `run` by `code` until it is told to end; it has already begun."""
    head = textwrap.dedent(
        """
        import lmrnn, signal, sys, threading
        from conftest import SMALL
        config = SMALL | {"train": {"steps": 1000000, "log_every": 1000}}
        config = config | {"evaluation": {"every": 0, "trials": 10}, "checkpoint": {"every": 0}}
        trainer = lmrnn.Trainer(config, sys.argv[1])
        seen = 0
        def tell(progress):
            global seen
            seen = progress.step
            if progress.step == 20:
                print("training", flush=True)
        """
    )
    path = [os.path.dirname(__file__), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    process = subprocess.Popen(
        [python, "-c", head + textwrap.dedent(code), str(run)], stdout=subprocess.PIPE, text=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
        | {"PYTHONPATH": os.pathsep.join(path)},
    )
    assert process.stdout.readline() == "training\n"
    return process


def test_ctrl_c_saves_and_raises(python, tmp_path):
    process = training_process(
        python, tmp_path / "run",
        """
        try:
            trainer.run(tell)
        except KeyboardInterrupt:
            print(trainer.step, seen, flush=True)
        """,
    )
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=300)
    step, seen = map(int, rest.split())
    assert step >= 20 and step - seen in (0, 1)  # 1: Ctrl-C came as `tell` began
    assert lmrnn.Run(tmp_path / "run").checkpoints[-1] == step


def test_sigterm_saves_and_ends_the_process_as_it_would_without_a_trainer(python, tmp_path):
    process = training_process(
        python, tmp_path / "run",
        """
        def tell_and_print(progress):
            tell(progress)
            if progress.step == 20:
                print("not flushed")
        trainer.run(tell_and_print)
        print("not reached")
        """,
    )
    process.send_signal(signal.SIGTERM)
    with process.stdout:  # communicate() loses what readline() has read ahead
        rest = process.stdout.read()
    assert process.wait(timeout=300) == -signal.SIGTERM
    assert rest == "not flushed\n"
    run = lmrnn.Run(tmp_path / "run")
    assert run.checkpoints[-1] >= 20 and not run.done
    resumed = lmrnn.Trainer.resume(tmp_path / "run")  # the lock is free, the checkpoint whole
    assert resumed.step == run.checkpoints[-1]


def test_a_handler_of_sigterm_is_called_in_place_of_ours(python, tmp_path):
    process = training_process(
        python, tmp_path / "run",
        """
        def leave(number, frame):
            sys.exit(3)
        signal.signal(signal.SIGTERM, leave)
        try:
            trainer.run(tell)
        finally:
            print(trainer.step, seen, signal.getsignal(signal.SIGTERM) is leave, flush=True)
        """,
    )
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=300)
    assert process.returncode == 3
    step, seen, kept = rest.split()
    assert int(step) >= 20 and int(step) - int(seen) in (0, 1) and kept == "True"
    assert lmrnn.Run(tmp_path / "run").checkpoints[-1] == int(step)


def test_the_handler_of_sigterm_is_there_only_while_training(small_config, tmp_path):
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    handlers = []

    def look(progress):
        handlers.append(signal.getsignal(signal.SIGTERM))
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        lmrnn.Trainer(small_config, tmp_path / "run").run(look)
    assert callable(handlers[0])
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_trainer_outside_the_main_thread_leaves_signals_alone(small_config, tmp_path):
    handlers = []
    trainer = lmrnn.Trainer(small_config, tmp_path / "run")
    thread = threading.Thread(
        target=trainer.run,
        args=[lambda progress: handlers.append(signal.getsignal(signal.SIGTERM))],
    )
    thread.start()
    thread.join()
    assert trainer.outcome == "finished" and set(handlers) == {signal.SIG_DFL}


def test_a_kept_trainer_with_custom_data_leaks_nothing(python, tmp_path):
    """Data that refer to their trainer make a cycle, which the garbage collector must find."""
    code = textwrap.dedent(
        """
        import gc, sys, weakref
        import numpy as np
        import lmrnn
        from conftest import SMALL

        def echo(rng):
            signal = rng.integers(4)
            inputs = np.zeros((8, 5), dtype=np.float32)
            inputs[:, signal] = 1
            return lmrnn.data.Trial(inputs, np.full(8, 1 + signal, dtype=np.int32))

        def make(name):
            data = lmrnn.data.OwnTasks("echo", {"echo": echo}, n_channels=5, n_classes=5, seed=0)
            config = {table: keys for table, keys in SMALL.items() if table != "battery"}
            trainer = lmrnn.Trainer(config, sys.argv[1] + name, data=data)
            data.trainer = trainer
            return trainer, weakref.ref(data)

        trainer, data = make("dropped")
        trainer.run(lambda progress: progress.step >= 3)
        assert data() is not None
        del trainer
        gc.collect()
        assert data() is None, "the garbage collector does not see the cycle"

        kept, _ = make("kept")
        kept.run(lambda progress: progress.step >= 3)
        """
    )
    path = [os.path.dirname(__file__), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    done = subprocess.run(
        [python, "-c", code, str(tmp_path / "run")], capture_output=True, text=True, timeout=300,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_gil_is_free_while_training(small_config, tmp_path):
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


def test_an_untrained_network_that_grows_is_refused_with_its_remedy(small_config, tmp_path):
    small_config |= {"seed": 2, "stream": {"steps": 350, "batch": 8}}
    small_config["battery"] = {"tasks": "go"}
    small_config["wiring"] = {"rows": 4, "cols": 4, "radius": 1}
    with pytest.raises(lmrnn.RunError, match='untrained.*network.initialisation = "spectral-radius"') as error:
        lmrnn.Trainer(small_config, tmp_path / "run").run()
    assert "nan" not in str(error.value) and "clip" not in str(error.value)
    small_config["network"] = {"initialisation": "spectral-radius"}
    trainer = lmrnn.Trainer(small_config, tmp_path / "radius")
    trainer.run()
    assert trainer.outcome == "finished"


def test_a_curriculum_is_a_list_of_tables(tmp_path, small_config):
    stages = [{"tasks": "go,dm1", "steps": 10, "durations": {"dm1": {"stimulus": 300}}},
              {"tasks": small_config["battery"]["tasks"]}]
    config = small_config | {"curriculum": {"stage": stages, "adaptive": 0.5}}
    run = lmrnn.Trainer(config, tmp_path / "run").run()
    assert [stage["steps"] for stage in run.config["curriculum"]["stage"]] == [10, 0]
    assert run.config["curriculum"]["stage"][0]["durations"] == {"dm1": {"stimulus": 300.0}}
    text = lmrnn.methods(run)
    assert "Training had 2 stages: go,dm1 for 10 steps with durations of its own; " in text
    assert "50% of the trials were drawn in proportion" in text
    stages[0]["tasks"] = "go,go"
    with pytest.raises(lmrnn.UsageError, match="curriculum.stage 1: .* names go twice"):
        lmrnn.Trainer(config, tmp_path / "refused")
    assert not (tmp_path / "refused").exists()


def test_methods_tell_the_trials_of_the_last_evaluation(tmp_path, small_config):
    few = small_config["evaluation"] | {"trials": 20, "final_trials": 60}
    run = lmrnn.Trainer(small_config | {"evaluation": few}, tmp_path / "run").run()
    assert "was measured on 60 held-out trials per task" in lmrnn.methods(run)


def test_methods_tell_what_was_done_and_not_what_might_have_been(tmp_path, small_config):
    first = lmrnn.Trainer(small_config, tmp_path / "first").run()
    plain = lmrnn.methods(first)
    assert "initial recurrent weights: fan-in." in plain and "were trained (plastic" not in plain
    config = small_config | {
        "init_from": str(first.directory),
        "loss": {"weights": {"decision": 5}, "balance": "tasks", "rate_penalty": 0.5, "weight_penalty": 0.25},
        "optimiser": {"beta2": 0.99, "weight_decay": 0.125, "recurrent_rate": 1e-4},
        "train": small_config["train"] | {"average": 0.5, "stop_mean": 0.0},
    }
    config["wiring"] = small_config["wiring"] | {"plastic": {"kind": "none"}}
    config["stream"] = small_config["stream"] | {"reset_at_trial": True}
    config["battery"] = small_config["battery"] | {"weights": {"*int*": 3}}
    run = lmrnn.Trainer(config, tmp_path / "second").run()
    text = lmrnn.methods(run)
    steps = run.summary["steps"]
    assert steps < config["train"]["steps"]
    for words in (
        "weights started from those of another network (init_from)",
        "relative frequencies, the others with 1: *int* 3.",
        f"for {steps} steps (at most {config['train']['steps']}, ended by a criterion)",
        "Recurrent weights were not trained.",
        "by their period: decision 5, others 1.",
        "balanced so that all tasks counted alike",
        "0.5 times the mean square of the activity and 0.125 times the sum of squared recurrent weights",
        "running average of the weights (decay 0.5 per step)",
        "β₂ = 0.99", "decoupled weight decay 0.125", "of recurrent weights 0.0001",
        "(the state was set to 0 where a trial began)",
    ):  # fmt: skip
        assert words in text, text
    assert "initial recurrent weights" not in text


def test_a_run_is_known_by_its_mask_however_its_directory_is_spelled(tmp_path, small_config, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = small_config | {"wiring": {"rows": 3, "cols": 3}}
    lmrnn.Trainer(config, "run", mask=np.eye(9)).run()
    again = lmrnn.Trainer(config, tmp_path / "run", mask=np.eye(9), exist_ok=True)
    assert again.outcome == "finished"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert lmrnn.Trainer(config, "../run", mask=np.eye(9), exist_ok=True).outcome == "finished"
    with pytest.raises(lmrnn.UsageError, match="another mask"):
        lmrnn.Trainer(config, tmp_path / "run", mask=np.ones((9, 9)), exist_ok=True)


def test_weights_of_another_network_need_no_initial_ones(tmp_path, small_config):
    first = lmrnn.Trainer(small_config, tmp_path / "first").run()
    config = small_config | {
        "init_from": str(first.directory),
        "network": {"initialisation": "spectral-radius", "gain": 3},
        "wiring": small_config["wiring"] | {"initial": {"kind": "none"}},
        "optimiser": {"learning_rate": 0},
    }
    second = lmrnn.Trainer(config, tmp_path / "second").run()
    assert np.array_equal(second.network().weights["recurrent"], first.network().weights["recurrent"])


def test_former_names_are_read(tmp_path, small_config):
    config = small_config | {"network": {"representation": "sparse", "initialisation": "radius"},
                             "recipe": "field", "stream": {"batch": 8, "steps": 30, "mode": "restart"}}
    found = lmrnn.resolve_config(config)
    assert found["recipe"] == "neurogym" and found["network"]["storage"] == "sparse"
    assert found["network"]["initialisation"] == "spectral-radius" and found["stream"]["row_steps"] == 30
    assert "steps" not in found["stream"] and "representation" not in found["network"]
    # Set under the present name, then changed under a former one: the later value counts.
    found["stream"]["steps"] = 20
    assert lmrnn.resolve_config(found)["stream"]["row_steps"] == 20
    assert lmrnn.resolve_config(config, {"stream.row_steps": 25})["stream"]["row_steps"] == 25
    network = lmrnn.Network(lmrnn.Mask(np.ones((3, 3))), n_channels=2, n_classes=2, representation="dense")
    assert network.storage == network.representation == "dense"


def test_a_run_finds_the_files_of_its_configuration_from_anywhere(small_config, tmp_path, monkeypatch):
    """Relative paths are relative to the directory where the run began."""
    for folder, start, weight in (("here", 0, 0.5), ("there", 100, 0.25)):
        (tmp_path / folder).mkdir()
        mask = np.eye(16, k=1) + np.eye(16)
        places = start + np.arange(32.0).reshape(16, 2)
        np.savez(tmp_path / folder / "worm.npz", mask=mask, coordinates=places, weights=mask * weight)
    wiring = {"kind": "file", "path": "worm.npz", "coordinates_path": "worm.npz", "weights_path": "worm.npz",
              "rows": 4, "cols": 4, "boundary": "open"}  # fmt: skip
    monkeypatch.chdir(tmp_path / "here")
    lmrnn.Trainer(small_config | {"wiring": wiring}, tmp_path / "run")  # no checkpoint: the sheet is in the file
    monkeypatch.chdir(tmp_path / "there")
    run = lmrnn.Run(tmp_path / "run")
    assert run.sheet.coordinates[0, 0] == 0
    assert lmrnn._core.untrained_network(run.directory).weights["recurrent"].max() == 0.5
    np.savez(tmp_path / "here/worm.npz", mask=mask)
    with pytest.raises(lmrnn.UsageError, match="has changed since the run began"):
        lmrnn._core.untrained_network(run.directory)


def test_a_finished_run_is_not_taken_up_with_other_files(small_config, tmp_path):
    def save(weight):
        np.save(tmp_path / "weights.npy", np.full((16, 16), weight))

    save(0.01)
    wiring = {"kind": "dense", "rows": 4, "cols": 4, "weights_path": str(tmp_path / "weights.npy")}
    lmrnn.Trainer(small_config | {"wiring": wiring}, tmp_path / "run").run()
    assert lmrnn.Trainer(small_config | {"wiring": wiring}, tmp_path / "run", exist_ok=True).outcome == "finished"
    save(0.02)
    with pytest.raises(lmrnn.UsageError, match="weights.npy has changed since the run began"):
        lmrnn.Trainer(small_config | {"wiring": wiring}, tmp_path / "run", exist_ok=True)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"init_from": "run"}, "init_from = 'run': is in the run that overwrite=True deletes"),
        ({"init_from": "nothing"}, "nothing"),
        ({"wiring": {"kind": "file", "rows": 4, "cols": 4, "path": "nothing.npy"}}, "nothing.npy"),
        ({"source": "mine"}, "custom data"),
        ({"battery": {"tasks": "go", "dt": -1}}, "battery.dt"),
    ],
)
def test_a_run_is_deleted_only_once_the_next_one_has_begun(small_config, tmp_path, monkeypatch, change, message):
    monkeypatch.chdir(tmp_path)
    lmrnn.Trainer(small_config, "run").run()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(lmrnn.UsageError, match=message):
        lmrnn.Trainer(small_config | change, "run", overwrite=True)
    assert lmrnn.Run("run").done and sorted(tmp_path.iterdir()) == before
    assert not lmrnn.Run(lmrnn.Trainer(small_config, "run", overwrite=True).directory).done
    assert sorted(tmp_path.iterdir()) == before


def test_a_saved_mask_is_not_lost(small_config, tmp_path):
    config, saved = small_config | {"wiring": {"rows": 3, "cols": 3}}, tmp_path / "run.wiring.npz"
    lmrnn.Trainer(config, tmp_path / "run", mask=np.eye(9)).run()
    with pytest.raises(lmrnn.UsageError, match="custom data"):
        lmrnn.Trainer(config | {"source": "mine"}, tmp_path / "run", mask=np.ones((9, 9)), overwrite=True)
    assert lmrnn.Trainer(config, tmp_path / "run", mask=np.eye(9), exist_ok=True).outcome == "finished"
    # The whole configuration of the old run names the file.
    lmrnn.Trainer(lmrnn.Run(tmp_path / "run").config, tmp_path / "run", overwrite=True)
    lmrnn.Trainer(config, tmp_path / "run", overwrite=True)
    assert np.array_equal(np.load(saved)["mask"], np.eye(9))
    with pytest.raises(lmrnn.UsageError, match="run.wiring.npz: holds something else than this mask"):
        lmrnn.Trainer(config, tmp_path / "run", mask=np.ones((9, 9)), overwrite=True)
    saved.unlink()
    for mask in (np.ones((9, 9)), np.eye(9)):
        lmrnn.Trainer(config, tmp_path / "run", mask=mask, overwrite=True).run()
        assert np.array_equal(np.load(saved)["mask"], mask)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "run.wiring.npz"]
    with pytest.raises(lmrnn.UsageError, match="holds a finished run"):
        lmrnn.Trainer(config, tmp_path / "run", mask=np.eye(9))
    np.savez(tmp_path / "worm.wiring.npz", mask=np.eye(9), weights=np.eye(9))
    lmrnn.Trainer(config, tmp_path / "worm", mask=np.eye(9))
    assert "weights" in np.load(tmp_path / "worm.wiring.npz").files


def test_overwriting_a_link_or_the_working_directory_is_told(small_config, tmp_path, monkeypatch):
    lmrnn.Trainer(small_config, tmp_path / "run").run()
    (tmp_path / "link").symlink_to(tmp_path / "run")
    with pytest.raises(lmrnn.UsageError, match="link: is a symbolic link"):
        lmrnn.Trainer(small_config, tmp_path / "link", overwrite=True)
    monkeypatch.chdir(tmp_path / "run")
    with pytest.raises(lmrnn.RunError, match=r"\.: cannot be set aside"):
        lmrnn.Trainer(small_config, ".", overwrite=True)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    lmrnn.Trainer(small_config | {"wiring": {"rows": 3, "cols": 3}}, ".", mask=np.eye(9)).run()
    assert (tmp_path / "empty.wiring.npz").is_file()


def test_the_same_path_in_another_folder_is_another_file(small_config, tmp_path, monkeypatch):
    config = small_config | {"wiring": {"kind": "file", "path": "m.npz", "rows": 3, "cols": 3}}
    for folder, mask in (("here", np.eye(9)), ("there", np.ones((9, 9)))):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        np.savez("m.npz", mask=mask)
        lmrnn.Trainer(small_config, "start", seed=len(folder)).run()
        from_start = small_config | {"init_from": "start"}
        if folder == "here":
            lmrnn.Trainer(config, tmp_path / "run").run()
            lmrnn.Trainer(from_start, tmp_path / "from").run()
            continue
        for done in (True, False):
            if not done:
                (tmp_path / "run" / "DONE").unlink()
            with pytest.raises(lmrnn.UsageError, match="wiring.path = .*there/m.npz is not the file that the run read"):
                lmrnn.Trainer(config, tmp_path / "run", exist_ok=True)
        with pytest.raises(lmrnn.UsageError, match="init_from = .* is not the file that the run read"):
            lmrnn.Trainer(from_start, tmp_path / "from", exist_ok=True)


def test_an_edited_configuration_is_told_when_its_run_goes_on(small_config, tmp_path):
    trainer = lmrnn.Trainer(small_config, tmp_path / "run")
    trainer.run(lambda progress: progress.step >= 5)
    del trainer
    config = tmp_path / "run" / "config.toml"
    config.write_text(config.read_text().replace("learning_rate = 0.001", "learning_rate = 0.002"))
    assert "edited after the last session" in lmrnn.methods(tmp_path / "run")
    with pytest.warns(UserWarning, match="config.toml: was edited after the run began; the steps before step 5"):
        lmrnn.Trainer.resume(tmp_path / "run").run(lambda progress: progress.step >= 8)
    # The steps between 5 and 8 have the present values, so a later session says 5 again.
    with pytest.warns(UserWarning, match="the steps before step 5 "):
        lmrnn.Trainer.resume(tmp_path / "run").run()
    methods = lmrnn.methods(tmp_path / "run")
    assert "edited when the run was resumed at step 5: " in methods and "last session" not in methods


def test_a_network_with_fewer_inputs_is_no_beginning(small_config, tmp_path):
    few = small_config | {"network": {"input": {"density": 0.5}}}
    lmrnn.Trainer(few, tmp_path / "few").run()
    with pytest.raises(lmrnn.UsageError, match=r"it has no synapse .*, which this run's \[network.input\] has"):
        lmrnn.Trainer(small_config | {"init_from": str(tmp_path / "few")}, tmp_path / "all")
    readout = small_config | {"network": {"readout": {"patch": [0, 0, 2, 4]}}}
    lmrnn.Trainer(readout, tmp_path / "patch").run()
    with pytest.raises(lmrnn.UsageError, match=r"this run's \[network.readout\] has"):
        lmrnn.Trainer(small_config | {"init_from": str(tmp_path / "patch")}, tmp_path / "all")
