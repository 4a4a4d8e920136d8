"""Tests of the harness: it draws every key, the twin's gradient is a gradient, and failures are found, shrunk and
saved."""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import arithmetic
import readable
import shrink
from draw import Program, draw_case, n_units_of

# Set when needed, to the only possible value.
ONE_VALUE = ("init_from", "source", "path", ".dataset", "train.stop_solved")


def drawn_values(program, n_cases):
    values = {}
    for number in range(n_cases):
        for key, value in draw_case(1, number, program)["config"].items():
            values.setdefault(key, set()).add(json.dumps(value))
            tables = value if isinstance(value, list) else ()
            for name, inner in ((n, v) for t in tables if isinstance(t, dict) for n, v in t.items()):
                values.setdefault(f"{key}.{name}", set()).add(json.dumps(inner))
    return values


class Drawing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = Program.ask(os.environ["LMRNN"])
        cls.values = drawn_values(cls.program, 3000)

    def test_every_key_is_drawn(self):
        self.assertGreater(len(self.program.keys), 50)
        self.assertEqual(
            set(self.values),
            set(self.program.keys),
            "a key of the program that tests/robustness/draw.py does not draw, or the reverse",
        )

    def test_every_key_takes_several_values(self):
        for key, values in self.values.items():
            if not key.endswith(ONE_VALUE):
                self.assertGreater(len(values), 1, key)

    def test_every_named_value_is_drawn(self):
        for key, names in self.program.keys.items():
            if names and "table" not in key and key != "battery.semantics":
                missing = set(map(json.dumps, names)) - self.values[key]
                self.assertFalse(missing, f"{key}: never drawn")
        targets = set(map(json.dumps, ["auto", *self.program.targets]))
        self.assertEqual(self.values["simd"], targets)

    def test_sizes_go_beyond_300_units_and_leave_short_blocks(self):
        cases = [draw_case(2, n, self.program)["config"] for n in range(1000)]
        units = [n_units_of(c) for c in cases]
        self.assertGreater(sum(n >= 300 for n in units), 80)
        # Batches of more than two blocks of 32 rows, the last of them short.
        self.assertGreater(
            sum(c["stream.batch"] > 64 and c["stream.batch"] % 32 != 0 for c in cases), 60
        )

    def test_a_case_is_a_function_of_seed_and_number(self):
        self.assertEqual(draw_case(3, 5, self.program), draw_case(3, 5, self.program))
        self.assertNotEqual(draw_case(3, 5, self.program), draw_case(4, 5, self.program))


    def test_adaptive_curricula_have_rows_that_restart(self):
        cases = [draw_case(1, n, self.program)["config"] for n in range(3000)]
        adaptive = [c for c in cases if c.get("curriculum.adaptive")]
        self.assertGreater(len(adaptive), 50)
        for case in adaptive:  # the recipe "neurogym" says "continue" unless the case does not
            default = "continue" if case.get("recipe") == "neurogym" else "restart"
            self.assertEqual(case.get("stream.mode", default), "restart")


class Twin(unittest.TestCase):
    def test_its_gradient_is_that_of_its_loss(self):
        rng = np.random.default_rng(1)
        n, n_channels, n_rules, n_classes, n_steps, n_rows = 5, 3, 2, 4, 7, 3
        mask = rng.random((n, n)) < 0.5
        target_of, source_of = np.nonzero(mask)
        shapes = {
            "recurrent": len(target_of),
            "input": (n, n_channels),
            "rule": (n_rules, n),
            "bias": n,
            "readout": (n_classes, n),
            "readout_bias": n_classes,
        }
        equations = ("rate", "voltage", "leak-inside")
        for activation, equation in itertools.product(("relu", "tanh", "softplus"), equations):
            for kind in ("cross-entropy", "least-squares"):
                weights = {name: rng.normal(size=shape) for name, shape in shapes.items()}
                model = readable.Model(
                    weights,
                    target_of,
                    source_of,
                    np.ones((n, n_channels)),
                    np.ones((n_classes, n)),
                    0.3,
                    activation,
                    length=np.abs(target_of - source_of).astype(np.float64),
                    equation=equation,
                )
                batch = readable.Batch(
                    rng.normal(size=(n_steps, n_rows, n_channels)),
                    rng.integers(-1, n_rules, size=(n_steps, n_rows, 2)),
                    rng.integers(n_classes, size=(n_steps, n_rows)),
                    rng.random((n_steps, n_rows)),
                    rng.integers(2, size=(n_steps, n_rows)),
                    0.1 * rng.normal(size=(n_steps, n_rows, n)),
                )
                loss = {
                    "kind": kind,
                    "rate_penalty": 0.7,
                    "weight_penalty": 0.2,
                    "penalised": "all",
                    "wire_penalty": 0.1,
                    "wire_power": 1.5,
                }
                _, gradient = readable.loss_and_gradient(model, batch, loss)
                for name, value in weights.items():
                    at = tuple(rng.integers(s) for s in value.shape)
                    ends = []
                    for step in (1e-6, -1e-6):
                        old, value[at] = value[at], value[at] + step
                        ends.append(readable.loss_and_gradient(model, batch, loss)[0])
                        value[at] = old
                    self.assertAlmostEqual(
                        (ends[0] - ends[1]) / 2e-6,
                        gradient[name][at],
                        places=6,
                        msg=f"{name}, {activation}, {equation}, {kind}",
                    )

    def test_a_unit_at_the_kink_may_be_on_either_side(self):
        rng = np.random.default_rng(3)
        n, n_steps, n_rows, n_channels, n_classes = 5, 4, 3, 2, 3
        model = readable.Model(
            weights={
                "recurrent": rng.normal(size=n * n) / 2, "input": rng.normal(size=(n, n_channels)),
                "rule": np.zeros((0, n)), "bias": rng.normal(size=n),
                "readout": rng.normal(size=(n_classes, n)), "readout_bias": np.zeros(n_classes),
            },
            target_of=np.repeat(np.arange(n), n), source_of=np.tile(np.arange(n), n),
            input_mask=np.ones((n, n_channels)), readout_mask=np.ones((n_classes, n)),
            alpha=1.0, activation="relu",
        )  # fmt: skip
        inputs = rng.normal(size=(n_steps, n_rows, n_channels))
        inputs[:, 1] = 0  # in this row and at the first step, unit 2 gets only the bias
        model.weights["bias"][2] = 1e-9
        batch = readable.Batch(
            inputs, np.zeros((n_steps, n_rows, 0), int),
            rng.integers(0, n_classes, (n_steps, n_rows)), np.ones((n_steps, n_rows)),
            np.zeros((n_steps, n_rows)), np.zeros((n_steps, 1, 1)),
        )  # fmt: skip
        loss = {"kind": "cross-entropy", "rate_penalty": 0, "weight_penalty": 0, "penalised": "recurrent"}
        self.assertEqual(arithmetic.undecided(model, batch), [(0, 1, 2)])
        _, gradient = readable.loss_and_gradient(model, batch, loss)
        change = arithmetic.of_the_kink(model, batch, loss, gradient)
        self.assertGreater(change["bias"], 1e-3 * np.abs(gradient["bias"]).max())
        # The gradient on the other side of the kink is that of a bias on the other side, and not further away.
        model.weights["bias"][2] = -1e-9
        _, other = readable.loss_and_gradient(model, batch, loss)
        for group, value in gradient.items():
            error = np.abs(other[group] - value).max(initial=0)
            self.assertLessEqual(error, change[group] + 1e-7, group)
        self.assertAlmostEqual(np.abs(other["bias"] - gradient["bias"]).max(), change["bias"], 6)

    def test_the_last_bits_decide_gradients_of_chaotic_networks_only(self):
        n, rng = 40, np.random.default_rng(4)
        shares = []
        for gain in (0.5, 40):
            model = readable.Model(
                weights={
                    "recurrent": gain * rng.normal(size=n * n) / np.sqrt(n),
                    "input": rng.normal(size=(n, 2)), "rule": np.zeros((0, n)), "bias": np.zeros(n),
                    "readout": rng.normal(size=(3, n)), "readout_bias": np.zeros(3),
                },
                target_of=np.repeat(np.arange(n), n), source_of=np.tile(np.arange(n), n),
                input_mask=np.ones((n, 2)), readout_mask=np.ones((3, n)),
                alpha=0.5, activation="tanh",
            )  # fmt: skip
            batch = readable.Batch(
                rng.normal(size=(60, 2, 2)), np.zeros((60, 2, 0), int), rng.integers(0, 3, (60, 2)),
                np.ones((60, 2)), np.zeros((60, 2)), np.zeros((60, 1, 1)),
            )  # fmt: skip
            loss = {
                "kind": "cross-entropy", "rate_penalty": 0, "weight_penalty": 0,
                "penalised": "recurrent",
            }  # fmt: skip
            expected = arithmetic.Expected(model, batch, loss)
            change = expected.decided_by_last_bits()["recurrent"]
            shares.append(change / np.abs(expected.gradient["recurrent"]).max())
        self.assertLess(arithmetic.LAST_BITS * shares[0], 1e-9)
        self.assertGreater(arithmetic.LAST_BITS * shares[1], 1e-6)

    def test_its_noise_is_standard_normal(self):
        noise = readable.recurrent_noise(2**40 + 1, 3, 50, 20, 37)
        self.assertEqual(noise.shape, (20, 50, 37))
        self.assertAlmostEqual(noise.mean(), 0, places=1)
        self.assertAlmostEqual(noise.std(), 1, places=1)


def harness(*arguments):
    command = [sys.executable, HERE / "differential.py", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


class Shrinking(unittest.TestCase):
    def test_what_is_refused_stays_refused_for_the_same_reason(self):
        config = {"seed": 1, "battery.tasks": "go", "battery.dt": 20, "network.tau": 50}
        case = {"threads": 2, "config": config}

        def run(case):
            keys = case["config"]
            if keys.get("network.tau", 100) < keys.get("battery.dt", 100):
                return {"failures": [{"check": "valid", "detail": "refused: network.tau is short"}]}
            return {"failures": [{"check": "valid", "detail": f"refused: seed = {keys['seed']}"}]}

        (failure,) = run(case)["failures"]
        smallest = shrink.shrink(case, failure, run, 10)["config"]
        self.assertEqual(smallest, {"seed": 1, "battery.tasks": "go"})
        self.assertFalse(shrink.same_failure(run({"config": {**smallest, "network.tau": 50}}), failure))
        other = {"failures": [{**failure, "detail": "refused: seed = 3"}]}
        self.assertTrue(shrink.same_failure(other, failure))


class Finding(unittest.TestCase):
    """With faults put into the worker (--pretend)."""

    def found(self, fault, *arguments):
        with tempfile.TemporaryDirectory() as directory:
            done = harness(
                "--seed",
                1,
                "--pretend",
                fault,
                "--cases",
                directory,
                "--shrink-seconds",
                60,
                "--repeats",
                1,
                *arguments,
            )
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            kept = [json.loads(path.read_text()) for path in sorted(Path(directory).glob("*.json"))]
        self.assertTrue(kept, done.stdout)
        return kept, done.stdout

    def test_a_wrong_formula_is_shrunk_to_what_it_needs(self):
        kept, said = self.found(
            "softplus",
            "--only",
            self.first_case(
                lambda c: (
                    c.get("network.activation") == "softplus"
                    and c["wiring.rows"] < 9
                    and c["wiring.kind"] == "local"
                    and c.get("wiring.radius", 4) > 0
                    and not {"wiring.initial.kind", "wiring.plastic.kind", "init_from"} & set(c)
                )
            ),
        )
        config = kept[0]["config"]
        self.assertEqual(config["network.activation"], "softplus")
        self.assertLess(len(config), 16, said)
        self.assertLessEqual(config["wiring.rows"] * config["wiring.cols"], 4, said)

    def test_a_crash_is_a_failure_of_its_case(self):
        kept, said = self.found(
            "abort",
            "--only",
            self.first_case(
                lambda c: (
                    20 < c["wiring.rows"] * c["wiring.cols"] < 60 and c["wiring.kind"] == "local"
                )
            ),
        )
        self.assertEqual(kept[0]["check"], "crash")
        config = kept[0]["config"]
        self.assertLess(config["wiring.rows"] * config["wiring.cols"], 40, said)
        self.assertGreater(config["wiring.rows"] * config["wiring.cols"], 20, said)

    def first_case(self, condition):
        program = Program.ask(os.environ["LMRNN"])
        return next(
            n
            for n in range(1000)
            if condition(draw_case(1, n, program)["config"])
            and "data" not in draw_case(1, n, program)
        )


if __name__ == "__main__":
    unittest.main()
