#!/usr/bin/env bash
# PyTorch 2.15.0: removing the parametrization of a copy breaks the original. (2026-11-29)
#
# A good guess: copy.deepcopy(model) is independent of the model. So one keeps the mask of the model in training
#               with parametrize.register_parametrization, copies the model, and bakes the mask into the copy
#               with remove_parametrizations, for a checkpoint, an export or an average of the weights.
# Instead:      each parametrized module has a class of its own with a property for the weight, and the copy has
#               the same class. Removing deletes the property from it: the model in training has no attribute
#               `weight` any more, and its next step raises AttributeError, far away from the cause.
# What to do:   build the copy anew and load the state, or copy before registering; to bake the mask in, read
#               `model.weight.detach()` instead of removing the parametrization.
. "$(dirname "$0")/torch.inc" numpy==2.2.6
observe <<'PYTHON'
import copy

import torch
from torch.nn.utils import parametrize


class Masked(torch.nn.Module):
    def __init__(self, mask):
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, weight):
        return weight * self.mask


layer = torch.nn.Linear(3, 3)
parametrize.register_parametrization(layer, "weight", Masked(torch.eye(3)))
activity = torch.ones(1, 3)
layer(activity)
exported = copy.deepcopy(layer)
parametrize.remove_parametrizations(exported, "weight")
exported(activity)
print("PyTorch", torch.__version__)
try:
    layer(activity)
    seen = "nothing"
except AttributeError as error:
    seen = str(error)
print("the original, after the parametrization of its copy was removed:", seen)
assert "no attribute 'weight'" in seen
PYTHON
