"""The table of workloads, and our side's configuration of each.

A workload is a network, a batch and the operation that is timed: an optimiser step (`step`), the forward pass of one
row after another (`forward`), the generation of a batch (`generate`), or an evaluation on held-out trials of all tasks
(`evaluate`).
"""

import dataclasses

STEP_PEERS = (
    "torch_masked", "torch_loop", "torch_compile", "torch_csr", "jax_masked", "jax_sparse",
)  # fmt: skip
TORCH_PEERS = tuple(name for name in STEP_PEERS if name.startswith("torch"))
JAX_PEERS = tuple(name for name in STEP_PEERS if name.startswith("jax"))
# `lmrnn train` on the same workload, to show the cost of our layers.
TRAIN = "lmrnn_train"
# Shown, but not used for targets; peers/jax_diagonal.py says why.
REFERENCES = ("jax_diagonal", TRAIN)


@dataclasses.dataclass(frozen=True)
class Workload:
    id: str
    words: str
    kind: str = "step"
    wiring: str = "local"
    rows: int = 32
    cols: int = 32
    radius: float = 4
    tasks: str = "modcog82"
    steps: int = 350
    batch: int = 64
    threads: tuple = (1,)
    target: float = 1  # speed relative to the best peer
    peers: tuple = STEP_PEERS
    semantics: str = "corrected"
    mode: str = "restart"
    trials: int = 1  # per task, of an evaluation
    side: str = "driver"  # "driver": our program; otherwise a worker of peers/
    keys: tuple = ()  # further keys, e.g. 'network.equation = "voltage"'

    def config(self):
        """TOML of a run: Adam at a constant rate, no evaluation, no checkpoint except the first."""
        text = self._own_config()
        for assignment in self.keys:
            table, _, key = assignment.partition(".")
            header = f"[{table}]\n"
            if header not in text:
                text += f"\n{header}"
            text = text.replace(header, f"{header}{key}\n")
        return text

    def _own_config(self):
        return f"""seed = 1

[battery]
tasks = "{self.tasks}"

[battery.semantics]
base = "{self.semantics}"

[wiring]
kind = "{self.wiring}"
rows = {self.rows}
cols = {self.cols}
radius = {self.radius}

[network]
initialisation = "fan-in"

[stream]
mode = "{self.mode}"
steps = {self.steps}
batch = {self.batch}

[optimiser]
kind = "adam"
learning_rate = 1e-3
beta1 = 0.9
beta2 = 0.999
epsilon = 1e-8
clip = 1

[schedule]
kind = "constant"
warmup = 0

[train]
steps = 1000000
log_every = 1000000

[evaluation]
every = 0
trials = {self.trials}

[checkpoint]
every = 0
"""


WORKLOADS = (
    Workload("W1", "local, 32x32 sheet, radius 4", threads=(1, 2), target=10),
    Workload("W2", "local, 50x50 sheet, radius 4", rows=50, cols=50, threads=(2,), target=25),
    Workload("W3", "dense, N = 256", wiring="dense", rows=16, cols=16, threads=(1, 2), target=1.3),
    Workload(
        "W4", "autapse, N = 1024", wiring="autapse", threads=(2,), target=20,
        peers=STEP_PEERS + REFERENCES,
    ),
    Workload(
        "W5", "generating 64 x 350 steps of modcog82", kind="generate", target=300,
        peers=("neurogym_stream",), semantics="published", mode="continue",
    ),
    Workload("W6", "random, degrees of W1", wiring="random", threads=(2,), target=5),
    Workload(
        "W7", "W1's network, forward, one row of 350 steps after another", kind="forward",
        target=10,
    ),
    Workload(
        "W8", "256 units, radius 2, rows of 100: a step of a study", rows=16, cols=16, radius=2,
        steps=100, target=15,
    ),
    Workload(
        "W13", "evaluating W1's network, 1000 trials of each task", kind="evaluate", trials=1000,
        threads=(2,), target=15, peers=("torch_masked", "torch_csr", "jax_masked"),
    ),
    Workload(
        "W15", "256 units, radius 4, 4 rows of 350: a step as NeuroGym's users take it", rows=16,
        cols=16, batch=4,
    ),
    Workload(
        "W15-dense", "W15's, dense", wiring="dense", rows=16, cols=16, batch=4,
    ),
    Workload(
        "W9", "W1 in a PyTorch loop", threads=(1, 2), target=13, peers=(*TORCH_PEERS, TRAIN),
        side="lmrnn_torch",
    ),
    Workload(
        "W9-dense", "W3 in a PyTorch loop", wiring="dense", rows=16, cols=16, threads=(1, 2),
        target=2, peers=(*TORCH_PEERS, TRAIN), side="lmrnn_torch",
    ),
    Workload(
        "W10", "W1 in a JAX loop", threads=(1, 2), target=10, peers=(*JAX_PEERS, TRAIN),
        side="lmrnn_jax",
    ),
    Workload(
        "W11", "256 units, radius 2, in a PyTorch loop", rows=16, cols=16, radius=2, threads=(1, 2),
        target=6, peers=(*TORCH_PEERS, TRAIN), side="lmrnn_torch",
    ),
)  # fmt: skip


def small(workload):
    """The same workload on a small scale, for a test that everything runs."""
    dense = workload.wiring == "dense"
    return dataclasses.replace(
        workload, rows=6 if dense else 8, cols=6 if dense else 8, radius=2, steps=50, batch=16,
        tasks="go,antiseqr,dm1", trials=min(workload.trials, 8),
    )  # fmt: skip
