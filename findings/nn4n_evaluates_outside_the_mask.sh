#!/usr/bin/env bash
# nn4n 1.1.1: a trained network is tested and saved with weights outside its mask. (2026-11-29)
#
# A good guess: CTRNN(sparsity_masks=...) has no synapse outside the mask at any time: in training, in eval() and
#               in the file that save() writes.
# Instead:      the mask is applied to the weights at the start of forward() in training mode and nowhere else.
#               The gradient is dense, so each step of the optimiser moves all weights. After the last step
#               nothing removes this: eval() computes with it, save() writes it, and an analysis finds a dense
#               network. Here all 359 weights outside the mask are different from 0 after 20 steps.
# What to do:   call model._enforce_constraints() after the last step, before eval() and save().
. "$(dirname "$0")/torch.inc" numpy==2.2.6 nn4n==1.1.1
observe <<'PYTHON'
import importlib.metadata

import numpy as np
import torch
from nn4n.model import CTRNN

torch.manual_seed(1)
random = np.random.default_rng(1)
mask = (random.random((20, 20)) < 0.1).astype("float32")
model = CTRNN(dims=[2, 20, 1], sparsity_masks=[None, mask, None])
weights = model.recurrent_layer.hidden_layer.weight
outside = torch.from_numpy(mask.T == 0)  # nn4n takes masks as (from, to) and keeps weights as (to, from)


def count():
    return int((weights[outside] != 0).sum())


optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
stimuli, target = torch.randn(10, 8, 2), torch.ones(10, 8, 1)
untrained = count()
for _ in range(20):
    optimiser.zero_grad()
    ((model(stimuli)[0] - target) ** 2).mean().backward()
    optimiser.step()
model.eval()
evaluated, tested = count(), model(stimuli)[0]
model.save("model.pt")
saved = torch.load("model.pt", weights_only=False)["model_state_dict"]["recurrent_layer.hidden_layer.weight"]
print("nn4n", importlib.metadata.version("nn4n"), "PyTorch", torch.__version__)
print("weights outside the mask:", int(outside.sum()), " not 0 before training:", untrained)
print("not 0 in eval() after training:", evaluated, " in the saved file:", int((saved[outside] != 0).sum()))
model._enforce_constraints()
masked, change = count(), float((model(stimuli)[0] - tested).abs().max())
print("after _enforce_constraints():", masked, " largest change of the output:", round(change, 3))
assert untrained == masked == 0 and evaluated > 100 and (saved == 0).sum() < outside.sum() and change > 1e-3
PYTHON
