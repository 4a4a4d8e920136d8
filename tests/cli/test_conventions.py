#!/usr/bin/env python3
"""What must hold for every verb: help with an example, exit statuses, one-line errors, clean stdout."""

import json
import os
import re
import resource
import subprocess
import unittest

from program import PROGRAM, ROOT, ProgramTest, run


def verbs_of(words):
    """The verbs that `lmrnn WORDS... --help` lists."""
    text = run(*words, "--help").stdout
    listed = re.search(r"^Verbs:\n((?:  .*\n)*)", text, re.MULTILINE)
    names = re.findall(r"^  (\w+) ", listed[1], re.MULTILINE) if listed else []
    return [[*words, name] for name in names]


def all_verbs(words=()):
    """Every verb and every verb of a verb."""
    for verb in verbs_of(words):
        yield verb
        yield from all_verbs(verb)


class Help(ProgramTest):
    def test_names_the_verbs(self):
        names = [verb[0] for verb in verbs_of([])]
        self.assertIn("tasks", names)
        self.assertIn("info", names)

    def test_of_every_verb_has_an_example_that_begins_with_the_verb(self):
        for verb in all_verbs():
            with self.subTest(verb=verb):
                text = self.output_of(*verb, "--help")
                self.assertIn("Example:\n  lmrnn " + " ".join(verb), text)

    def test_explains_every_option(self):
        for verb in all_verbs():
            text = self.output_of(*verb, "--help")
            for option in re.findall(r"^  (--[\w-]+).*?(?=^  \S|\Z)", text, re.M | re.S):
                with self.subTest(verb=verb, option=option):
                    self.assertRegex(text, rf"(?s)  {option}\b[^\n]*?\s{{1,}}[a-z0-9A-Z].+")

    def test_version(self):
        self.assertRegex(self.output_of("--version"), r"^lmrnn \d+\.\d+\.\d+\ncommit \w.*\n.*SIMD")

    def test_version_is_the_one_to_cite(self):
        version = self.output_of("--version").split()[1]
        self.assertIn(f"\nversion: {version}\n", (ROOT / "CITATION.cff").read_text())
        self.assertIn(f"\n## {version}", (ROOT / "CHANGELOG.md").read_text())


class Completion(ProgramTest):
    def completed(self, *words):
        """What bash would suggest for the last of the words."""
        script = (f"{self.output_of('completion', 'bash')}\ncompopt() {{ :; }}\n"
                  "COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _lmrnn; echo \"${COMPREPLY[@]}\"")
        return subprocess.run(["bash", "-c", script, "bash", "lmrnn", *words], check=True,
                              capture_output=True, text=True).stdout.split()

    def test_of_verbs_options_analyses_and_keys(self):
        self.assertEqual(self.completed("tr"), ["train"])
        self.assertEqual(self.completed("study", "col"), ["collect"])
        self.assertEqual(self.completed("train", "x.toml", "--res"), ["--resume"])
        self.assertEqual(self.completed("analyze", "runs/x", "fix"), ["fixed-points"])
        self.assertEqual(self.completed("train", "--set", "wiring.rew"), ["wiring.rewire="])
        self.assertEqual(self.completed("train", "stud"), [])  # the shell completes file names

    def test_of_task_names_and_values(self):
        self.assertEqual(self.completed("tasks", "list", "--tasks", "dlygose"), ["dlygoseqr", "dlygoseql"])
        self.assertEqual(self.completed("tasks", "list", "--tasks", "go,dlygointr,dmsse"),
                         ["go,dlygointr,dmsseqr", "go,dlygointr,dmsseql"])
        self.assertEqual(self.completed("train", "--set", "wiring.kind", "=", "lo"), ["local"])
        self.assertEqual(self.completed("train", "--set", "wiring.boundary", "="), ["torus", "open"])
        self.assertEqual(self.completed("train", "--set", "wiring.autapses", "=", "f"), ["false"])
        self.assertIn("modcog82", self.completed("train", "--set", "battery.tasks", "=", "modcog8"))

    def test_knows_every_verb(self):
        for verb in all_verbs():
            self.assertIn(verb[-1], self.completed(*verb))

    def test_of_other_shells(self):
        self.assertIn("bashcompinit", self.output_of("completion", "zsh"))
        self.assert_refused(["completion", "fish"], '"fish"', "bash or zsh")


class Mistakes(ProgramTest):
    def test_no_verb(self):
        self.assert_refused([], "a verb is missing; choose one of tasks", "--help")
        self.assert_refused(["tasks"], "lmrnn tasks", "a verb is missing; choose one of list")

    def test_unknown_verb(self):
        self.assert_refused(["taks"], 'unknown verb "taks"', 'did you mean "tasks"?')
        self.assert_refused(["inof"], 'did you mean "info"?')
        self.assert_refused(["frobnicate"], 'unknown verb "frobnicate"', "see lmrnn --help")
        self.assert_refused(["tasks", "lits"], "lmrnn tasks", 'did you mean "list"?')

    def test_unknown_option(self):
        self.assert_refused(["info", "--jsno"], "lmrnn info", 'did you mean "--json"?')
        self.assert_refused(["tasks", "list", "--nmaes"], 'did you mean "--names"?')
        self.assert_refused(["--frobnicate"], 'unknown option "--frobnicate"')

    def test_missing_argument(self):
        self.assert_refused(["tasks", "show"], "lmrnn tasks show", "task", "--help")
        self.assert_refused(["tasks", "sample", "--out", "x.npz"], "--seed")

    def test_argument_of_the_wrong_type(self):
        self.assert_refused(["tasks", "show", "dm1", "--seed", "many"], "--seed", "many")
        self.assert_refused(["tasks", "ceiling", "--threads", "-1"], "--threads", "-1")

    def test_superfluous_word(self):
        self.assert_refused(["info", "--json", "--json", "a", "b"], "lmrnn info")


class Pipes(ProgramTest):
    def test_a_reader_that_stops_reading_is_no_error(self):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as closed:
            result = subprocess.run([PROGRAM, "tasks", "list"], stdout=closed,
                                    stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "")

    def test_a_full_disk_is_an_error(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run([PROGRAM, "tasks", "list"], stdout=full,
                                    stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("lmrnn: ", result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1)


class Limits(ProgramTest):
    def test_of_threads(self):
        self.assert_refused(["tasks", "ceiling", "--tasks", "go", "--seed", "1", "--threads", "100000"],
                            "100000 threads are too many; at most 4096 are allowed")

    def test_of_memory(self):
        if json.loads(self.output_of("info", "--json"))["sanitizers"] != "none":
            self.skipTest("sanitizers need terabytes of addresses")
        limit = 2 ** 31
        lower = lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        config = self.dir / "large.toml"
        config.write_text('seed = 1\nbattery.tasks = "go"\nwiring = {rows = 4, cols = 4}\n')
        self.assert_refused(["tasks", "ceiling", "--tasks", "go", "--seed", "1", "--threads", "4000"],
                            "of 4000 threads could be started", "use fewer", status=1,
                            preexec_fn=lower)
        result = run("train", config, "--out", self.dir / "run", "--set", "stream.batch=10000000",
                     preexec_fn=lower)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"(^|\n)lmrnn: not enough memory; .*stream.batch.*\n$")


class Info(ProgramTest):
    def test_describes_build_and_machine(self):
        text = self.output_of("info")
        for word in ("version", "commit", "compiler", "simd", "processors"):
            self.assertIn(word, text)

    def test_json(self):
        info = json.loads(self.output_of("info", "--json"))
        version = self.output_of("--version")
        self.assertTrue(version.startswith(f"lmrnn {info['version']}\ncommit {info['commit']}\n"))
        self.assertRegex(info["commit"], r"^([0-9a-f]{40}(\+changes)?|unknown)$")
        self.assertIn(info["simd"], info["simd_targets"])
        self.assertEqual(info["processors"], len(os.sched_getaffinity(0)))

    def test_describes_a_run_and_a_network_file(self):
        (self.dir / "x.toml").write_text(
            'seed = 1\nbattery.tasks = "go"\nwiring = {rows = 4, cols = 5, radius = 1}\n'
            "train.steps = 2\nstream = {batch = 2, steps = 10}\nevaluation.trials = 5\n")
        self.output_of("train", self.dir / "x.toml", "--out", self.dir / "x")
        info = json.loads(self.output_of("info", self.dir / "x", "--json"))
        self.assertTrue(info["done"])
        self.assertEqual(info["checkpoints"], [0, 2])
        network = info["network"]
        self.assertEqual((network["units"], network["recurrent_synapses"]), (20, 100))
        self.assertEqual(network["density"], 0.25)
        self.assertEqual(network["storage"], "sparse")
        self.assertIn("dense is faster from", network["storage_why"])
        file = self.dir / "x/checkpoints/step-00000002/network.safetensors"
        self.assertEqual(json.loads(self.output_of("info", file, "--json"))["network"], network)
        text = self.output_of("info", self.dir / "x")
        for words in ("recurrent_synapses   100", "25.0% of all pairs"):
            self.assertIn(words, text)


if __name__ == "__main__":
    unittest.main()
