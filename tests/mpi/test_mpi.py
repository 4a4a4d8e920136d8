#!/usr/bin/env python3
"""mpirun lmrnn train: the bits of one process, whatever the number of processes, interrupted or not.

Run for builds with the preset `mpi` only.
"""

import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
from program import PROGRAM, ProgramTest  # noqa: E402

CONFIG = """
seed = 5
[battery]
tasks = "go,dlygointr,antiseqr"
[wiring]
rows = 6
cols = 6
radius = 2
[network]
recurrent_noise = 0.05
[stream]
batch = 22
steps = 40
[loss]
rate_penalty = 0.01
[train]
steps = 30
block = 6
[evaluation]
every = 10
trials = 40
[checkpoint]
every = 7
keep_last = 9
"""


class MpiTest(ProgramTest):
    def setUp(self):
        self.config = self.dir / "small.toml"
        self.config.write_text(CONFIG)

    def command(self, n, *arguments):
        words = list(map(str, [PROGRAM, "train", *arguments, "--threads", 1]))
        if n == 0:
            return words  # without mpirun
        # As root only in CI; more processes than cores must work, if slowly.
        return ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none",
                "-n", str(n), *words]

    def train(self, n, *arguments):
        return subprocess.run(self.command(n, *arguments), cwd=self.dir, capture_output=True,
                              text=True, timeout=600)

    def run_of(self, n, name, *more):
        result = self.train(n, self.config, "--out", name, *more)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def content(self, name):
        run = self.dir / name
        files = {p.relative_to(run): p.read_bytes() for p in run.glob("checkpoints/*/*")}
        self.assertTrue(files)
        files["tasks.csv"] = (run / "tasks.csv").read_bytes()
        rows = [line.split(",") for line in (run / "metrics.csv").read_text().splitlines()]
        files["metrics.csv"] = [row[:2] + row[3:] for row in rows]  # without seconds
        return files

    def test_any_number_of_processes_gives_the_same_bits(self):
        self.run_of(0, "alone")  # four blocks, the last one smaller
        alone = self.content("alone")
        for n in (2, 3, 4):
            result = self.run_of(n, f"n{n}")
            self.assertEqual(self.content(f"n{n}"), alone)
            self.assertIn(f"with {n} processes", result.stderr)
            self.assertEqual(result.stdout.count("mean of 3 tasks"), 1)  # one of them speaks

    def test_dense_and_diagonal_networks_too(self):
        for kind in ("dense", "autapse"):
            self.run_of(0, f"{kind}0", "--set", f"wiring.kind={kind}")
            self.run_of(2, f"{kind}2", "--set", f"wiring.kind={kind}")
            self.assertEqual(self.content(f"{kind}0"), self.content(f"{kind}2"))

    def test_interrupted_and_resumed_with_another_number_of_processes(self):
        # Long by long steps and not by many, since processes that share a processor lose much at each
        # exchange.
        self.config.write_text(CONFIG.replace("steps = 30", "steps = 600")
                               .replace("batch = 22", "batch = 220")
                               .replace("block = 6", "block = 60")
                               .replace("every = 10", "every = 300"))
        self.run_of(0, "alone")
        command = self.command(2, self.config, "--out", "x")
        process = subprocess.Popen(command, cwd=self.dir,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 300
        while not list(self.dir.glob("x/checkpoints/step-0000000[1-9]")) and \
                not list(self.dir.glob("x/checkpoints/step-000000[1-9]*")):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        # To the processes themselves, as a batch system does: mpirun passes signals on after seconds,
        # when a fast machine is done.
        for children in Path(f"/proc/{process.pid}/task").glob("*/children"):
            for child in children.read_text().split():
                os.kill(int(child), signal.SIGTERM)
        _, err = process.communicate(timeout=300)
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("interrupted at step", err)
        self.assertFalse((self.dir / "x/DONE").exists())
        result = self.train(3, "--resume", "x")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.content("x"), self.content("alone"))

    def test_mistakes_end_all_processes(self):
        self.run_of(2, "x")
        for arguments, words in (([self.config, "--out", "x"], "finished run"),
                                 ([self.config, "--set", "wiring.radus=1"], "radus"),
                                 ([self.config, "--out", "y", "--set", "train.block=16"],
                                  "train.block")):
            result = self.train(3, *arguments)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(words, result.stderr)


if __name__ == "__main__":
    unittest.main()
