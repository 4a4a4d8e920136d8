#!/usr/bin/env bash
# PyTorch 2.15.0, optax 0.2.8: a schedule for plateaus never lowers the rate if the loss is negative. (2026-11-30)
#
# A good guess: ReduceLROnPlateau of PyTorch and reduce_on_plateau of optax lower the learning rate once the loss has
#               stopped falling for some epochs. The sign of the loss does not matter: a negative log likelihood of
#               a density, an ELBO or a negative reward is negative all the time.
# Instead:      the defaults take a loss as better if it is below 0.9999 times the best one. For a best loss of -65
#               that is -64.9935, which is higher: the same loss again is better than itself. A flat loss counts as an
#               improvement in each epoch, the rate is never lowered, and no message is given. A loss that rises
#               slowly is an improvement too, and becomes the new `best`: with a threshold of 0.01, `best` goes from
#               -65 to -61.2 while the loss gets worse in each epoch. mode="max" with negative values does the same.
# What to do:   threshold_mode="abs" in PyTorch; in optax rtol=0 and an atol; or a positive metric, such as the error.
. "$(dirname "$0")/torch.inc" numpy==2.2.6 scipy==1.17.1 jax==0.10.2 jaxlib==0.10.2 optax==0.2.8
observe <<'PYTHON'
import jax.numpy as jnp
import optax
import torch
from optax.contrib import reduce_on_plateau
from torch.optim.lr_scheduler import ReduceLROnPlateau


def in_torch(losses, **options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = ReduceLROnPlateau(optimizer, patience=3, **options)
    for loss in losses:
        scheduler.step(loss)
    return round(optimizer.param_groups[0]["lr"], 9), round(float(scheduler.best), 3)


def in_optax(losses, **options):
    schedule = reduce_on_plateau(factor=0.1, patience=3, **options)
    weights = jnp.zeros(1)
    state = schedule.init(weights)
    for loss in losses:
        _, state = schedule.update(weights, state, value=jnp.float32(loss))
    return round(0.1 * float(state.scale), 9)


positive, negative = [65.0] * 20, [-65.0] * 20
rising = [-65 + 0.2 * epoch for epoch in range(20)]
print("PyTorch", torch.__version__, "optax", optax.__version__)
print("rate after 20 epochs, from 0.1; PyTorch and optax")
print("loss  65 in all epochs:", in_torch(positive)[0], in_optax(positive))
print("loss -65 in all epochs:", in_torch(negative)[0], in_optax(negative))
print("accuracy minus 1, -0.5 in all epochs, mode='max':", in_torch([-0.5] * 20, mode="max")[0])
rate, best = in_torch(rising, threshold=0.01)
print("loss rises from -65 to -61.2, threshold 0.01: rate", rate, " best", best)
print("loss -65, absolute threshold:", in_torch(negative, threshold_mode="abs")[0], in_optax(negative, rtol=0.0, atol=1e-4))
assert in_torch(positive)[0] < 1e-4 and in_optax(positive) < 1e-4
assert in_torch(negative)[0] == 0.1 and in_optax(negative) == 0.1
assert in_torch([-0.5] * 20, mode="max")[0] == 0.1 and (rate, best) == (0.1, -61.2)
assert in_torch(negative, threshold_mode="abs")[0] < 1e-4 and in_optax(negative, rtol=0.0, atol=1e-4) < 1e-4
PYTHON
