"""Scripts written for NeuroGym and Mod-Cog run with their imports changed."""

import copy
import re

import numpy as np
import pytest

import lmrnn

pytest.importorskip("gymnasium")
from lmrnn import neurogym  # noqa: E402
from lmrnn.neurogym import Dataset, mod_cog_tasks  # noqa: E402

# The example of Mod-Cog's README, as it stands there but for its list of tasks.
SCRIPT = """
from Mod_Cog.mod_cog_tasks import *
from neurogym.wrappers import ScheduleEnvs
from neurogym.utils.scheduler import RandomSchedule
from neurogym.wrappers.block import MultiEnvs
from neurogym import Dataset

envs = [go(), rtgo(), dlygo(), dm1(), dmc(), dlyantiintr(), dlyantiintl(), %s ctxdlydm1seqr()]
env_analysis = MultiEnvs(envs, env_input = True)
schedule = RandomSchedule(len(envs))
env = ScheduleEnvs(envs, schedule=schedule, env_input=True)
dataset = Dataset(env, batch_size=4, seq_len=350)
env = dataset.env
ob_size = env.observation_space.shape[0]
act_size = env.action_space.n
inputs, labels = dataset()
"""


def with_imports_changed(script):
    script = script.replace("from Mod_Cog.mod_cog_tasks", "from lmrnn.neurogym.mod_cog_tasks")
    return re.sub(r"^from neurogym", "from lmrnn.neurogym", script, flags=re.M)


@pytest.mark.parametrize("repeated", ["", "dlyantiintr(), dlyantiintl(),"])
def test_the_readmes_script(repeated):
    """Mod-Cog's README once named two tasks twice: then each has an input of its own."""
    space = {}
    exec(with_imports_changed(SCRIPT % repeated), space)
    n = len(space["envs"])
    assert space["ob_size"] == 33 + n and space["act_size"] == 17
    inputs, labels = space["inputs"], space["labels"]
    assert inputs.shape == (350, 4, 33 + n) and inputs.dtype == np.float32
    assert labels.shape == (350, 4) and labels.dtype == np.int64
    assert (inputs[..., 33:].sum(axis=-1) == 1).all()
    assert 0 <= labels.min() and labels.max() <= 16
    space["env_analysis"].set_i(3)
    space["env_analysis"].new_trial()
    assert (space["env_analysis"].ob[:, 33 + 3] == 1).all()


def environment(names, **options):
    envs = [neurogym.make(name, **options) for name in names]
    return neurogym.ScheduleEnvs(envs, neurogym.RandomSchedule(len(envs)), env_input=True)


def trials_of(inputs, labels, row):
    """(task, labels) of the whole trials of one row; a trial begins where the rule changes."""
    rule = inputs[:, row, 33:].argmax(axis=-1)
    edges = np.flatnonzero(np.diff(rule)) + 1
    for first, last in zip(edges, edges[1:]):
        yield rule[first], labels[first:last, row]


@pytest.mark.parametrize("core", [True, False])
def test_rows_hold_trials_of_the_named_tasks_in_the_given_order(core):
    # Not collection order, so that columns must be put where the script expects them.
    names = ["dmc", "go", "dlygointrseql"]
    env = environment(names)
    if not core:
        env.schedule.__class__ = type("Mine", (neurogym.RandomSchedule,), {})
    dataset = Dataset(env, batch_size=3, seq_len=200)
    dataset.seed(1)
    assert type(dataset._rows).__name__ == ("_CoreRows" if core else "_PythonRows")
    inputs, labels = dataset()
    decisions = {0: 9, 1: 5, 2: 10}
    seen = set()
    for row in range(3):
        for task, targets in trials_of(inputs, labels, row):
            seen.add(task)
            if task > 0:
                assert (targets > 0).sum() == decisions[task]
            else:
                assert (targets > 0).sum() in (0, decisions[task])
    assert seen == {0, 1, 2}


@pytest.mark.parametrize("core", [True, False])
def test_batches_go_on_where_the_last_one_stopped(core):
    def rows(seq_len, n):
        env = environment(["go", "dmc"], sigma=0)  # the noise of a step depends on its batch
        if not core:
            env.schedule.__class__ = type("Mine", (neurogym.RandomSchedule,), {})
        dataset = Dataset(env, batch_size=2, seq_len=seq_len)
        dataset.seed(3)
        batches = [dataset() for _ in range(n)]
        return [np.concatenate(parts) for parts in zip(*batches)]

    for a, b in zip(rows(100, 1), rows(20, 5)):
        assert np.array_equal(a, b)


def test_batch_first_max_batch_and_names():
    dataset = Dataset("dlygointr", env_kwargs={"dt": 50}, batch_size=2, seq_len=30, batch_first=True,
                      max_batch=3)
    batches = list(dataset)
    assert len(batches) == 3 and batches[0][0].shape == (2, 30, 33)
    assert dataset.env.dt == 50


def test_unseeded_datasets_differ():
    a, b = (Dataset(environment(["go", "dm1"]), seq_len=50)() for _ in range(2))
    assert not np.array_equal(a[0], b[0])


def test_environments_make_trials_without_end():
    env = mod_cog_tasks.dlydm1(sigma=0)
    env.seed(1)
    env.reset()
    n = 0
    for _ in range(200):
        shown, reward, terminated, truncated, info = env.step(0)
        assert not terminated and not truncated
        n += info["new_trial"]
    assert n >= 5
    trial = env.new_trial(durations={"delay": 1500})
    assert env.end_ind["delay"] - env.start_ind["delay"] == 15
    assert trial["task"] == "dlydm1" and env.ob.shape == (len(env.gt), 33)
    assert env.gt[env.start_ind["decision"] :].all() and not env.gt[: env.start_ind["decision"]].any()


def test_factories_cover_the_battery_and_take_the_published_names():
    assert set(lmrnn.select_tasks("modcog132")) <= set(mod_cog_tasks.__all__)
    assert mod_cog_tasks.dlygointseq().task.name == "dlygointrseqr"
    assert mod_cog_tasks.dlygointr(dim_ring=32).action_space.n == 33


def test_published_semantics_on_request():
    try:
        neurogym.configure(semantics={"base": "published"}, seed=0)
        assert mod_cog_tasks.dms().task.battery.config["semantics"]["base"] == "published"
    finally:
        neurogym.configure()
    assert mod_cog_tasks.dms().task.battery.config["semantics"]["base"] == "corrected"


def test_copies_go_on_by_themselves():
    env = mod_cog_tasks.dm1()
    env.seed(1)
    env.new_trial()
    other = copy.deepcopy(env)
    a = env.new_trial() and env.ob
    b = other.new_trial() and other.ob
    assert np.array_equal(a, b)


def test_schedules():
    random = neurogym.RandomSchedule(4)
    random.seed(1)
    drawn = [random() for _ in range(2000)]
    assert all(a != b for a, b in zip(drawn, drawn[1:]))
    assert np.bincount(drawn).min() > 420
    sequence = neurogym.SequentialSchedule(3)
    assert [sequence() for _ in range(4)] == [1, 2, 0, 1]
    blocks = neurogym.SequentialBlockSchedule(2, [2, 3])
    assert [blocks() for _ in range(7)] == [0, 0, 1, 1, 1, 0, 0]
    with pytest.raises(ValueError):
        neurogym.RandomBlockSchedule(2, [1])


def test_unequal_environments_are_refused():
    with pytest.raises(ValueError):
        neurogym.MultiEnvs([mod_cog_tasks.go(), mod_cog_tasks.go(dim_ring=32)], env_input=True)
