"""How does a small network remember a direction? From fixed points to a lesion."""

# --8<-- [start:train]
import numpy as np

import lmrnn

config = {
    "battery": {
        "tasks": "go,dlygo",
        "durations": {"dlygo": {"delay": {"uniform": [200, 1500]}}},
    },
    "wiring": {"rows": 16, "cols": 16, "radius": 4},
    "network": {"recurrent_noise": 0.05},
    "stream": {"row_steps": 80, "batch": 64},
    "optimiser": {"learning_rate": 3e-3},
    "train": {"steps": 800},
    "evaluation": {"every": 400, "trials": 200},
}
run = lmrnn.Trainer(config, "runs/memory", seed=1).run()
network, task = run.network(), run.battery["dlygo"]
# --8<-- [end:train]

# --8<-- [start:points]
points = lmrnn.analyze(run, "fixed-points", tasks="dlygo").table("fixed_points")
modulus = np.hypot(points["eigenvalue_real"], points["eigenvalue_imaginary"])
print(f"{points.n_rows} fixed or slow points; largest |eigenvalue| {np.median(modulus):.3f} (median)")
# --8<-- [end:points]


# --8<-- [start:trials]
def trials(delay):
    """Noise-free trials, one per direction and modality: inputs, targets (time, trial)."""
    made = []
    for modality in (0, 1):
        for k in range(16):
            conditions = task.draw(seed=1)
            conditions.modality, conditions.direction = modality, 2 * np.pi * k / 16
            made.append(task.compose(conditions, durations={"delay": delay}))
    inputs = np.stack([trial.inputs for trial in made], axis=1)
    return inputs, np.stack([trial.targets for trial in made], axis=1)


def accuracy(network, delay):
    inputs, targets = trials(delay)
    rules = np.full((*targets.shape, 1), task.index, dtype=np.int32)
    states, logits = network.forward(inputs, rules)
    decision = targets > 0
    return np.mean(logits.argmax(axis=2)[decision] == targets[decision])


# --8<-- [end:trials]

# --8<-- [start:delays]
for delay in (500, 1000, 2000, 4000):
    print(f"delay {delay} ms: accuracy {accuracy(network, delay):.2f}")
# --8<-- [end:delays]

# --8<-- [start:lesion]
inputs, targets = trials(500)
rules = np.full((*targets.shape, 1), task.index, dtype=np.int32)
states, _ = network.forward(inputs, rules)
last_of_delay = np.flatnonzero(targets[:, 0] > 0)[0] - 1
tuning = states[last_of_delay].var(axis=0)  # over directions and modalities, per unit
order = np.argsort(tuning)[::-1]


def without(units):
    """The network with these units silenced: they send nothing."""
    lesioned = run.network()
    weights = {name: array.copy() for name, array in lesioned.weights.items()}
    weights["recurrent"][np.isin(lesioned.recurrent.sources, units)] = 0
    weights["readout"][:, units] = 0
    lesioned.set_weights(**weights)
    return lesioned


rng = np.random.default_rng(1)
for n in (2, 4, 8):
    tuned = accuracy(without(order[:n]), 500)
    others = [accuracy(without(rng.choice(network.n_units, n, replace=False)), 500) for _ in range(20)]
    print(f"without the {n} most tuned units: {tuned:.2f}; without {n} others: {np.mean(others):.2f}")
# --8<-- [end:lesion]
