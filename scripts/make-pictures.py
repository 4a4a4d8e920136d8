#!/usr/bin/env python3
"""Makes the pictures of README and docs, docs/pictures/*.svg.

    .venv/bin/python scripts/make-pictures.py [RUNS]     RUNS: directory of the runs; build/pictures
    .venv/bin/python scripts/make-pictures.py --untrained     only those that need no run

Trains seven small networks (some minutes, once), runs the analyses that the pictures show, and scores two
networks of the zoo.
"""

import sys
from pathlib import Path

import numpy as np

import lmrnn
from lmrnn import plot

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs/pictures"
CONFIG = {
    "battery": {
        "tasks": "go, rtgo, dlygo, anti, dm1, multidm, dlydm1, dms, dmc, goseqr, dlygointr, dlygointrseqr"
    },
    "wiring": {"kind": "local", "rows": 16, "cols": 16, "metric": "l1", "radius": 3},
    "stream": {"steps": 150, "batch": 32},
    "optimiser": {"learning_rate": 3e-3},
    "train": {"steps": 1200, "log_every": 20},
    "evaluation": {"every": 100, "trials": 300},
    "checkpoint": {"every": 1200, "keep_every": 1200},
}
ANALYSES = ("record", "fixed-points", "psychometric", "sheet", "weights")


def trained(folder, kind, seed):
    """A finished run; trained only if it does not exist yet."""
    directory = folder / f"{kind}{seed}"
    if (directory / "DONE").is_file():
        return lmrnn.Run(directory)
    overrides = {"wiring.kind": kind}
    return lmrnn.Trainer(CONFIG, directory, seed=seed, overrides=overrides, overwrite=True).run()


@plot.style.figure
def state_equations(*, ax=None):
    """One ReLU unit with an autapse of 1/2 and tau = 200 ms: its output under an input that excites it, inhibits it and
    excites it again."""
    inputs = np.zeros((140, 1, 1), np.float32)
    for first, last, value in ((10, 50, 1), (50, 80, -1), (80, 120, 1)):
        inputs[first:last] = value
    ax = plot.style.new_axes(ax)
    time = 20 * np.arange(len(inputs))
    ax.plot(time, inputs[:, 0, 0], color=plot.style.GREY, linewidth=0.8, drawstyle="steps-post", label="input")
    for equation, dashes in zip(("rate", "voltage", "leak-inside"), plot.style.DASHES):
        unit = lmrnn.Network(
            lmrnn.Mask.make("autapse", rows=1, cols=1), n_channels=1, n_classes=1, alpha=0.1, equation=equation
        )
        unit.set_weights(recurrent=np.full(1, 0.5, "f4"), input=np.ones((1, 1), "f4"), readout=np.ones((1, 1), "f4"))
        _, seen = unit.forward(inputs)
        ax.plot(time + 20, seen[:, 0, 0], dashes, label=equation)  # a state belongs to the end of its step
    ax.set_xlabel("time (ms)")
    ax.set_ylabel("what other units see")
    ax.legend()
    return ax


def keep(pictures):
    for name, axes in pictures.items():
        figure = plot.style.figure_of(axes)
        for ground in (figure.patch, *(ax.patch for ax in figure.axes)):
            ground.set_alpha(0)  # pages have their own background, which may be dark
        print(plot.save(axes, OUT / f"{name}.svg"))


def main():
    keep({"state-equations": state_equations()})
    if "--untrained" in sys.argv:
        return
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build/pictures"
    runs = {kind: [trained(folder, kind, seed) for seed in (1, 2, 3)] for kind in ("local", "random")}
    run = runs["local"][0]
    for name in ANALYSES:
        if name not in run.analyses:
            run.analyze(name)
    pictures = {
        "battery-132": plot.task_grid(lmrnn.zoo("modcog132-local-1024").evaluate(n_trials=4000)),
        "trial": plot.trial(run.battery["dlydm1"].trial(seed=3), run),
        "learning": plot.learning_curves(runs),
        "tasks": plot.task_bars(run),
        "heat-map": plot.task_heat_map(run),
        "neighbourhood": plot.neighbourhood(run),
        "mask": plot.mask(run),
        "trajectories": plot.trajectories(run, "dlygo"),
        "fixed-points": plot.fixed_points(run, "dlygointr"),
        "psychometric": plot.psychometric(run),
        "sheet-maps": plot.sheet_maps(run, n=4),
        "weights": plot.weight_structure(run),
    }
    keep(pictures)


if __name__ == "__main__":
    main()
