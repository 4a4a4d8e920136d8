"""The readable twin of training, in NumPy and double precision: one optimiser step as
docs/math/network.md and docs/concepts/training.md describe it.

Shares no code with the program. The batch of a step is given. The noise inside the network is a function of seed, step,
row, time and unit, implemented again here."""

from dataclasses import dataclass

import numpy as np

PERIODS = ("fixation", "stimulus", "delay", "second_stimulus", "decision")
GROUPS = ("recurrent", "input", "rule", "bias", "readout", "readout_bias")
WEIGHTS = ("recurrent", "input", "rule", "readout")  # with decay and penalties; biases have none


# Noise: Philox4x32-10 (Salmon et al. 2011) and the transform of Box and Muller -------------------


def philox(counter, key):
    """(4, n) words of 32 bits as uint64, for four arrays of counter words and two key words."""
    c0, c1, c2, c3 = (np.asarray(c, dtype=np.uint64) for c in np.broadcast_arrays(*counter))
    k0, k1 = (int(k) for k in key)
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        a, b = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (
            (b >> np.uint64(32)) ^ c1 ^ np.uint64(k0), b & low,
            (a >> np.uint64(32)) ^ c3 ^ np.uint64(k1), a & low,
        )  # fmt: skip
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3])


def recurrent_noise(seed, batch, n_rows, n_steps, n_units):
    """xi (time, row, unit) of an optimiser step: number time * n_units + unit of each row."""
    index = np.arange(n_steps * n_units, dtype=np.uint64)
    n_blocks = (len(index) + 63) // 64 * 16
    domain = 4 << 8  # recurrent noise, split train
    words = philox(
        (np.arange(n_blocks)[None], np.arange(n_rows)[:, None], batch, domain),
        (seed & 0xFFFFFFFF, seed >> 32),
    )
    # Number 64 g + 16 j + l is normal j of block 16 g + l.
    block = (index // 64 * 16 + index % 16).astype(np.int64)
    j = (index % 64 // 16).astype(np.int64)
    u = ((words >> np.uint64(1)).astype(np.float64) + 0.5) / 2**31
    size, corner = u[j & 2, :, block], words[(j & 2) + 1, :, block]
    radius = np.sqrt(-2 * np.log(size))
    angle = ((corner & np.uint64(0x1FFFFFFF)).astype(np.float64) + 0.5) * (np.pi / 4 / 2**29)
    # The three top bits choose the octant: exchange of sine and cosine, and both signs.
    exchange = (corner & np.uint64(0x20000000)) != 0
    sign = (
        np.where(corner & np.uint64(0x80000000), -1.0, 1.0),
        np.where(corner & np.uint64(0x40000000), -1.0, 1.0),
    )
    first = sign[0] * np.where(exchange, np.sin(angle), np.cos(angle))
    second = sign[1] * np.where(exchange, np.cos(angle), np.sin(angle))
    normals = radius * np.where((j & 1)[:, None] == 1, second, first)  # (index, row)
    return normals.reshape(n_steps, n_units, n_rows).transpose(0, 2, 1)


# The network ------------------------------------------------------------------------------------


@dataclass
class Model:
    """Weights by group, `recurrent` by synapse; masks are 0 or 1."""

    weights: dict
    target_of: np.ndarray  # (synapse)
    source_of: np.ndarray  # (synapse)
    input_mask: np.ndarray  # (unit, channel)
    readout_mask: np.ndarray  # (class, unit)
    alpha: float
    activation: str
    plastic: np.ndarray | float = 1.0  # (synapse) 1 where the weight is trained
    degree: np.ndarray | float = 1.0  # (synapse) in-degree of its unit
    length: np.ndarray | float = 0.0  # (synapse) distance of its units on the sheet
    sign: np.ndarray | float = 0.0  # (synapse) 1 or -1, of its source; 0 if signs are free
    equation: str = "rate"

    def matrix(self):
        n = len(self.weights["bias"])
        dense = np.zeros((n, n), dtype=self.weights["bias"].dtype)
        dense[self.target_of, self.source_of] = self.weights["recurrent"]
        return dense

    def astype(self, kind):
        weights = {name: value.astype(kind) for name, value in self.weights.items()}
        return Model(
            weights,
            self.target_of,
            self.source_of,
            self.input_mask,
            self.readout_mask,
            self.alpha,
            self.activation,
            self.plastic,
            self.degree,
            self.length,
            self.sign,
            self.equation,
        )


@dataclass
class Batch:
    """inputs (time, row, channel), rules (time, row, slot), -1 for none; the rest (time, row)."""

    inputs: np.ndarray
    rules: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    resets: np.ndarray
    noise: np.ndarray  # (time, row, unit), sigma included; or 0


def rate(f, u):
    if f == "relu":
        return np.maximum(u, 0)
    if f == "tanh":
        return np.tanh(u)
    return np.maximum(u, 0) + np.log1p(np.exp(-np.abs(u)))


def slope(f, u):
    if f == "relu":
        return (u > 0).astype(u.dtype)
    if f == "tanh":
        return 1 - np.tanh(u) ** 2
    return 0.5 * (1 + np.tanh(0.5 * u))


def rules_one_hot(batch, n_rules, kind):
    """How often each rule is on: (time, row, rule)."""
    on = np.zeros((*batch.rules.shape[:2], n_rules + 1), dtype=kind)
    for slot in range(batch.rules.shape[2]):  # -1 selects the last, which is dropped
        np.add.at(on, (*np.indices(batch.rules.shape[:2]), batch.rules[:, :, slot]), 1)
    return on[..., :n_rules]


def seen(model, states):
    """h, what other units and the readout see of states: f of voltages."""
    return rate(model.activation, states) if model.equation == "voltage" else states


def forward(model, batch):
    """The argument of f in each step and states (time, row, unit), and logits (time, row, class). In the voltage form,
    f is applied to the states."""
    w, kind = model.weights, model.weights["bias"].dtype
    matrix, a = model.matrix(), kind.type(model.alpha)
    drive = (
        batch.inputs.astype(kind) @ w["input"].T + w["bias"] + np.asarray(batch.noise, dtype=kind)
    )
    if len(w["rule"]):
        drive = drive + rules_one_hot(batch, len(w["rule"]), kind) @ w["rule"]
    states = np.empty_like(drive)
    h = np.zeros_like(drive[0])
    for t in range(len(drive)):
        h = np.where(batch.resets[t][:, None], kind.type(0), h)
        drive[t] += seen(model, h) @ matrix.T
        if model.equation == "rate":
            h = (1 - a) * h + a * rate(model.activation, drive[t])
        else:
            drive[t] = (1 - a) * h + a * drive[t]
            h = drive[t] if model.equation == "voltage" else rate(model.activation, drive[t])
        states[t] = h
    return drive, states, seen(model, states) @ w["readout"].T + w["readout_bias"]


def least_squares_targets(n_classes):
    """The outputs wanted for each class, a row per target: Yang et al. 2019."""
    n_ring = n_classes - 1
    wanted = np.full((n_classes, n_classes), 0.05)
    wanted[0, 0] = 0.85
    k = np.arange(n_ring)
    turn = np.abs(k[:, None] - k) / max(n_ring, 1)
    distance = 2 * np.pi * np.minimum(turn, 1 - turn)
    wanted[1:, 1:] += 0.8 * np.exp(-0.5 * (distance / (np.pi / 8)) ** 2)
    return wanted


def loss_and_slope(kind, logits, targets):
    """The loss (time, row), and its gradient (time, row, class)."""
    if kind == "least-squares":
        error = logits - least_squares_targets(logits.shape[-1])[targets].astype(logits.dtype)
        return (error**2).sum(axis=-1), 2 * error
    centred = logits - logits.max(axis=-1, keepdims=True)
    exponential = np.exp(centred)
    total = exponential.sum(axis=-1, keepdims=True)
    own = np.take_along_axis(centred, targets[..., None], -1)
    gradient = exponential / total
    np.put_along_axis(
        gradient, targets[..., None], np.take_along_axis(gradient, targets[..., None], -1) - 1, -1
    )
    return (np.log(total) - own)[..., 0], gradient


def loss_and_gradient(model, batch, loss, turned=None):
    """Loss of a batch, including penalties, and its gradient by group; `loss` is [loss]. `turned`, a place (time, row,
    unit): uses the other slope of ReLU there."""
    w, kind = model.weights, model.weights["bias"].dtype
    u, states, logits = forward(model, batch)
    h = seen(model, states)
    step_loss, dlogits = loss_and_slope(loss["kind"], logits, batch.targets)
    total = batch.weights.sum(dtype=np.float64)
    scale = 1 / total if total > 0 else 0.0
    value = float((batch.weights * step_loss).sum(dtype=np.float64) * scale)
    value += loss["rate_penalty"] * float((h.astype(np.float64) ** 2).mean())
    dlogits = dlogits * (batch.weights * scale)[..., None].astype(kind)

    through_readout = dlogits @ w["readout"] + kind.type(2 * loss["rate_penalty"] / h.size) * h
    matrix, a = model.matrix(), kind.type(model.alpha)
    # Gradients through later steps: with respect to the state, by the leak, and to h, by synapses.
    delta, later, later_seen = np.empty_like(u), np.zeros_like(u[0]), np.zeros_like(u[0])
    slopes = slope(model.activation, u)
    if turned is not None:
        slopes[turned] = 1 - slopes[turned]
    for t in reversed(range(len(u))):
        if model.equation == "rate":
            g = through_readout[t] + (later + later_seen)
            delta[t] = a * slopes[t] * g
        elif model.equation == "voltage":
            g = later + slopes[t] * (through_readout[t] + later_seen)
            delta[t] = a * g
        else:
            g = slopes[t] * (through_readout[t] + (later + later_seen))
            delta[t] = a * g
        begins = batch.resets[t][:, None]
        later = np.where(begins, kind.type(0), (1 - a) * g)
        later_seen = np.where(begins, kind.type(0), delta[t] @ matrix)
    before = np.concatenate([np.zeros_like(h[:1]), states[:-1]])
    before[batch.resets.astype(bool)] = 0
    before = seen(model, before)

    flat = lambda x: x.reshape(x.shape[0] * x.shape[1], x.shape[2])
    n_rules = len(w["rule"])
    pairs = flat(delta).T @ flat(before)
    gradient = {
        "recurrent": pairs[model.target_of, model.source_of] * model.plastic,
        "input": (flat(delta).T @ flat(batch.inputs.astype(kind))) * model.input_mask,
        "rule": flat(rules_one_hot(batch, n_rules, kind)).T @ flat(delta),
        "bias": flat(delta).sum(axis=0),
        "readout": (flat(dlogits).T @ flat(h)) * model.readout_mask,
        "readout_bias": flat(dlogits).sum(axis=0),
    }
    for name in WEIGHTS if loss["penalised"] == "all" else ("recurrent",):
        trained = w[name] * (model.plastic if name == "recurrent" else 1)
        value += loss["weight_penalty"] / 2 * float((trained.astype(np.float64) ** 2).sum())
        gradient[name] = gradient[name] + kind.type(loss["weight_penalty"]) * trained
    value += wire_penalty(model, loss)
    gradient["recurrent"] = gradient["recurrent"] + wire_slope(model, loss).astype(kind)
    return value, gradient


def wire_slope(model, loss):
    """The gradient of the wire penalty for each recurrent weight; 0 where the weight is 0."""
    cost = loss.get("wire_penalty", 0) * model.length ** loss.get("wire_power", 1)
    return cost * model.plastic * np.sign(model.weights["recurrent"])


def wire_penalty(model, loss):
    weights = model.weights["recurrent"].astype(np.float64)
    return float((wire_slope(model, loss) * weights).sum())


# The optimiser ----------------------------------------------------------------------------------


def schedule_factor(schedule, step, n_steps, cooldown_from=-1):
    """The factor of the rates in step `step`, from 0. Open-ended schedules: the cool-down begins after `cooldown_from`
    steps, -1: not yet."""
    now, warmup = step + 0.5, schedule["warmup"] * n_steps
    falls = schedule["kind"] == "open-ended" and cooldown_from >= 0
    if now < warmup and not falls:
        return now / warmup
    if schedule["kind"] == "cosine":
        share = (now - warmup) / (n_steps - warmup)
        return schedule["last"] + (1 - schedule["last"]) * 0.5 * (1 + np.cos(np.pi * share))
    if schedule["kind"] == "warmup-cooldown" and schedule["cooldown"] > 0:
        left = (n_steps - now) / (schedule["cooldown"] * n_steps)
        return 1.0 if left >= 1 else schedule["last"] + (1 - schedule["last"]) * left
    if falls:
        end = end_of_cooldown(schedule, cooldown_from, n_steps)
        left = (end - now) / (end - cooldown_from)
        reached = min(1.0, cooldown_from / warmup) if warmup > 0 else 1.0
        return reached * (schedule["last"] + (1 - schedule["last"]) * left)
    return 1.0


def norm(gradient):
    return float(np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in gradient.values())))


def end_of_cooldown(schedule, step, n_steps):
    """The last step of an open-ended training whose cool-down begins after `step` steps."""
    share = schedule["cooldown"] / (1 - schedule["cooldown"])
    return min(n_steps, step + int(np.ceil(share * step)))


def rows_of(step, config):
    """Rows of the batch of step `step`, which grows by whole blocks."""
    stream, batch = config["stream"], config["stream"]["batch"]
    growth = stream.get("grow_until", 0) * config["train"]["steps"]
    if stream.get("grow_from", 0) == 0 or step >= growth:
        return batch
    sizes = [n for n in (32, 16, 8) if batch >= 2 * n] or [batch]
    block = config["train"]["block"] or next((n for n in sizes if n <= stream["grow_from"]), sizes[-1])
    rows = stream["grow_from"] + (batch - stream["grow_from"]) * (step / growth)
    return min(batch, int(np.ceil(rows / block)) * block)


def average_after(decay, average, weights, step):
    """The running average after step `step` (from 0) that left `weights`."""
    t = step + 1
    return average + (1 - min(decay, (1 + t) / (10 + t))) * (weights - average)


def clip_scale(optimiser, gradient):
    limit, size = optimiser["clip"], norm(gradient)
    return limit / size if 0 < limit < size else 1.0


def rate_of(optimiser, group):
    """The learning rate of a group of parameters, before the schedule."""
    key = {
        "recurrent": "recurrent_rate",
        "bias": "recurrent_rate",
        "input": "input_rate",
        "rule": "input_rate",
        "readout": "readout_rate",
        "readout_bias": "readout_rate",
    }[group]
    return optimiser.get(key, optimiser["learning_rate"])


def moments_after(optimiser, gradient, first, second):
    """Both moments of a group after a step with this (clipped) gradient."""
    if optimiser["kind"] == "sgd":
        return optimiser["momentum"] * first + gradient, None
    b1, b2 = optimiser["beta1"], optimiser["beta2"]
    return b1 * first + (1 - b1) * gradient, b2 * second + (1 - b2) * gradient**2


def keeping_signs(model, weights):
    """Recurrent weights projected onto the signs of their sources."""
    return np.where(weights * model.sign < 0, 0.0, weights)


def weights_after(optimiser, group, weights, first, second, step, factor):
    """Weights of a group after step `step` (from 0) that left these moments; `factor` multiplies
    the rates, and may differ from weight to weight."""
    rate = rate_of(optimiser, group) * factor
    decay = rate * optimiser["weight_decay"] * weights if group in WEIGHTS else 0
    if optimiser["kind"] == "sgd":
        return weights - rate * first - decay
    mean = first / (1 - optimiser["beta1"] ** (step + 1))
    square = second / (1 - optimiser["beta2"] ** (step + 1))
    return weights - rate * mean / (np.sqrt(square) + optimiser["epsilon"]) - decay
