#!/usr/bin/env python3
"""Dale's law by projection, as in `lmrnn train`, against parametrisations: which one learns better?

  PYTHONPATH=build/release/python .venv/bin/python bench/signs.py --seeds 1,2,3 --json signs.json

All methods train the same network (256 units on a sheet, radius 2, 80% excitatory) from the same weights on the same
batches of ten reach tasks with a delay, with the same Adam, clipping and schedule, in PyTorch with lmrnn's engine. They
differ in what is trained:

- projection: the weight w. After each step, a weight without the sign of its source is set to 0.
- rectified: v, and w = sign * max(0, sign * v), as in Song, Yang & Wang (2016). Where w is 0, v has no gradient.
- magnitude: v, and w = sign * |v|.

Prints, for each method and learning rate, means over seeds of: loss over all steps, loss over the last tenth, accuracy
on test trials, and share of synapses that are exactly 0 at the end.
"""

import argparse
import json
import math
import time

import lmrnn
import lmrnn.torch
import machine
import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

SIDE, RADIUS, EXCITATORY = 16, 2, 0.8
ROWS, STEPS_OF_ROW = 64, 100
TASKS = "dlygo*,dlyanti*,!*int*seq*"


class Rectified(nn.Module):
    def __init__(self, sign):
        super().__init__()
        self.sign = sign

    def forward(self, v):
        return self.sign * (self.sign * v).clamp(min=0)


class Magnitude(nn.Module):
    def __init__(self, sign):
        super().__init__()
        self.sign = sign

    def forward(self, v):
        return self.sign * v.abs()


WAYS = {"projection": None, "rectified": Rectified, "magnitude": Magnitude}


def fresh(battery, seed):
    """The untrained network of a seed: the same for every method."""
    n = SIDE * SIDE
    excitatory = np.zeros(n, dtype=bool)
    excitatory[np.random.default_rng(seed).permutation(n)[: round(EXCITATORY * n)]] = True
    network = lmrnn.Network(
        lmrnn.Mask.make("local", rows=SIDE, cols=SIDE, radius=RADIUS), n_channels=battery.n_channels,
        n_classes=battery.n_classes, n_rules=battery.n_rules, excitatory=excitatory,
    )  # fmt: skip
    network.initialise("spectral-radius", seed=seed)  # with "fan-in", some of these networks explode
    module = lmrnn.torch.LMRNN(network)
    sign = torch.where(torch.from_numpy(excitatory), 1.0, -1.0)[module.sources]
    assert bool((module.recurrent * sign > 0).all())
    return module, sign


def factor(step, steps, warmup=0.05):
    """The schedule of the recipe `modern`: linear warm-up, then cosine to 0."""
    ramp = warmup * steps
    if step < ramp:
        return (step + 1) / ramp
    return 0.5 * (1 + math.cos(math.pi * (step - ramp) / (steps - ramp)))


def train(battery, way, rate, seed, steps):
    module, sign = fresh(battery, seed)
    if WAYS[way]:
        parametrize.register_parametrization(module, "recurrent", WAYS[way](sign))
    optimiser = torch.optim.Adam(module.parameters(), rate)
    stream = battery.stream(batch=ROWS, steps=STEPS_OF_ROW, seed=seed, rules="index")
    losses = []
    for step, (inputs, targets, mask, info) in enumerate(lmrnn.torch.loader(stream, steps)):
        for group in optimiser.param_groups:
            group["lr"] = rate * factor(step, steps)
        _, logits = module(inputs, info["rules"], states=False)
        loss = lmrnn.torch.masked_cross_entropy(logits, targets, mask)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimiser.step()
        if way == "projection":
            with torch.no_grad():
                module.recurrent[module.recurrent * sign < 0] = 0
        losses.append(loss.item())
    with torch.no_grad():
        weights = module.recurrent.clone()
    assert bool((weights * sign >= 0).all())

    def answer(inputs, rules):
        with torch.no_grad():
            return module(inputs, rules, states=False)[1]

    score = lmrnn.evaluate(answer, battery, seed=seed, n_trials=200, rules="index", framework="torch", threads=1)
    return {
        "way": way, "rate": rate, "seed": seed, "steps": steps, "mean_loss": float(np.mean(losses)),
        "last_loss": float(np.mean(losses[-(steps // 10):])), "accuracy": score.mean_accuracy,
        "zero_share": float((weights == 0).float().mean()),
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = lambda kind: lambda text: [kind(part) for part in text.split(",")]
    parser.add_argument("--seeds", type=numbers(int), default=[1, 2, 3])
    parser.add_argument("--rates", type=numbers(float), default=[3e-3, 1e-2, 3e-2])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    battery = lmrnn.Battery(TASKS)
    runs = []
    for seed in options.seeds:
        for rate in options.rates:
            for way in WAYS:
                began = time.process_time()
                runs.append(train(battery, way, rate, seed, options.steps))
                runs[-1]["processor_seconds"] = time.process_time() - began
                print(json.dumps(runs[-1]), flush=True)
                if options.json:
                    with open(options.json, "w") as file:
                        json.dump({"machine": machine.describe(), "runs": runs}, file, indent=1)
    print("\n| way | rate | loss, all steps | loss, last tenth | accuracy | synapses at 0 |\n|---|---|---|---|---|---|")
    for way in WAYS:
        for rate in options.rates:
            of = [run for run in runs if run["way"] == way and run["rate"] == rate]
            mean = lambda key: np.mean([run[key] for run in of])
            print(f"| {way} | {rate:g} | {mean('mean_loss'):.4f} | {mean('last_loss'):.4f} "
                  f"| {mean('accuracy'):.4f} | {mean('zero_share'):.3f} |")


if __name__ == "__main__":
    main()
