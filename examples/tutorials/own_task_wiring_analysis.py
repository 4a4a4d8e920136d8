"""A task, a wiring and an analysis that lmrnn does not have, in NumPy."""

# --8<-- [start:task]
import numpy as np

import lmrnn


def oddball(rng):
    """Two of three tones are alike. Say which came alone, after the go cue."""
    alone, common = rng.choice(4, size=2, replace=False)
    place = rng.integers(3)  # the odd one is the first, the second or the third
    inputs = np.zeros((12, 5), dtype=np.float32)  # (time, channel): four tones, go
    for i in range(3):
        inputs[1 + 2 * i : 3 + 2 * i, alone if i == place else common] = 1
    inputs += rng.normal(0, 0.05, inputs.shape)
    inputs[9:, 4] = 1
    targets = np.zeros(12, dtype=np.int32)  # (time) class: 0 waits
    targets[9:] = 1 + alone
    return lmrnn.data.Trial(inputs, targets, scored=targets > 0)


data = lmrnn.data.OwnTasks("oddball", {"oddball": oddball}, n_channels=5, n_classes=5, seed=0)
# --8<-- [end:task]

# --8<-- [start:wiring]
# Two areas of 32 units, dense within; each unit hears its own place in the other area. Tones come
# into area 0 (the upper half of an 8 x 8 sheet), answers are read from area 1.
unit = np.arange(64)
area = unit // 32
mask = (area[:, None] == area) | (unit[:, None] % 32 == unit % 32)  # (target, source)
areas = {"input": {"patch": [0, 0, 4, 8]}, "readout": {"patch": [4, 0, 4, 8]}}
# --8<-- [end:wiring]

# --8<-- [start:train]
config = {
    "wiring": {"rows": 8, "cols": 8},
    "network": areas,
    "stream": {"row_steps": 48, "batch": 64, "reset_at_trial": True},
    "optimiser": {"learning_rate": 3e-3},
    "train": {"steps": 1500},
    "evaluation": {"every": 500, "trials": 100},
}
run = lmrnn.Trainer(config, "runs/oddball", seed=1, data=data, mask=mask).run()
print(f"accuracy: {run.scores['decision_accuracy'][0]:.2f}")
# --8<-- [end:train]

# --8<-- [start:analysis]
# When does each area know the answer? Nearest class mean, fitted on half of the trials.
rng = np.random.default_rng(2)
trials = [oddball(rng) for _ in range(400)]
states, _ = run.network().forward(np.stack([trial.inputs for trial in trials], axis=1))
answers = np.array([trial.targets[-1] for trial in trials])
fitted, held_out = slice(0, 200), slice(200, 400)
for number in (0, 1):
    x = states[:, :, area == number]  # (time, trial, unit)
    means = np.stack([x[:, fitted][:, answers[fitted] == c].mean(axis=1) for c in range(1, 5)], axis=1)
    distance = ((x[:, held_out, None] - means[:, None]) ** 2).sum(axis=-1)  # (time, trial, class)
    right = (1 + distance.argmin(axis=-1) == answers[held_out]).mean(axis=1)
    print(f"area {number}, right at each step:", right.round(2))
# --8<-- [end:analysis]
