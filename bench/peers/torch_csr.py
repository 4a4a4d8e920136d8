"""PyTorch sparse CSR: only synapses that exist are parameters.

h is (unit, row), so that a step is one sparse-dense product. For values of a CSR matrix in a loop, autograd would make
one sparse gradient per step and add them. For speed, the backward loop is written by hand, and the gradient of the
weights is one sampled product over all steps.
"""

import numpy as np
import torch
import torch.nn.functional as F

from peers.torch_common import TorchPeer


class Pattern:
    """Index arrays of W and of its transpose, computed once."""

    def __init__(self, problem):
        self.shape = (problem.n_units, problem.n_units)
        self.offsets = torch.from_numpy(problem.offsets.astype(np.int32))
        self.sources = torch.from_numpy(problem.sources.astype(np.int32))
        order = np.argsort(problem.sources, kind="stable")
        self.order = torch.from_numpy(order)
        targets = problem.unit_of_synapse[order]
        counts = np.bincount(problem.sources, minlength=problem.n_units)
        self.transposed_offsets = torch.from_numpy(
            np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
        )
        self.targets = torch.from_numpy(targets.astype(np.int32))

    def matrix(self, values):
        return torch.sparse_csr_tensor(
            self.offsets, self.sources, values, self.shape, check_invariants=False
        )

    def transposed(self, values):
        return torch.sparse_csr_tensor(
            self.transposed_offsets, self.targets, values[self.order], self.shape,
            check_invariants=False,
        )  # fmt: skip


class SparseSteps(torch.autograd.Function):
    """values (synapse), current (time, unit, row) -> states (time, unit, row)."""

    @staticmethod
    def forward(context, values, current, pattern):
        weight = pattern.matrix(values)
        states = torch.empty_like(current)
        states[0].copy_(current[0]).relu_()
        for t in range(1, len(current)):
            torch.addmm(current[t], weight, states[t - 1], out=states[t]).relu_()
        context.save_for_backward(values, states)
        context.pattern = pattern
        return states

    @staticmethod
    def backward(context, gradient):
        values, states = context.saved_tensors
        pattern = context.pattern
        transposed = pattern.transposed(values)
        n_steps, n_units, n_rows = states.shape
        active = states > 0
        delta = torch.empty_like(gradient)  # gradient of the input of the ReLU
        delta[-1] = gradient[-1] * active[-1]
        for t in range(n_steps - 2, -1, -1):
            torch.addmm(gradient[t], transposed, delta[t + 1], out=delta[t]).mul_(active[t])
        # dL/dW[i, j] = sum over t and row of delta[t, i] h[t - 1, j], where W has a synapse.
        left = delta[1:].transpose(0, 1).reshape(n_units, -1)
        right = states[:-1].transpose(0, 1).reshape(n_units, -1)
        sampled = torch.sparse.sampled_addmm(
            pattern.matrix(torch.zeros_like(values)), left, right.t(), beta=0.0
        )
        return sampled.values(), delta, None


class Peer(TorchPeer):
    DESCRIPTION = "PyTorch sparse CSR, own backward loop"

    def __init__(self, problem, n_threads):
        super().__init__(problem, n_threads)
        self.pattern = Pattern(problem)

    def initial_parameters(self):
        return {k: torch.from_numpy(v.copy()) for k, v in self.problem.weights.items()}

    def by_group(self, gradients):
        return gradients

    def input_current(self, inputs):
        """The drive, (time, unit, row)."""
        return super().input_current(inputs).transpose(1, 2).contiguous()

    def logits(self, inputs):
        w = self.parameters
        states = SparseSteps.apply(w["recurrent"], self.input_current(inputs), self.pattern)
        return F.linear(states.transpose(1, 2), w["readout"], w["readout_bias"])
