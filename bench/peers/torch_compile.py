"""The step loop under torch.compile, in chunks of steps: the compiler unrolls loops, and needs minutes for 350 steps at
once."""

import torch

from peers.torch_common import MaskedTorchPeer
from peers.torch_loop import run_steps

CHUNK = 25


class Peer(MaskedTorchPeer):
    DESCRIPTION = f"torch.compile, step loop in chunks of {CHUNK}, masked dense weight"

    def __init__(self, problem, n_threads):
        super().__init__(problem, n_threads)
        self.run_chunk = torch.compile(run_steps, dynamic=False)

    def states(self, inputs):
        current = self.input_current(inputs)
        weight = self.recurrent_weight()
        h = current.new_zeros(current.shape[1:])
        states = []
        for chunk in current.split(CHUNK):
            states.append(self.run_chunk(h, chunk, weight))
            h = states[-1][-1]
        return torch.cat(states)
