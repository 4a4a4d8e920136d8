"""The problem that both sides solve: weights, mask and batches, as written by bench_driver.

An npz file with the initial weights and the mask in compressed rows (`mask_offsets`, `mask_sources`; `recurrent` by
synapse), the batches `inputs` (batch, time, row, channel), `rules` and `targets` (batch, time, row), and our side's
results for batch 0: `loss`, the gradients `gradient_<group>`, and `logits` (time, class) of its first row. For an
evaluation also the held-out trials of each task (`trial_inputs_3`, ...).
"""

import numpy as np

GROUPS = ("recurrent", "input", "rule", "bias", "readout", "readout_bias")

# Learning rate, decay rates and epsilon of Adam, and the largest norm of a gradient: the same as in the configuration
# that bench/workloads.py writes for our side.
LEARNING_RATE, BETA1, BETA2, EPSILON, CLIP = 1e-3, 0.9, 0.999, 1e-8, 1.0


class Problem:
    def __init__(self, path):
        data = np.load(path)
        self.offsets = data["mask_offsets"].astype(np.int64)
        self.sources = data["mask_sources"].astype(np.int64)
        self.n_units = len(self.offsets) - 1
        self.n_synapses = len(self.sources)
        self.weights = {group: data[group] for group in GROUPS}
        self.gradients = {group: data["gradient_" + group] for group in GROUPS}
        self.loss = float(data["loss"])
        self.logits = data["logits"]
        self.inputs = data["inputs"]
        self.rules = data["rules"]
        self.targets = data["targets"]
        self.n_batches, self.n_steps, self.n_rows, self.n_channels = self.inputs.shape
        self.n_rules = self.weights["rule"].shape[0]
        self.n_classes = self.weights["readout"].shape[0]
        # Of each task: inputs (time, trial, channel), targets (time, trial), and whether a step is a decision.
        n_tasks = sum(name.startswith("trial_inputs_") for name in data.files)
        self.trials = [
            (data[f"trial_inputs_{k}"], data[f"trial_targets_{k}"], data[f"trial_decides_{k}"] != 0)
            for k in range(n_tasks)
        ]
        self.unit_of_synapse = np.repeat(np.arange(self.n_units), np.diff(self.offsets))

    def chunks_of_trials(self, n_together=250):
        """(task, inputs, rules, targets, whether a step is a decision) of some trials of a task at a time: the states of
        all at once would not fit into any cache."""
        for task, (inputs, targets, decides) in enumerate(self.trials):
            for first in range(0, inputs.shape[1], n_together):
                some = np.s_[:, first : first + n_together]
                rules = np.full(targets[some].shape, task, targets.dtype)
                yield task, np.ascontiguousarray(inputs[some]), rules, targets[some], decides[some]

    @property
    def is_dense(self):
        return self.n_synapses == self.n_units**2

    @property
    def is_diagonal(self):
        return self.n_synapses == self.n_units and bool(
            np.all(self.sources == np.arange(self.n_units))
        )

    def mask(self):
        """(target, source), 0 or 1."""
        mask = np.zeros((self.n_units, self.n_units), np.float32)
        mask[self.unit_of_synapse, self.sources] = 1
        return mask

    def dense(self, values):
        """(target, source) from values by synapse."""
        matrix = np.zeros((self.n_units, self.n_units), np.float32)
        matrix[self.unit_of_synapse, self.sources] = values
        return matrix

    def by_synapse(self, matrix):
        return matrix[self.unit_of_synapse, self.sources]

    def one_hot_rules(self, rules):
        """rules (...) -> (..., rule), float32."""
        return np.eye(self.n_rules, dtype=np.float32)[rules]


def relative_error(ours, theirs):
    """|ours - theirs| / |theirs| in the Euclidean norm."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    return float(np.linalg.norm(ours - theirs) / max(np.linalg.norm(theirs), 1e-30))
