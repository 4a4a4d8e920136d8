#!/usr/bin/env bash
# PyTorch 2.15.0: after a resume, a warm-up leaves the learning rate 1000 times too small for good. (2026-11-30)
#
# A good guess: the states of the optimizer and of the scheduler hold all there is. A resumed run has the rates of the
#               uninterrupted one, whether the scheduler is created before or after the optimizer is loaded. A group
#               of weights that is added in the warm-up ends at its own rate.
# Instead:      LinearLR does not compute the rate, it multiplies the one that it finds. Its constructor multiplies by
#               start_factor, also if the optimizer has just been loaded, and load_state_dict does not undo this: with
#               a factor of 0.001, all rates after the resume are 1000 times too small, also long after the warm-up.
#               ConstantLR, and LinearLR inside ChainedScheduler or (from the end of the warm-up on) SequentialLR, do
#               the same. Only the order matters: create both, then load both is right, and with StepLR,
#               ExponentialLR or CosineAnnealingLR both orders are right, so that the code looks tested. A group that
#               is added at the start, for example an unfrozen layer, ends at 1000 times the rate that was given for
#               it. No error, no warning.
# What to do:   create the scheduler before optimizer.load_state_dict. Add groups before the scheduler is created.
. "$(dirname "$0")/torch.inc" numpy==2.2.6
observe <<'PYTHON'
import warnings

import torch
from torch.optim import lr_scheduler as schedulers

warnings.simplefilter("error")


def warm_up(optimizer):
    return schedulers.LinearLR(optimizer, start_factor=0.001, total_iters=4)


kinds = {
    "LinearLR": warm_up,
    "ConstantLR": lambda optimizer: schedulers.ConstantLR(optimizer, factor=0.001, total_iters=4),
    "LinearLR, then cosine": lambda optimizer: schedulers.SequentialLR(
        optimizer, [warm_up(optimizer), schedulers.CosineAnnealingLR(optimizer, 20)], milestones=[4]),
    "LinearLR times ExponentialLR": lambda optimizer: schedulers.ChainedScheduler(
        [warm_up(optimizer), schedulers.ExponentialLR(optimizer, 0.9)]),
    "StepLR": lambda optimizer: schedulers.StepLR(optimizer, 3),
    "ExponentialLR": lambda optimizer: schedulers.ExponentialLR(optimizer, 0.9),
    "CosineAnnealingLR": lambda optimizer: schedulers.CosineAnnealingLR(optimizer, 20),
}


def new_optimizer():
    return torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=0.1)


def train(optimizer, scheduler, epochs):
    rates = []
    for _ in range(epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def resumed(kind, scheduler_first):
    optimizer = new_optimizer()
    scheduler = kind(optimizer)
    train(optimizer, scheduler, 6)
    saved = optimizer.state_dict(), scheduler.state_dict()
    optimizer = new_optimizer()
    if scheduler_first:
        scheduler = kind(optimizer)
        optimizer.load_state_dict(saved[0])
    else:
        optimizer.load_state_dict(saved[0])
        scheduler = kind(optimizer)
    scheduler.load_state_dict(saved[1])
    return train(optimizer, scheduler, 10)


print("PyTorch", torch.__version__)
print("rates after a resume at epoch 6, divided by those of an uninterrupted run: epochs 6 to 15")
wrong = []
for name, kind in kinds.items():
    optimizer = new_optimizer()
    whole = train(optimizer, kind(optimizer), 16)[6:]
    ratios = [[a / b for a, b in zip(resumed(kind, first), whole)] for first in (True, False)]
    assert all(abs(ratio - 1) < 1e-9 for ratio in ratios[0])
    low, high = min(ratios[1]), max(ratios[1])
    print(f"{name}: scheduler created before loading: 1, after: {low:.4f} to {high:.4f}")
    wrong += [name] if high < 0.002 else []
    assert high < 0.002 or abs(low - 1) + abs(high - 1) < 1e-9
assert wrong == list(kinds)[:4]

optimizer = new_optimizer()
scheduler = warm_up(optimizer)
optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.1})
train(optimizer, scheduler, 6)
first, added = (group["lr"] for group in optimizer.param_groups)
print(f"rate after the warm-up: {first:.3f}; of a group that was added at the start with the same rate: {added:.3f}")
assert abs(first - 0.1) < 1e-6 and abs(added - 100) < 1e-3
PYTHON
