"""What must hold of a case: the same bits however it is carried out, and the arithmetic of the readable
twin and of PyTorch."""

import re
import shutil
import time
import traceback
from pathlib import Path

import numpy as np

import readable
import runs
from runs import Broken, ByPackage, ByProgram, Refused

# Single precision against double, of the largest entry of a group of parameters.
TOLERANCE = 1e-4
# The program may err more where the twin in single precision does, too: such a configuration amplifies
# rounding errors, whoever computes.
ILL_CONDITIONED = 20

# A valid configuration of the generator may be refused for these reasons only, which depend on what was
# drawn for its mask or its weights.
REASONS = (
    r"this mask has no cycles",  # initialisation "radius"
    r"wiring\.rewire: unit \d+ has \d+ of \d+ units as its sources",
)


class Failure(Exception):
    def __init__(self, check, detail):
        super().__init__(f"{check}: {detail}")
        self.check, self.detail = check, detail


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
        n_units = self.config.get("wiring.rows", 32) * self.config.get("wiring.cols", 32)
        if case.get("mask"):
            self.config["wiring.path"] = str(runs.write_mask(case["mask"], n_units, directory))
        if case.get("init_from"):
            self.config["init_from"] = str(self.first_network())

    def first_network(self):
        """A run of one step whose network the case begins with."""
        run = self.directory / "first"
        config = {k: v for k, v in self.config.items() if k != "init_from" and not k.startswith("schedule.")}
        self.runner.train(self.form(config | {"train.steps": 1, "schedule.kind": "constant"}), run, 1)
        return run

    def form(self, config):
        return config if self.runner is self.program else runs.nested(config)

    def train(self, name, threads, changes=(), **options):
        """The run directory, and how the training ended."""
        run = self.directory / name
        outcome = self.runner.train(self.form(self.config | dict(changes)), run, threads, self.data, **options)
        return run, outcome


# The same bits ----------------------------------------------------------------------------------


def require_same(check, run, outcome, expected):
    if wrong := runs.differences(runs.fingerprint(run, outcome), expected):
        raise Failure(check, wrong)


def check_threads(case, expected):
    run, outcome = case.train("threads", case.case["threads"])
    require_same("threads", run, outcome, expected)


def check_resume(case, expected):
    """Stopped in between and resumed by another number of threads, with the other way to keep states."""
    changes = {"train.recompute": not case.config.get("train.recompute", False)}
    run, outcome = case.train("resumed", case.case["threads"], changes, stop=case.case["stop"])
    if outcome == "stopped":
        outcome = case.runner.train(None, run, case.case["resume_threads"], case.data, resume=True)
    require_same_at_end("resume and recompute", run, outcome, expected)


def check_kill(case, expected, seconds):
    run = case.directory / "killed"
    outcome = case.program.kill_and_resume(
        case.config, run, case.case["threads"], seconds, case.case["kill_seed"])
    require_same_at_end("kill", run, outcome, expected)


def require_same_at_end(check, run, outcome, expected):
    """Like require_same, but a session leaves checkpoints of its own: those that both have must agree,
    and the last must be there."""
    found = runs.fingerprint(run, outcome)
    last = max((key for key in expected if key.startswith("checkpoints/")), default=None)
    keep = lambda side, other: {  # noqa: E731
        k: v for k, v in side.items() if not k.startswith("checkpoints/") or k in other or k == last}
    if wrong := runs.differences(keep(found, expected), keep(expected, found)):
        raise Failure(check, wrong)


# Arithmetic -------------------------------------------------------------------------------------


class Step:
    """An optimiser step that a run has made: checkpoints before and after it, and its batch."""

    def __init__(self, case, run, step):
        self.case, self.run, self.number = case, run, step
        self.config = runs.configuration(run)
        self.before, self.state_before = runs.checkpoint(run, step - 1)
        self.after, self.state_after = runs.checkpoint(run, step)
        self.model = model_of(self.before, self.config, case.data)
        self.batch = self.make_batch()

    def make_batch(self):
        stream, number = self.config["stream"], self.number - 1
        n_steps, n_rows = stream["steps"], stream["batch"]
        if self.case.data:
            data = runs.RandomData(self.case.data)
            arrays = data.arrays("train", number, n_steps, n_rows)
            rules = arrays["rules"][..., None] if data.n_rules else np.zeros((n_steps, n_rows, 0), np.int32)
            inputs, targets, weights, starts = (
                arrays[k] for k in ("inputs", "targets", "mask", "trial_starts"))
        else:
            inputs, targets, weights, rules, starts = self.from_stream(stream, number)
        sigma, noise = self.config["network"]["recurrent_noise"], np.zeros((n_steps, 1, 1))
        if sigma > 0:
            noise = np.float32(sigma) * readable.recurrent_noise(
                self.config["seed"], number, n_rows, n_steps, len(self.before["bias"]))
        resets = starts if stream["reset_at_trial"] else np.zeros_like(starts)
        return readable.Batch(inputs, rules, targets, weights, resets, noise)

    def from_stream(self, stream, number):
        import lmrnn

        batch = lmrnn.Stream(
            lmrnn.Run(self.run).battery, seed=self.config["seed"], batch=stream["batch"], steps=stream["steps"],
            mode=stream["mode"], trials_per_task=stream["trials_per_task"], rules="index",
            weights=self.config["loss"]["weights"],
        )[number]  # fmt: skip
        return batch.inputs, batch.targets, batch.mask, batch.info["rules"], batch.info["trial_starts"]


def model_of(arrays, config, data):
    weights = {
        "recurrent": arrays["recurrent.weight"], "input": arrays["input.weight"], "bias": arrays["bias"],
        "rule": arrays.get("rule.weight", np.zeros((0, len(arrays["bias"])), np.float32)),
        "readout": arrays["readout.weight"], "readout_bias": arrays["readout.bias"],
    }  # fmt: skip
    degrees = np.diff(arrays["recurrent.row_offsets"].astype(np.int64))
    tau, dt = config["network"]["tau"], config["battery"]["dt"]
    return readable.Model(
        weights=weights,
        target_of=np.repeat(np.arange(len(degrees)), degrees),
        source_of=arrays["recurrent.sources"].astype(np.int64),
        input_mask=arrays["input.mask"].reshape(weights["input"].shape),
        readout_mask=arrays["readout.mask"].reshape(weights["readout"].shape),
        alpha=dt / tau if tau > 0 else 1.0,
        activation=config["network"]["activation"],
    )


def by_group(model, flat):
    """A flat array of all parameters, cut into groups."""
    parts, at = {}, 0
    for name in readable.GROUPS:
        shape = model.weights[name].shape
        size = int(np.prod(shape))
        parts[name] = flat[at : at + size].reshape(shape).astype(np.float64)
        at += size
    return parts


class Expected:
    """Loss and gradient of a step by the readable twin; `loose` widens tolerances where single
    precision is not enough."""

    def __init__(self, step):
        self.step, loss = step, step.config["loss"]
        self.loss, self.gradient = readable.loss_and_gradient(step.model.astype(np.float64), step.batch, loss)
        self.errors = None

    def tolerance(self, group):
        """Absolute, of an entry of the gradient."""
        return TOLERANCE * np.abs(self.gradient[group]).max(initial=0)

    def loose(self, group):
        if self.errors is None:
            step = self.step
            single_loss, single = readable.loss_and_gradient(
                step.model.astype(np.float32), step.batch, step.config["loss"])
            self.errors = {k: np.abs(single[k] - v).max(initial=0) for k, v in self.gradient.items()}
            self.errors["loss"] = abs(single_loss - self.loss)
        return ILL_CONDITIONED * self.errors[group]


def require_close(check, what, found, expected, allowed, loosely):
    """Entries within `allowed`; asks for loosely() only if they are not. Whether it had to."""
    error = np.abs(found - expected)
    if not np.isfinite(found).all():
        raise Failure(check, f"{what}: not finite")
    if (error <= allowed).all():
        return False
    excess = float((error - allowed).max())
    if excess <= loosely():
        return True
    at = np.unravel_index(int((error - allowed).argmax()), error.shape) if error.ndim else ()
    raise Failure(check, f"{what}{[int(i) for i in at]}: {float(found[at]):.9g} instead of "
                         f"{float(expected[at]):.9g}; the largest of the group is "
                         f"{float(np.abs(expected).max()):.4g}")


def check_step(check, step, statistics):
    """Loss, moments and weights after a step against the readable twin."""
    expected = Expected(step)
    optimiser, model = step.config["optimiser"], step.model
    row = runs.metrics(step.run)[step.number]
    factor = readable.schedule_factor(step.config["schedule"], step.number - 1, step.config["train"]["steps"])
    found_loss = np.float64(row["loss"])
    loose = require_close(check, "loss", found_loss, np.float64(expected.loss),
                          TOLERANCE * max(abs(expected.loss), 1e-6), lambda: expected.loose("loss"))
    scale = readable.clip_scale(optimiser, expected.gradient)
    first = [by_group(model, s["first_moment"]) for s in (step.state_before, step.state_after)]
    second = [None, None]
    if optimiser["kind"] == "adam":
        second = [by_group(model, s["second_moment"]) for s in (step.state_before, step.state_after)]
    share = 1 if optimiser["kind"] == "sgd" else 1 - optimiser["beta1"]
    for group in readable.GROUPS:
        gradient = scale * expected.gradient[group]
        m, v = readable.moments_after(optimiser, gradient, first[0][group], second[0] and second[0][group])
        # The scale has an error, too, where the gradient is clipped.
        error = scale * expected.tolerance(group) * 2
        loosely = lambda: share * scale * 2 * sum(map(expected.loose, [group]))  # noqa: B023, E731
        loose |= require_close(check, f"first moment of {group}", first[1][group], m,
                               share * error + 4e-7 * np.abs(m) + 1e-37, loosely)
        if v is not None:
            share2, largest = 1 - optimiser["beta2"], np.abs(gradient).max(initial=0)
            loose |= require_close(
                check, f"second moment of {group}", second[1][group], v,
                share2 * error * 2 * (largest + error) + 4e-7 * np.abs(v) + 1e-37,
                lambda: share2 * 3 * scale * expected.loose(group) * (largest + scale * expected.loose(group)))  # noqa: B023
        w = model.weights[group].astype(np.float64)
        new = readable.weights_after(optimiser, group, w, first[1][group],
                                     None if second[1] is None else second[1][group], step.number - 1, factor)
        found = by_group(model, flat_weights(step.after))[group]
        require_close(check, f"weights of {group}", found, new,
                      2e-6 * (np.abs(w) + np.abs(new - w)) + 1e-37, lambda: 0)
    for group, mask in (("input", model.input_mask), ("readout", model.readout_mask)):
        if (by_group(model, flat_weights(step.after))[group][mask == 0] != 0).any():
            raise Failure(check, f"{group}: a weight where there is no synapse")
    statistics["ill-conditioned"] += loose
    return expected


def flat_weights(arrays):
    names = {"recurrent": "recurrent.weight", "input": "input.weight", "rule": "rule.weight", "bias": "bias",
             "readout": "readout.weight", "readout_bias": "readout.bias"}
    return np.concatenate([arrays[names[g]].ravel() for g in readable.GROUPS if names[g] in arrays])


def step_of(case, name, target, number):
    """A run up to about step `number`, on this SIMD target, and its last step; None if it diverges."""
    changes = {"checkpoint.every": 1, "checkpoint.keep_last": 2, "train.log_every": 1, "evaluation.every": 0}
    if target:
        changes["simd"] = target
    run, outcome = case.train(name, 1, changes, stop=number)
    if outcome not in ("stopped", "done"):
        return None
    return Step(case, run, runs.checkpoint_steps(run)[-1])


def check_arithmetic(case, expected, statistics):
    """The step of the case's own target; compared with PyTorch as well."""
    step = step_of(case, "arithmetic", None, case.case["check_step"])
    if step is None:
        return
    key = f"checkpoints/step-{step.number:08d}/network.safetensors"
    if key in expected and runs.digest((step.run / key).read_bytes()) != expected[key]:
        raise Failure("checkpoints", f"{key} depends on how often a checkpoint is kept")
    found = check_step("arithmetic", step, statistics)
    if case.runner is not case.program:
        check_network(case, step, statistics)
        check_torch(step, found, statistics)


def check_target(case, statistics):
    """The first step on another SIMD target."""
    target = case.case.get("other_target")
    if target not in case.targets or target == case.own_target:
        return
    step = step_of(case, f"simd-{target}", target, 1)
    if step is not None:
        check_step(f"simd {target}", step, statistics)


def check_network(case, step, statistics):
    """lmrnn.Network on the same batch: states and logits, one trial alone, and its own gradient."""
    import lmrnn

    network = lmrnn.Network.load(step.run / "checkpoints" / f"step-{step.number - 1:08d}")
    b = step.batch
    rules = b.rules if b.rules.shape[2] else None
    sigma = step.config["network"]["recurrent_noise"]
    options = dict(rules=rules, resets=b.resets.astype(bool))
    noise = dict(recurrent_noise=sigma, seed=7) if sigma > 0 else {}
    one = network.forward(b.inputs, threads=1, **options, **noise)
    many = network.forward(b.inputs, threads=case.case["threads"], **options, **noise)
    for name, x, y in zip(("states", "logits"), one, many):
        if x.tobytes() != y.tobytes():
            raise Failure("forward threads", f"{name} differ for {case.case['threads']} threads")
    silent = readable.Batch(b.inputs, b.rules, b.targets, b.weights, b.resets, np.zeros((len(b.inputs), 1, 1)))
    # Exact where noise plays no part.
    model = step.model.astype(np.float64)
    _, states, logits = readable.forward(model, silent)
    alone = b.inputs.shape[1] // 2
    single = network.forward(
        np.ascontiguousarray(b.inputs[:, alone : alone + 1]),
        rules=None if rules is None else np.ascontiguousarray(rules[:, alone : alone + 1]),
        resets=b.resets[:, alone : alone + 1].astype(bool).copy())
    if sigma == 0:
        close("forward", step, silent, one, (states, logits), slice(None), statistics)
    close("forward of one trial", step, silent, single, (states, logits), slice(alone, alone + 1), statistics)
    loss, gradient = network.loss_and_gradient(
        b.inputs, b.targets, mask=b.weights, loss=step.config["loss"]["kind"], **options)
    plain = step.config["loss"] | {"rate_penalty": 0, "weight_penalty": 0}
    value, wanted = readable.loss_and_gradient(model, silent, plain)
    single_value, single_gradient = None, None

    def loosely(group):
        nonlocal single_value, single_gradient
        if single_gradient is None:
            single_value, single_gradient = readable.loss_and_gradient(
                step.model.astype(np.float32), silent, plain)
        if group == "loss":
            return ILL_CONDITIONED * abs(single_value - value)
        return ILL_CONDITIONED * np.abs(single_gradient[group] - wanted[group]).max(initial=0)

    loose = require_close("gradient", "loss", np.float64(loss), np.float64(value),
                          TOLERANCE * max(abs(value), 1e-6), lambda: loosely("loss"))
    for group in readable.GROUPS:
        loose |= require_close(
            "gradient", group, np.asarray(gradient[group], dtype=np.float64), wanted[group],
            TOLERANCE * np.abs(wanted[group]).max(initial=0) + 1e-37, lambda: loosely(group))  # noqa: B023
    statistics["ill-conditioned"] += loose


def close(check, step, batch, found, wanted, rows, statistics):
    def loosely(k):
        single = readable.forward(step.model.astype(np.float32), batch)[1 + k][:, rows]
        return ILL_CONDITIONED * float(np.abs(single - wanted[k][:, rows]).max())

    for k, name in enumerate(("states", "logits")):
        expected = wanted[k][:, rows]
        statistics["ill-conditioned"] += require_close(
            check, name, found[k].astype(np.float64), expected,
            TOLERANCE * np.abs(expected).max() + 1e-37, lambda: loosely(k))  # noqa: B023


def check_torch(step, expected, statistics):
    """The twin's loss and gradient against PyTorch's autograd through lmrnn.torch.LMRNN, in double
    precision: the program has been compared with the twin already."""
    try:
        import torch
    except ImportError:
        statistics["without PyTorch"] += 1
        return
    import lmrnn
    import lmrnn.torch

    torch.set_num_threads(1)
    module = lmrnn.torch.LMRNN.load(step.run / "checkpoints" / f"step-{step.number - 1:08d}").double()
    module.alpha = step.model.alpha  # the file's is the same number
    b, loss = step.batch, step.config["loss"]
    inputs = torch.from_numpy(b.inputs.astype(np.float64))
    rules = torch.from_numpy(b.rules.astype(np.int64)) if b.rules.shape[2] else None
    noisy = step.config["network"]["recurrent_noise"] > 0
    if not noisy and not b.resets.any():
        logits, states = module(inputs, rules)
    else:  # LMRNN has neither resets nor our noise: step by step, with its own drive and recurrence
        drive = module._drive(inputs, rules) + torch.from_numpy(np.asarray(b.noise, dtype=np.float64))
        keep = torch.from_numpy(1.0 - b.resets)[..., None]
        h, states = torch.zeros_like(drive[0]), []
        for t, u in enumerate(drive):
            h = h * keep[t]
            h = (1 - module.alpha) * h + module.alpha * module._f(u + h @ (module.recurrent * module.recurrent_mask).t())
            states.append(h)
        states = torch.stack(states)
        logits = states @ (module.readout * module.readout_mask).t() + module.readout_bias
    value = torch_loss(torch, module, logits, states, b, loss)
    value.backward()
    if abs(value.item() - expected.loss) > 1e-7 * max(abs(expected.loss), 1e-6):
        raise Failure("torch", f"loss {value.item():.12g}, the readable twin's {expected.loss:.12g}")
    for group, wanted in expected.gradient.items():
        found = getattr(module, group).grad
        found = np.zeros(0) if found is None else found.numpy()
        if group == "recurrent":
            found = found[step.model.target_of, step.model.source_of]
        if found.size == 0:
            continue
        largest = max(np.abs(wanted).max(), 1e-30)
        if np.abs(found - wanted).max() > 1e-6 * largest:
            raise Failure("torch", f"gradient of {group} differs by {np.abs(found - wanted).max() / largest:.3g} "
                                   "of its largest entry from the readable twin's")
    statistics["compared with PyTorch"] += 1


def torch_loss(torch, module, logits, states, b, loss):
    """The loss of docs/concepts/training.md in PyTorch's words."""
    targets = torch.from_numpy(b.targets.astype(np.int64))
    weights = torch.from_numpy(b.weights.astype(np.float64))
    if loss["kind"] == "cross-entropy":
        steps = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    else:
        wanted = torch.from_numpy(readable.least_squares_targets(logits.shape[-1]))[targets.flatten()]
        steps = ((logits.flatten(0, 1) - wanted) ** 2).sum(dim=-1)
    total = weights.sum()
    value = (steps * weights.flatten()).sum() / (total if total > 0 else 1.0)
    value = value + loss["rate_penalty"] * (states**2).mean()
    mask = {"recurrent": module.recurrent_mask, "input": module.input_mask, "readout": module.readout_mask}
    for name in readable.WEIGHTS if loss["penalised"] == "all" else ("recurrent",):
        w = getattr(module, name)
        value = value + loss["weight_penalty"] / 2 * ((w * mask.get(name, 1.0)) ** 2).sum()
    return value


# A whole case -----------------------------------------------------------------------------------


def group_of(check):
    """Which of the parts of check_case a failure belongs to; None: any."""
    name = (check.split() or [""])[0]
    parts = {"torch": "arithmetic", "gradient": "arithmetic", "forward": "arithmetic", "checkpoints": "arithmetic"}
    name = parts.get(name, name)
    return name if name in ("threads", "resume", "kill", "arithmetic", "simd") else None


def check_case(case_in, directory, program, by="package", twin=True):
    """{"failures": [{check, detail}], "notes": {...}}. A case may name the "only" check to do. `twin`: the arithmetic, too, for which the Python
    package must be there."""
    statistics = dict.fromkeys(("ill-conditioned", "compared with PyTorch", "without PyTorch", "diverged",
                                "refused"), 0)
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
