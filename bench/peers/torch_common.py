"""What all PyTorch peers share: parameters, readout and loss, clipping, Adam."""

import numpy as np
import torch
import torch.nn.functional as F

import problem as p


class TorchPeer:
    MODULE = "torch"

    def __init__(self, problem, n_threads):
        # Treats numbers below 1e-38 as 0, as our side does: where activity decays (W4), they are several times slower.
        # Must be set before the thread pool starts, because threads inherit it.
        torch.set_flush_denormal(True)
        torch.set_num_threads(n_threads)
        self.problem = problem
        self.parameters = {
            name: value if isinstance(value, torch.nn.Parameter) else torch.nn.Parameter(value)
            for name, value in self.initial_parameters().items()
        }
        self.inputs = [self.prepare_inputs(*batch) for batch in zip(problem.inputs, problem.rules)]
        self.targets = [
            torch.from_numpy(t.astype(np.int64)).reshape(-1) for t in problem.targets
        ]
        self.optimiser = torch.optim.Adam(
            self.parameters.values(),
            lr=p.LEARNING_RATE,
            betas=(p.BETA1, p.BETA2),
            eps=p.EPSILON,
            fused=True,
        )

    def initial_parameters(self):
        weights = {k: torch.from_numpy(v.copy()) for k, v in self.problem.weights.items()}
        weights["recurrent"] = torch.from_numpy(self.problem.dense(self.problem.weights["recurrent"]))
        return weights

    def prepare_inputs(self, inputs, rules):
        """The arguments of `states`; made once, so that making them is not timed."""
        return torch.from_numpy(inputs), torch.from_numpy(rules.astype(np.int64))

    def states(self, inputs):
        """The states h (time, row, unit)."""
        raise NotImplementedError

    def input_current(self, inputs):
        """W_in x + W_rule[rule] + b for all times at once, (time, row, unit)."""
        x, rules = inputs
        w = self.parameters
        return F.linear(x, w["input"], w["bias"]) + F.embedding(rules, w["rule"])

    def logits(self, inputs):
        w = self.parameters
        return F.linear(self.states(inputs), w["readout"], w["readout_bias"])

    def loss(self, batch):
        logits = self.logits(self.inputs[batch])
        return F.cross_entropy(logits.flatten(0, 1), self.targets[batch])

    def loss_and_gradients(self, batch):
        self.optimiser.zero_grad()
        loss = self.loss(batch)
        loss.backward()
        gradients = {name: w.grad.numpy().copy() for name, w in self.parameters.items()}
        self.optimiser.zero_grad()
        return float(loss.detach()), self.by_group(gradients)

    def by_group(self, gradients):
        gradients["recurrent"] = self.problem.by_synapse(gradients["recurrent"])
        return gradients

    def step(self, batch):
        self.optimiser.zero_grad()
        loss = self.loss(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), p.CLIP)
        self.optimiser.step()
        return float(loss.detach())

    @torch.inference_mode()
    def forward(self, row):
        inputs = tuple(x[:, row : row + 1].contiguous() for x in self.inputs[0])
        return self.logits(inputs)[:, 0].numpy()

    def prepare_trials(self, inputs, rules, targets, decides):
        targets = torch.from_numpy(targets.astype(np.int64))
        return self.prepare_inputs(inputs, rules), targets, torch.from_numpy(decides)

    @torch.inference_mode()
    def count_right(self, trials):
        inputs, targets, decides = trials
        return int(((self.logits(inputs).argmax(-1) == targets) & decides).sum())


class MaskedTorchPeer(TorchPeer):
    """W is a dense parameter times a fixed mask; the product is computed once per optimiser step."""

    def __init__(self, problem, n_threads):
        super().__init__(problem, n_threads)
        self.mask = None if problem.is_dense else torch.from_numpy(problem.mask())
        self._weight_for_inference = None

    def recurrent_weight(self):
        if torch.is_inference_mode_enabled():  # the weights do not change between rows
            if self._weight_for_inference is None:
                self._weight_for_inference = self._masked()
            return self._weight_for_inference
        return self._masked()

    def _masked(self):
        w = self.parameters["recurrent"]
        return w if self.mask is None else w * self.mask
