"""Checks of a case: the same bits however it is carried out, and the same arithmetic as in the readable twin and in
PyTorch."""

import re
import shutil
import time
import traceback
from pathlib import Path

import runs
from arithmetic import check_arithmetic, check_target
from draw import n_units_of
from runs import Broken, ByPackage, ByProgram, Failure, Refused

# The only reasons for which a configuration of the generator may be rejected; they depend on its random mask or
# weights.
REASONS = (
    r"this mask has no cycles",  # initialisation "spectral-radius"
    r"none of its synapses exist in \[wiring\]",  # wiring.plastic, wiring.initial
    r"network\.readout_excitatory = true leaves no readout synapse",
    r"leaves none of \d+ pairs of units",  # of two small areas
    r"a lattice of inhibitory units leaves none",
    r"wiring\.gains multiply the initial recurrent weights, which are all 0",
    r"reaches from no unit to another",  # places that are farther apart than the radius
    r"wiring\.rewire: unit \d+ has \d+ of \d+ units as its sources",
)


class Case:
    """A case on this machine: its files are written, its configuration is complete."""

    def __init__(self, case, directory, program, by):
        self.case, self.directory = case, directory
        self.program = ByProgram(program.path)
        self.runner = self.program if by == "program" else ByPackage(program.path)
        self.data = case.get("data")
        self.targets = program.targets
        self.config = dict(case["config"])
        if self.config.get("simd", "auto") not in ("auto", *program.targets):
            self.config["simd"] = "auto"  # a case from another machine
        own = self.config.get("simd", "auto")
        self.own_target = program.targets[0] if own == "auto" else own
        n_units = n_units_of({"wiring.rows": 32, "wiring.cols": 32} | self.config)
        if case.get("mask"):
            path = str(runs.write_mask(case["mask"], n_units, directory))
            self.config |= {key: path for key, value in self.config.items() if value == "MASK"}
        if case.get("types"):
            path = str(runs.write_types(case["types"], n_units, directory))
            self.config |= {key: path for key, value in self.config.items() if value == "TYPES"}
        self.write("places", "PLACES", lambda spec: runs.write_places(spec, n_units, directory))
        self.write("cells", "CELLS", lambda spec: runs.write_cells(spec, n_units, directory))
        self.write(
            "weights", "WEIGHTS",
            lambda spec: runs.write_weights(spec, runs.random_mask(case["mask"], n_units), directory),
        )  # fmt: skip
        if case.get("init_from"):
            self.config["init_from"] = str(self.first_network())

    def write(self, what, name, write):
        """Writes a file of the case and puts its path into the configuration."""
        if self.case.get(what):
            path = str(write(self.case[what]))
            self.config |= {key: path for key, value in self.config.items() if value == name}

    def first_network(self):
        """A run of one step whose network the case starts from."""
        run = self.directory / "first"
        config = {
            k: v
            for k, v in self.config.items()
            if k != "init_from" and not k.startswith(("schedule.", "curriculum.stage"))
        }
        self.runner.train(
            self.form(config | {"train.steps": 1, "schedule.kind": "constant"}), run, 1
        )
        return run

    def form(self, config):
        return config if self.runner is self.program else runs.nested(config)

    def train(self, name, threads, changes=(), **options):
        """Trains; returns the run directory, and how the training ended."""
        run = self.directory / name
        outcome = self.runner.train(
            self.form(self.config | dict(changes)), run, threads, self.data, **options
        )
        return run, outcome


# The same bits ----------------------------------------------------------------------------------


def require_same(check, run, outcome, expected):
    if wrong := runs.differences(runs.fingerprint(run, outcome), expected):
        raise Failure(check, wrong)


def check_threads(case, expected):
    run, outcome = case.train("threads", case.case["threads"])
    require_same("threads", run, outcome, expected)


def check_resume(case, expected):
    """Stopped and resumed, with another number of threads and the other setting of train.recompute."""
    changes = {"train.recompute": not case.config.get("train.recompute", False)}
    run, outcome = case.train("resumed", case.case["threads"], changes, stop=case.case["stop"])
    if outcome == "stopped":
        outcome = case.runner.train(None, run, case.case["resume_threads"], case.data, resume=True)
    require_same_at_end("resume and recompute", run, outcome, expected)


def check_kill(case, expected, seconds):
    run = case.directory / "killed"
    outcome = case.program.kill_and_resume(
        case.config, run, case.case["threads"], seconds, case.case["kill_seed"]
    )
    require_same_at_end("kill", run, outcome, expected)


def require_same_at_end(check, run, outcome, expected):
    """Like require_same, but a session leaves checkpoints of its own: those that both have must
    agree, and the last must be there."""
    found = runs.fingerprint(run, outcome)
    last = max((key for key in expected if key.startswith("checkpoints/")), default=None)
    keep = lambda side, other: {
        k: v for k, v in side.items() if not k.startswith("checkpoints/") or k in other or k == last
    }
    if wrong := runs.differences(keep(found, expected), keep(expected, found)):
        raise Failure(check, wrong)


# A whole case -----------------------------------------------------------------------------------


def group_of(check):
    """The part of check_case that a failure belongs to; None: any."""
    name = (check.split() or [""])[0]
    parts = {
        "torch": "arithmetic",
        "gradient": "arithmetic",
        "forward": "arithmetic",
        "checkpoints": "arithmetic",
    }
    name = parts.get(name, name)
    return name if name in ("threads", "resume", "kill", "arithmetic", "simd") else None


def check_case(case_in, directory, program, by="package", twin=True):
    """{"failures": [{check, detail}], "notes": {...}}. A case may name the "only" check to do.
    `twin`: the arithmetic, too, for which the Python package must be there."""
    statistics = dict.fromkeys(
        (
            "ill-conditioned",
            "compared with PyTorch",
            "without PyTorch",
            "without the twin",
            "diverged",
            "refused",
        ),
        0,
    )
    failures = []
    directory = Path(directory)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)

    only = group_of(case_in.get("only", ""))

    def attempt(check, function, *arguments):
        if only not in (None, check):
            return
        try:
            function(*arguments)
        except Failure as failure:
            failures.append({"check": failure.check, "detail": failure.detail})
        except (Refused, Broken) as error:
            failures.append({"check": check, "detail": f"{type(error).__name__}: {error}"})
        except Exception:
            failures.append({"check": check, "detail": traceback.format_exc()[-2000:]})

    try:
        case = Case(case_in, directory, program, by)
        if only == "simd":
            attempt("simd", check_target, case, statistics)
            return {"failures": failures, "notes": statistics}
        began = time.monotonic()
        run, outcome = case.train("one", 1)
        seconds = time.monotonic() - began
    except Refused as refusal:
        if any(re.search(reason, str(refusal)) for reason in REASONS):
            statistics["refused"] = 1
        else:
            failures.append({"check": "valid", "detail": f"refused: {refusal}"})
        return {"failures": failures, "notes": statistics}
    except Exception as error:
        detail = str(error) if isinstance(error, Broken) else traceback.format_exc()[-2000:]
        return {"failures": [{"check": "run", "detail": detail}], "notes": statistics}
    statistics["diverged"] = int(outcome.startswith("diverged"))
    expected = runs.fingerprint(run, outcome)
    attempt("threads", check_threads, case, expected)
    attempt("resume", check_resume, case, expected)
    if case_in.get("kill"):
        attempt("kill", check_kill, case, expected, seconds + 0.1)
    if twin:
        attempt("arithmetic", check_arithmetic, case, expected, statistics)
        attempt("simd", check_target, case, statistics)
    shutil.rmtree(directory, ignore_errors=True)
    return {"failures": failures, "notes": statistics}
