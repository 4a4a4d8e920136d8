#!/usr/bin/env python3
"""lmrnn study on a real slurmctld and slurmd: arrays, a time limit that is really reached, pre-emption, cancelling and
submitting again. Every run must end with the bits of an undisturbed one.

Skipped (exit status 77) where Slurm is not installed or the user is not root.
"""

import json
import os
import shutil
import tempfile
import time
import unittest
from pathlib import Path

import cluster
from cluster import run

PROGRAM = os.environ["LMRNN"]

STUDY = """
claim = "a cluster changes nothing"
support = "the same bits"
seeds = [1, 2]
[config]
battery.tasks = "go,dlygointr,antiseqr"
wiring.rows = 8
wiring.cols = 8
wiring.radius = 2
stream.batch = 8
stream.steps = 60
train.steps = 100
evaluation.every = 0
evaluation.trials = 20
checkpoint.every = 25
[axis.network.local]
[axis.network.dense]
wiring.kind = "dense"
[statistics]
seed = 7
[slurm]
partition = "short"
time = "00:01:00"
cpus = 1
memory = "500M"
throttle = 2
warning = 20
"""


class SlurmTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="lmrnn-slurm-")
        cls.dir = Path(cls.temporary.name)
        cluster.start(cls.dir / "cluster")

    @classmethod
    def tearDownClass(cls):
        cluster.stop(cls.dir / "cluster")
        cls.temporary.cleanup()

    def setUp(self):
        self.study = self.dir / "tiny.toml"
        self.study.write_text(STUDY)
        self.out = self.dir / f"{self._testMethodName} at 100%"  # sbatch takes neither a blank nor % unquoted
        self.options = []

    def tearDown(self):
        run("scancel", "--user=root", check=False)
        self.wait_until(lambda: not run("squeue", "--noheader").stdout.strip(), "an empty queue")

    def verb(self, verb, *more, out=None):
        return run(PROGRAM, "study", verb, self.study, "--out", out or self.out, *self.options,
                   *more, cwd=self.dir).stdout

    def set(self, **keys):
        for key, value in keys.items():
            self.study.write_text(self.study.read_text().replace(
                next(l for l in STUDY.splitlines() if l.startswith(key.replace("__", "."))),
                f"{key.replace('__', '.')} = {value}"))

    def status(self):
        return json.loads(self.verb("status", "--json"))

    def wait_until(self, condition, what, seconds=300):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"waited for {what} in vain: "
                            + run("squeue", "--noheader", "--array").stdout + self.logs())
            time.sleep(0.3)

    def logs(self):
        return "".join(f"\n== {p.name}\n{p.read_text()}"
                       for p in sorted((self.out / "slurm").glob("*.log")))

    def until_done(self, n, seconds=300):
        self.wait_until(lambda: self.status()["counts"].get("done", 0) == n, f"{n} runs", seconds)
        self.wait_until(lambda: not self.status()["jobs"], "the end of the jobs")

    def weights(self, out):
        """Bytes of every last checkpoint, by run."""
        found = {}
        for checkpoint in sorted(Path(out).glob("runs/*/checkpoints/step-*")):
            found[checkpoint.parent.parent.name] = [
                (checkpoint / name).read_bytes()
                for name in ("network.safetensors", "state.safetensors")]
        self.assertTrue(found)
        return found

    def assert_as_undisturbed(self):
        reference = self.dir / (self._testMethodName + "-reference")
        self.verb("run", "--jobs", 2, "--threads", 1, out=reference)
        self.assertEqual(self.weights(self.out), self.weights(reference))

    def seconds_to_steps(self, seconds):
        """The number of steps that take about `seconds` on this machine, at its present load."""
        steps, taken = 250, 0
        while taken < 3:  # so that starting and evaluating are short compared with the steps
            steps *= 4
            self.verb("run", "--limit", 1, "--threads", 1, "--set", f"config.train.steps={steps}",
                      "--set", "config.checkpoint.every=1000000", out=self.dir / "speed")
            (done,) = (self.dir / "speed").glob("runs/*/DONE")
            taken = json.loads(done.read_text())["seconds"]
            shutil.rmtree(self.dir / "speed")
        return int(seconds / taken * steps)

    # ----------------------------------------------------------------------------------------

    def test_an_array_does_the_study_and_status_shows_the_queue(self):
        submitted = self.verb("submit")
        self.assertRegex(submitted, r"job \d+  4 jobs")
        jobs = self.status()["jobs"]
        self.assertTrue(jobs)
        self.assertLessEqual({j["state"] for j in jobs},
                             {"PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "COMPLETED"})
        self.until_done(4)
        self.assert_as_undisturbed()
        self.assertIn("nothing is left to submit", self.verb("submit"))

    def test_training_by_tasks_that_cannot_find_one_another_is_refused(self):
        config = self.dir / "one.toml"
        config.write_text("seed = 1\n[battery]\ntasks = 'go'\n[train]\nsteps = 3\n")
        result = run("srun", "--ntasks=2", "--overcommit", "--mpi=none", PROGRAM, "train", config,
                     "--out", self.out, check=False, cwd=self.dir)
        self.assertNotEqual(result.returncode, 0)
        said = [line for line in result.stderr.splitlines() if line.startswith("lmrnn")]
        self.assertEqual(len(said), 1, result.stderr)
        self.assertIn("srun started 2 tasks", said[0])
        self.assertFalse(self.out.exists())

    def test_tuning_and_reporting_are_arrays_one_after_the_other(self):
        self.study.write_text(STUDY + "[tuning]\nvalues = [0.0003, 0.001, 0.003]\nseeds = [11]\n"
                              "extend = 0\n")
        submitted = self.verb("submit")
        self.assertRegex(submitted, r"(?s)job \d+  6 jobs.*job \d+  4 jobs")
        self.until_done(10)
        self.assert_as_undisturbed()

    def test_the_time_limit_is_hit_and_the_run_goes_on(self):
        self.set(seeds="[1]")
        steps = self.seconds_to_steps(85)  # more than the minute that the job may take
        self.set(seeds="[1]", train__steps=steps, checkpoint__every=1000000)
        self.study.write_text(self.study.read_text().replace("[axis.network.dense]\n"
                                                             'wiring.kind = "dense"\n', ""))
        self.assertIn("1 jobs", self.verb("submit"))
        self.until_done(1, seconds=1000)
        log = self.logs()
        self.assertGreaterEqual(log.count("study tiny in"), 2, log)  # begun, and resumed
        self.assertIn("1 interrupted", log)
        self.assertIn("1 finished", log)
        (provenance,) = self.out.glob("runs/*/provenance.json")
        sessions = json.loads(provenance.read_text())["sessions"]
        self.assertGreaterEqual(len(sessions), 2)
        self.assertGreater(sessions[1]["first_step"], 0)
        print(f"{steps} steps in {len(sessions)} sessions, begun at steps "
              f"{[s['first_step'] for s in sessions]}\n{log}")
        self.assert_as_undisturbed()

    def test_pre_emption_saves_and_the_run_goes_on(self):
        self.set(seeds="[1]")
        steps = self.seconds_to_steps(15)
        self.set(seeds="[1]", train__steps=steps, checkpoint__every=1000000)
        self.verb("submit")
        self.wait_until(lambda: self.status()["counts"].get("running", 0) == 2, "both to run")
        begun = lambda: len(list(self.out.glob("runs/*/checkpoints/step-00000000")))
        self.wait_until(lambda: begun() == 2, "both to begin")
        time.sleep(2)
        run("srun", "--partition=urgent", "--exclusive", "--ntasks=1", "true")  # takes the node
        self.until_done(2)
        self.assertIn("interrupted", self.logs())
        self.assert_as_undisturbed()

    def test_cancelled_and_submitted_again(self):
        self.set(train__steps=self.seconds_to_steps(6))
        self.verb("submit")
        self.wait_until(lambda: self.status()["counts"].get("done", 0) >= 1, "a run")
        run("scancel", "--user=root")
        self.wait_until(lambda: not self.status()["jobs"], "the jobs to be gone")
        left = 4 - self.status()["counts"].get("done", 0)
        self.assertGreater(left, 0)
        self.assertIn(f"  {left} jobs", self.verb("submit"))
        self.until_done(4)
        self.assert_as_undisturbed()


if __name__ == "__main__":
    cluster.skip_unless_possible()
    unittest.main()
