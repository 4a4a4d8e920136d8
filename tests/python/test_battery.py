import numpy as np
import pytest

import lmrnn


def test_tasks_by_name_and_number():
    battery = lmrnn.Battery("modcog82")
    assert len(battery) == len(battery.names) == 82
    assert battery["dlygointr"].name == battery[battery["dlygointr"].index].name == "dlygointr"
    assert battery[-1].name == battery.names[-1]
    assert [task.name for task in battery] == battery.names
    with pytest.raises(IndexError):
        battery[82]
    with pytest.raises(lmrnn.UsageError):
        battery["nosuchtask"]


def test_known_answer_of_the_specification():
    battery = lmrnn.Battery("dlygointrseql")
    task = battery[0]
    conditions = task.draw(seed=0)
    conditions.direction = 15 * 2 * np.pi / 16
    conditions.durations = {"delay": 300}
    trial = task.compose(conditions)
    decision = [span for span in trial.periods if span[0] == "decision"][0]
    assert trial.targets[decision[1] :].tolist() == [3, 2, 1, 16, 15, 14, 13, 12, 11, 10]


def test_compose_takes_changes_and_noise_by_seed():
    task = lmrnn.Battery("dm1")[0]
    conditions = task.draw(seed=3)
    clean = task.compose(conditions)
    assert np.array_equal(clean.inputs, task.compose(conditions).inputs)
    assert clean.conditions == conditions, "the trial keeps what it was given"
    noisy = task.compose(conditions, seed=1)
    assert not np.array_equal(noisy.inputs, clean.inputs)
    assert np.array_equal(noisy.inputs, task.compose(conditions, seed=1).inputs)
    noises = [task.compose(conditions, seed=s, number=n).inputs for s in (1, 2) for n in (0, 1)]
    assert np.array_equal(noises[0], noisy.inputs)
    assert all(not np.array_equal(a, b) for i, a in enumerate(noises) for b in noises[:i])
    longer = task.compose(conditions, durations={"stimulus": 1000})
    assert len(longer) == len(clean) + 5
    assert conditions.durations["stimulus"] == 500, "the caller's conditions are not changed"
    with pytest.raises(lmrnn.UsageError, match="no period"):
        task.compose(conditions, durations={"stimulation": 1})


def test_trial_arrays_are_read_only_views():
    trial = lmrnn.Battery("go")[0].trial(seed=1)
    assert trial.inputs.shape == (len(trial), 33) and trial.inputs.dtype == np.float32
    assert not trial.inputs.flags.owndata and not trial.inputs.flags.writeable
    assert np.shares_memory(trial.inputs, trial.inputs)
    inputs = trial.inputs
    copy = inputs.copy()
    del trial
    assert np.array_equal(inputs, copy), "a view keeps its trial alive"


def test_trial_batches_agree_with_single_trials():
    battery = lmrnn.Battery("dlydm1,dmc")
    batch = battery.trials("dmc", 5, seed=2)
    assert batch.inputs.shape[1:] == (5, 33)
    for k in range(5):
        trial = battery["dmc"].trial(seed=2, number=k)
        n = batch.lengths[k]
        assert len(trial) == n
        assert np.array_equal(batch.inputs[:n, k], trial.inputs)
        assert np.array_equal(batch.targets[:n, k], trial.targets)
        assert batch.mask[:, k].sum() == n
        assert batch.responses[k] == trial.response
    with pytest.raises(IndexError):
        battery.trials(2, 1, seed=0)


def test_published_match_delay_needs_a_seed():
    with pytest.raises(lmrnn.UsageError, match="seed"):
        lmrnn.Battery("dms", semantics={"base": "published"})
    lmrnn.Battery("dms", semantics={"base": "published"}, seed=0)


def test_ceilings():
    battery = lmrnn.Battery("go,dm1")
    go, dm1 = battery.ceilings(seed=0)
    assert float(go.decision_accuracy) == 1
    assert 0.95 < float(dm1.decision_accuracy) < 0.98


def test_batteries_and_tasks_can_be_pickled():
    import copy
    import pickle

    battery = lmrnn.Battery("dms,go", semantics={"base": "published"}, seed=3, dt=50)
    again = pickle.loads(pickle.dumps(battery))
    assert again.config == battery.config and again.names == battery.names
    # The published delay of match tasks is drawn once per seed.
    assert np.array_equal(
        again["dms"].trial(seed=1).inputs, copy.deepcopy(battery["dms"]).trial(seed=1).inputs
    )
    assert pickle.loads(pickle.dumps(battery["go"])).name == "go"


@pytest.mark.parametrize("seed", [-1, 2**63, 2**64, 1.5, "1"])
def test_a_seed_that_is_none_is_told_so(seed):
    battery = lmrnn.Battery("go")
    for call in (
        lambda: lmrnn.Battery("go", seed=seed),
        lambda: battery.trials("go", 2, seed=seed),
        lambda: battery.stream(batch=2, steps=10, seed=seed),
        lambda: lmrnn.Mask.make("random", rows=4, cols=4, radius=1, seed=seed),
    ):
        with pytest.raises(lmrnn.UsageError, match="seed = .*; a seed is a whole number from 0 to 9223372036854775807"):
            call()
    assert battery.trials("go", 2, seed=np.int64(3)).targets.shape[1] == 2


def test_a_period_of_no_length_is_among_the_durations():
    task = lmrnn.Battery("dlygointr")["dlygointr"]
    drawn = [task.trial(seed=1, number=k).conditions for k in range(100)]
    short = next(c for c in drawn if c.durations["delay"] == 0)
    long = next(c for c in drawn if c.durations["delay"] > 500)
    copied = task.compose(long, durations=short.durations)
    assert copied.conditions.durations == short.durations
    assert len(copied) == len(task.compose(short))


def test_periods_go_by_their_names_in_the_family():
    task = lmrnn.Battery("dlydm1")["dlydm1"]
    conditions = task.draw(seed=1)
    lengths = {name: 100.0 * (k + 2) for k, name in enumerate(task.periods) if name != "decision"}
    made = task.compose(conditions, durations=lengths)
    assert {name: 100.0 * (last - first) for name, first, last in made.periods if name in lengths} == lengths
    assert made.conditions.durations["second_stimulus"] == lengths["stim2"]


@pytest.mark.parametrize("weight", [-5, float("nan"), float("inf")])
def test_weights_of_periods_are_numbers_from_0_on(weight):
    with pytest.raises(lmrnn.UsageError, match="weights: delay: .*; give a finite number that is at least 0"):
        lmrnn.Battery("go").stream(batch=2, steps=20, seed=1, weights={"delay": weight})
