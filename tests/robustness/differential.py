#!/usr/bin/env python3
"""Random valid configurations. Each is carried out in several ways that must agree to the last bit, and is compared
with the readable twin and with PyTorch.

    tests/robustness/differential.py 2000                  a fresh seed, which is printed
    tests/robustness/differential.py --seconds 60          as many as fit
    tests/robustness/differential.py --seed commit         a seed that belongs to this commit
    tests/robustness/differential.py --seed 5 --only 17    case 17 of seed 5 again
    tests/robustness/differential.py --replay              the cases that were kept

The program under test is --lmrnn or LMRNN; its Python package must be importable, else (or with
--by program, e.g. for a program with a sanitizer) trainings are carried out by the command line.
Every configuration trains for a dozen steps:

- with 1 and with k threads, with and without train.recompute, stopped and resumed, killed (SIGKILL)
  and resumed: the same bits of networks, optimiser states, tables;
- on its own SIMD target and on another: loss, moments and weights of a step against the readable
  twin (readable.py);
- the twin against PyTorch's autograd through lmrnn.torch.LMRNN.

Cases run in separate processes: a crash is a failure of its case. The C library fills or guards
memory there, in turn. A failure is shrunk to the smallest configuration that still fails and
written to tests/robustness/cases/, where --replay finds it. Exit 1 if anything failed.
"""

import argparse
import glob
import json
import os
import platform
import queue
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from commit_seed import seed_from
from draw import Program, draw_case
from shrink import same_failure, shrink

CASES = HERE / "cases"
CASES_PER_WORKER = 40
HISTORY = 12
# Checks whose outcome does not depend on the timing of threads or of kills.
DETERMINISTIC = {"valid", "run", "arithmetic", "simd", "torch", "gradient", "forward"}


# Workers ----------------------------------------------------------------------------------------


def guards():
    """Environments in which wrong use of memory shows, used in turn."""
    checked = glob.glob(f"/lib*/{platform.machine()}-linux-gnu/libc_malloc_debug.so.0")
    # Filled with 0x7f: floats of 3.4e38, which cannot be overlooked.
    filled = {"GLIBC_TUNABLES": "glibc.malloc.perturb=128"}
    return [filled, {"LD_PRELOAD": checked[0], "MALLOC_CHECK_": "3"}] if checked else [filled]


class Worker:
    """A process that carries out cases, one at a time."""

    def __init__(self, options, guard):
        one_thread = {
            name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        }
        command = [
            sys.executable,
            __file__,
            "--worker",
            "--lmrnn",
            options.lmrnn,
            "--by",
            options.by,
        ]
        command += ["--directory", str(options.directory)]
        command += ["--pretend", options.pretend] if options.pretend else []
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env={**os.environ, **one_thread, **guard},
        )
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.history = []

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def run(self, case, timeout):
        """The result of a case; if the worker dies or hangs, that is the result."""
        try:
            self.process.stdin.write(json.dumps(case) + "\n")
            self.process.stdin.flush()
            line = self.lines.get(timeout=timeout)
        except queue.Empty:
            self.close()
            return failed("hang", f"no answer for {timeout:.0f} s")
        except BrokenPipeError:
            line = None
        if line is not None:
            self.history = [*self.history, case][-HISTORY:]
            return json.loads(line)
        try:
            self.process.wait(timeout=60)  # writing a core file takes its time
        except subprocess.TimeoutExpired:
            self.close()
        self.log.seek(0)
        said = self.log.read()[-3000:]
        return failed(
            "crash", f"the process ended with status {self.process.returncode}: {said.strip()}"
        )

    def close(self):
        self.process.kill()
        self.process.wait()

    @property
    def alive(self):
        return self.process.poll() is None


def failed(check, detail):
    return {"failures": [{"check": check, "detail": detail}], "notes": {}}


def serve(options):
    """The worker's side: reads cases, prints results."""
    from checks import check_case

    if options.pretend:
        pretend(options.pretend)
    program = Program.ask(options.lmrnn)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever is printed does not get in between
    directory = options.directory / "case"
    for line in sys.stdin:
        case = json.loads(line)
        for earlier in case.get("after", []):  # what made this process ready to fail
            check_case(earlier, directory, program, options.by, has_package())
        result = check_case(case, directory, program, options.by, has_package())
        answers.write(json.dumps(result) + "\n")
        answers.flush()


def pretend(fault):
    """A fault of the given name, for the tests of this harness."""
    import checks
    import readable

    if fault == "softplus":
        slope = readable.slope
        readable.slope = lambda f, u: slope(f, u) * (1.01 if f == "softplus" else 1)
    elif fault == "abort":
        check_threads = checks.check_threads

        def abort_if_large(case, expected):
            if case.config["wiring.rows"] * case.config["wiring.cols"] > 20:
                os.abort()
            check_threads(case, expected)

        checks.check_threads = abort_if_large


def has_package():
    try:
        import lmrnn  # noqa: F401
    except ImportError:
        return False
    return True


# The harness ------------------------------------------------------------------------------------


class Harness:
    def __init__(self, options, program):
        self.options, self.program = options, program
        self.guards, self.worker, self.n_workers = guards(), None, 0
        if options.by == "program":
            self.guards = [{}]  # a sanitizer has its own
        self.notes, self.failures, self.n_cases, self.kept = Counter(), Counter(), 0, []

    def fresh_worker(self):
        if self.worker:
            self.worker.close()
        self.worker = Worker(self.options, self.guards[self.n_workers % len(self.guards)])
        self.n_workers += 1
        return self.worker

    def run(self, case):
        if not self.worker or not self.worker.alive or len(self.worker.history) >= CASES_PER_WORKER:
            self.fresh_worker()
        self.n_cases += 1
        history = list(self.worker.history)
        result = self.worker.run(case, self.options.timeout)
        self.notes.update(result["notes"])
        for failure in result["failures"]:
            self.report(case, failure, history)
        return result

    def report(self, case, failure, history):
        check = failure["check"]
        self.failures[check.split(" avx")[0]] += 1
        print(f"FAILED case {case['id']}: {check}: {failure['detail']}", flush=True)
        if self.options.no_shrink:
            return
        case = self.reproducible(case, failure, history)
        if case.get("fails"):
            case = shrink(
                case, failure, lambda c: self.run_often(c, check), self.options.shrink_seconds
            )
        self.keep(case, failure)

    def run_often(self, case, check):
        """Repeats a check that depends on the timing of threads, because it may pass once by chance."""
        result = None
        for _ in range(1 if check.split()[0] in DETERMINISTIC else self.options.repeats):
            if not self.worker.alive:
                self.fresh_worker()
            result = self.worker.run({**case, "only": check}, self.options.timeout)
            if result["failures"]:
                break
        return result

    def reproducible(self, case, failure, history):
        """The case, together with those before it if necessary; "fails" says whether it failed again."""
        for candidate in (case, {**case, "after": history}):
            self.fresh_worker()
            if same_failure(self.run_often(candidate, failure["check"]), failure):
                return {**candidate, "fails": True}
        return {**case, "after": history}

    def keep(self, case, failure):
        case = {k: v for k, v in case.items() if k != "fails"} | {
            "check": failure["check"],
            "detail": failure["detail"][:600],
        }
        name = f"{failure['check'].split()[0]}-{case['id'].replace('/', '-')}.json"
        self.options.cases.mkdir(exist_ok=True, parents=True)
        path = self.options.cases / name
        path.write_text(json.dumps(case, indent=1) + "\n")
        self.kept.append(path)
        print(f"kept as {path}:\n{json.dumps(case, indent=1)}", flush=True)

    def close(self):
        if self.worker:
            self.worker.close()

    def summary(self, seconds):
        notes = ", ".join(f"{n} {what}" for what, n in sorted(self.notes.items()) if n)
        n_failed = sum(self.failures.values())
        print(
            f"{self.n_cases} cases in {seconds:.0f} s "
            f"({seconds / max(self.n_cases, 1):.2f} s each), "
            f"{n_failed} failures"
            + (f" ({dict(self.failures)})" if n_failed else "")
            + f"; {notes}"
        )
        for path in self.kept:
            print(f"kept: {path}")
        return n_failed


def numbers(options):
    """Numbers of the cases to draw, until there are enough or the time is over."""
    if options.only is not None:
        return iter([options.only])
    began, first = time.monotonic(), options.first

    def count():
        n = 0
        while (options.cases_to_draw is None or n < options.cases_to_draw) and (
            options.seconds is None or time.monotonic() - began < options.seconds):  # fmt: skip
            yield first + n
            n += 1

    return count()


def kept_cases(options):
    for path in sorted(options.cases.glob("*.json")):
        case = json.loads(path.read_text())
        if options.by != "program" or not case.get("data"):
            yield case | {"id": path.stem}


def replay(options, harness):
    """Saved cases must pass under every guard, and repeatedly if the timing of threads matters."""
    options.no_shrink = True
    for case in kept_cases(options):
        for _ in harness.guards:
            harness.fresh_worker()
            for _ in range(1 if case["check"].split()[0] in DETERMINISTIC else 3):
                harness.run(case)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("cases_to_draw", type=int, nargs="?", metavar="CASES")
    parser.add_argument("--seconds", type=float, help="begin no case after this time")
    parser.add_argument(
        "--seed",
        type=seed_from,
        help='a fresh one unless given; "commit" for the one that belongs to this commit',
    )
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="this case alone")
    parser.add_argument("--replay", action="store_true", help="the cases that were kept")
    parser.add_argument("--lmrnn", default=os.environ.get("LMRNN"), help="the program under test")
    parser.add_argument("--by", choices=("package", "program"), help="what carries out trainings")
    parser.add_argument("--cases", type=Path, default=CASES, help="where failures are kept")
    parser.add_argument("--no-shrink", action="store_true", help="count failures, keep none")
    parser.add_argument("--shrink-seconds", type=float, default=120)
    parser.add_argument("--repeats", type=int, default=4, help="of a case that is being shrunk")
    parser.add_argument("--timeout", type=float, default=600, help="seconds until a case hangs")
    parser.add_argument("--pretend", choices=("softplus", "abort"), help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.lmrnn:
        parser.error("which program? Give --lmrnn build/release/src/cli/lmrnn, or set LMRNN")
    options.lmrnn = str(Path(options.lmrnn).resolve())
    options.by = options.by or ("package" if has_package() else "program")
    if options.cases_to_draw is None and options.seconds is None:
        options.cases_to_draw = 100
    return options


def main():
    options = parse()
    if options.worker:
        return serve(options)
    # In memory, where checkpoints cost no time.
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=shared, prefix="differential-") as directory:
        options.directory = Path(directory)
        return run_all(options)


def run_all(options):
    program = Program.ask(options.lmrnn)
    harness = Harness(options, program)
    began = time.monotonic()
    if options.replay:
        replay(options, harness)
    else:
        seed = secrets.randbelow(10**9) if options.seed is None else options.seed
        by = "the Python package" if options.by == "package" else "the program"
        print(
            f"seed {seed}; trainings by {by}; SIMD targets {', '.join(program.targets)}",
            flush=True,
        )
        for number in numbers(options):
            case = draw_case(seed, number, program)
            if options.by == "program" and case.get("data"):
                continue  # data from Python
            harness.run(case)
            if harness.n_cases % 100 == 0:
                print(f"{harness.n_cases} cases, {time.monotonic() - began:.0f} s", flush=True)
    harness.close()
    return 1 if harness.summary(time.monotonic() - began) else 0


if __name__ == "__main__":
    sys.exit(main())
