#!/usr/bin/env python3
"""srun --mpi=pmix lmrnn train on a real slurmctld and slurmd: one run directory, with the bits of one process. Also the
messages and exit statuses if the tasks cannot connect or one of them fails.

Run for builds with the preset `mpi` only. Skipped (exit status 77) where Slurm is not installed or
the user is not root.
"""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / name) for name in ("cli", "slurm")]
import cluster  # noqa: E402
from program import PROGRAM  # noqa: E402
from test_mpi import RunTest  # noqa: E402


class SlurmMpiTest(RunTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.temporary = tempfile.TemporaryDirectory(prefix="lmrnn-slurm-")
        cluster.start(Path(cls.temporary.name))

    @classmethod
    def tearDownClass(cls):
        cluster.stop(Path(cls.temporary.name))
        cls.temporary.cleanup()

    def srun(self, n, mpi, *words, program=PROGRAM):
        return cluster.run("srun", f"--ntasks={n}", "--overcommit", f"--mpi={mpi}", program, *words,
                           cwd=self.dir, check=False)

    def train(self, n, mpi, *words):
        return self.srun(n, mpi, "train", *words, "--threads", 1)

    def test_two_tasks_have_one_run_directory_and_the_bits_of_one_process(self):
        self.assertIn("pmix", cluster.run("srun", "--mpi=list").stdout)
        result = self.train(2, "pmix", self.config, "--out", "two")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("with 2 processes", result.stderr)
        self.assertEqual(result.stdout.count("mean of 3 tasks"), 1)
        self.assertEqual(sorted(p.name for p in self.dir.iterdir()), ["small.toml", "two"])
        result = self.train(1, "pmix", self.config, "--out", "one")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("processes", result.stderr)
        self.assertEqual(self.content("two"), self.content("one"))

    def test_without_pmix_they_are_refused_with_one_message(self):
        result = self.train(2, "none", self.config, "--out", "x")
        self.assertNotEqual(result.returncode, 0)
        said = [line for line in result.stderr.splitlines() if line.startswith("lmrnn")]
        self.assertEqual(len(said), 1, result.stderr)
        self.assertIn("srun --mpi=pmix", said[0])
        self.assertFalse((self.dir / "x").exists())

    def test_an_error_in_one_task_ends_all_of_them(self):
        script = self.dir / "script"
        script.write_text("#!/bin/sh\n"
                          "if [ $SLURM_PROCID = 1 ]; then ulimit -v 600000; fi\n"  # kB
                          f"exec {PROGRAM} \"$@\"\n")
        script.chmod(0o755)
        self.config.write_text(self.large_config())
        result = self.srun(2, "pmix", "train", self.config, "--out", "x", "--threads", 1,
                           program=script)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("process 1 of 2: not enough memory", result.stderr)
        self.assertFalse((self.dir / "x/DONE").exists())


if __name__ == "__main__":
    cluster.skip_unless_possible()
    unittest.main()
