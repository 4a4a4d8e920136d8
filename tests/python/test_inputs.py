"""Users' data, through every way in: the same checks and the same messages."""

import copy
import pickle
import re

import numpy as np
import pytest

import lmrnn

RANGE = "a seed is a whole number from 0 to 9223372036854775807"
SMALL = {
    "seed": 1,
    "wiring": {"rows": 2, "cols": 2, "radius": 1},
    "stream": {"batch": 4, "steps": 12},
    "train": {"steps": 2},
    "evaluation": {"trials": 4},
}


# Masks -----------------------------------------------------------------------------------------


def masks_by_every_way(dense, directory):
    """Calls that make a mask from an array: by file, by array, by keyword of the trainer, by torch."""
    np.save(directory / "mask.npy", dense)
    n = len(dense)
    config = {"seed": 1, "battery": {"tasks": "go"}, "wiring": {"rows": 1, "cols": n}}
    made = [
        lambda: lmrnn.Mask.make("file", rows=1, cols=n, path=str(directory / "mask.npy")),
        lambda: lmrnn.Mask(dense),
        lambda: lmrnn.Mask(dense.tolist()),
        lambda: lmrnn.Trainer(config, directory / "run", mask=dense),
    ]
    try:
        from lmrnn import torch
    except ImportError:
        return made
    weights = dict(recurrent=np.ones((n, n)), input=np.ones((n, 1)), readout=np.ones((1, n)))
    return [*made, lambda: torch.export(**weights, recurrent_mask=dense),
            lambda: torch.export(**{**weights, "recurrent": dense})]  # fmt: skip


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_mask_of_what_is_not_finite_is_refused(value, dtype, tmp_path):
    dense = np.eye(3, dtype=dtype)
    dense[1, 2] = value
    for make in masks_by_every_way(dense, tmp_path):
        with pytest.raises(lmrnn.UsageError, match=r"(nan|inf) at \[1, 2\]"):
            make()
    assert not (tmp_path / "run").exists()


def test_a_mask_without_synapses_is_refused(tmp_path):
    for make in masks_by_every_way(np.zeros((3, 3)), tmp_path):
        with pytest.raises(lmrnn.UsageError, match="no synapse"):
            make()
    with pytest.raises(lmrnn.UsageError, match="no synapse"):
        lmrnn.Mask.from_pairs(3, 3, np.zeros((0, 2), dtype=int))


@pytest.mark.parametrize(
    "dtype", ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", ">f4", ">i8"]
)
def test_masks_of_every_dtype_and_order(dtype, tmp_path):
    dense = np.array([[1, 0, 1], [0, 0, 1], [1, 1, 0]])
    expected = lmrnn.Mask(dense)
    for order in "CF":
        given = dense.astype(dtype, order=order)
        assert lmrnn.Mask(given) == expected
        np.save(tmp_path / "mask.npy", given)
        assert lmrnn.Mask.make("file", rows=1, cols=3, path=str(tmp_path / "mask.npy")) == expected
    assert lmrnn.Mask(np.repeat(dense, 2, axis=1).astype(dtype)[:, ::2]) == expected


@pytest.mark.parametrize(
    "given", [np.eye(3) * 1j, np.full((3, 3), "x"), np.full((3, 3), None), [[1, 0], [1]], "mask"]
)
def test_masks_of_what_is_no_number_are_refused(given):
    with pytest.raises(lmrnn.UsageError, match="^mask: "):
        lmrnn.Mask(given)


def test_a_sparse_matrix_is_refused_until_it_is_read(tmp_path):
    # scipy.sparse.save_npz("mask.npz", dia_array): the truth has 9 synapses, `data` 9 others.
    np.savez(
        tmp_path / "mask.npz",
        format=b"dia",
        shape=(3, 3),
        data=np.ones((3, 3)),
        offsets=np.array([0, 1, -1]),
    )
    path = str(tmp_path / "mask.npz")
    for keywords in ({}, {"dataset": "data"}):
        with pytest.raises(lmrnn.UsageError, match="sparse matrix of scipy"):
            lmrnn.Mask.make("file", rows=1, cols=3, path=path, **keywords)
    with pytest.raises(lmrnn.UsageError, match="sparse matrix of scipy"):
        wiring = {"kind": "file", "rows": 1, "cols": 3, "path": path, "dataset": "data"}
        lmrnn.Trainer({"seed": 1, "wiring": wiring}, tmp_path / "run")


@pytest.mark.parametrize("pairs", [[[0, -1]], [[0, 0.5]], [[0, np.nan]], [[0, 2]], [[0, 2**32]], [0, 1]])
def test_pairs_that_are_none_are_refused(pairs):
    with pytest.raises(lmrnn.UsageError):
        lmrnn.Mask.from_pairs(2, 2, np.array(pairs))
    assert lmrnn.Mask.from_pairs(2, 2, [[0.0, 1.0]]) == lmrnn.Mask([[0, 1], [0, 0]])


# Arrays for networks -----------------------------------------------------------------------------


@pytest.fixture
def network():
    network = lmrnn.Network(lmrnn.Mask(np.ones((4, 4))), n_channels=3, n_classes=2, n_rules=2)
    network.initialise(seed=1)
    return network


def test_arrays_for_networks_are_not_cast_with_loss(network):
    inputs, rules = np.zeros((5, 2, 3)), np.zeros((5, 2, 1), int)
    targets = np.zeros((5, 2))

    def bad(array, value):
        array = array.astype(float)
        array[3, 1] = value
        return array

    good = network.loss_and_gradient(inputs, targets, rules, mask=np.ones((5, 2)))[0]
    assert good == network.loss_and_gradient(inputs, targets + 1e-9, rules.astype(float))[0]
    for call, message in [
        (lambda: network.forward(bad(inputs, np.nan), rules), "inputs is nan at step 3, trial 1, chan"),
        (lambda: network.forward(bad(inputs, 1e300), rules), "inputs is 1e\\+300 at step 3, trial 1"),
        (lambda: network.forward(inputs, bad(rules, 0.5)), "rules is 0.5 at step 3, trial 1, slot 0"),
        (lambda: network.forward(inputs, bad(rules, 2)), "rules is 2 at .*; give whole numbers from -1"),
        (lambda: network.forward(inputs, rules, resets=bad(targets, 0.5)), "resets is 0.5"),
        (lambda: network.forward(inputs, rules, recurrent_noise=np.nan, seed=1), "recurrent_noise"),
        (lambda: network.forward(inputs, rules, recurrent_noise=-1, seed=1), "recurrent_noise"),
        (lambda: network.loss_and_gradient(inputs, bad(targets, 0.999), rules), "targets is 0.999 at st"),
        (lambda: network.loss_and_gradient(inputs, bad(targets, np.nan), rules), "targets is nan"),
        (lambda: network.loss_and_gradient(inputs, bad(targets, 2**32), rules), "targets is 4294967296"),
        (lambda: network.loss_and_gradient(inputs, targets, rules, mask=bad(targets, -1)), "mask is -1 "),
        (lambda: network.loss_and_gradient(inputs, targets, rules, mask=bad(targets, np.inf)), "mask is"),
    ]:
        with pytest.raises(lmrnn.UsageError, match=message):
            call()


def test_weights_that_are_not_finite_are_refused_and_nothing_is_set(network):
    before = network.weights["readout"].copy()
    with pytest.raises(lmrnn.UsageError, match=r"set_weights: bias is nan at \[2\]"):
        network.set_weights(readout=before + 1, bias=[0, 0, np.nan, 0])
    assert np.array_equal(network.weights["readout"], before)
    with pytest.raises(lmrnn.UsageError, match="set_weights: bias: .*dtype complex"):
        network.set_weights(bias=np.zeros(4) * 1j)


def test_noise_of_an_evaluation_is_checked(small_run):
    for noise in (-0.1, np.nan, np.inf):
        with pytest.raises(lmrnn.UsageError, match="recurrent_noise"):
            small_run.evaluate(n_trials=10, recurrent_noise=noise)


# Custom data -------------------------------------------------------------------------------------


def task_with(**changes):
    def task(rng):
        arrays = {
            "inputs": np.ones((6, 2)),
            "targets": np.zeros(6),
            "mask": np.ones(6),
            "scored": np.ones(6),
        }
        for name, value in changes.items():
            arrays[name][4] = value
        return lmrnn.data.Trial(**arrays)

    return task


def own(task, name="mine"):
    return lmrnn.data.OwnTasks("data", {name: task}, n_channels=2, n_classes=3, seed=0)


class Batches:
    """The same, as whole batches."""

    name, n_channels, n_classes, n_rules, tasks = "data", 2, 3, 0, ["mine"]

    def __init__(self, task):
        self.task = task

    def arrays(self, split, batch, steps, rows):
        trials = [self.task(None) for _ in range(steps // 6)]
        made = {
            name: np.repeat(np.concatenate([getattr(t, name) for t in trials])[:, None], rows, axis=1)
            for name in ("inputs", "targets", "mask", "scored")
        }
        starts = np.zeros((steps, rows))
        starts[::6] = 1
        return {**made, "trial_starts": starts, "tasks": np.zeros((steps, rows))}


BAD = [
    ({"targets": 1.5}, "targets is 1.5 at step 4"),
    ({"targets": 1.99}, "targets is 1.99 at step 4"),
    ({"targets": 3}, "targets is 3.* at step 4.*; give whole numbers from 0 to 2"),
    ({"targets": -1}, "targets is -1.* at step 4"),
    ({"targets": np.nan}, "targets is nan at step 4"),
    ({"inputs": np.nan}, "inputs is nan at .*step 4"),
    ({"inputs": -np.inf}, "inputs is -inf at .*step 4"),
    ({"mask": -0.5}, "mask is -0.5 at step 4.*; give finite numbers that are at least 0"),
    ({"mask": np.nan}, "mask is nan at step 4"),
    ({"scored": 0.5}, "scored is 0.5 at step 4"),
]


@pytest.mark.parametrize("change, message", BAD)
def test_data_that_would_be_cast_with_loss_are_refused(change, message, tmp_path):
    with pytest.raises(lmrnn.UsageError, match=f"mine: {message}"):
        own(task_with(**change)).trial("mine", None)
    # In training, the message also names batch, row and trial.
    with pytest.raises(lmrnn.UsageError, match=f"mine: {message}.*trial 0 of row 0 of validation batch 0"):
        lmrnn.Trainer(SMALL, tmp_path / "own", data=own(task_with(**change))).run()
    where = 'of row 0 of validation batch 0 .task "mine", step 4 of trial 0 of the row'
    with pytest.raises(lmrnn.UsageError, match=f"data: {message.split(';')[0]} {where}"):
        lmrnn.Trainer(SMALL, tmp_path / "batches", data=Batches(task_with(**change))).run()


def test_targets_a_hair_beside_a_class_train_that_class(tmp_path):
    weights = []
    for number, target in enumerate((2, 1.9999999999999998, 2 + 1e-9)):
        for data in (own(task_with(targets=target)), Batches(task_with(targets=target))):
            directory = tmp_path / f"{number}-{type(data).__name__}"
            weights.append(lmrnn.Trainer(SMALL, directory, data=data).run().network())
    for one in weights:
        assert np.array_equal(one.weights["readout"], weights[0].weights["readout"])


def test_trials_that_do_not_fit_into_a_row_are_told(tmp_path):
    config = {**SMALL, "stream": {"batch": 4, "steps": 5}}
    data = own(task_with())
    with pytest.warns(UserWarning, match="mine: a trial of 6 steps does not fit .*stream.row_steps = 5"):
        data.arrays("train", 0, 5, 2)
    with pytest.warns(UserWarning, match='no step of "mine" is scored .*stream.row_steps = 5'):
        lmrnn.Trainer(config, tmp_path / "run", data=data)


@pytest.mark.parametrize("count", [1.5, -1, "2", None, 0])
def test_counts_of_data_are_checked(count, tmp_path):
    data = Batches(task_with())
    data.n_classes = count
    with pytest.raises(lmrnn.UsageError, match="data: n_classes = "):
        lmrnn.Trainer(SMALL, tmp_path / "run", data=data)


# Seeds -------------------------------------------------------------------------------------------


def seeded(directory):
    """Everything that takes a seed."""
    battery = lmrnn.Battery("go")
    task = battery["go"]
    network = lmrnn.Network(lmrnn.Mask(np.eye(2)), n_channels=33, n_classes=17, n_rules=1)
    inputs, rules = np.zeros((2, 1, 33)), np.zeros((2, 1, 1))
    config = {"battery": {"tasks": "go"}, "wiring": {"rows": 2, "cols": 2}}
    made = {
        "battery": lambda s: lmrnn.Battery("go", seed=s),
        "stream": lambda s: battery.stream(batch=2, steps=10, seed=s),
        "trials": lambda s: battery.trials("go", 2, seed=s),
        "ceilings": lambda s: battery.ceilings(seed=s),
        "draw": lambda s: task.draw(seed=s),
        "trial": lambda s: task.trial(seed=s),
        "ceiling": lambda s: task.ceiling(seed=s),
        "compose": lambda s: task.compose(task.draw(seed=1), seed=s),
        "mask": lambda s: lmrnn.Mask.make("random", rows=2, cols=2, radius=1, seed=s),
        "shuffled": lambda s: lmrnn.Mask(np.ones((2, 2))).shuffled(seed=s),
        "initialise": lambda s: network.initialise(seed=s),
        "noise": lambda s: network.forward(inputs, rules, recurrent_noise=0.1, seed=s),
        "evaluate": lambda s: lmrnn.evaluate(network, battery, seed=s, n_trials=1),
        "own": lambda s: lmrnn.data.OwnTasks("o", {"t": len}, n_channels=1, n_classes=2, seed=s),
        "config": lambda s: lmrnn.resolve_config({**config, "seed": s}),
        "wiring": lambda s: lmrnn.resolve_config({"seed": 1, "wiring": {"seed": s}}),
        "overrides": lambda s: lmrnn.resolve_config({**config, "seed": 1}, {"evaluation.seed": s}),
        "trainer": lambda s: lmrnn.Trainer(config, directory / "run", seed=s),
    }
    try:
        from lmrnn import gym, neurogym
    except ImportError:
        return made
    envs = [neurogym.TaskEnv("go"), neurogym.TaskEnv("anti")]
    schedule = neurogym.RandomSchedule(2)
    scheduled = neurogym.ScheduleEnvs(envs, schedule)
    return {
        **made,
        "gym": lambda s: gym.TaskEnv("go").reset(seed=s),
        "neurogym": lambda s: envs[0].seed(s),
        "neurogym reset": lambda s: envs[0].reset(seed=s),
        "schedule": lambda s: schedule.seed(s),
        "scheduled": lambda s: scheduled.seed(s),
        "dataset": lambda s: neurogym.Dataset(envs[0], batch_size=1, seq_len=10).seed(s),
    }


@pytest.mark.parametrize("seed", [-1, 2**63, 2**64 - 1, 2**64, 1.5, "1"])
def test_one_range_of_seeds_and_one_message(seed, tmp_path):
    said = re.escape("'1'") + '|"1"' if seed == "1" else re.escape(str(seed))
    for name, call in seeded(tmp_path).items():
        with pytest.raises(lmrnn.UsageError, match=f"seed = ({said}); {RANGE}"):
            call(seed)
            pytest.fail(f"{name} takes the seed {seed!r}")


@pytest.mark.parametrize("seed", [0, 2**63 - 1, np.int64(3), np.uint8(3)])
def test_every_seed_of_the_range_is_taken(seed, tmp_path):
    for call in seeded(tmp_path).values():
        call(seed)


def test_whole_numbers_of_a_configuration_that_are_too_large():
    for value in (2**63, -(2**63) - 1, 10**30):
        with pytest.raises(lmrnn.UsageError, match=f"steps = {value} is out of range"):
            lmrnn.resolve_config({"seed": 1, "train": {"steps": value}})


# Pickle and copy ---------------------------------------------------------------------------------


def bits(value):
    return value.tobytes() if isinstance(value, np.ndarray) else value


def test_everything_public_survives_pickle_and_copy(small_run, tmp_path):
    battery = lmrnn.Battery("dlygointr,dm1,dmc", dt=20, semantics={"ties": "published"})
    task = battery["dlygointr"]
    network = small_run.network()
    network.save(tmp_path / "network.safetensors")
    seen = []
    config = {**small_run.config, "train": {**small_run.config["train"], "steps": 20}}
    lmrnn.Trainer(config, tmp_path / "again").run(seen.append)
    lmrnn.analyze(small_run, "weights", out=tmp_path / "weights")
    objects = {
        "Battery": battery,
        "Task": task,
        "Conditions": task.draw(seed=3),
        "Trial": task.trial(seed=3),
        "composed Trial": task.compose(task.draw(seed=3), direction=0.5),
        "TrialBatch": battery.trials("dm1", 5, seed=2),
        "Ceiling": task.ceiling(seed=1),
        "Score": battery["dm1"].ceiling(seed=1, n_trials=50).trial_accuracy,
        "Sheet": lmrnn.Sheet(3, 4, metric="linf", boundary="open"),
        "Mask": lmrnn.Mask.make("random", rows=5, cols=5, radius=1, seed=4),
        "Network": network,
        "diagonal Network": lmrnn.Network(lmrnn.Mask(np.eye(3)), n_channels=2, n_classes=2),
        "Evaluation": small_run.evaluate(n_trials=20),
        "TaskScore": small_run.evaluate(n_trials=20).tasks[0],
        "Progress": seen[-1],
        "Run": small_run,
        "Analysis": lmrnn.Analysis(tmp_path / "weights"),
    }
    for name, one in objects.items():
        for again in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one), copy.copy(one)):
            assert type(again) is type(one)
            assert again == one, name
            assert not again != one and one != object(), name
    for again in (pickle.loads(pickle.dumps(network)), copy.deepcopy(network)):
        assert again.metadata == network.metadata and again.recurrent == network.recurrent
        assert again.representation == network.representation
        for name, weights in network.weights.items():
            assert bits(again.weights[name]) == bits(weights), name
    batch = objects["TrialBatch"]
    again = copy.deepcopy(batch)
    for name in ("inputs", "rules", "targets", "periods", "mask", "lengths", "tasks", "responses"):
        assert bits(getattr(again, name)) == bits(getattr(batch, name)), name
    trial, again = objects["Trial"], pickle.loads(pickle.dumps(objects["Trial"]))
    assert bits(again.inputs) == bits(trial.inputs) and again.periods == trial.periods
    assert bits(again.targets) == bits(trial.targets) and again.response == trial.response


def test_what_differs_is_not_equal():
    task = lmrnn.Battery("go,dlygo")["go"]
    one, other = task.draw(seed=1), task.draw(seed=1)
    assert one == other
    other.direction += 1e-12
    assert one != other
    assert task.trial(seed=1) == task.trial(seed=1) != task.trial(seed=2)
    assert task != lmrnn.Battery("go")["go"] and task != task.battery["dlygo"]
    assert len({task, lmrnn.Battery("go,dlygo")["go"], task.battery["dlygo"]}) == 2
    network = lmrnn.Network(lmrnn.Mask(np.eye(3)), n_channels=2, n_classes=2)
    again = copy.deepcopy(network)
    again.set_weights(bias=[0, 0, 1e-30])
    assert again != network


def test_a_trainer_says_why_it_is_not_copied(small_config, tmp_path):
    trainer = lmrnn.Trainer(small_config, tmp_path / "run")
    for call in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="Trainer cannot be pickled or copied.*Trainer.resume"):
            call(trainer)


def test_an_environment_is_copied_in_the_middle_of_a_trial():
    gym = pytest.importorskip("lmrnn.gym")
    env = gym.TaskEnv("dlygointr", dt=50)
    env.reset(seed=5)
    env.step(0)
    for again in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert again.t_ind == env.t_ind and again.trial == env.trial
        one, other = copy.deepcopy(env), again
        for _ in range(60):
            a, b = one.step(0), other.step(0)
            assert bits(a[0]) == bits(b[0]) and a[1:] == b[1:]
            if a[2]:
                assert bits(one.reset()[0]) == bits(other.reset()[0])


# Numbers of any kind --------------------------------------------------------------------------------


@pytest.mark.parametrize("one", [1, 1.0, np.float32(1), np.float64(1), np.int64(1), np.uint8(1), True])
def test_constructors_take_any_number_where_a_number_is_expected(one):
    network = lmrnn.Network(np.eye(4), n_channels=3, n_classes=2, alpha=one)
    assert network.alpha == 1
    if isinstance(one, (int, np.integer)):
        assert lmrnn.Network(np.eye(4), n_channels=3 * one, n_classes=2, n_rules=one).n_rules == 1
        assert lmrnn.Sheet(2 * one, one) == lmrnn.Sheet(2, 1)
    else:
        with pytest.raises(TypeError, match="n_channels"):
            lmrnn.Network(np.eye(4), n_channels=one, n_classes=2)
    with pytest.raises(TypeError, match="alpha"):
        lmrnn.Network(np.eye(4), n_channels=3, n_classes=2, alpha=f"{one}")


def test_masked_entries_are_refused_because_numpy_would_use_what_is_under_the_mask(tmp_path):
    entries = np.ma.masked_array(np.ones((4, 4)), mask=np.eye(4, dtype=bool))
    with pytest.raises(lmrnn.UsageError, match=r"mask: some of its entries are masked; give array.filled\(0\)"):
        lmrnn.Mask(entries)
    assert lmrnn.Mask(entries.filled(0)).n_synapses == 12
    assert lmrnn.Mask(np.ma.masked_array(np.eye(4))).n_synapses == 4  # nothing is masked
    for rows in (list(entries), tuple(entries), [[np.ma.masked, 1], [1, 1]]):
        with pytest.raises(lmrnn.UsageError, match="mask: some of its entries are masked"):
            lmrnn.Mask(rows)
    assert lmrnn.Mask(list(entries.filled(0))).n_synapses == 12
    network = lmrnn.Network(np.eye(4), n_channels=3, n_classes=2)
    inputs = np.ma.masked_invalid(np.full((5, 1, 3), np.nan, np.float32))
    with pytest.raises(lmrnn.UsageError, match="inputs: some of its entries are masked"):
        network.forward(inputs, np.zeros((5, 1, 0), np.int32))
