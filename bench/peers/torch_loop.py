"""PyTorch eager with an explicit time loop: all input currents in one product, then a fused multiply-add and a ReLU per
step."""

import torch

from peers.torch_common import MaskedTorchPeer


def run_steps(h, current, weight):
    """States (time, row, unit) after h (row, unit); W is transposed once for all steps."""
    transposed = weight.t()
    states = []
    for step_current in current.unbind(0):
        h = torch.relu(torch.addmm(step_current, h, transposed))
        states.append(h)
    return torch.stack(states)


class Peer(MaskedTorchPeer):
    DESCRIPTION = "PyTorch eager, step loop with masked dense weight"

    def states(self, inputs):
        current = self.input_current(inputs)
        start = current.new_zeros(current.shape[1:])
        return run_steps(start, current, self.recurrent_weight())
