"""Scripts for NeuroGym and Mod-Cog run after only their imports are changed."""

import copy
import importlib.util
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import lmrnn

gymnasium = pytest.importorskip("gymnasium")
from lmrnn import neurogym  # noqa: E402
from lmrnn.neurogym import Dataset, mod_cog_tasks  # noqa: E402
from lmrnn.neurogym.utils import TruncExp  # noqa: E402

# The example of Mod-Cog's README, unchanged except for its list of tasks.
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
    """Mod-Cog's README once named two tasks twice: each then has its own input."""
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
    # Not in collection order, so columns must be moved to where the script expects them.
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
    dataset = Dataset(
        "dlygointr", env_kwargs={"dt": 50}, batch_size=2, seq_len=30, batch_first=True, max_batch=3
    )
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
    assert (
        env.gt[env.start_ind["decision"] :].all() and not env.gt[: env.start_ind["decision"]].any()
    )


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


@pytest.mark.parametrize("way", [copy.deepcopy, lambda dataset: pickle.loads(pickle.dumps(dataset))])
def test_copies_of_a_dataset_go_on_by_themselves(way):
    dataset = neurogym.Dataset(mod_cog_tasks.dm1(), batch_size=2, seq_len=50)
    dataset.seed(1)
    dataset()
    other = way(dataset)
    for _ in range(2):
        (a, b), (c, d) = dataset(), other()
        assert np.array_equal(a, c) and np.array_equal(b, d)


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


# What NeuroGym 2.3.1 does, situation by situation -------------------------------------------------


def load_situations():
    path = FIXTURES / "neurogym_situations.py"
    spec = importlib.util.spec_from_file_location("neurogym_situations", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
SITUATIONS = load_situations()
THEIRS = json.loads((FIXTURES / "neurogym_2_3_1.json").read_text())

# The differences that are intended; SITUATIONS.DIFFERENCES says why.
OURS = {
    "native_task": "refused",
    "demo_wrappers": ["refused", "refused"],
    "defining_a_task": "refused",
    "wrapper_classes": ["refused"],
    "dataset_env_takes_part": False,
    "dataset_envs": False,
    "dataset_conditions": "refused",
    "dataset_seed_repeats_first_batch": True,
    "dataset_keeps_batches": True,
    "dataset_goes_on_in_mid_trial": True,
    "timing_of_every_task": THEIRS["timing_of_every_task"]
    | dict.fromkeys(["yang19.rtgo-v0", "yang19.rtanti-v0"], {"fixation": 500, "decision": 500}),
    "timing_unknown_period": "refused",
    "timing_of_dlygo": [25],
    "condition_that_does_not_exist": "refused",
    "ground_truth_of_a_decision": "refused",
    "reset_with_a_seed_repeats_trials": True,
    "seeded_tasks_draw_apart": True,
    "seeded_copies_are_alike": True,
    "mixture_steps": [[[36]], 3, True],
    "nested_mixture_steps": [[[36]], 3, True],
    "set_i_of_a_schedule": 2,
    "reset_of_multi_envs": True,
}


@pytest.fixture(scope="module")
def seen():
    return SITUATIONS.observe(SITUATIONS.Package("lmrnn.neurogym"))


def test_every_difference_is_named():
    assert set(SITUATIONS.SITUATIONS) == set(THEIRS)
    assert set(SITUATIONS.DIFFERENCES) == set(OURS)
    assert [name for name in OURS if OURS[name] == THEIRS[name]] == []


@pytest.mark.parametrize("name", THEIRS)
def test_situation(seen, name):
    assert seen[name] == OURS.get(name, THEIRS[name])


def test_the_page_shows_the_table(seen, root):
    page = (root / "docs/howto/neurogym-and-mod-cog.md").read_text()
    assert SITUATIONS.table(THEIRS, seen).strip() in page


# What the situations do not reach -----------------------------------------------------------------


def test_errors_say_what_to_use_instead():
    for path, remedy in {
        "wrappers.Monitor": "gymnasium's own wrappers",
        "core.TrialEnv": "lmrnn.data.OwnTasks",
        "utils.plotting": "lmrnn.plot",
    }.items():
        module, name = path.split(".")
        with pytest.raises(ImportError, match=remedy):
            exec(f"from lmrnn.neurogym.{module} import {name}")
    with pytest.raises(ImportError, match="OwnTasks"):
        neurogym.TrialEnv
    with pytest.raises(AttributeError, match="no attribute 'Datasett'"):
        neurogym.Datasett
    for call, message in [
        (lambda: neurogym.make("PerceptualDecisionMaking-v0"), "passed to Dataset as an object"),
        (lambda: neurogym.make("yang19.dlygointr-v0"), "get_collection"),
        (lambda: mod_cog_tasks.go(anti=True), "name of the task"),
        (lambda: mod_cog_tasks.dm1(cohs=[0.1]), "strength"),
        (lambda: mod_cog_tasks.go(timing={"dealy": 200}), "no period .dealy.; there are fixation"),
        (lambda: mod_cog_tasks.go(timing={"delay": "long"}), "is not a duration; write"),
        (lambda: mod_cog_tasks.go(timing={"delay": ("until", 500)}).new_trial(), "begins at 1000"),
        (lambda: mod_cog_tasks.go().new_trial(colour=1), "no condition .colour."),
        (lambda: mod_cog_tasks.go().new_trial(ground_truth=16), "0 to 15"),
        (lambda: mod_cog_tasks.dm1().new_trial(ground_truth=1), "fix directions and strength"),
        (lambda: Dataset("go", seq_len=9)(delay=3), "dataset.env.new_trial"),
    ]:
        with pytest.raises(lmrnn.UsageError, match=message):
            call()
    with pytest.raises(AttributeError, match="make another Dataset"):
        Dataset("go", seq_len=9).envs
    with pytest.raises(AttributeError, match="OwnTasks"):
        mod_cog_tasks.go().add_ob(1)
    with pytest.raises(IndexError, match=r"RandomSchedule\(2\)"):
        neurogym.ScheduleEnvs([mod_cog_tasks.go(), mod_cog_tasks.dm1()], neurogym.RandomSchedule(3))


def test_settings_hold_unless_a_factory_is_told_otherwise():
    try:
        neurogym.configure(dt=20, n_ring=8, timing="modcog")
        env = mod_cog_tasks.go()
        assert (env.dt, env.dim_ring) == (20, 8)
        assert (mod_cog_tasks.go(dt=50).dt, mod_cog_tasks.go(n_ring=32).dim_ring) == (50, 32)
        assert neurogym.make("yang19.go-v0").timing["delay"] == 500
    finally:
        neurogym.configure()
    assert neurogym.make("yang19.go-v0").timing["delay"] == 0


@pytest.mark.parametrize("name", ["go", "rtanti", "dlygointr", "dlyantiintl", "dlygointrseql"])
@pytest.mark.parametrize("base", ["corrected", "published"])
def test_the_response_of_a_reach_task_can_be_chosen(name, base):
    env = neurogym.TaskEnv(name, semantics={"base": base}, seed=0)
    env.seed(1)
    for wanted in range(env.dim_ring):
        assert env.new_trial(ground_truth=wanted)["response"] == wanted


def test_drawn_durations_are_seeded():
    exponential = TruncExp(400, 100, 900)
    timing = {"delay": exponential, "decision": ("truncated_exponential", [300, 100, 600])}

    def batches(env, seed):
        dataset = Dataset(env, batch_size=3, seq_len=100)
        dataset.seed(seed)
        assert type(dataset._rows).__name__ == "_PythonRows"
        return [dataset()[0] for _ in range(2)]

    env = mod_cog_tasks.dlygo(timing=timing)
    assert np.array_equal(batches(env, 1), batches(env, 1))
    assert not np.array_equal(batches(env, 1), batches(env, 2))
    rows = batches(env, 1)[0]
    assert not np.array_equal(rows[:, 0], rows[:, 1])
    delays = set()
    for _ in range(300):
        env.new_trial()
        delays.add(env.end_ind["delay"] - env.start_ind["delay"])
    assert delays == set(range(1, 9))


def test_a_delay_that_is_drawn_here_moves_the_response_as_one_of_the_core():
    by_function = mod_cog_tasks.dlygointr(timing={"delay": lambda: 800})
    by_number = mod_cog_tasks.dlygointr(timing={"delay": 800})
    for env in (by_function, by_number):
        env.seed(2)
    for _ in range(20):
        by_function.new_trial(), by_number.new_trial()
        composed = by_number.task.compose(by_function.trial["conditions"])
        assert np.array_equal(composed.targets, by_function.gt)
        assert len(by_function.gt) == len(by_number.gt)


@pytest.mark.parametrize("core", [True, False])
def test_a_schedule_of_fewer_tasks(core):
    envs = [neurogym.make(name) for name in ("dms", "go", "dm1", "anti")]
    env = neurogym.ScheduleEnvs(envs, neurogym.RandomSchedule(2), env_input=True)
    if not core:
        env.schedule.__class__ = type("Mine", (neurogym.RandomSchedule,), {})
    inputs, _ = Dataset(env, batch_size=2, seq_len=500)()
    assert (inputs[..., 33:].mean(axis=(0, 1)) > 0.2).tolist() == [True, True, False, False]


def test_rows_of_wrapped_environments():
    class Louder(gymnasium.ObservationWrapper):
        def observation(self, observation):
            return 2 * observation

    inputs, targets = Dataset(Louder(mod_cog_tasks.dms()), batch_size=2, seq_len=50)()
    assert inputs.shape == (50, 2, 33) and targets.dtype == np.int64


def test_an_epoch_goes_on_where_the_last_one_ended():
    def rows(max_batch):
        dataset = Dataset("dms", batch_size=2, seq_len=20, max_batch=max_batch)
        dataset.seed(1)
        return dataset

    short, long = rows(2), rows(6)
    batches = [batch for _ in range(3) for batch in short]
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(batches, long, strict=True))


def test_environments_can_be_pickled_with_their_timing():
    env = mod_cog_tasks.dm1(timing={"stimulus": TruncExp(400, 100, 900)})
    env.seed(1)
    other = pickle.loads(pickle.dumps(env))
    env.new_trial(), other.new_trial()
    assert np.array_equal(env.ob, other.ob)


def test_neighbouring_seeds_share_no_noise():
    seen = []
    for seed in (1, 2, 3):
        env = neurogym.mod_cog_tasks.dm1()
        env.seed(seed)
        for _ in range(4):
            # The same conditions every time, so only noise differs.
            env.new_trial(
                directions=[0, 3],
                strength=[[0.5, 0.5], [0, 0]],
                durations={"fixation": 200, "stimulus": 500},
            )
            assert not any(np.array_equal(env.ob, other) for other in seen)
            seen.append(env.ob)
