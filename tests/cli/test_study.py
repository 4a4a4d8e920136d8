#!/usr/bin/env python3
"""lmrnn study as a user sees it: plans, concurrent processes, kill -9, tables."""

import csv
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import time
import unittest
from pathlib import Path

from program import PROGRAM, ROOT, ProgramTest, run, run_on_terminal

STUDY = """
claim = "local wiring learns faster"
support = "p_holm below 0.05 and a positive difference"
seeds = [1, 2, 3]

[config]
battery.tasks = "go,dlygointr,antiseqr"
wiring.rows = 4
wiring.cols = 4
wiring.radius = 1
stream.batch = 8
stream.steps = 40
train.steps = 60
evaluation.every = 15
evaluation.trials = 20
checkpoint.every = 10

[axis.network.local]
[axis.network.dense]
wiring.kind = "dense"

[[contrast]]
axis = "network"
a = "local"
b = "dense"
measure = "area"

[statistics]
seed = 7
marks = [0.1, 0.5]
"""

TUNING = """
[tuning]
values = [0.0003, 0.001, 0.003]
seeds = [101, 102]
set = { train.steps = 30 }
"""


class StudyTest(ProgramTest):
    def setUp(self):
        self.study = self.dir / "tiny.toml"
        self.study.write_text(STUDY)

    def verb(self, verb, *arguments, **options):
        return self.output_of("study", verb, self.study, *arguments, cwd=self.dir, **options)

    def tables(self, out):
        """All tables that do not depend on the clock."""
        self.verb("collect", "--out", out)
        return {path.name: path.read_text() for path in sorted((self.dir / out / "tables").iterdir())
                if path.name != "times.csv"}

    # Plans and tables

    def test_plan_lists_runs_with_names_and_hashes(self):
        plan = json.loads(self.verb("plan", "--json"))
        self.assertEqual([r["run"] for r in plan["runs"]],
                         [f"{n}-seed{s}" for n in ("local", "dense") for s in (1, 2, 3)])
        self.assertEqual(len({r["hash"] for r in plan["runs"]}), 6)
        self.assertIn("local-seed1", self.verb("plan"))
        self.assertFalse((self.dir / "runs").exists())

    def test_run_status_collect(self):
        self.verb("run", "--jobs", 2)
        self.assertRegex(self.verb("status"), r"done +6\n")
        out = self.verb("collect")
        self.assertIn("runs/tiny/tables/runs.csv", out)
        with open(self.dir / "runs/tiny/tables/contrasts.csv") as file:
            (contrast,) = csv.DictReader(file)
        self.assertEqual(contrast["pairs"], "3")
        self.assertGreaterEqual(float(contrast["p"]), 0.25)
        with sqlite3.connect(self.dir / "runs/tiny/index.sqlite") as index:
            self.assertEqual(index.execute("select count(*) from runs").fetchone(), (6,))

    def test_plan_says_when_there_are_too_few_seeds(self):
        (warning,) = json.loads(self.verb("plan", "--json"))["warnings"]
        self.assertIn("with 3 seeds, p is at least 0.25", warning)
        enough = self.verb("plan", "--json", "--set", "seeds=[1, 2, 3, 4, 5, 6]")
        self.assertEqual(json.loads(enough)["warnings"], [])

    def test_collect_prints_verdicts(self):
        self.study.write_text(STUDY.replace("[[contrast]]", "[[contrast]]\nsupported_above = -1", 1))
        seeds = "seeds=[1, 2, 3, 4, 5, 6]"
        self.verb("run", "--jobs", 2, "--set", seeds)
        out = self.verb("collect", "--set", seeds)
        self.assertRegex(out, r"(?m)^supported: \S+ - \S+, \S+ \S+ \(\S+ to \S+\), 6 pairs, p = ")
        with open(self.dir / "runs/tiny/tables/contrasts.csv") as file:
            (contrast,) = csv.DictReader(file)
        self.assertEqual((contrast["verdict"], contrast["least_p"]), ("supported", "0.03125"))

    def test_runs_that_cells_share_are_told_once(self):
        self.study.write_text(STUDY.replace('wiring.kind = "dense"\n', ""))  # both levels are the same network
        self.assertIn("# 3 runs in 2 cells", self.verb("plan", "--set", "seeds=[1, 2, 3]"))
        self.verb("run", "--smoke", "--jobs", "1")
        self.verb("collect", "--smoke")
        for name in ("times", "states"):
            found = list(self.dir.glob(f"runs/*/tables/{name}.csv"))
            self.assertEqual(len(found), 1)
            with open(found[0], newline="") as file:
                runs = [row["run"] for row in csv.DictReader(file)]
            self.assertEqual(len(runs), len(set(runs)), name)
            self.assertTrue(runs)
        self.assertEqual(self.verb("status", "--set", "seeds=[1, 2, 3]").split(), ["planned", "3"])

    def test_a_results_file_keeps_its_rows(self):
        results = self.dir / "results.csv"
        given = ("--set", 'results="results.csv"')
        self.verb("run", "--jobs", "1", *given)
        whole = results.read_text()
        self.assertEqual(whole.count("\n"), 7)
        results.write_text(whole.rstrip("\n"))  # as some editors leave it
        self.assert_refused(["study", "collect", self.study, *given], "the last row has no end of line", cwd=self.dir)
        self.assertEqual(results.read_text(), whole.rstrip("\n"))
        results.write_text(whole)
        self.study.write_text(STUDY.replace("[1, 2, 3]", "[1, 2, 3, 4]"))
        self.verb("run", "--jobs", "1", *given)
        self.assertTrue(results.read_text().startswith(whole))
        self.assertEqual(results.read_text().count("\n"), 9)
        results.write_text(whole[:-40])  # a process was killed in the middle of a row
        self.verb("collect", *given)
        self.assertEqual(results.read_text().count("\n"), 9)
        results.write_text("my notes")
        self.assert_refused(["study", "collect", self.study, *given], "is not", cwd=self.dir)
        self.assertEqual(results.read_text(), "my notes")

    def test_a_study_of_the_same_name_leaves_the_runs_and_tables_of_another_alone(self):
        self.verb("run", "--jobs", 2, "--cells", "local")
        self.verb("collect")
        out = self.dir / "runs/tiny"
        tables = {path: path.read_bytes() for path in (out / "tables").iterdir()}
        (self.dir / "other").mkdir()
        (self.dir / "other/tiny.toml").write_text(STUDY.replace("faster", "best").replace("steps = 60", "steps = 30"))
        for verb in (["run"], ["collect"], ["submit", "--dry-run"]):
            self.assert_refused(
                ["study", *verb, "other/tiny.toml"],
                'runs/tiny: holds the runs of another study, which claims "local wiring learns faster"; give this one',
                cwd=self.dir,
            )
        self.assertEqual(tables, {path: path.read_bytes() for path in (out / "tables").iterdir()})
        self.study.write_text(STUDY.replace("faster", "faster than dense"))  # a study may correct its own claim
        self.verb("collect")

    def test_tables_that_a_study_no_longer_has_are_removed(self):
        self.verb("run", "--jobs", "1")
        self.verb("collect")
        table = self.dir / "runs/tiny/tables/contrasts.csv"
        self.assertTrue(table.is_file())
        self.study.write_text(STUDY[:STUDY.index("[[contrast]]")] + STUDY[STUDY.index("[statistics]"):])
        self.verb("collect")
        self.assertFalse(table.exists())

    def test_a_paused_study_waits_and_computes_the_same(self):
        self.verb("run")
        undisturbed = self.tables("runs/tiny")
        paused = self.verb("pause", "--out", "second", "--set", 'seeds=[1, 2, 3]')
        self.assertIn("is paused", paused)
        self.assertRegex(paused, r"resume \S+tiny\.toml --out second --set 'seeds=\[1, 2, 3\]' continues")
        self.assertIn("already paused", self.verb("pause", "--out", "second"))
        self.assertRegex(self.verb("status", "--out", "second"), "^paused on ")
        command = [PROGRAM, "study", "run", self.study, "--out", "second"]
        with subprocess.Popen(command, cwd=self.dir, stderr=subprocess.DEVNULL) as process:
            time.sleep(1)
            self.assertIsNone(process.poll())
            self.assertEqual(list((self.dir / "second").glob("runs/*")), [])  # none was begun
            self.assertIn("continues", self.verb("resume", "--out", "second"))
            self.assertEqual(process.wait(60), 0)
        self.assertIn("was not paused", self.verb("resume", "--out", "second"))
        self.assertEqual(self.tables("second"), undisturbed)

    def test_a_run_that_is_paused_stops_within_a_step_and_ends_on_a_signal(self):
        # Long enough to be interrupted in the middle.
        more = ["--set", "config.train.steps=100000", "--cells", "local"]
        command = [PROGRAM, "study", "run", self.study, *more]
        with subprocess.Popen(command, cwd=self.dir, stderr=subprocess.DEVNULL) as process:
            self.wait_for(lambda: list(self.dir.glob("runs/tiny/runs/*/metrics.csv")))
            self.verb("pause")
            time.sleep(1)  # the program checks the file five times in this time
            before = self.processor_time(process.pid)
            time.sleep(1)
            self.assertLess(self.processor_time(process.pid) - before, 0.2)
            process.terminate()
            self.assertEqual(process.wait(60), 75)

    def processor_time(self, pid):
        """Seconds of a process and its children."""
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        fields = [Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split() for p in [pid, *children]]
        return sum(int(f[11]) + int(f[12]) for f in fields) / os.sysconf("SC_CLK_TCK")

    def wait_for(self, condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, "nothing happened")
            time.sleep(0.05)

    def test_set_changes_the_study(self):
        plan = json.loads(self.verb("plan", "--json", "--set", "seeds=[9]"))
        self.assertEqual([r["seed"] for r in plan["runs"]], [9, 9])

    def test_some_cells_first(self):
        self.study.write_text(STUDY + TUNING)
        self.verb("run", "--cells", "den*", "--jobs", 2)
        names = {path.name.split("-")[0] for path in self.dir.glob("runs/tiny/runs/*")}
        self.assertEqual(names, {"dense"})
        counts = json.loads(self.verb("status", "--json"))["counts"]
        self.assertEqual(counts.keys(), {"done", "planned", "waiting"})
        self.assertEqual((counts["planned"], counts["waiting"]), (6, 3))  # runs of the other cell
        self.assert_refused(["study", "run", self.study, "--cells", "dens"], '"dens"',
                            "local, dense", cwd=self.dir)

    def test_the_bar_knows_when_the_grid_grows(self):
        # The runs are so short that larger rates always learn faster: the best rate is the last of the grid.
        self.study.write_text(STUDY + TUNING.replace("0.0003, 0.001, 0.003", "1e-6, 3e-6, 1e-5"))
        _, seen = run_on_terminal(["study", "run", self.study, "--cells", "local"], columns=100,
                                  cwd=self.dir)
        counts = [(int(n), int(total)) for n, total in re.findall(r"run (\d+)/(\d+)", seen)]
        self.assertGreater(counts[-1][1], counts[0][1])
        self.assertTrue(all(n <= total for n, total in counts), counts)
        self.assertEqual(*counts[-1])

    def test_smoke_tries_every_cell_apart_from_the_study(self):
        self.study.write_text(STUDY + TUNING)
        self.verb("run", "--smoke")
        self.assertTrue((self.dir / "runs/tiny-smoke").is_dir())
        self.assertFalse((self.dir / "runs/tiny").exists())

    def test_bad_input_is_one_line_and_status_2(self):
        self.assert_refused(["study", "plan", self.dir / "none.toml"], "none.toml")
        self.assert_refused(["study", "plan"], "the study is missing")
        self.assert_refused(["study", "run", ROOT / "studies/quickstart.toml"], "quickstart.toml:",
                            "lmrnn train")
        self.assert_refused(["study", "run", self.study, "--set", "config.wiring.radus=1"], "radus",
                            "radius")
        self.study.write_text(STUDY.replace("support", "suport"))
        self.assert_refused(["study", "plan", self.study], "tiny.toml:3", "support")

    def test_names_in_a_file_cannot_write_to_the_terminal(self):
        self.study.write_text(STUDY.replace('b = "dense"', r'b = "\u001b[2J\nlmrnn: all is well"'))
        self.assert_refused(["study", "plan", self.study], 'no level " [2J lmrnn: all is well"')

    def test_job_scripts_quote_what_sbatch_would_take_apart(self):
        self.verb("submit", "--dry-run", "--out", "my runs at 100%")
        script = (self.dir / "my runs at 100%/slurm/stage0.sh").read_text()
        self.assertIn(f'#SBATCH --output="{self.dir.resolve()}/my runs at 100%%/slurm/%A_%a.log"\n',
                      script)
        self.assertIn("--out 'my runs at 100%' --limit 1", script)

    def test_a_job_that_is_ended_before_it_could_save_goes_back_into_the_queue(self):
        """A pre-emption or Slurm's early warning may come before lmrnn listens to signals."""
        self.verb("submit", "--dry-run", "--out", "x")
        for status, requeued in ((0, False), (1, False), (75, True), (143, True)):
            env = self.put_on_path("srun", f"exit {status}\n")
            self.put_on_path("scontrol", "echo \"scontrol $*\"\n")
            self.put_on_path("sleep", "exit 0\n")
            env |= {"SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "3"}
            result = subprocess.run(["bash", self.dir / "x/slurm/stage0.sh"], env=env,
                                    capture_output=True, text=True)
            self.assertEqual(result.returncode, status)
            self.assertEqual(result.stdout, "scontrol requeue 7_3\n" if requeued else "")

    def put_on_path(self, name, script):
        """Makes a program that replaces one of Slurm's; returns the environment that finds it."""
        folder = self.dir / "bin"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("#!/bin/sh\n" + script)
        (folder / name).chmod(0o755)
        return dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}")

    def test_what_a_site_says_is_no_job_id(self):
        env = self.put_on_path("sbatch", "echo 'sbatch: Welcome! 3 partitions are full' >&2\n"
                               "echo 'Your balance: 5'\necho '4711;east'\necho bye >&2\n")
        result = run("study", "submit", self.study, "--out", "x", cwd=self.dir, env=env)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(result.stdout.startswith("job 4711  "), result.stdout)
        self.assertEqual((self.dir / "x/slurm/jobs").read_text(), "4711\n")
        self.put_on_path("squeue", "echo 'squeue: 4711|is|busy' >&2\necho 'note: a|b|c'\n"
                         "echo '4711_1|RUNNING|None'\n")
        result = run("study", "status", self.study, "--out", "x", "--json", cwd=self.dir, env=env)
        self.assertEqual([job["job"] for job in json.loads(result.stdout)["jobs"]], ["4711_1"])

    def test_an_answer_without_a_job_id_is_an_error(self):
        for script, words in (("echo 'Submitted, thank you' \n", ["no job id", "squeue"]),
                              ("echo 'sbatch: error: no such partition' >&2\nexit 1\n",
                               ["refused", "no such partition"])):
            env = self.put_on_path("sbatch", script)
            self.assert_refused(["study", "submit", self.study, "--out", "x"], *words, status=1,
                                cwd=self.dir, env=env)
            self.assertFalse((self.dir / "x/slurm/jobs").exists())

    # Interruption

    def start(self, out, *arguments):
        """`study run` in its own process group."""
        return subprocess.Popen([PROGRAM, "study", "run", self.study, "--out", out, "--threads", "1",
                                 *arguments], cwd=self.dir, stderr=subprocess.PIPE, text=True,
                                start_new_session=True)

    def test_ctrl_c_saves_and_says_how_to_go_on(self):
        long = ["--set", "config.train.steps=1000000", "--set", "config.evaluation.every=0"]
        process = self.start("x", "--jobs", "2", *long)
        deadline = time.monotonic() + 300
        while len(list(self.dir.glob("x/runs/*/checkpoints/step-*"))) < 4:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # like a terminal: to the parent and its children
        _, err = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 75, err)
        self.assertIn("2 interrupted", err)
        self.assertIn("resume with the same command", err)
        counts = json.loads(self.verb("status", "--json", "--out", "x", *long))["counts"]
        self.assertEqual(counts, {"interrupted": 2, "planned": 4})

    def test_killed_with_four_processes_at_work_and_resumed_gives_the_same_tables(self):
        self.study.write_text(STUDY + TUNING)
        self.verb("run", "--out", "whole", "--jobs", 2, "--threads", 1)
        undisturbed = self.tables("whole")
        self.assertEqual(undisturbed["runs.csv"].count("\n") - 1,
                         undisturbed["runs.csv"].count(",finished,"))
        chance = random.Random(5)
        seen, n_killed, alive = set(), 0, True
        while alive:
            # Does not wait for a fixed time: a fast machine would be done by then.
            processes = [self.start("killed") for _ in range(4)]
            enough, deadline = len(seen) + chance.randint(1, 6), time.monotonic() + 300
            while len(seen) < enough and any(p.poll() is None for p in processes):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(chance.uniform(0, 0.01))
                seen.update(self.dir.glob("killed/runs/*/checkpoints/step-*"))
            alive = sum(p.poll() is None for p in processes)
            n_killed += alive
            for process in processes:  # the parents and the runs that they forked
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                process.communicate(timeout=300)
        self.assertGreater(n_killed, 4)
        processes = [self.start("killed") for _ in range(4)]
        for process in processes:
            _, err = process.communicate(timeout=600)
            self.assertEqual(process.returncode, 0, err)
        self.assertEqual(self.tables("killed"), undisturbed)
        whole, killed = self.last_weights("whole"), self.last_weights("killed")
        self.assertEqual(whole.keys(), killed.keys())
        for name in whole:
            self.assertTrue(whole[name] == killed[name], name)  # not assertEqual, whose message would have megabytes

    def last_weights(self, out):
        """Weights and optimiser state of every run's last checkpoint."""
        found = {}
        for run in (self.dir / out / "runs").iterdir():
            last = max(run.glob("checkpoints/step-*"))
            found[run.name] = [p.read_bytes() for p in sorted(last.glob("*.safetensors"))]
            self.assertEqual(len(found[run.name]), 2)
        return found

    # Studies that are part of the project

    def test_every_study_of_the_project_can_be_planned(self):
        studies = [p for p in sorted((ROOT / "studies").glob("*.toml")) if "claim" in p.read_text()]
        for study in studies:
            with self.subTest(study=study.name):
                plan = json.loads(self.output_of("study", "plan", study, "--json"))
                self.assertGreater(len(plan["runs"]), 1)


if __name__ == "__main__":
    unittest.main()
