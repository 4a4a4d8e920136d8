import lmrnn

config = {
    "battery": {"tasks": "go,dlygo,dlygointr,anti"},
    "wiring": {"kind": "local", "rows": 16, "cols": 16, "radius": 3},
    "stream": {"row_steps": 100, "batch": 32},
    "optimiser": {"learning_rate": 3e-3},
    "train": {"steps": 600},
    "evaluation": {"every": 100, "trials": 200},
}
run = lmrnn.Trainer(config, "runs/ten-lines", seed=1).run()
print(run.scores["task"], run.scores["decision_accuracy"])
lmrnn.plot.save(lmrnn.plot.learning_curves({"local": [run]}), "curves.svg")
