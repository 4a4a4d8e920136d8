#!/usr/bin/env python3
"""mpirun lmrnn train gives the same bits as one process, for any number of processes, interrupted or not.

Runs only in builds with the preset `mpi`.
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


class RunTest(ProgramTest):
    """A configuration, and the content of its run directory."""

    def setUp(self):
        self.config = self.dir / "small.toml"
        self.config.write_text(CONFIG)

    def large_config(self):
        """200 blocks with the gradients of 900 units that are all connected: 650 MB."""
        return (CONFIG.replace("radius = 2", 'kind = "dense"')
                .replace("rows = 6", "rows = 30").replace("cols = 6", "cols = 30")
                .replace("batch = 22", "batch = 200").replace("block = 6", "block = 1"))

    def content(self, name):
        run = self.dir / name
        files = {p.relative_to(run): p.read_bytes() for p in run.glob("checkpoints/*/*")}
        self.assertTrue(files)
        files["tasks.csv"] = (run / "tasks.csv").read_bytes()
        rows = [line.split(",") for line in (run / "metrics.csv").read_text().splitlines()]
        files["metrics.csv"] = [row[:2] + row[3:] for row in rows]  # without seconds
        return files


class MpiTest(RunTest):
    def command(self, n, *arguments):
        words = list(map(str, [PROGRAM, "train", *arguments, "--threads", 1]))
        if n == 0:
            return words  # without mpirun
        return self.mpirun(n, words)

    def mpirun(self, n, words):
        # As root only in CI. More processes than cores must work, even if slowly.
        return ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none",
                "-n", str(n), *words]

    def train_with_a_script(self, n, script):
        """Every process runs the shell script, in which $rank is its number and $lmrnn the program. Fails after two
        minutes, e.g. if a process hangs."""
        words = ["sh", "-c", "rank=$OMPI_COMM_WORLD_RANK\n" + script]
        return subprocess.run(self.mpirun(n, words), cwd=self.dir, capture_output=True, text=True,
                              timeout=120, env=dict(os.environ, lmrnn=PROGRAM))

    def train(self, n, *arguments):
        return subprocess.run(self.command(n, *arguments), cwd=self.dir, capture_output=True,
                              text=True, timeout=600)

    def run_of(self, n, name, *more):
        result = self.train(n, self.config, "--out", name, *more)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def test_any_number_of_processes_gives_the_same_bits(self):
        self.run_of(0, "alone")  # four blocks, the last one smaller
        alone = self.content("alone")
        for n in (2, 3, 4):
            result = self.run_of(n, f"n{n}")
            self.assertEqual(self.content(f"n{n}"), alone)
            self.assertIn(f"with {n} processes", result.stderr)
            self.assertEqual(result.stdout.count("mean of 3 tasks"), 1)  # only one process reports

    def test_dense_and_diagonal_networks_too(self):
        for kind in ("dense", "autapse"):
            self.run_of(0, f"{kind}0", "--set", f"wiring.kind={kind}")
            self.run_of(2, f"{kind}2", "--set", f"wiring.kind={kind}")
            self.assertEqual(self.content(f"{kind}0"), self.content(f"{kind}2"))

    def test_interrupted_and_resumed_with_another_number_of_processes(self):
        # To the processes themselves, like a batch system: mpirun passes SIGTERM on only after seconds, when a fast
        # machine is already done.
        def stop(launcher):
            for children in Path(f"/proc/{launcher}/task").glob("*/children"):
                for child in children.read_text().split():
                    os.kill(int(child), signal.SIGTERM)
        self.interrupt(stop)

    def test_usr1_to_the_launcher_stops_in_time(self):
        self.interrupt(lambda launcher: os.kill(launcher, signal.SIGUSR1))

    def interrupt(self, stop):
        # Takes long because of long steps and not of many, because processes that share a processor lose much time at
        # each exchange.
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
        stop(process.pid)
        _, err = process.communicate(timeout=300)
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("interrupted at step", err)
        self.assertFalse((self.dir / "x/DONE").exists())
        result = self.train(3, "--resume", "x")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.content("x"), self.content("alone"))

    # One process fails, and the others would wait for it

    def assert_failed(self, result, words):
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(words, result.stderr)

    def test_no_memory_in_one_process(self):
        self.config.write_text(self.large_config())
        result = self.train_with_a_script(2, f"""
            if [ $rank = 1 ]; then ulimit -v 600000; fi  # kB
            exec "$lmrnn" train {self.config} --out x --threads 1""")
        self.assert_failed(result, "process 1 of 2: not enough memory")
        self.assertFalse((self.dir / "x/DONE").exists())

    def test_an_error_of_the_file_system_in_one_process(self):
        self.run_of(0, "x")
        (self.dir / "x/DONE").unlink()
        (self.dir / "loop").symlink_to("loop")
        result = self.train_with_a_script(2, """
            if [ $rank = 1 ]; then run=loop; else run=x; fi
            exec "$lmrnn" train --resume $run --threads 1""")
        self.assert_failed(result, "process 1 of 2: ")
        self.assertIn("symbolic links", result.stderr)

    def test_a_limit_on_files_of_the_process_that_writes(self):
        self.run_of(0, "alone")
        kilobytes = 1 + max(p.stat().st_size for p in (self.dir / "alone").glob(
            "checkpoints/*/state.safetensors")) // 1024
        # Checkpoints fit, metrics.csv grows beyond the limit.
        self.config.write_text(CONFIG.replace("steps = 30", "steps = 1000\nlog_every = 1")
                               .replace("every = 10", "every = 0"))
        result = self.train_with_a_script(3, f"""
            if [ $rank = 0 ]; then ulimit -f {2 * kilobytes}; fi  # of 512 bytes, in sh
            exec "$lmrnn" train {self.config} --out x --threads 1""")
        self.assert_failed(result, "metrics.csv")
        self.assertIn("File too large", result.stderr)
        # The checkpoints are whole: resuming gives the bits of a run with enough space.
        result = self.train(2, "--resume", "x")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.run_of(0, "room")
        last = sorted((self.dir / "x/checkpoints").iterdir())[-1].name
        for name in ("network.safetensors", "state.safetensors"):
            self.assertEqual((self.dir / "x/checkpoints" / last / name).read_bytes(),
                             (self.dir / "room/checkpoints" / last / name).read_bytes())

    # Launchers of other MPIs

    def start_as(self, *environments, more=()):
        """A process per environment, at the same time; their results."""
        processes = [
            subprocess.Popen([PROGRAM, "train", self.config, "--out", "x", "--threads", "1", *more],
                             cwd=self.dir, env=dict(os.environ, **environment), text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for environment in environments]
        return [(p.returncode, err) for p in processes for _, err in [p.communicate(timeout=120)]]

    def test_tasks_of_another_launcher_are_refused_with_one_message(self):
        for tasks, words in (
                # MPICH's mpiexec: its variables mean nothing to Open MPI, which sees one process.
                ([{"PMI_SIZE": "2", "PMI_RANK": str(rank)} for rank in range(2)],
                 ["2 tasks", "does not see them"]),
                # srun --mpi=none
                ([{"SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": str(rank)} for rank in range(2)],
                 ["srun started 2 tasks", "--mpi=pmix"])):
            results = self.start_as(*tasks)
            self.assertEqual([status for status, _ in results], [2, 2], results)
            said = [err for _, err in results if err]
            self.assertEqual(len(said), 1, said)
            self.assertEqual(said[0].count("\n"), 1, said)
            for word in words:
                self.assertIn(word, said[0])
            self.assertFalse((self.dir / "x").exists())

    def test_a_task_may_be_told_that_it_is_alone(self):
        (result,) = self.start_as({"SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1"},
                                  more=["--alone"])
        self.assertEqual(result[0], 0, result)
        self.run_of(0, "alone")
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
