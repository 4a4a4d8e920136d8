"""One peer as a process with a line protocol, so that it can take turns with our side.

    python bench/peers/worker.py torch_masked PROBLEM.npz N_THREADS

Every line of standard input is a command, every line of standard output a JSON object:

    check            {"loss": ours, "loss_error": ..., "errors": {group: ...}}; batch 0
    check_forward    {"errors": {"logits": ...}}; row 0 of batch 0
    step K           {"seconds": [...], "losses": [...]}; optimiser steps, batches in turn
    forward K        {"seconds": [...]}; one row after another
    evaluate K       {"seconds": [...], "losses": [...]}; evaluations, and their accuracy (mean over tasks)
    memory           {"peak_bytes": ...}, and for our layers "growth_bytes", by which the process has
                     grown since before its first step, and "states_bytes", of one copy of the states

Errors are relative, in the Euclidean norm.
"""

import importlib
import json
import pathlib
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import problem as p  # noqa: E402


def status_bytes(key):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    return 0


class Worker:
    def __init__(self, peer, problem):
        self.peer, self.problem = peer, problem
        self.steps_done = self.rows_done = 0
        self.chunks = None
        if hasattr(peer, "states_bytes"):
            # Ignores memory that was used and freed before: the peak is counted from here.
            pathlib.Path("/proc/self/clear_refs").write_text("5")
            self.before = status_bytes("VmRSS")

    def check(self):
        loss, gradients = self.peer.loss_and_gradients(0)
        ours = self.problem.gradients
        errors = {group: p.relative_error(ours[group], gradients[group]) for group in p.GROUPS}
        return {
            "loss": self.problem.loss,
            "loss_error": abs(self.problem.loss - loss) / abs(loss),
            "errors": errors,
        }

    def check_forward(self):
        return {"errors": {"logits": p.relative_error(self.problem.logits, self.peer.forward(0))}}

    def step(self, count):
        seconds, losses = [], []
        for _ in range(count):
            batch = self.steps_done % self.problem.n_batches
            start = time.perf_counter()
            losses.append(self.peer.step(batch))
            seconds.append(time.perf_counter() - start)
            self.steps_done += 1
        return {"seconds": seconds, "losses": losses}

    def forward(self, count):
        seconds = []
        for _ in range(count):
            row = self.rows_done % self.problem.n_rows
            start = time.perf_counter()
            self.peer.forward(row)
            seconds.append(time.perf_counter() - start)
            self.rows_done += 1
        return {"seconds": seconds}

    def evaluate(self, count):
        if self.chunks is None:
            self.chunks = [
                (task, int(decides.sum()), self.peer.prepare_trials(inputs, rules, targets, decides))
                for task, inputs, rules, targets, decides in self.problem.chunks_of_trials()
            ]
        seconds, accuracies = [], []
        for _ in range(count):
            right, decisions = np.zeros((2, len(self.problem.trials)))
            start = time.perf_counter()
            for task, n, trials in self.chunks:
                right[task] += self.peer.count_right(trials)
                decisions[task] += n
            seconds.append(time.perf_counter() - start)
            accuracies.append(float(np.mean(right / decisions)))
        return {"seconds": seconds, "losses": accuracies}

    def memory(self):
        memory = {"peak_bytes": status_bytes("VmHWM")}
        if hasattr(self.peer, "states_bytes"):
            memory["growth_bytes"] = memory["peak_bytes"] - self.before
            memory["states_bytes"] = self.peer.states_bytes
        return memory


def serve(worker, answers):
    for line in sys.stdin:
        name, *arguments = line.split()
        answer = getattr(worker, name)(*map(int, arguments))
        print(json.dumps(answer), file=answers, flush=True)


def main():
    # Libraries may print anything, so standard output is kept for the protocol.
    answers, sys.stdout = sys.stdout, sys.stderr
    name, path, n_threads = sys.argv[1:]
    problem = p.Problem(path)
    peer = importlib.import_module("peers." + name).Peer(problem, int(n_threads))
    serve(Worker(peer, problem), answers)


if __name__ == "__main__":
    main()
