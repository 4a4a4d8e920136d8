"""Our side of W9 and W11: lmrnn.torch.LMRNN in the loop that all PyTorch peers run."""

import lmrnn.torch
import torch

from peers.lmrnn_network import network_of
from peers.torch_common import TorchPeer


class Peer(TorchPeer):
    DESCRIPTION = "lmrnn.torch.LMRNN"

    def __init__(self, problem, n_threads):
        self.module = lmrnn.torch.LMRNN(network_of(problem), backend="engine")
        super().__init__(problem, n_threads)
        self.states_bytes = 4 * problem.n_steps * problem.n_rows * problem.n_units

    def initial_parameters(self):
        return dict(self.module.named_parameters())

    def prepare_inputs(self, inputs, rules):
        return torch.from_numpy(inputs), torch.from_numpy(rules)[..., None]

    def logits(self, inputs):
        return self.module(*inputs, states=False)[1]

    def by_group(self, gradients):
        return gradients
