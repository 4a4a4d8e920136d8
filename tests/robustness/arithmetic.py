"""Compares one optimiser step with the readable twin, and the twin with PyTorch."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import readable
import runs
from runs import Failure

# Single precision against double, of the largest entry of a group of parameters.
TOLERANCE = 1e-4
# Larger errors are allowed if the twin has them in single precision, too: such a configuration amplifies rounding
# errors in any program.
ILL_CONDITIONED = 20
# If activity is chaotic, rounding errors decide the gradient: where single precision costs the twin itself this share
# of a gradient, another order of additions may change all of it.
CHAOTIC = 1e-3
# PyTorch may differ from the twin in double precision by this many times what the last bits of the weights change
# there.
LAST_BITS = 1000
# If the input of a unit is this close to 0, in errors of single precision, rounding decides whether it is active.
# If there are more such places than this, only the closest are checked.
UNDECIDED, MOST_UNDECIDED = 4, 64
# In units of single precision's rounding error; and the limit below which a number counts as 0.
ROUNDING, TINY = 4e-7, 1e-37
# A few of the smallest numbers of single precision: the error of a product of two small numbers.
SUBNORMAL = 1e-44


class Step:
    """An optimiser step of a run: the checkpoints before and after it, and its batch."""

    def __init__(self, case, run, step):
        self.case, self.run, self.number = case, run, step
        self.config = runs.configuration(run)
        self.before, self.state_before = runs.checkpoint(run, step - 1)
        self.after, self.state_after = runs.checkpoint(run, step)
        self.file_model = model_of(self.before, self.config)  # what the network's file holds
        self.model = self.trained_model(self.file_model, self.state_before)
        self.gains = Gains(self.state_before) if "gains.values" in self.state_before else None
        self.batch = self.make_batch()

    def trained_model(self, model, state):
        """The model with the trained weights, if the file has their running average."""
        weights = model.weights
        if "weights" in state:
            parts = by_group(model, state["weights"])
            weights = {name: part.astype(np.float32) for name, part in parts.items()}
        degrees = np.bincount(model.target_of, minlength=len(weights["bias"]))
        return replace(
            model,
            weights=weights,
            plastic=plastic_synapses(model, self.config),
            degree=degrees[model.target_of],
            length=lengths(model, self.config["wiring"]),
            sign=signs(model, self.before, self.config["wiring"]),
        )

    def gains_moments(self, state):
        second = state.get("gains.second_moment")
        first = state["gains.first_moment"].astype(np.float64)
        return first, None if second is None else second.astype(np.float64)

    def make_batch(self):
        stream, number = self.config["stream"], self.number - 1
        n_steps, n_rows = stream["row_steps"], stream["batch"]
        if self.case.data:
            data = runs.RandomData(self.case.data)
            arrays = data.arrays("train", number, n_steps, n_rows)
            rules = (
                arrays["rules"][..., None]
                if data.n_rules
                else np.zeros((n_steps, n_rows, 0), np.int32)
            )
            inputs, targets, weights, starts = (
                arrays[k] for k in ("inputs", "targets", "mask", "trial_starts")
            )
        else:
            inputs, targets, weights, rules, starts = self.from_stream(stream, number)
        rows = slice(readable.rows_of(number, self.config))
        inputs, targets, weights, rules, starts = (
            array[:, rows] for array in (inputs, targets, weights, rules, starts)
        )
        n_rows = inputs.shape[1]
        sigma, noise = self.config["network"]["recurrent_noise"], np.zeros((n_steps, 1, 1))
        if sigma > 0:
            noise = np.float32(sigma) * readable.recurrent_noise(
                self.config["seed"], number, n_rows, n_steps, len(self.before["bias"])
            )
        resets = starts if stream["reset_at_trial"] else np.zeros_like(starts)
        return readable.Batch(inputs, rules, targets, weights, resets, noise)

    def from_stream(self, stream, number):
        import lmrnn

        options = {k: stream[k] for k in ("batch", "mode", "trials_per_task")}
        weights = self.config["loss"]["weights"]
        endless = lmrnn.Stream(
            lmrnn.Run(self.run).battery,
            seed=self.config["seed"],
            rules="index",
            weights=weights,
            steps=stream["row_steps"],
            **options,
        )
        batch = endless[number]
        return (
            batch.inputs,
            batch.targets,
            batch.mask,
            batch.info["rules"],
            batch.info["trial_starts"],
        )


def model_of(arrays, config):
    weights = {
        "recurrent": arrays["recurrent.weight"], "input": arrays["input.weight"],
        "bias": arrays["bias"],
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
        equation=config["network"].get("equation", "rate"),
    )


def plastic_synapses(model, config):
    """1 for each trained synapse, otherwise 0: those that are also in [wiring.plastic]."""
    subset = config["wiring"].get("plastic", {"kind": "all"})
    if subset["kind"] in ("all", "none"):
        return np.full(len(model.target_of), float(subset["kind"] == "all"))
    import lmrnn

    if subset["kind"] in ("within", "between"):
        area = area_of_units(config["wiring"])
        same = area[model.target_of] == area[model.source_of]
        return (same == (subset["kind"] == "within")).astype(np.float64)
    keys = ("rows", "cols", "metric", "boundary", "autapses")
    options = {key: config["wiring"][key] for key in keys}
    options |= {key: subset[key] for key in ("radius", "block_units", "path", "dataset")}
    if "coordinates_path" in config["wiring"]:
        options["coordinates_path"] = config["wiring"]["coordinates_path"]
    if "areas" in config["wiring"]:  # one radius for all, and nothing between
        areas = config["wiring"]["areas"]
        options["areas"] = [{k: v for k, v in area.items() if k != "radius"} for area in areas]
        if subset["kind"] != "file":
            options["between_density"] = 0.0
    if subset["kind"] in ("autapse", "file"):
        options["autapses"] = True
    seed = subset.get("seed", config["wiring"].get("seed", config["seed"]))
    mask = lmrnn.Mask.make(subset["kind"], seed=seed, **options).to_dense()
    return (mask[model.target_of, model.source_of] != 0).astype(np.float64)


def sizes_of_areas(wiring):
    """(rows, cols) of each area, or of the one sheet."""
    areas = wiring.get("areas", [{}])
    return [(a.get("rows", wiring["rows"]), a.get("cols", wiring["cols"])) for a in areas]


def area_of_units(wiring):
    sizes = [rows * cols for rows, cols in sizes_of_areas(wiring)]
    return np.repeat(np.arange(len(sizes)), sizes)


def lengths(model, wiring):
    """Distances on the sheet between the units of each synapse."""
    if "areas" in wiring:
        return lengths_in_areas(model, wiring)
    return lengths_on_sheet(model, wiring)


def lengths_in_areas(model, wiring):
    """Within an area, as on a sheet of its own; between areas, wiring.between_length."""
    area = area_of_units(wiring)
    first = np.searchsorted(area, np.arange(area.max() + 1))
    result = np.full(len(model.target_of), float(wiring.get("between_length", 0)))
    for number, (rows, cols) in enumerate(sizes_of_areas(wiring)):
        inside = (area[model.target_of] == number) & (area[model.source_of] == number)
        part = SimpleNamespace(
            target_of=model.target_of[inside] - first[number],
            source_of=model.source_of[inside] - first[number],
        )
        alone = {k: v for k, v in wiring.items() if k != "areas"} | {"rows": rows, "cols": cols}
        result[inside] = lengths_on_sheet(part, alone)
    return result


def lengths_on_sheet(model, wiring):
    if "coordinates_path" in wiring:
        places = runs.read_array(wiring["coordinates_path"], "coordinates")
        apart = np.abs(places[model.target_of] - places[model.source_of])
        if wiring["metric"] == "l2":
            return np.sqrt((apart**2).sum(axis=1))
        return apart.sum(axis=1) if wiring["metric"] == "l1" else apart.max(axis=1)
    rows, cols = wiring["rows"], wiring["cols"]
    apart = [
        np.abs(model.target_of // cols - model.source_of // cols),
        np.abs(model.target_of % cols - model.source_of % cols),
    ]
    if wiring["boundary"] == "torus":
        apart = [np.minimum(d, n - d) for d, n in zip(apart, (rows, cols))]
    down, across = (d.astype(np.float64) for d in apart)
    if wiring["metric"] == "l1":
        return down + across
    return np.hypot(down, across) if wiring["metric"] == "l2" else np.maximum(down, across)


def signs(model, arrays, wiring):
    """1 for synapses of excitatory units, -1 for those of inhibitory ones; 0 without types."""
    share, placement = wiring.get("excitatory", 0), wiring.get("excitatory_placement", "random")
    if share == 0 and placement != "file":
        if "excitatory" in arrays:
            raise Failure("types of units", "a network file has types that its run has not")
        return 0.0
    types = arrays["excitatory"].astype(np.int64)
    n_wanted = len(types) - int(np.floor((1 - share) * len(types) + 0.5))
    if placement == "random" and types.sum() != n_wanted:
        raise Failure("types of units", f"{types.sum()} excitatory units instead of {n_wanted}")
    if placement == "file":
        given = np.load(wiring["excitatory_path"])
        if (types != (given["excitatory"] if hasattr(given, "files") else given)).any():
            raise Failure("types of units", "they are not those of the file")
    return 2.0 * types[model.source_of] - 1.0


class Gains:
    """Gains of the initial weights, which are trained instead of the weights."""

    def __init__(self, state):
        self.initial, self.group = state["gains.initial"], state["gains.groups"].astype(np.int64)
        self.n = len(state["gains.values"])

    def add(self, values):
        """(gain) The sum of `values` of synapses times their initial weights."""
        return np.bincount(self.group, self.initial * np.float64(values), self.n)

    def weights(self, state, before, plastic):
        """(synapse) The weights after the gains of `state` are applied to the plastic ones."""
        made = (state["gains.values"][self.group] * self.initial).astype(np.float64)
        return np.where(plastic != 0, made, before)


def by_group(model, flat):
    """A flat array of all parameters, split into groups."""
    parts, at = {}, 0
    for name in readable.GROUPS:
        shape = model.weights[name].shape
        size = int(np.prod(shape))
        parts[name] = flat[at : at + size].reshape(shape).astype(np.float64)
        at += size
    return parts


def undecided(model, batch):
    """Places (time, row, unit) where rounding decides on which side of ReLU's kink a unit is."""
    if model.activation != "relu":
        return []
    exact = readable.forward(model.astype(np.float64), batch)[0]
    single = readable.forward(model.astype(np.float32), batch)[0]
    nearest = np.where((exact == 0) & (single == 0), np.inf, np.abs(exact)).ravel()
    order = np.argsort(nearest, kind="stable")[:MOST_UNDECIDED]
    close = order[nearest[order] <= UNDECIDED * np.abs(single - exact).max()]
    return [tuple(int(i) for i in np.unravel_index(k, exact.shape)) for k in close]


def of_the_kink(model, batch, loss, gradient):
    """By group, how much a gradient may change because rounding decides whether units are active: every such unit is
    switched by itself. The loss hardly depends on this, but the gradient jumps."""
    change = dict.fromkeys(gradient, 0.0)
    for place in undecided(model, batch):
        turned = readable.loss_and_gradient(model.astype(np.float64), batch, loss, place)[1]
        for group, value in gradient.items():
            change[group] += float(np.abs(turned[group] - value).max(initial=0))
    return change


class Expected:
    """Loss and gradient of a batch by the readable twin; `loose` widens the tolerances if single precision is not
    enough."""

    def __init__(self, model, batch, loss, gains=None):
        self.model, self.of = model, (batch, loss)
        self.loss, self.gradient = readable.loss_and_gradient(model.astype(np.float64), batch, loss)
        self.errors = None
        self.trained = dict(self.gradient)  # what the optimiser has
        if gains:
            self.trained["recurrent"] = gains.add(self.gradient["recurrent"])

    def tolerance(self, group):
        """Absolute tolerance of an entry of the gradient."""
        return TOLERANCE * np.abs(self.gradient[group]).max(initial=0)

    def loose(self, group):
        if self.errors is None:
            single_loss, single = readable.loss_and_gradient(
                self.model.astype(np.float32), *self.of
            )
            self.errors = {
                k: np.abs(single[k] - v).max(initial=0) for k, v in self.gradient.items()
            }
            self.errors["loss"] = abs(single_loss - self.loss)
            self.kink = of_the_kink(self.model, *self.of, self.gradient)
            self.chaotic = any(
                self.errors[k] > CHAOTIC * np.abs(v).max(initial=0)
                for k, v in self.gradient.items()
            )
        if self.chaotic and group != "loss":
            return np.inf
        return ILL_CONDITIONED * self.errors[group] + self.kink.get(group, 0)

    def decided_by_last_bits(self):
        """Of the loss and each group of the gradient, what the last bits of double precision decide: the largest change
        when the weights change by one unit in the last place, up or down at random. If the targets are reached up to
        rounding, so that p - 1 of softmax has no digits left, also the change from one such unit of it."""
        exact, rng = self.model.astype(np.float64), np.random.default_rng(1)
        batch, loss = self.of
        up_or_down = {
            name: np.nextafter(value, np.where(rng.random(value.shape) < 0.5, np.inf, -np.inf))
            for name, value in exact.weights.items()
        }
        changed, gradient = readable.loss_and_gradient(
            replace(exact, weights=up_or_down), batch, loss
        )
        n_classes = len(exact.weights["readout_bias"])
        others = replace(batch, targets=(batch.targets + 1) % n_classes)
        unreached = readable.loss_and_gradient(exact, others, loss)[1]
        unit = np.finfo(np.float64).eps
        return {"loss": abs(changed - self.loss)} | {
            k: np.abs(gradient[k] - v).max(initial=0) + unit * np.abs(unreached[k]).max(initial=0)
            for k, v in self.gradient.items()
        }


def require_close(check, what, found, expected, allowed, loosely):
    """Checks entries to within `allowed`; calls loosely() only if they are not. Returns whether it had to."""
    error = np.abs(found - expected)
    if not np.isfinite(found).all():
        raise Failure(check, f"{what}: not finite")
    if (error <= allowed).all():
        return False
    excess = float((error - allowed).max())
    if excess <= loosely():
        return True
    at = np.unravel_index(int((error - allowed).argmax()), error.shape) if error.ndim else ()
    raise Failure(
        check,
        f"{what}{[int(i) for i in at]}: {float(found[at]):.9g} instead of "
        f"{float(expected[at]):.9g}; the largest of the group is "
        f"{float(np.abs(expected).max()):.4g}",
    )


def check_step(check, step, statistics):
    """Loss, moments and weights after a step against the readable twin."""
    expected = Expected(step.model, step.batch, step.config["loss"], step.gains)
    loss = np.float64(runs.metrics(step.run)[step.number]["loss"])
    loose = require_close(
        check, "loss", loss, np.float64(expected.loss),
        TOLERANCE * max(abs(expected.loss), 1e-6), lambda: expected.loose("loss"),
    )  # fmt: skip
    for group in readable.GROUPS:
        loose |= check_moments(check, step, expected, group)
        check_weights(check, step, group)
    statistics["ill-conditioned"] += loose
    return expected


def moments(step, state, group):
    """The first and second moment of a group, the latter None for SGD, before or after a step."""
    second = state.get("second_moment")
    return (
        by_group(step.model, state["first_moment"])[group],
        None if second is None else by_group(step.model, second)[group],
    )


def check_moments(check, step, expected, group):
    """Checks both moments, which contain the gradient. Returns whether single precision was not enough for them."""
    optimiser = step.config["optimiser"]
    scale = readable.clip_scale(optimiser, expected.trained)
    gradient = scale * expected.trained[group]
    first, second = moments(step, step.state_before, group)
    found_first, found_second = moments(step, step.state_after, group)
    if step.gains and group == "recurrent" and any(
        m is not None and m.any() for m in (found_first, found_second)
    ):
        raise Failure(check, "weights that gains stand for have moments of their own")
    of = step.gains_moments if step.gains and group == "recurrent" else None
    if of:
        (first, second), (found_first, found_second) = of(step.state_before), of(step.state_after)
    first, second = readable.moments_after(optimiser, gradient, first, second)
    # Twice: if the gradient is clipped, its norm has an error, too.
    size = np.bincount(step.gains.group, np.abs(step.gains.initial), step.gains.n) if of else 1.0
    error = 2 * scale * expected.tolerance(group) * size
    loose_error = lambda: 2 * scale * expected.loose(group) * np.max(size)
    share = 1 - optimiser["beta1"] if optimiser["kind"] == "adam" else 1
    loose = require_close(
        check, f"first moment of {group}", found_first, first,
        share * error + ROUNDING * np.abs(first) + TINY, lambda: share * loose_error(),
    )  # fmt: skip
    if second is None:
        return loose
    share, largest = 1 - optimiser["beta2"], np.abs(gradient).max(initial=0)
    of_square = lambda e: share * e * (2 * largest + e)
    return loose | require_close(
        check, f"second moment of {group}", found_second, second,
        of_square(error) + ROUNDING * np.abs(second) + TINY, lambda: of_square(loose_error()),
    )  # fmt: skip


def check_gains(check, step, n_before, factor):
    """Checks gains after the step, computed from the moments after it."""
    optimiser, state = step.config["optimiser"], step.state_after
    before = step.state_before["gains.values"].astype(np.float64)
    first, second = step.gains_moments(state)
    after = readable.weights_after(optimiser, "recurrent", before, first, second, n_before, factor)
    if np.ndim(step.model.sign):
        after = np.maximum(after, 0)
    allowed = 5 * ROUNDING * (np.abs(before) + np.abs(after - before)) + TINY
    if optimiser["kind"] == "adam":
        allowed += SUBNORMAL / (optimiser["epsilon"] * np.sqrt(1 - optimiser["beta2"] ** step.number))
    found = state["gains.values"].astype(np.float64)
    require_close(check, "gains", found, after, allowed, lambda: 0)


def check_weights(check, step, group):
    """Checks weights after the step, computed from the moments after it, and their average, from the weights."""
    n_before, optimiser = step.number - 1, step.config["optimiser"]
    cooldown_from = int(step.state_after.get("cooldown_from", [-1])[0])
    if cooldown_from > n_before:  # it begins after this step
        cooldown_from = -1
    factor = readable.schedule_factor(
        step.config["schedule"], n_before, step.config["train"]["steps"], cooldown_from
    )
    factor_of_schedule = factor
    if group == "recurrent":
        power = optimiser.get("in_degree_power", 0)
        factor = factor * step.model.plastic * np.maximum(step.model.degree, 1.0) ** -power
    before = step.model.weights[group].astype(np.float64)
    first, second = moments(step, step.state_after, group)
    if step.gains and group == "recurrent":
        check_gains(check, step, n_before, factor_of_schedule)
        after = step.gains.weights(step.state_after, before, step.model.plastic)
    else:
        after = readable.weights_after(optimiser, group, before, first, second, n_before, factor)
    if group == "recurrent":  # what is not trained has its sign from the beginning
        after = readable.keeping_signs(step.model, after)
    file_model = model_of(step.after, step.config)
    found = step.trained_model(file_model, step.state_after).weights[group].astype(np.float64)
    allowed = 5 * ROUNDING * (np.abs(before) + np.abs(after - before)) + TINY
    if optimiser["kind"] == "adam":  # rate times mean may be subnormal before epsilon divides it
        root = np.sqrt(1 - optimiser["beta2"] ** step.number)  # which both are multiplied by
        allowed += SUBNORMAL / (optimiser["epsilon"] * root)
    require_close(check, f"weights of {group}", found, after, allowed, lambda: 0)
    if "weights" in step.state_after:
        average = step.file_model.weights[group].astype(np.float64)
        decay = step.config["train"]["average"]
        wanted = readable.average_after(decay, average, found, n_before)
        allowed = 5 * ROUNDING * (np.abs(average) + np.abs(found)) + TINY
        in_file = file_model.weights[group]
        require_close(check, f"average of {group}", in_file, wanted, allowed, lambda: 0)
    sign = step.model.sign if group == "recurrent" else 0.0
    if (found * sign < 0).any() or (file_model.weights[group] * sign < 0).any():
        raise Failure(check, "a recurrent weight has another sign than its source")
    masks = {"input": step.model.input_mask, "readout": step.model.readout_mask}
    if group in masks and (found[masks[group] == 0] != 0).any():
        raise Failure(check, f"{group}: a weight where there is no synapse")


def step_of(case, name, target, number):
    """The last step of a run up to about step `number` on this target; None if it diverges."""
    changes = {"checkpoint.every": 1, "checkpoint.keep_last": 2, "train.log_every": 1}
    if not any(key.startswith(("train.stop_", "curriculum.adaptive")) for key in case.config):
        # those need evaluations
        changes["evaluation.every"] = 0
    if target:
        changes["simd"] = target
    run, outcome = case.train(name, 1, changes, stop=number)
    if outcome not in ("stopped", "done"):
        return None
    return Step(case, run, runs.checkpoint_steps(run)[-1])


def known_to_twin(config):
    """Whether the twin can do it: it has neither the weights of balanced losses nor the draws of curricula."""
    curriculum = config.get("curriculum", {})
    return config["loss"].get("balance", "steps") == "steps" and not (
        curriculum.get("stage") or curriculum.get("adaptive")
    )


def check_arithmetic(case, expected, statistics):
    """Checks the step on the case's own target, also against PyTorch."""
    step = step_of(case, "arithmetic", None, case.case["check_step"])
    if step is None:
        return
    key = f"checkpoints/step-{step.number:08d}/network.safetensors"
    if key in expected and runs.digest((step.run / key).read_bytes()) != expected[key]:
        raise Failure("checkpoints", f"{key} depends on how often a checkpoint is kept")
    if case.runner is not case.program:
        check_network(case, step, statistics)
    if not known_to_twin(step.config):
        statistics["without the twin"] += 1
        return
    found = check_step("arithmetic", step, statistics)
    if case.runner is not case.program:
        check_torch(step, found, statistics)


def check_target(case, statistics):
    """Checks the first step on another SIMD target."""
    target = case.case.get("other_target")
    if target not in case.targets or target == case.own_target:
        return
    step = step_of(case, f"simd-{target}", target, 1)
    if step is not None and known_to_twin(step.config):
        check_step(f"simd {target}", step, statistics)


def check_network(case, step, statistics):
    """Checks lmrnn.Network on the same batch: states and logits, one trial alone, and its own gradient."""
    import lmrnn

    network = lmrnn.Network.load(step.run / "checkpoints" / f"step-{step.number - 1:08d}")
    b = step.batch
    rules = b.rules if b.rules.shape[2] else None
    sigma = step.config["network"]["recurrent_noise"]
    options = {"rules": rules, "resets": b.resets.astype(bool)}
    noise = {"recurrent_noise": sigma, "seed": 7} if sigma > 0 else {}
    one = network.forward(b.inputs, threads=1, **options, **noise)
    many = network.forward(b.inputs, threads=case.case["threads"], **options, **noise)
    for name, x, y in zip(("states", "logits"), one, many):
        if x.tobytes() != y.tobytes():
            raise Failure("forward threads", f"{name} differ for {case.case['threads']} threads")
    silent = readable.Batch(
        b.inputs, b.rules, b.targets, b.weights, b.resets, np.zeros((len(b.inputs), 1, 1))
    )
    # Exact where noise plays no part.
    model = step.file_model.astype(np.float64)
    _, states, logits = readable.forward(model, silent)
    alone = b.inputs.shape[1] // 2
    single = network.forward(
        np.ascontiguousarray(b.inputs[:, alone : alone + 1]),
        rules=None if rules is None else np.ascontiguousarray(rules[:, alone : alone + 1]),
        resets=b.resets[:, alone : alone + 1].astype(bool).copy(),
    )
    if sigma == 0:
        close("forward", step, silent, one, (states, logits), slice(None), statistics)
    close(
        "forward of one trial",
        step,
        silent,
        single,
        (states, logits),
        slice(alone, alone + 1),
        statistics,
    )
    loss, gradient = network.loss_and_gradient(
        b.inputs, b.targets, mask=b.weights, loss=step.config["loss"]["kind"], **options
    )
    plain = step.config["loss"] | {"rate_penalty": 0, "weight_penalty": 0, "wire_penalty": 0}
    expected = Expected(step.file_model, silent, plain)
    loose = require_close(
        "gradient",
        "loss",
        np.float64(loss),
        np.float64(expected.loss),
        TOLERANCE * max(abs(expected.loss), 1e-6),
        lambda: expected.loose("loss"),
    )
    for group in readable.GROUPS:
        loose |= require_close(
            "gradient",
            group,
            np.asarray(gradient[group], dtype=np.float64),
            expected.gradient[group],
            expected.tolerance(group) + TINY,
            lambda: expected.loose(group),
        )
    statistics["ill-conditioned"] += loose


def close(check, step, batch, found, wanted, rows, statistics):
    def loosely(k):
        single = readable.forward(step.file_model.astype(np.float32), batch)[1 + k][:, rows]
        return ILL_CONDITIONED * float(np.abs(single - wanted[k][:, rows]).max())

    for k, name in enumerate(("states", "logits")):
        expected = wanted[k][:, rows]
        statistics["ill-conditioned"] += require_close(
            check,
            name,
            found[k].astype(np.float64),
            expected,
            TOLERANCE * np.abs(expected).max() + TINY,
            lambda: loosely(k),
        )


def check_torch(step, expected, statistics):
    """Checks the twin's loss and gradient against PyTorch's autograd through lmrnn.torch.LMRNN, in double precision:
    the program has already been compared with the twin."""
    try:
        import torch
    except ImportError:
        statistics["without PyTorch"] += 1
        return
    import lmrnn
    import lmrnn.torch

    torch.set_num_threads(1)
    # PyTorch's own operations, because the comparison must not use the program's engine.
    module = lmrnn.torch.LMRNN.load(
        step.run / "checkpoints" / f"step-{step.number - 1:08d}", backend="reference"
    ).double()
    if module.backend_in_use[0] != "reference":
        raise Failure("torch", f"the engine would answer: {module.backend_in_use[1]}")
    module._engine = module._wide = None
    module.alpha = step.model.alpha  # the file's is the same number
    with torch.no_grad():  # the file may hold an average of them
        for name, value in step.model.weights.items():
            getattr(module, name).copy_(torch.from_numpy(value))
    b, loss = step.batch, step.config["loss"]
    inputs = torch.from_numpy(b.inputs.astype(np.float64))
    rules = torch.from_numpy(b.rules.astype(np.int64)) if b.rules.shape[2] else None
    noisy = step.config["network"]["recurrent_noise"] > 0
    voltage = module.equation == "voltage"
    if module.equation != step.model.equation:
        raise Failure("torch", f"the file says {module.equation}, the run {step.model.equation}")
    if not noisy and not b.resets.any():
        states, logits = module(inputs, rules)
        rates = module._f(states) if voltage else states
    else:  # with the twin's noise, step by step, with the module's drive and recurrence
        drive = module._drive(inputs, rules) + torch.from_numpy(
            np.asarray(b.noise, dtype=np.float64)
        )
        keep = torch.from_numpy(1.0 - b.resets)[..., None]
        h, states = torch.zeros_like(drive[0]), []
        for t, u in enumerate(drive):
            h = h * keep[t]
            u = u + (module._f(h) if voltage else h) @ module.recurrent_matrix.t()
            if module.equation == "rate":
                h = (1 - module.alpha) * h + module.alpha * module._f(u)
            else:
                h = (1 - module.alpha) * h + module.alpha * u
                h = h if voltage else module._f(h)
            states.append(h)
        states = torch.stack(states)
        rates = module._f(states) if voltage else states
        logits = rates @ (module.readout * module.readout_mask).t() + module.readout_bias
    value = torch_loss(torch, step.model, module, logits, rates, b, loss)
    value.backward()
    last_bits = None

    def beyond(group, error, allowed):
        """Whether PyTorch differs from the twin by more than allowed for both: if activity is chaotic, a gradient has
        few reliable digits even in double precision."""
        nonlocal last_bits
        if error <= allowed:
            return False
        last_bits = last_bits or expected.decided_by_last_bits()
        return error > allowed + LAST_BITS * last_bits[group]

    error = abs(value.item() - expected.loss)
    if beyond("loss", error, 1e-7 * max(abs(expected.loss), 1e-6)):
        raise Failure(
            "torch", f"loss {value.item():.12g}, the readable twin's {expected.loss:.12g}"
        )
    for group, wanted in expected.gradient.items():
        found = getattr(module, group).grad
        found = np.zeros(0) if found is None else found.numpy()
        if group == "recurrent":
            found = found * step.model.plastic
        if found.size == 0:
            continue
        largest = max(np.abs(wanted).max(), 1e-30)
        if beyond(group, np.abs(found - wanted).max(), 1e-6 * largest):
            raise Failure(
                "torch",
                f"gradient of {group} differs by {np.abs(found - wanted).max() / largest:.3g} "
                "of its largest entry from the readable twin's",
            )
    statistics["compared with PyTorch"] += 1
    statistics["ill-conditioned"] += last_bits is not None


def torch_loss(torch, model, module, logits, rates, b, loss):
    """The loss of docs/concepts/training.md in PyTorch."""
    targets = torch.from_numpy(b.targets.astype(np.int64))
    weights = torch.from_numpy(b.weights.astype(np.float64))
    if loss["kind"] == "cross-entropy":
        steps = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), reduction="none"
        )
    else:
        wanted = torch.from_numpy(readable.least_squares_targets(logits.shape[-1]))[
            targets.flatten()
        ]
        steps = ((logits.flatten(0, 1) - wanted) ** 2).sum(dim=-1)
    total = weights.sum()
    value = (steps * weights.flatten()).sum() / (total if total > 0 else 1.0)
    value = value + loss["rate_penalty"] * (rates**2).mean()
    mask = {
        "recurrent": torch.from_numpy(model.plastic.astype(np.float64)),
        "input": module.input_mask,
        "readout": module.readout_mask,
    }
    for name in readable.WEIGHTS if loss["penalised"] == "all" else ("recurrent",):
        w = getattr(module, name)
        value = value + loss["weight_penalty"] / 2 * ((w * mask.get(name, 1.0)) ** 2).sum()
    cost = model.length ** loss.get("wire_power", 1) * model.plastic
    wire = (torch.from_numpy(np.asarray(cost, dtype=np.float64)) * module.recurrent.abs()).sum()
    return value + loss.get("wire_penalty", 0) * wire
