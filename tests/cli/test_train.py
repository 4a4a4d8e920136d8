#!/usr/bin/env python3
"""lmrnn train and eval as a user sees them."""

import csv
import json
import signal
import subprocess
import time
import tomllib
import unittest

from program import PROGRAM, ProgramTest, run

CONFIG = """
seed = 5
[battery]
tasks = "go,dlygointr,antiseqr"
[wiring]
rows = 4
cols = 4
radius = 1
[stream]
batch = 16
steps = 40
[train]
steps = 12
[evaluation]
every = 6
trials = 40
[checkpoint]
every = 5
"""


class TrainTest(ProgramTest):
    def setUp(self):
        self.config = self.dir / "small.toml"
        self.config.write_text(CONFIG)

    def train(self, *arguments):
        return self.output_of("train", self.config, *arguments, cwd=self.dir)

    def weights(self, directory, step=12):
        return (self.dir / directory / f"checkpoints/step-{step:08}/network.safetensors").read_bytes()

    def test_ends_with_a_table_and_the_directory(self):
        out = self.train()
        self.assertIn("dlygointr", out)
        self.assertIn("mean of 3 tasks", out)
        self.assertTrue(out.rstrip().endswith("run directory: runs/small-seed5"), out)
        self.assertTrue((self.dir / "runs/small-seed5/DONE").exists())

    def test_without_a_terminal_progress_is_plain_lines_on_stderr(self):
        result = run("train", self.config, cwd=self.dir)
        self.assertNotIn("\x1b", result.stderr)
        self.assertRegex(result.stderr, r"step 6/12.*loss \d.*steps/s.*accuracy \d.*solved 0/3")

    def test_json_is_all_there_is_on_stdout(self):
        out = json.loads(self.train("--json"))
        self.assertEqual(out["outcome"], "finished")
        self.assertEqual(out["run"], "runs/small-seed5")
        self.assertEqual([t["task"] for t in out["tasks"]], ["go", "dlygointr", "antiseqr"])

    def test_seed_is_required_and_the_command_line_wins(self):
        self.config.write_text(CONFIG.replace("seed = 5\n", ""))
        self.assert_refused(["train", self.config], "no seed", "--seed")
        self.train("--seed", 8)
        config = tomllib.loads((self.dir / "runs/small-seed8/config.toml").read_text())
        self.assertEqual(config["seed"], 8)

    def test_set_reaches_the_run(self):
        self.train("--set", "wiring.radius=2", "--set", "optimiser.kind=sgd", "--out", "x")
        config = tomllib.loads((self.dir / "x/config.toml").read_text())
        self.assertEqual(config["wiring"]["radius"], 2)
        self.assertEqual(config["optimiser"]["kind"], "sgd")

    def test_threads_do_not_change_the_bits(self):
        for threads in (1, 2, 3):
            self.train("--threads", threads, "--out", f"t{threads}")
        self.assertEqual(self.weights("t1"), self.weights("t2"))
        self.assertEqual(self.weights("t1"), self.weights("t3"))

    def test_bad_input_is_one_line_and_status_2(self):
        self.assert_refused(["train", self.config, "--set", "wiring.radus=3"], "radus", "radius")
        self.assert_refused(["train", self.config, "--set", "wiring.radius=-1"], "wiring.radius")
        self.assert_refused(["train", self.config, "--set", "battery.tasks="], "none named")
        self.assert_refused(["train", self.config, "--radius", "3"], "--set wiring.radius=")
        for seed in ("1.5", "-1", "9223372036854775808", "18446744073709551616", "one"):
            self.assert_refused(["train", self.config, "--seed", seed], f"--seed = {seed}; a seed is")
        for seed in ("-1", "9223372036854775808"):
            self.assert_refused(["train", self.config, "--set", f"seed={seed}"],
                                f"--set: seed = {seed}; a seed is a whole number from 0 to")
        self.assert_refused(["train", str(self.config).removesuffix(".toml")], "did you mean")
        self.assert_refused(["train", self.config, "--set", "battery.tasks=dmc", "--set",
                             "battery.n_ring=15"], "15")
        self.assert_refused(["train", self.config, "--set", "simd=mmx"], "mmx")
        self.assert_refused(["train", self.config, "--set", "init_from=nowhere"], "nowhere")
        self.assert_refused(["train", self.dir / "none.toml"], "none.toml")
        self.assert_refused(["train"], "TOML")
        self.assert_refused(["train", "--resume", self.dir], "not a run directory")
        self.assert_refused(["train", self.config, "--resume", self.dir], "--resume")
        self.config.write_text("seed = 1\n[wiring]\nrows = \"four\"\n")
        self.assert_refused(["train", self.config], "small.toml:3")
        self.assertFalse((self.dir / "runs").exists())

    def test_a_directory_in_use_is_refused(self):
        self.train("--out", "x")
        self.assert_refused(["train", self.config, "--out", self.dir / "x"], "finished run", "--out")
        self.assert_refused(["train", "--resume", self.dir / "x"], "done")

    def test_divergence_is_status_1(self):
        self.assert_refused(
            ["train", self.config, "--out", self.dir / "x", "--set", "optimiser.kind=sgd", "--set",
             "optimiser.learning_rate=1e9", "--set", "optimiser.clip=0", "--set",
             "loss.kind=least-squares", "--set", "schedule.warmup=0", "--set", "train.steps=500"],
            "diverged", "last good checkpoint", status=1, last_line_only=True)

    def test_an_untrained_network_that_grows_is_named_with_its_remedy(self):
        grows = ["--seed", "2", "--set", "battery.tasks=go", "--set", "wiring.rows=4", "--set",
                 "wiring.cols=4", "--set", "wiring.radius=1", "--set", "stream.steps=350"]
        self.assert_refused(
            ["train", self.config, "--out", self.dir / "x", *grows, "--set", "optimiser.clip=0"],
            "untrained network diverges", 'network.initialisation = "spectral-radius"', status=1,
            last_line_only=True)
        dry = run("train", self.config, "--dry-run", *grows)
        self.assertEqual(dry.returncode, 0, dry.stderr)
        self.assertIn("untrained network diverges", dry.stderr)

    def assert_refused(self, arguments, *parts, last_line_only=False, **options):
        if not last_line_only:
            return super().assert_refused(arguments, *parts, **options)
        result = run(*arguments)  # progress comes before the message
        self.assertEqual(result.returncode, options["status"], result.stderr)
        for part in parts:
            self.assertIn(part, result.stderr.splitlines()[-1])

    def start(self, directory, *arguments):
        """Starts a run and waits until it is well under way."""
        program = subprocess.Popen(
            [PROGRAM, "train", self.config, "--out", self.dir / directory, "--set",
             "train.steps=100000", "--set", "evaluation.every=0", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(program.communicate)
        self.addCleanup(program.kill)
        for _ in range(6000):
            names = [path.name for path in self.dir.glob(f"{directory}/checkpoints/step-????????")]
            if names and max(names) >= "step-00000010":
                return program
            time.sleep(0.05)
        self.fail("the run did not come under way")

    def test_signals_save_and_say_how_to_go_on(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            name = f"run{number}"
            program = self.start(name)
            program.send_signal(number)
            _, stderr = program.communicate(timeout=300)
            self.assertEqual(program.returncode, 75)
            self.assertRegex(stderr, rf"interrupted at step \d+; .*--resume {self.dir / name}")
            step = int(stderr.split("interrupted at step ")[1].split(";")[0])
            self.assertTrue((self.dir / name / f"checkpoints/step-{step:08}").is_dir())
            self.assertFalse((self.dir / name / "DONE").exists())

    def test_a_second_process_is_refused_while_the_first_runs(self):
        self.start("x")
        self.assert_refused(["train", "--resume", self.dir / "x"], "another process")
        self.assert_refused(["train", self.config, "--out", self.dir / "x"], "--resume")

    def test_killed_and_resumed_gives_the_same_bits(self):
        whole = "whole"
        self.train("--out", whole, "--set", "train.steps=400", "--threads", 1)
        program = subprocess.Popen(
            [PROGRAM, "train", self.config, "--out", self.dir / "x", "--set", "train.steps=400",
             "--threads", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            if list(self.dir.glob("x/checkpoints/step-*[1-9]*")) or program.poll() is not None:
                break
            time.sleep(0.01)
        program.kill()
        program.wait()
        if not (self.dir / "x/DONE").exists():
            self.output_of("train", "--resume", self.dir / "x")
        self.assertEqual(self.weights(whole, 400), self.weights("x", 400))

    def test_dry_run_writes_nothing_and_its_config_reads_back(self):
        out = self.train("--dry-run")
        self.assertEqual([p.name for p in self.dir.iterdir()], ["small.toml"])
        self.assertEqual(tomllib.loads(out)["stream"]["batch"], 16)
        for words in ("recurrent", "memory:", "s per step"):
            self.assertIn(words, out)
        estimate = json.loads(self.train("--dry-run", "--json"))
        self.assertEqual(estimate["synapses"], 16 * 5)
        short = run("train", self.config, "--dry-run", "--set", "stream.steps=5")
        self.assertIn("stream.row_steps = 5 is too short for trials of 3 of 3 tasks", short.stderr)
        self.config.write_text(out)
        self.assertEqual(self.train("--dry-run").split("\n#")[0], out.split("\n#")[0])

    def test_eval(self):
        self.train("--out", "x")
        run_dir = self.dir / "x"
        scores = json.loads(self.output_of("eval", run_dir, "--trials", 50, "--json"))
        self.assertEqual(scores["split"], "test")
        self.assertEqual(scores["seed"], 5)
        self.assertEqual([t["trials"] for t in scores["tasks"]], [50, 50, 50])
        alone = self.output_of("eval", run_dir / "checkpoints/step-00000012/network.safetensors",
                               "--trials", 50, "--json")
        self.assertEqual(json.loads(alone)["tasks"], scores["tasks"])
        one = json.loads(self.output_of("eval", run_dir, "--tasks", "dlygointr", "--trials", 50,
                                        "--json"))
        self.assertEqual(one["tasks"], [t for t in scores["tasks"] if t["task"] == "dlygointr"])
        stream = json.loads(self.output_of("eval", run_dir, "--in-stream", "--trials", 50, "--json"))
        self.assertGreater(min(t["trials"] for t in stream["tasks"]), 20)
        self.assertIn("mean of 3 tasks", self.output_of("eval", run_dir, "--trials", 50))

    def test_rows_of_eval_are_those_of_the_run(self):
        self.train("--out", "x", "--set", "stream.row_steps=33", "--set", "stream.reset_at_trial=true")
        checkpoint = self.dir / "x/checkpoints/step-00000012"
        ask = lambda network: json.loads(self.output_of("eval", network, "--in-stream", "--json"))["tasks"]
        scores = ask(self.dir / "x")
        self.assertEqual(ask(checkpoint), scores)
        self.assertEqual(ask(checkpoint / "network.safetensors"), scores)
        (checkpoint / "network.safetensors").rename(self.dir / "alone.safetensors")
        self.assert_refused(["eval", self.dir / "alone.safetensors", "--in-stream"], "does not lie in a run")

    def test_tasks_that_no_row_holds_have_no_score(self):
        self.train("--out", "x", "--set", 'battery.weights={"go"=0.0}')
        ended = run("eval", self.dir / "x", "--in-stream", "--json")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("left out, because no whole trial was drawn of go", ended.stderr)
        self.assertEqual([t["task"] for t in json.loads(ended.stdout)["tasks"]], ["dlygointr", "antiseqr"])
        self.train("--out", "y", "--set", "stream.row_steps=5")
        self.assert_refused(["eval", self.dir / "y", "--in-stream"], "no whole trial was drawn", "row_steps")

    def test_a_run_that_is_moved_away_stops(self):
        command = [PROGRAM, "train", self.config, "--out", self.dir / "x", "--set", "train.steps=200000"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            deadline = time.monotonic() + 60
            while not (self.dir / "x/checkpoints/step-00000010").is_dir():
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)
            (self.dir / "x").rename(self.dir / "z")
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
        self.assertEqual(process.returncode, 1, said)
        self.assertIn("x: is not there any more; it was moved or deleted while it was trained in", said)
        self.assertFalse((self.dir / "x").exists())
        self.assertTrue((self.dir / "z/config.toml").is_file())

    def test_eval_repeats_what_training_saw(self):
        self.train("--out", "x")
        scores = json.loads(self.output_of("eval", self.dir / "x", "--trials", 40, "--split",
                                           "validation", "--json"))
        with open(self.dir / "x/tasks.csv", newline="") as file:
            last = [row for row in csv.DictReader(file) if row["step"] == "12"]
        for task, row in zip(scores["tasks"], last):
            self.assertEqual(task["task"], row["task"])
            self.assertAlmostEqual(task["decision_accuracy"], float(row["decision_accuracy"]), 6)

    def test_eval_refuses(self):
        self.train("--out", "x")
        self.assert_refused(["eval", self.dir / "x", "--tasks", "dm1"], "dm1", "go")
        self.assert_refused(["eval", self.dir / "x", "--split", "tset"], "test")
        self.assert_refused(["eval", self.dir / "nowhere"], "nowhere")
        self.assert_refused(["eval", self.config], "small.toml")
        network = self.dir / "x/checkpoints/step-00000012/network.safetensors"
        network.write_bytes(network.read_bytes()[:-5])
        self.assert_refused(["eval", self.dir / "x"], "network.safetensors")

    def test_list_keys(self):
        table = self.output_of("train", "--list-keys")
        self.assertIn("| `wiring.radius` | number | `4.0` |", table)


if __name__ == "__main__":
    unittest.main()
