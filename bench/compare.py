#!/usr/bin/env python3
"""Our side against its peers, in turns, with equal threads: writes one table and one JSON file.

Before anything is timed, each peer gets the same weights and the same batch as our side, and loss and gradients must
agree to 1e-4. Then every peer is timed once, and the fastest ones and our side take turns: ours, peer, ours, peer, ...
The ratio is the median over these pairs, given with its smallest and largest value. A peer's first step (compilation)
is not counted.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import pathlib
import statistics
import sys
import tempfile

import machine
import report
from ours import Ours
from processes import Failed, Process
from workloads import REFERENCES, TRAIN, WORKLOADS, small

HERE = pathlib.Path(__file__).resolve().parent
TOLERANCE = 1e-4
N_BATCHES = 4
# Peers that are slower than the fastest by this factor, when timed once, do not take turns.
CONTENDER = 1.15
SLOW_STEP_SECONDS = 3
MODULES = {"torch": "torch", "jax": "jax", "neurogym": "neurogym", "lmrnn": "lmrnn"}


def say(text):
    print(text, file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--driver", default="build/release/bench/bench_driver", help="our side")
    parser.add_argument("--json", help="where the figures go")
    parser.add_argument(
        "--package", default="build/release/python", help="our Python package, for W9 to W11"
    )
    parser.add_argument("--only", default="", help="workloads, e.g. W1,W3")
    parser.add_argument("--threads", type=int, help="only with so many threads")
    parser.add_argument("--peers", help="only these, e.g. torch_csr,jax_sparse, or none")
    parser.add_argument(
        "--seconds", type=float, default=8, help="time for the turns of a workload and a peer"
    )
    parser.add_argument(
        "--smoke", action="store_true",
        help="tiny shapes, one pair, the peers that can be imported: does everything run?",
    )  # fmt: skip
    return parser.parse_args()


def installed(peer):
    if peer == TRAIN:
        return True
    return importlib.util.find_spec(MODULES[peer.split("_")[0]]) is not None


def wanted_peers(workload, options):
    chosen = workload.peers if options.peers is None else options.peers.split(",")
    return [name for name in workload.peers if name in chosen and installed(name)]


class Comparison:
    """One workload with one number of threads."""

    def __init__(self, ours, workload, n_threads, options, peak):
        self.ours, self.workload, self.n_threads = ours, workload, n_threads
        self.options, self.peak = options, peak
        self.command = workload.kind
        self.peers, self.processes = {}, {}

    def run(self, problem):
        with contextlib.ExitStack() as stack:
            process, description = self.start_ours(problem)
            stack.enter_context(process)
            # Warm-up; the first step also writes the run's first checkpoint.
            self.losses = process.ask(self.command, N_BATCHES).get("losses", [])
            for name in wanted_peers(self.workload, self.options):
                say(f"  {name}")
                self.peers[name] = self.try_once(name, problem, stack)
            contenders = self.contenders()
            for name in set(self.processes) - set(contenders):
                self.processes.pop(name).close()
            return self.result(process, description, contenders)

    def start_ours(self, problem):
        if self.workload.side == "driver":
            return self.ours.start(self.workload, self.n_threads)
        process = self.start_peer(self.workload.side, problem)
        self.check(self.workload.side, process)
        return process, {}

    # Peers, one by one -----------------------------------------------------------------------

    def start_peer(self, name, problem):
        if name == TRAIN:
            return self.ours.start(self.workload, self.n_threads)[0]
        if name == "neurogym_stream":
            w = self.workload
            script = [HERE / "neurogym_stream.py", w.batch, w.steps]
        else:
            script = [HERE / "peers" / "worker.py", name, problem, self.n_threads]
        return Process([sys.executable, *script], self.n_threads, self.ours.log)

    def try_once(self, name, problem, stack):
        """Checks equality, warms up and times one repetition; returns the error if there was one."""
        process = stack.enter_context(self.start_peer(name, problem))
        try:
            peer = {} if name == TRAIN else self.check(name, process)
            warm_up = process.ask(self.command, 1)
            if self.is_hopeless(warm_up["seconds"][0]):
                note = "timed once, without warm-up: far behind"
                return peer | {"seconds": warm_up["seconds"][0], "n_timed": 1, "note": note}
            timed = process.ask(self.command, 1)
            peer |= {"seconds": timed["seconds"][0], "n_timed": 1}
            peer |= self.check_accuracy(name, timed)
            if name != TRAIN:  # its batches differ from those of the problem
                peer |= self.check_losses(name, [warm_up, timed])
        except Failed as failure:
            return {"note": str(failure)}
        self.processes[name] = process
        return peer

    def is_hopeless(self, seconds):
        """Whether a slow peer is so far behind another one that a second step is not worth the time."""
        others = [peer["seconds"] for peer in self.peers.values() if "seconds" in peer]
        return seconds > SLOW_STEP_SECONDS and others and seconds > 3 * min(others)

    def check(self, name, process):
        if self.workload.kind == "generate":
            return {"stream": process.read()}
        answer = process.ask("check" if self.workload.kind == "step" else "check_forward")
        errors = list(answer["errors"].values()) + [answer.get("loss_error", 0)]
        worst = max(errors)
        if not worst <= TOLERANCE:
            raise SystemExit(
                f"{self.workload.id}: {name} and our side do not compute the same: {answer}"
            )
        return {"errors": answer["errors"], "loss_error": errors[-1], "worst_error": worst}

    def check_losses(self, name, answers):
        """Compares losses. The second one comes after one whole optimiser step, so clipping and Adam agree, too."""
        if self.workload.kind != "step":
            return {}
        losses = [answer["losses"][0] for answer in answers]
        error = max(abs(mine / theirs - 1) for mine, theirs in zip(self.losses, losses))
        if not error <= TOLERANCE:
            raise SystemExit(
                f"{self.workload.id}: {name} and our side part after a step: losses {losses}, "
                f"ours {self.losses}"
            )
        return {"error_after_step": error}

    def check_accuracy(self, name, answer):
        """Compares the accuracy of an evaluation; a few answers are ties but for rounding."""
        if self.workload.kind != "evaluate":
            return {}
        error = abs(answer["losses"][0] - self.losses[0])
        if not error <= 1e-3:
            raise SystemExit(
                f"{self.workload.id}: {name} and our side score differently: {answer['losses'][0]} and {self.losses[0]}"
            )
        return {"accuracy_error": error}

    def contenders(self):
        """Peers that may be the fastest, and the references."""
        counted = {
            name: self.peers[name]["seconds"] for name in self.processes if name not in REFERENCES
        }
        train = [TRAIN] if TRAIN in self.processes else []
        if not counted:
            return train
        limit = CONTENDER * min(counted.values())
        return [name for name, seconds in counted.items() if seconds <= limit] + train

    # In turns ---------------------------------------------------------------------------------

    def take_turns(self, process, name):
        """Pairs of (ours, peer); ours is the median of several repetitions."""
        seconds = self.peers[name]["seconds"]
        ours = self.our_seconds(process, 3)
        repeat = 1 if self.options.smoke else max(1, min(20, round(0.3 * seconds / ours)))
        n_pairs = self.options.seconds / (seconds + repeat * ours)
        n_pairs = 1 if self.options.smoke else max(3, min(15, round(n_pairs)))
        pairs = []
        for _ in range(n_pairs):
            mine = self.our_seconds(process, repeat)
            pairs.append((mine, self.processes[name].ask(self.command, 1)["seconds"][0]))
        return pairs

    def our_seconds(self, process, count):
        count = 1 if self.options.smoke else count
        return statistics.median(process.ask(self.command, count)["seconds"])

    def result(self, process, description, contenders):
        result = {
            "workload": self.workload.id,
            "words": self.workload.words,
            "kind": self.workload.kind,
            "threads": self.n_threads,
            "target": self.workload.target,
            "config": self.workload.config(),
            "peers": self.peers,
        }
        ratios, all_ours = {}, []
        for name in contenders:
            pairs = self.take_turns(process, name)
            all_ours += [mine for mine, _ in pairs]
            quotients = [theirs / mine for mine, theirs in pairs]
            ratios[name] = {
                "median": statistics.median(quotients),
                "least": min(quotients),
                "most": max(quotients),
                "pairs": pairs,
            }
            self.peers[name] |= {
                "seconds": statistics.median(theirs for _, theirs in pairs),
                "n_timed": len(pairs),
            }
        counted = [name for name in ratios if name not in REFERENCES]
        if counted:
            result["best"] = min(counted, key=lambda name: ratios[name]["median"])
            result["ratio"] = ratios[result["best"]]
        if not all_ours:
            all_ours = [self.our_seconds(process, 10)]
        result["ours"] = self.figures(statistics.median(all_ours), description)
        result["ours"] |= process.ask("memory")
        self.add_memory_of_peers()
        return result

    def figures(self, seconds, description):
        figures = {"seconds": seconds, **description}
        if not description:
            return figures
        operations = {"step": "operations_per_step", "forward": "operations_per_row"}
        if self.workload.kind in operations:
            rate = description[operations[self.workload.kind]] / seconds
            figures["operations_per_second"] = rate
            figures["fraction_of_peak"] = rate / (self.peak * self.n_threads)
        return figures

    def add_memory_of_peers(self):
        for name, process in self.processes.items():
            if self.workload.kind != "generate" and name != TRAIN:
                self.peers[name] |= process.ask("memory")


def selected(options):
    for workload in WORKLOADS:
        if options.only and workload.id not in options.only.split(","):
            continue
        if workload.side != "driver" and not all(
            map(installed, (workload.side, workload.side.split("_")[1]))
        ):
            say(f"{workload.id}: not here, {workload.side} needs lmrnn and its framework")
            continue
        yield small(workload) if options.smoke else workload


def write_json(options, document):
    if not options.json:
        return
    path = pathlib.Path(options.json)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")


def compare(options, ours, document):
    peak, results = document["build"]["fma_peak"], document["results"]
    for workload in selected(options):
        any_peer = workload.kind != "generate" and wanted_peers(workload, options)
        any_peer = any_peer or workload.side != "driver"
        problem = ours.problem(workload, N_BATCHES) if any_peer else None
        for n_threads in workload.threads:
            if options.threads not in (None, n_threads):
                continue
            say(f"{workload.id}, {n_threads} thread{'s' if n_threads > 1 else ''}")
            comparison = Comparison(ours, workload, n_threads, options, peak)
            results.append(comparison.run(problem))
            say(report.headline(results[-1:]))
            write_json(options, document)  # written each time, so that an interrupted run keeps its results


def main():
    options = arguments()
    package = str(pathlib.Path(options.package).resolve())
    os.environ["PYTHONPATH"] = package + os.pathsep + os.environ.get("PYTHONPATH", "")
    sys.path.insert(0, package)
    facts = machine.describe()
    with tempfile.TemporaryDirectory(prefix="lmrnn-bench-") as directory:
        with open(pathlib.Path(directory) / "log.txt", "w+b") as log:
            ours = Ours(pathlib.Path(options.driver).resolve(), directory, log)
            build = ours.peak()
            results = []
            document = {"machine": facts, "build": build, "results": results}
            try:
                compare(options, ours, document)
            except (Failed, SystemExit):
                log.seek(0)
                say(log.read().decode(errors="replace")[-4000:])
                raise
            # Measured again, to show whether the machine slows down when warm.
            facts["fma_peak"] = [build["fma_peak"], ours.peak()["fma_peak"]]
    print(f"{facts['processor']}, {facts['date']}; lmrnn {build['version']} ({build['commit']}, "
          f"{build['simd']}); {facts['packages']}")  # fmt: skip
    print(f"FMA peak of one core: {build['fma_peak'] / 1e9:.1f} GFLOP/s\n")
    print(report.headline(results) + "\n")
    print(report.peers(results))
    for line in report.layers(results):
        print(line)
    write_json(options, document)


if __name__ == "__main__":
    main()
