"""Gymnasium's own checker on every task, and the definition of an episode."""

import numpy as np
import pytest

import lmrnn

gymnasium = pytest.importorskip("gymnasium")
from gymnasium.utils.env_checker import check_env  # noqa: E402

import lmrnn.gym  # noqa: E402, F401


@pytest.mark.parametrize("name", lmrnn.select_tasks("modcog132"))
def test_the_checker_is_content(name):
    env = gymnasium.make(f"lmrnn/{name}-v0", disable_env_checker=True)
    check_env(env.unwrapped, skip_render_check=True)


def test_an_episode_is_a_trial_and_the_right_answers_are_rewarded():
    env = gymnasium.make("lmrnn/dlygointrseql-v0")
    shown, _ = env.reset(seed=5)
    trial = lmrnn.Battery("dlygointrseql")[0].trial(seed=5, number=0, split="train")
    total, seen = 0.0, [shown]
    for target in trial.targets:
        shown, reward, terminated, truncated, info = env.step(int(target))
        seen.append(shown)
        total += reward
        assert info["gt"] == target and not truncated
    assert terminated
    assert total == 10, "ten decision steps, each right"
    assert np.array_equal(seen[:-1], trial.inputs)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.unwrapped.step(0)


def test_breaking_fixation_costs_and_wrong_answers_do_not_pay():
    env = gymnasium.make("lmrnn/go-v0", rewards={"fail": -1.0})
    env.reset(seed=1)
    assert env.step(3)[1] == pytest.approx(-0.1)
    terminated = False
    while not terminated:
        _, reward, terminated, _, info = env.step(0)
        assert reward == (-1.0 if info["period"] == "decision" else 0)


def test_settings_of_the_battery():
    env = gymnasium.make("lmrnn/go-v0", dt=20, n_ring=32)
    assert env.observation_space.shape == (65,) and env.action_space.n == 33
    with pytest.raises(lmrnn.UsageError, match="rewards"):
        gymnasium.make("lmrnn/go-v0", rewards={"right": 1})


def test_episodes_differ_and_seeds_repeat_them():
    env = lmrnn.gym.TaskEnv("dm1")
    first = env.reset(seed=3)[0], env.reset()[1]["trial"]
    assert first[1] == 1
    second = env.trial.inputs.copy()
    env.reset(seed=3)
    env.reset()
    assert np.array_equal(env.trial.inputs, second)


@pytest.mark.parametrize("action", [99, -1, 1.7, np.float32(2), None, "1", np.array([1, 2])])
def test_actions_outside_the_action_space_are_refused(action):
    env = lmrnn.gym.TaskEnv("go")
    env.reset(seed=1)
    with pytest.raises(gymnasium.error.InvalidAction, match=r"the action space is Discrete\(17\)"):
        env.step(action)
    assert env.t_ind == 0, "the step did not take place"
    for valid in (16, np.int64(3), np.uint8(0), np.array(2)):
        env.step(valid)


def test_what_would_be_ignored_is_refused():
    task = lmrnn.Battery("go", dt=20)["go"]
    assert lmrnn.gym.TaskEnv(task, split="test", render_mode=None).task is task
    for keywords in ({"dt": 20}, {"nonsense": 1}):
        with pytest.raises(lmrnn.UsageError, match=f"{next(iter(keywords))} given, but go already has a battery"):
            lmrnn.gym.TaskEnv(task, **keywords)
    with pytest.raises(lmrnn.UsageError, match="task is a int; give its name"):
        lmrnn.gym.TaskEnv(3)
    with pytest.raises(lmrnn.UsageError, match="render_mode = 'human'; the tasks cannot be rendered"):
        lmrnn.gym.TaskEnv("go", render_mode="human")
    with pytest.raises(lmrnn.UsageError, match="abort = 'x'; give a finite number"):
        lmrnn.gym.TaskEnv("go", rewards={"abort": "x"})
    env = lmrnn.gym.TaskEnv("go")
    env.reset(seed=1, options={})
    with pytest.raises(lmrnn.UsageError, match="reset has no options, but direction given"):
        env.reset(seed=1, options={"direction": 3})
