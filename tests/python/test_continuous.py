"""Custom tasks with continuous targets: training, scores, report, resuming, error messages."""

import numpy as np
import pytest

import lmrnn


def integrate(rng):
    """The running sum of two channels of pulses."""
    inputs = 0.2 * rng.integers(-1, 2, (20, 2)) * (rng.random((20, 2)) < 0.3)
    return lmrnn.data.Trial(inputs, np.cumsum(inputs, axis=0))


def difference(rng):
    """Both outputs are the difference of the sums, from step 5 on; the ends count double."""
    inputs = 0.2 * rng.integers(-1, 2, (20, 2))
    total = np.cumsum(inputs, axis=0)
    steps = np.arange(20)
    return lmrnn.data.Trial(
        inputs, np.repeat(total[:, :1] - total[:, 1:], 2, axis=1), 1.0 + (steps == 19), steps >= 5
    )


@pytest.fixture
def config():
    return {
        "seed": 3,
        "wiring": {"rows": 6, "cols": 6, "radius": 2},
        "loss": {"kind": "least-squares"},
        "stream": {"batch": 32, "row_steps": 40, "reset_at_trial": True},
        "optimiser": {"learning_rate": 3e-3},
        "train": {"steps": 400, "log_every": 50},
        "evaluation": {"every": 200, "trials": 1000},
        "checkpoint": {"every": 50},
    }


def own(tasks=integrate, **arguments):
    return lmrnn.data.OwnTasks("sums", tasks, **{"tolerance": 0.15, "seed": 0, **arguments})


def test_tasks_are_learned_scored_and_reported(config, tmp_path):
    data = own({"sum": integrate, "difference": difference})
    assert (data.n_channels, data.n_classes, data.n_rules) == (2, 2, 2)
    assert "tolerance=0.15" in repr(data)
    run = lmrnn.Trainer(config, tmp_path / "run", data=data).run()
    network = run.network()
    assert network.metadata["targets"] == "continuous, scored with a tolerance of 0.15"

    # Scores made by hand, from the same held-out batches.
    hits, steps = np.zeros(2), np.zeros(2)
    for number in range(2000 // 32 + 1):
        batch = data.arrays("validation", number, 40, 32)
        outputs = network.forward(
            batch["inputs"], batch["rules"][..., None], resets=batch["trial_starts"] != 0
        )[1]
        right = (np.abs(outputs - batch["targets"]) <= 0.15).all(axis=-1)
        for task in range(2):
            scored = (batch["scored"] != 0) & (batch["tasks"] == task)
            hits[task] += (right & scored).sum()
            steps[task] += scored.sum()
    np.testing.assert_allclose(run.scores["decision_accuracy"], hits / steps, atol=1e-3)
    assert run.scores["decision_accuracy"].min() > 0.6, run.scores
    untrained = lmrnn.Trainer(config, tmp_path / "untrained", data=data, overrides={"train.steps": 1}).run()
    assert untrained.scores["decision_accuracy"].max() < 0.5

    page = lmrnn.report.write_report(run.directory).read_text()
    assert "Targets are continuous, scored with a tolerance of 0.15" in page and "ceilings are 1" in page
    for figure in (lmrnn.plot.learning_curves, lmrnn.plot.task_bars, lmrnn.plot.task_heat_map):
        figure(run)
    assert "sums" in repr(run)
    text = lmrnn.methods(run)
    assert "continuous, scored with a tolerance of 0.15: a step was right if every output was within it" in text
    assert "ideal observer" not in text and "was at least 95% at two evaluations" in text


def test_interrupted_and_resumed_equals_undisturbed(config, tmp_path):
    config["train"]["steps"] = 60
    config["evaluation"]["trials"] = 50
    config["loss"]["rate_penalty"] = 0.01
    config["network"] = {"recurrent_noise": 0.05}
    whole = lmrnn.Trainer(config, tmp_path / "whole", data=own(), threads=2).run()
    trainer = lmrnn.Trainer(config, tmp_path / "cut", data=own(), threads=1)
    trainer.run(lambda progress: progress.step >= 20)
    del trainer
    cut = lmrnn.Trainer.resume(tmp_path / "cut", data=own()).run()
    for name, weights in whole.network().weights.items():
        assert np.array_equal(weights, cut.network().weights[name]), name


@pytest.mark.parametrize("backend, dtype", [("engine", "float32"), ("reference", "float64")])
def test_a_step_of_training_is_what_pytorch_computes(config, tmp_path, backend, dtype):
    torch = pytest.importorskip("torch")
    import lmrnn.torch as lt

    config |= {
        "network": {"activation": "tanh"},
        "optimiser": {"kind": "sgd", "learning_rate": 0.5, "momentum": 0.0, "clip": 0},
        "schedule": {"kind": "constant"},
        "train": {"steps": 1},
    }
    data = own({"sum": integrate, "difference": difference})
    run = lmrnn.Trainer(config, tmp_path / "run", data=data).run()
    before, after = run.network(0), run.network(1)
    batch = {name: torch.from_numpy(a) for name, a in data.arrays("train", 0, 40, 32).items()}
    module = lt.LMRNN(before, backend=backend).to(getattr(torch, dtype))
    outputs = module(
        batch["inputs"].to(getattr(torch, dtype)), batch["rules"][..., None], resets=batch["trial_starts"] != 0
    )[1]
    lt.masked_least_squares(outputs, batch["targets"], batch["mask"]).backward()
    for name, parameter in module.named_parameters():
        step = (before.weights[name] - after.weights[name]) / 0.5
        np.testing.assert_allclose(step, parameter.grad.numpy(), atol=2e-6, err_msg=name)


def flawed(**changes):
    def task(rng):
        trial = integrate(rng)
        return trial._replace(**{name: change(getattr(trial, name)) for name, change in changes.items()})

    return task


def with_nan(targets):
    targets = targets.copy()
    targets[4, 1] = np.nan
    return targets


@pytest.mark.parametrize(
    "tasks, arguments, message",
    [
        (integrate, {"tolerance": None}, r"sums: targets of shape \(20, 2\); give classes, \(time\), or, .* tolerance=0.1"),
        (integrate, {"tolerance": None, "n_channels": 2, "n_classes": 2}, r"targets of shape \(20, 2\).*tolerance=0.1.*trial 0 of row 0"),
        (integrate, {"tolerance": 0}, "sums: tolerance = 0; give a finite number above 0"),
        (integrate, {"tolerance": "wide"}, "sums: tolerance = 'wide'"),
        (flawed(targets=lambda a: a[:, 0]), {}, r"targets of shape \(20,\); with a tolerance, targets are continuous"),
        (flawed(targets=lambda a: a[:, 0] + 0.5), {"tolerance": None, "n_classes": 3}, r"targets is .*; continuous targets are \(time, output\)"),
        (flawed(targets=with_nan), {}, "targets is nan at step 4, output 1; give finite numbers"),
        (flawed(targets=with_nan), {"n_channels": 2, "n_classes": 2}, "targets is nan .*trial 0 of row 0 of validation"),
        (flawed(targets=lambda a: a[:7]), {}, r"targets of shape \(7, 2\) for 20 time steps"),
        ({"a": integrate, "b": flawed(targets=lambda a: np.hstack([a, a]))}, {}, "same number of outputs; 2 in a, 4 in b"),
        ({"a": integrate, "b": flawed(targets=lambda a: np.zeros(20, int))}, {}, r"b: targets of shape \(20,\).*in all tasks"),
        (flawed(targets=lambda a: np.hstack([a, a])), {"n_classes": 2}, r"targets of shape \(20, 4\); expected \(time, 2\)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_words(config, tmp_path, tasks, arguments, message):
    with pytest.raises(lmrnn.UsageError, match=message):
        lmrnn.Trainer(config, tmp_path / "run", data=own(tasks, **arguments))


def test_cross_entropy_is_refused_with_the_remedy(config, tmp_path):
    del config["loss"]
    with pytest.raises(lmrnn.UsageError, match='"sums" are continuous; set loss.kind = "least-squares"'):
        lmrnn.Trainer(config, tmp_path / "run", data=own())
    assert not (tmp_path / "run").exists()


def test_whole_batches_of_your_own_are_taken_too(config, tmp_path):
    config["train"]["steps"] = 20
    made = own()

    class Batches:
        name, tasks, n_channels, n_classes, n_rules, tolerance = "sums", ["sums"], 2, 2, 0, 0.15
        arrays = made.arrays

    for place, data in (("one", made), ("other", Batches())):
        lmrnn.Trainer(config, tmp_path / place, data=data).run()
    one, other = (lmrnn.Run(tmp_path / place).network().weights for place in ("one", "other"))
    assert all(np.array_equal(one[name], other[name]) for name in one)

    Batches.tolerance = None
    with pytest.raises(lmrnn.UsageError, match=r"shape \(40, 32\); for continuous targets the data need a `tol"):
        lmrnn.Trainer(config, tmp_path / "classes", data=Batches())
    for wrong in (-1, float("nan"), "2"):
        Batches.tolerance = wrong
        with pytest.raises(lmrnn.UsageError, match="data: tolerance = "):
            lmrnn.Trainer(config, tmp_path / "wrong", data=Batches())
