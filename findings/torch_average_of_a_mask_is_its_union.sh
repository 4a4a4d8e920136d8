#!/usr/bin/env bash
# PyTorch 2.15.0: the moving average of a model averages its masks too, and makes them larger. (2026-11-29)
#
# A good guess: AveragedModel(model, use_buffers=True) averages the buffers that are floats and copies the others:
#               half a synapse has no meaning, and the average should have the mask of the model.
# Instead:      all buffers are averaged, and each update turns the result back into the type of the buffer. True
#               averaged with False is more than 0, so it is True again. After a rewiring, the mask of the average
#               is the union of all masks there ever were, for good, without an error or a warning. Counters are
#               cut to whole numbers after each update: num_batches_tracked of BatchNorm is 90 after 100 batches.
#               use_buffers=False copies all buffers instead.
# What to do:   use_buffers=False; or copy masks and counters to average.module after each update_parameters.
. "$(dirname "$0")/torch.inc" numpy==2.2.6
observe <<'PYTHON'
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(4, 4))
        self.norm = torch.nn.BatchNorm1d(4)
        self.register_buffer("mask", torch.eye(4, dtype=torch.bool))

    def forward(self, activity):
        return self.norm(activity @ (self.weight * self.mask).T)


def train(use_buffers):
    torch.manual_seed(1)
    network = Network()
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=use_buffers)
    for step in range(100):
        if step == 10:
            network.mask.copy_(network.mask.roll(1, dims=1))  # every synapse moves to another place
        network(torch.randn(8, 4))
        average.update_parameters(network)
    return [(int(m.mask.sum()), int(m.norm.num_batches_tracked)) for m in (network, average.module)]


print("PyTorch", torch.__version__)
averaged, copied = train(True), train(False)
print("(synapses, batches) of the model and of its average, use_buffers=True: ", *averaged)
print("(synapses, batches) of the model and of its average, use_buffers=False:", *copied)
assert averaged == [(4, 100), (8, 90)] and copied == [(4, 100), (4, 100)]
PYTHON
