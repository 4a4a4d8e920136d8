"""Twenty calls that a type checker must reject, each on its own line."""

import lmrnn
from lmrnn import plot

battery = lmrnn.Battery("go,dms")
mask = lmrnn.Mask.make("local", rows=4, cols=4)
network = lmrnn.Network(mask, n_channels=33, n_classes=17)
trainer = lmrnn.Trainer({"seed": 1}, "runs/x")
run = lmrnn.Run("runs/x")
lmrnn.Battery("go", n_rng=8)
lmrnn.Battery(3)
battery.trials("go")
battery.trials("go", 3)
battery.trials("go", 3, seed=None)
battery.trials("go", 3, trials=3, seed=1)
battery.stream(64)
battery.stream(seed=1, batchsize=8)
battery["go"].compose(battery["go"].draw(seed=1), dirction=1.0)
battery["go"].trial(1)
lmrnn.Mask.make("local", radus=2)
lmrnn.Sheet(4)
lmrnn.Network(mask, n_channels=33)
network.set_weights(bais=[0.0])
lmrnn.evaluate(network, battery, trials=10, seed=1)
lmrnn.Trainer({"seed": 1}, "runs/x", sed=1)
trainer.run(progres=False)
run.evaluat(n_trials=10)
plot.learning_curves(run, interva="95%")
battery.names + 3
