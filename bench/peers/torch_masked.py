"""PyTorch's own RNN layer (the function behind nn.RNN) with a masked dense recurrent weight.

nn.RNN has its time loop in C++ but cannot mask its parameters, so the masked weight is passed to the function that the
layer calls. It has no look-up for rules, so they are one-hot channels.
"""

import torch

from peers.torch_common import MaskedTorchPeer


class Peer(MaskedTorchPeer):
    DESCRIPTION = "PyTorch eager, nn.RNN with masked dense weight"

    def __init__(self, problem, n_threads):
        super().__init__(problem, n_threads)
        self.no_bias = torch.zeros(problem.n_units)

    def prepare_inputs(self, inputs, rules):
        one_hot = torch.from_numpy(self.problem.one_hot_rules(rules))
        return (torch.cat((torch.from_numpy(inputs), one_hot), dim=-1),)

    def states(self, inputs):
        w = self.parameters
        weights = [
            torch.cat((w["input"], w["rule"].T), dim=1),
            self.recurrent_weight(),
            w["bias"],
            self.no_bias,
        ]
        start = torch.zeros(1, inputs[0].shape[1], self.problem.n_units)
        has_biases, n_layers, dropout, training, bidirectional, batch_first = (
            True, 1, 0.0, self.training, False, False,
        )  # fmt: skip
        states, _ = torch._VF.rnn_relu(
            inputs[0], start, weights, has_biases, n_layers, dropout, training, bidirectional,
            batch_first,
        )  # fmt: skip
        return states

    @property
    def training(self):
        return torch.is_grad_enabled()
