#!/usr/bin/env python3
"""The fault table: what was done to a training, what the program said, what was on disk afterwards.

    LMRNN=build/release/src/cli/lmrnn tests/robustness/faults.py

Prints a Markdown table. Each fault is checked, too: the exit status, one line of message at the end
of stderr, that resuming (or starting again) gives the weights of an undisturbed run, and that no
file under a final name is damaged. Faults that need root (a small tmpfs, a read-only mount) are
tried in a mount namespace of their own and skipped, visibly, where that is not allowed. Exit 1 if
any check fails.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from kill import PROGRAM, checkpoint_steps, digest, inspect, last_row

CONFIG = """
seed = 5
[battery]
tasks = "go,dlygointr,antiseqr"
[wiring]
rows = 8
cols = 8
radius = 1
[stream]
batch = 16
steps = 40
[train]
steps = 60
log_every = 1
[evaluation]
every = 20
trials = 20
[checkpoint]
every = 5
"""
EVERY = 5  # steps between the checkpoints: the most that a fault may lose
IN_NAMESPACE = "LMRNN_FAULTS_IN_NAMESPACE"


def lmrnn(*arguments, **options):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                          timeout=600, **options)


def message(result, directory):
    lines = result.stderr.strip().splitlines() or [""]
    return lines[-1].replace(str(directory), "…")


def weights(run, step=60):
    checkpoint = run / f"checkpoints/step-{step:08}"
    return [digest(checkpoint / f"{name}.safetensors") for name in ("network", "state")]


class Table:
    def __init__(self, directory):
        self.directory, self.failed = directory, 0
        self.config = directory / "small.toml"
        self.config.write_text(CONFIG)
        self.train(directory / "whole")
        self.expected = weights(directory / "whole")
        print("| what was done | exit | what it said | on disk afterwards |\n|---|---|---|---|")

    def train(self, run, *arguments, **options):
        return lmrnn("train", self.config, "--out", run, "--threads", 1, *arguments, **options)

    def row(self, done, result, on_disk, checks):
        said = message(result, self.directory)
        print(f"| {done} | {result.returncode} | `{said}` | {on_disk} |", flush=True)
        checks = {"one line of message": said.startswith("lmrnn") or "interrupted" in said, **checks}
        for name, holds in checks.items():
            if not holds:
                self.failed += 1
                print(f"FAILED: {done}: {name}\n{result.stderr}", file=sys.stderr)

    def state(self, run):
        if not run.is_dir():
            return "no run directory"
        steps = checkpoint_steps(run)
        stray = sorted(path.name for path in run.rglob("*")
                       if ".tmp-" in path.name or path.name.startswith("."))
        table = run / "metrics.csv"
        rows = f"rows up to step {last_row(table)}; " if table.exists() else ""
        kept = f"checkpoints {', '.join(map(str, steps))}, all whole" if steps else "no checkpoint yet"
        return f"{rows}{kept}" + (f"; left over: {', '.join(stray)}" if stray else "")

    def goes_on(self, run):
        """Whether the resumed run ends with the weights of the undisturbed one."""
        result = lmrnn("train", "--resume", run, "--threads", 1)
        if result.returncode != 0:
            print(result.stderr, file=sys.stderr)
        return result.returncode == 0 and weights(run) == self.expected

    def full_disk(self):
        """Fills a tmpfs so far that training dies at a different moment each time."""
        seen_whole = False
        for kilobytes in (8, 24, 40, 64, 96, 128, 160):
            disk = self.directory / f"disk{kilobytes}"
            disk.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", disk],
                           check=True)
            run = disk / "run"
            result = self.train(run)
            seen_whole = seen_whole or result.returncode == 0
            if result.returncode == 0:
                continue
            state = self.state(run)
            damage = inspect(run, EVERY)
            subprocess.run(["mount", "-o", "remount,size=10m", disk], check=True)
            again = (self.goes_on(run) if (run / "config.toml").exists()
                     else self.train(run).returncode == 0 and weights(run) == self.expected)
            self.row(f"disk of {kilobytes} KiB, full while training", result, state,
                     {"exit status 1": result.returncode == 1, "space or elsewhere named":
                      "space" in result.stderr, f"no damage and no loss: {damage}": not damage,
                      "resumes with more space": again})

    def read_only(self):
        disk = self.directory / "readonly"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", disk], check=True)
        run = disk / "run"
        self.train(run, "--set", "checkpoint.every=20")
        (run / "DONE").unlink()
        shutil.rmtree(run / "checkpoints/step-00000060")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        result = lmrnn("train", "--resume", run)
        damage = inspect(run, 20)
        self.row("resumed on a file system mounted read-only", result, self.state(run),
                 {"exit status 1": result.returncode == 1, f"no damage: {damage}": not damage})
        result = self.train(disk / "other")
        self.row("begun on a file system mounted read-only", result, self.state(disk / "other"),
                 {"exit status 1": result.returncode == 1})
        scores = lmrnn("eval", run, "--trials", 20)
        if scores.returncode != 0:
            self.failed += 1
            print(f"FAILED: eval reads a read-only run: {scores.stderr}", file=sys.stderr)

    def missing_files(self):
        for name, status in (("config.toml", 2), ("provenance.json", 2),
                             ("checkpoints/step-00000055/state.safetensors", 2)):
            run = self.interrupted(f"without-{Path(name).name}")
            steps = checkpoint_steps(run)
            path = run / name.replace("00000055", f"{steps[-1]:08}")
            content = path.read_bytes()
            path.unlink()
            result = lmrnn("train", "--resume", run)
            state = self.state(run)
            path.write_bytes(content)
            self.row(f"{name.replace('00000055', 'NNN')} removed, then resumed", result, state,
                     {"exit status": result.returncode == status,
                      "named": path.name in result.stderr, "restored, it goes on": self.goes_on(run)})
        run = self.interrupted("cut")
        path = run / f"checkpoints/step-{checkpoint_steps(run)[-1]:08}/state.safetensors"
        content = path.read_bytes()
        path.write_bytes(content[:len(content) // 2])  # e.g. a copy that ended early
        result = lmrnn("train", "--resume", run)
        path.write_bytes(content)
        self.row("checkpoints/step-NNN/state.safetensors cut in half, then resumed", result,
                 self.state(run), {"exit status": result.returncode == 2, "named":
                 str(path) in result.stderr, "restored, it goes on": self.goes_on(run)})
        run = self.interrupted("missing-metrics")
        (run / "metrics.csv").unlink()
        result = lmrnn("train", "--resume", run, "--threads", 1)
        rows = (run / "metrics.csv").read_text().count("\n") - 1
        print(f"| metrics.csv removed, then resumed | {result.returncode} | (trains to the end) | "
              f"{rows} rows from there on; same weights |")
        if result.returncode != 0 or weights(run) != self.expected:
            self.failed += 1

    def start(self, run, *arguments):
        program = subprocess.Popen(
            [PROGRAM, "train", self.config, "--out", run, "--threads", "1", *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while program.poll() is None and not any(step > 0 for step in checkpoint_steps(run)):
            time.sleep(0.005)
        return program

    def interrupted(self, name):
        run = self.directory / name
        program = self.start(run)
        program.send_signal(signal.SIGTERM)
        program.communicate()
        return run

    def two_processes(self):
        run = self.directory / "two"
        first = self.start(run)
        first.send_signal(signal.SIGSTOP)  # it holds the directory while it is stopped
        second = lmrnn("train", "--resume", run)
        third = self.train(run)
        first.send_signal(signal.SIGCONT)
        first.communicate()
        for done, result in (("--resume while another process trains there", second),
                             ("--out into a directory where another process trains", third)):
            self.row(done, result, "the first process trained to the end; same weights",
                     {"exit status 2": result.returncode == 2, "the first is undisturbed":
                      (run / "DONE").exists() and weights(run) == self.expected})

    def slurm(self):
        """SIGTERM to the step's process group (`--signal=TERM@120`), SIGKILL after KillWait."""
        run = self.directory / "slurm"
        program = self.start(run)
        program.send_signal(signal.SIGTERM)
        _, said = program.communicate(timeout=300)
        result = subprocess.CompletedProcess([], program.returncode, "", said)
        state, damage = self.state(run), inspect(run, 0)
        self.row("SIGTERM (Slurm's warning), then SIGKILL", result, state,
                 {"exit status 75": program.returncode == 75, "says how to resume": "--resume" in said,
                  f"no damage and no loss: {damage}": not damage, "goes on": self.goes_on(run)})
        run = self.directory / "twice"
        program = self.start(run)
        program.send_signal(signal.SIGSTOP)
        program.send_signal(signal.SIGTERM)
        program.send_signal(signal.SIGKILL)
        program.communicate()
        state, damage = self.state(run), inspect(run, EVERY)
        again = self.goes_on(run)
        print(f"| SIGKILL while stopped | {program.returncode} | (nothing: it could not) | "
              f"{state}; resumed to the same weights |")
        if damage or not again:
            self.failed += 1
            print(f"FAILED: killed: {damage}", file=sys.stderr)

    def no_permission(self):
        """As a user other than root, because root may write everywhere."""
        if os.geteuid() != 0:
            target = self.directory / "locked"
            target.mkdir(mode=0o555)
            result = self.train(target / "run")
            self.row("begun in a directory without permission to write", result,
                     self.state(target / "run"), {"exit status 1": result.returncode == 1})


def main():
    if os.geteuid() == 0 and IN_NAMESPACE not in os.environ:
        # The mounts disappear with the namespace in any case.
        os.environ[IN_NAMESPACE] = "1"
        if subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL).returncode == 0:
            os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])
        os.environ[IN_NAMESPACE] = "0"
    with tempfile.TemporaryDirectory() as name:
        table = Table(Path(name))
        table.missing_files()
        table.two_processes()
        table.slurm()
        table.no_permission()
        if os.environ.get(IN_NAMESPACE) == "1":
            table.full_disk()
            table.read_only()
            subprocess.run(f"umount {name}/disk* {name}/readonly", shell=True, check=True)
        else:
            print("(skipped: full disk and read-only file system, which need root to mount)")
        return table.failed > 0


if __name__ == "__main__":
    sys.exit(main())
