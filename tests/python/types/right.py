"""Twenty calls that a type checker must accept."""

import numpy as np

import lmrnn
from lmrnn import plot

battery = lmrnn.Battery("go,dms", seed=1, n_ring=16, input_noise=0.5)
listed = lmrnn.Battery(["go", "dms"])
names: list[str] = battery.names
task = battery["go"]
first = battery[0]
trial = task.trial(seed=1, number=2)
inputs: np.ndarray = trial.inputs
spans: list[tuple[str, int, int]] = trial.periods
long = task.compose(task.draw(seed=1), durations={"delay": 1000.0})
batch = battery.trials("go", 10, seed=1)
ceilings: list[lmrnn.Ceiling] = battery.ceilings(seed=1, n_trials=100)
stream = battery.stream(batch=8, steps=50, seed=1)
width: int = stream.n_inputs
mask = lmrnn.Mask.make("local", rows=4, cols=4, radius=1.5)
network = lmrnn.Network(mask, n_channels=33, n_classes=17)
weights: dict[str, np.ndarray] = dict(network.weights)
evaluation = lmrnn.evaluate(network, battery, seed=1, n_trials=10)
trainer = lmrnn.Trainer({"seed": 1}, "runs/x", overrides={"wiring.radius": 3}, exist_ok=True)
run: lmrnn.Run = trainer.run(lambda p: p.loss < 0.1, progress=False)
analysis: lmrnn.Analysis = run.analysis("ring")
axes = plot.learning_curves({"a": [run]}, interval="95%")
