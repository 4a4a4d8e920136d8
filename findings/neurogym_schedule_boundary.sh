#!/usr/bin/env bash
# NeuroGym 2.3.1: when ScheduleEnvs changes the task, step() shows the task before. (2026-11-28)
#
# A good guess: the observation of the step that ends a trial is the first one of the next trial,
#               with the rule input (env_input=True) of the next task.
# Instead:      it is the first observation of the trial that has just ended, with the rule of the
#               old task: the environment that made the step looks into its own `ob` after the
#               schedule has gone on. And tasks that are made of one environment per modality (go,
#               anti, dms, ...) come without any rule input in some of their trials: observations
#               have 33 numbers where observation_space says 36. Datasets are not affected: they do
#               not step.
# What to do:   after info["new_trial"], look at env.ob[env.t_ind] instead.
. "$(dirname "$0")/neurogym.inc"
observe <<'PYTHON'
import neurogym
from neurogym.envs.collections import yang19
from neurogym.utils.scheduler import SequentialSchedule
from neurogym.wrappers import ScheduleEnvs

def walk(*envs):
    env = ScheduleEnvs(list(envs), SequentialSchedule(len(envs)), env_input=True)
    env.seed(1)
    env.reset()
    sizes, boundaries = set(), []
    for _ in range(600):
        ob, _, _, _, info = env.step(0)
        sizes.add(ob.shape[0])
        if info["new_trial"] and ob.shape[0] == 36:
            boundaries.append((int(ob[33:].argmax()), env.i_env))
    return env.observation_space.shape[0], sorted(sizes), boundaries

print("neurogym", neurogym.__version__)
_, _, boundaries = walk(yang19.dm1(), yang19.dm2(), yang19.multidm())
print("(task by the rule input, task that is on) at the first boundaries:", boundaries[:6])
space, sizes, _ = walk(yang19.go(), yang19.dms(), yang19.dm1())
print("size of observation_space:", space, " sizes of observations:", sizes)
assert all(shown == (on - 1) % 3 for shown, on in boundaries) and len(boundaries) > 20
assert space == 36 and sizes == [33, 36]
PYTHON
