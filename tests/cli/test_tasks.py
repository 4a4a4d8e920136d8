#!/usr/bin/env python3
"""lmrnn tasks: list, show, sample, verify, ceiling."""

import ast
import json
import struct
import unittest
import zipfile

from program import ROOT, ProgramTest, run

GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.jsonl"))


def read_npz(path):
    """Entry name -> (dtype, shape, values as a flat tuple; text entries as str)."""
    codes = {"<f4": "f", "<f8": "d", "<i4": "i", "|u1": "B"}
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            (length,) = struct.unpack_from("<H", data, 8)
            header = ast.literal_eval(data[10:10 + length].decode("latin-1"))
            body, descr = data[10 + length:], header["descr"]
            if descr.startswith("<U"):
                arrays[name.removesuffix(".npy")] = body.decode("utf-32-le").rstrip("\0")
                continue
            n = len(body) // struct.calcsize(codes[descr])
            values = struct.unpack(f"<{n}{codes[descr]}", body)
            arrays[name.removesuffix(".npy")] = (descr, header["shape"], values)
    return arrays


class List(ProgramTest):
    def names(self, expression):
        return self.output_of("tasks", "list", "--collection", expression, "--names").split("\n")[:-1]

    def test_collections_have_their_sizes(self):
        for collection, size in (("cog20", 20), ("modcog82", 82), ("modcog93", 93),
                                 ("modcog126", 126), ("modcog132", 132)):
            names = self.names(collection)
            self.assertEqual(len(names), size)
            self.assertEqual(len(set(names)), size)

    def test_modcog93_is_what_the_published_code_defines(self):
        golden = {json.loads(line)["task"]
                  for file in GOLDEN for line in file.read_text().splitlines()}
        ours = {name.replace("intseq", "intrseqr") if name.endswith("intseq") else name
                for name in golden}
        self.assertEqual(set(self.names("modcog93")), ours)

    def test_expressions(self):
        self.assertEqual(self.names("dm2,dm1"), ["dm1", "dm2"])  # collection order
        self.assertNotIn("dlygoseql", self.names("dly*,!*seql"))
        self.assertIn("dlygoseqr", self.names("dly*,!*seql"))

    def test_json_and_table_agree(self):
        tasks = json.loads(self.output_of("tasks", "list", "--tasks", "cog20,dlygointrseql", "--json"))
        self.assertEqual(len(tasks), 21)
        composed = next(task for task in tasks if task["name"] == "dlygointrseql")
        self.assertEqual((composed["base"], composed["int"], composed["seq"]), ("dlygo", "r", "l"))
        table = self.output_of("tasks", "list", "--tasks", "cog20,dlygointrseql").split("\n")
        self.assertEqual(len(table), 1 + 21 + 1)

    def test_unknown_names(self):
        self.assert_refused(["tasks", "list", "--tasks", "dlyg0"], "dlyg0", 'did you mean "dlygo"?')


class Show(ProgramTest):
    def test_explains_and_draws(self):
        text = self.output_of("tasks", "show", "dlygointr", "--seed", 1)
        for part in ("dlygointr", "delay", "cue", "ring 0", "ring 1", "target", "fixate", "█"):
            self.assertIn(part, text)
        self.assertEqual(text, self.output_of("tasks", "show", "dlygointr", "--seed", 1))
        self.assertNotEqual(text, self.output_of("tasks", "show", "dlygointr", "--seed", 2))

    def test_fits_eighty_columns(self):
        for options in ([], ["--dt", 20, "--n-ring", 32], ["--dt", 1], ["--n-ring", 2]):
            text = self.output_of("tasks", "show", "dlygointr", "--seed", 1, *options)
            picture = text[text.index(" cue "):]
            self.assertLessEqual(max(map(len, picture.split("\n")[:-2])), 80)

    def test_draws_every_task(self):
        for semantics, collection in (("corrected", "modcog132"), ("published", "modcog126")):
            for name in self.output_of("tasks", "list", "--tasks", collection, "--names").split():
                self.output_of("tasks", "show", name, "--seed", 3, "--semantics", semantics)

    def test_without_a_seed_says_which_it_took(self):
        result = run("tasks", "show", "dm1")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr, r"^seed \d+ ")

    def test_mistakes(self):
        self.assert_refused(["tasks", "show", "dlygointq", "--seed", 1], "dlygointq", "did you mean")
        for seed in ("-1", "9223372036854775808", "1.5"):
            self.assert_refused(["tasks", "show", "dm1", "--seed", seed], f"--seed = {seed}; a seed is "
                                "a whole number from 0 to 9223372036854775807")
        for trial in ("-1", "1.5", "18446744073709551616"):
            self.assert_refused(["tasks", "show", "dm1", "--seed", 1, "--trial", trial],
                                f"{trial} must be a whole number from 0 to")
        sample = ["tasks", "sample", "--tasks", "go", "--seed", 1, "--out", "never-written.npz"]
        self.assert_refused([*sample, "--first", "-1"], "-1 must be a whole number from 0")
        self.assert_refused([*sample, "--first", "9223372036854775807"], "a task has 2^32 - 1 of them")
        self.assert_refused([*sample, "--stream", "restart", "--batch", "4294967296"],
                            "4294967296 must be a whole number from 0 to 4294967295")
        self.assert_refused(["tasks", "show", "dm1", "--semantics", "publised", "--seed", 1],
                            "--semantics", 'did you mean "published"?')
        self.assert_refused(["tasks", "show", "dm1", "--n-ring", "0", "--seed", 1], "--n-ring")
        self.assert_refused(["tasks", "show", "dm1", "--set", "battery.n_rnig=8", "--seed", 1],
                            "--set", 'did you mean "n_ring"?')
        self.assert_refused(["tasks", "show", "dm1", "--set", "wiring.radius=8", "--seed", 1],
                            "--set wiring.radius=8", "[battery]")
        self.assert_refused(["tasks", "show", "gointr", "--semantics", "published", "--seed", 1],
                            "gointr")

    def test_configuration_from_a_file(self):
        file = self.dir / "net.toml"
        file.write_text("[wiring]\nradius = 3\n[battery]\nn_rng = 8\n")
        self.assert_refused(["tasks", "show", "dm1", "--config", file, "--seed", 1],
                            f"{file}:4: ", 'did you mean "n_ring"?')
        file.write_text("[wiring]\nradius = 3\n[battery]\nn_ring = 8\ndt = 50\n")
        shown = ["tasks", "show", "dm1", "--seed", 1]
        self.assertEqual(self.output_of(*shown, "--config", file, "--dt", 20),
                         self.output_of(*shown, "--n-ring", 8, "--dt", 20))


class Verify(ProgramTest):
    def test_published_semantics_match_the_published_code(self):
        text = self.output_of("tasks", "verify", *GOLDEN, "--semantics", "published")
        self.assertRegex(text, r"^744 trials, 0 mismatches, max \|error\| \d\.\de[+-]\d\d\n$")

    def test_corrected_semantics_do_not(self):
        result = run("tasks", "verify", *GOLDEN, "--semantics", "corrected")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"^744 trials, [1-9]\d* mismatches")

    def damaged(self, damage):
        """The result for a copy of a reference file whose last line was changed by `damage`."""
        lines = GOLDEN[0].read_text().splitlines()
        lines[-1] = damage(lines[-1])
        file = self.dir / "copy.jsonl"
        file.write_text("\n".join(lines) + "\n")
        return run("tasks", "verify", file, "--semantics", "published"), len(lines)

    def assert_one_mismatch(self, damage):
        result, n_lines = self.damaged(damage)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"{n_lines} trials, 1 mismatches", result.stdout)
        self.assertIn(f"copy.jsonl:{n_lines}: ", result.stderr)

    def test_one_float_one_class_or_half_a_line(self):
        def one_float(line):
            trial = json.loads(line)
            trial["observation"][0][2][3] += 1e-3
            return json.dumps(trial)

        def one_class(line):
            trial = json.loads(line)
            trial["target"][-1] += 1
            return json.dumps(trial)

        self.assert_one_mismatch(one_float)
        self.assert_one_mismatch(one_class)
        self.assert_one_mismatch(lambda line: line[:len(line) // 2])

    def test_missing_file(self):
        self.assert_refused(["tasks", "verify", "nowhere.jsonl"], "nowhere.jsonl", "cannot be read")


class Sample(ProgramTest):
    def sample(self, *arguments, name="sample.npz"):
        path = self.dir / name
        self.output_of("tasks", "sample", "--seed", 1, "--out", path, *arguments)
        return path

    def test_trial_batches(self):
        arrays = read_npz(self.sample("--tasks", "dm1,dlygo", "--trials", 5))
        n_steps = arrays["targets"][1][0]
        self.assertEqual(arrays["targets"][:2], ("<i4", (n_steps, 10)))
        self.assertEqual(arrays["inputs"][:2], ("<f4", (n_steps, 10, 33)))
        self.assertEqual(arrays["rules"][1], (n_steps, 10, 1))
        self.assertEqual(json.loads(arrays["tasks"]), ["dlygo", "dm1"])
        self.assertEqual(arrays["task"][2], (0,) * 5 + (1,) * 5)
        self.assertEqual(arrays["strength"][1], (10, 2, 2))
        self.assertEqual(max(arrays["length"][2]), n_steps)
        self.assertEqual(sum(arrays["mask"][2]), sum(arrays["length"][2]))
        for trial, length in enumerate(arrays["length"][2]):  # the fixation cue is on at first
            self.assertEqual(arrays["inputs"][2][trial * 33], 1.0)
            self.assertEqual(arrays["targets"][2][(length - 1) * 10 + trial],
                             1 + arrays["response"][2][trial])

    def test_padding_does_not_depend_on_other_tasks(self):
        arrays = read_npz(self.sample("--tasks", "go,dms", "--trials", 5))
        n_trials, lengths, tasks = 10, arrays["length"][2], arrays["task"][2]
        self.assertLess(min(lengths), max(lengths))
        fixation = [0] * n_trials
        for at, (period, rule) in enumerate(zip(arrays["periods"][2], arrays["rules"][2])):
            step, trial = divmod(at, n_trials)
            fixation[trial] += period == 0
            padded = step >= lengths[trial]
            self.assertEqual((period == 255, rule), (padded, -1 if padded else tasks[trial]))
        self.assertEqual({n for n, task in zip(fixation, tasks) if task == 0}, {5})

    def test_options_of_the_other_kind_of_file_are_refused(self):
        common = ["tasks", "sample", "--tasks", "go", "--seed", 1, "--out", self.dir / "x.npz"]
        self.assert_refused([*common, "--rows", 5], "--rows: only streams have it")
        self.assert_refused([*common, "--stream", "restart", "--trials", 5], "--trials: a stream has no numbered trials")

    def test_layouts_hold_the_same(self):
        for kind in (["--trials", 3], ["--stream", "restart", "--steps", 40, "--rows", 10]):
            time_major = read_npz(self.sample("--tasks", "cog20", *kind))
            batch_first = read_npz(self.sample("--tasks", "cog20", "--layout", "batch-first", *kind))
            _, (n_steps, n_rows, n_channels), values = time_major["inputs"]
            _, shape, swapped = batch_first["inputs"]
            self.assertEqual(shape, (n_rows, n_steps, n_channels))
            for t, r in ((0, 0), (3, 7), (n_steps - 1, n_rows - 1)):
                first, second = (t * n_rows + r) * n_channels, (r * n_steps + t) * n_channels
                self.assertEqual(values[first:first + n_channels],
                                 swapped[second:second + n_channels])

    def test_dense_rules_are_the_indices_expanded(self):
        arguments = ["--tasks", "cog20", "--stream", "restart", "--steps", 60, "--rows", 4]
        indices = read_npz(self.sample(*arguments))
        dense = read_npz(self.sample(*arguments, "--dense-rules"))
        self.assertEqual(dense["inputs"][1], (60, 4, 53))
        self.assertNotIn("rules", dense)
        for row, rule in enumerate(indices["rules"][2]):
            channels = dense["inputs"][2][row * 53:(row + 1) * 53]
            self.assertEqual(channels[:33], indices["inputs"][2][row * 33:(row + 1) * 33])
            self.assertEqual([k for k in range(20) if channels[33 + k] != 0], [rule])

    def test_streams(self):
        arrays = read_npz(self.sample("--tasks", "cog20", "--stream", "continue", "--steps", 30,
                                      "--rows", 3, "--batch", 2))
        self.assertEqual(arrays["inputs"][:2], ("<f4", (30, 3, 33)))
        for name in ("targets", "task", "periods", "trial_starts"):
            self.assertEqual(arrays[name][1], (30, 3))
        self.assertIn("n_ring = 16", arrays["battery"])

    def test_the_same_seed_gives_the_same_bytes(self):
        first = self.sample("--trials", 2, "--tasks", "cog20", name="a.npz").read_bytes()
        self.assertEqual(first,
                         self.sample("--trials", 2, "--tasks", "cog20", name="b.npz").read_bytes())

    def test_hdf5(self):
        path = self.sample("--trials", 2, "--tasks", "cog20", name="sample.h5")
        self.assertEqual(path.read_bytes()[:8], b"\x89HDF\r\n\x1a\n")

    def test_mistakes(self):
        sample = ["tasks", "sample", "--seed", 1, "--tasks", "dm1", "--out"]
        self.assert_refused([*sample, "x.csv"], "x.csv", ".npz")
        self.assert_refused([*sample, "x.npz", "--split", "tset"], "--split", 'mean "test"?')
        self.assert_refused([*sample, "x.npz", "--layout", "column"], "--layout column")
        self.assert_refused([*sample, "x.npz", "--stream", "restrat"], 'did you mean "restart"?')
        self.assert_refused([*sample, "/nowhere/x.npz"], "/nowhere/x.npz", status=1)


class Ceiling(ProgramTest):
    def test_reach_is_exactly_one(self):
        out = json.loads(self.output_of("tasks", "ceiling", "--tasks", "go,dlyanti", "--seed", 1,
                                        "--json"))
        self.assertEqual(out["semantics"], "corrected")
        for task in out["tasks"]:
            self.assertEqual(task["decision_accuracy"], {"value": 1.0, "standard_error": 0.0})

    def test_does_not_depend_on_threads(self):
        arguments = ["tasks", "ceiling", "--tasks", "multidm,dmc", "--trials", 500, "--seed", 4]
        self.assertEqual(self.output_of(*arguments, "--threads", 1),
                         self.output_of(*arguments, "--threads", 3))

    def test_table_has_a_row_per_task_and_the_mean(self):
        lines = self.output_of("tasks", "ceiling", "--tasks", "dm1,dm2", "--trials", 200,
                               "--seed", 1).split("\n")
        self.assertEqual([line.split("  ")[0] for line in lines],
                         ["task", "dm1", "dm2", "mean of 2 tasks", ""])


if __name__ == "__main__":
    unittest.main()
