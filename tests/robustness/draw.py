"""Random valid configurations: every key of `lmrnn train --list-keys`, drawn from its range.

A case is JSON: the keys that are set, by dotted name, and the circumstances of a run (threads, where it is stopped, a
custom mask or data). Case n of a seed depends only on (seed, n) and on the program's lists of keys, tasks and SIMD
targets.
"""

import json
import math
import random
import re
import subprocess
from dataclasses import dataclass

FAMILIES = ("reach", "decision", "delayed_decision", "match")
SWITCHES = (
    "ring_wrap", "go_stimulus", "category_boundary", "match_delay", "int_delay", "int_shift",
    "int_direction", "rt_seq", "rounding", "noise_channels", "ties", "modality", "task_order",
)  # fmt: skip
# The cost of a step for the readable twin: units^2 x steps x rows.
MOST_WORK = 8e7


@dataclass
class Program:
    """The program's lists of keys, tasks and targets."""

    path: str
    keys: dict  # dotted key -> names of its values, if they have names; else ()
    tasks: dict  # name -> family
    targets: list

    @classmethod
    def ask(cls, path):
        say = lambda *arguments: (
            subprocess.run([path, *arguments], check=True, capture_output=True, text=True).stdout
        )
        rows = re.findall(r"^\| `([\w.]+)` \| (.*?) \| ", say("train", "--list-keys"), re.MULTILINE)
        keys = {key: tuple(re.findall(r'"([\w-]+)"', kind)) for key, kind in rows}
        tasks = {
            task["name"]: task["family"] for task in json.loads(say("tasks", "list", "--json"))
        }
        return cls(str(path), keys, tasks, json.loads(say("info", "--json"))["simd_targets"])


class Draw(random.Random):
    """A random generator with the methods that this file needs."""

    def __init__(self, seed, number, program):
        super().__init__(f"{seed}/{number}")
        self.program, self.keys = program, {}

    def chance(self, p):
        return self.random() < p

    def set(self, key, value):
        self.keys[key] = value

    def sometimes(self, key, p, draw):
        """Sets the key with probability `p`, otherwise leaves it at its default."""
        if self.chance(p):
            self.set(key, draw())

    def names(self, key):
        """The names that the key's type lists; an older program may not know the key."""
        return self.program.keys.get(key) or ("",)

    def name(self, key):
        """One of the names that the key's type lists."""
        self.set(key, self.choice(self.names(key)))
        return self.keys[key]

    def log_uniform(self, low, high):
        return float(f"{math.exp(self.uniform(math.log(low), math.log(high))):.4g}")

    def share(self):
        return self.choice([0.0, 1.0, round(self.random(), 3), round(self.random(), 3)])

    def seed_number(self):
        return self.choice([0, self.getrandbits(8), self.getrandbits(32), self.getrandbits(63)])


def draw_case(seed, number, program):
    d = Draw(seed, number, program)
    case = {"id": f"{seed}/{number}", "config": d.keys}
    size = d.choices(["tiny", "small", "medium", "large"], [25, 45, 16, 14])[0]
    own_data = d.chance(0.1)
    draw_run(d)
    tasks, in_any_order = draw_battery(d, size)
    n_units = draw_wiring(d, case, size)
    draw_network(d)
    draw_stream(d, size, n_units)
    draw_loss(d, own_data)
    draw_optimiser(d)
    draw_training(d, size, own_data)
    if in_any_order and not own_data:
        draw_curriculum(d, tasks)
    if own_data:
        for key in [k for k in d.keys if k.startswith(("loss.weights.", "stream.trials_per_task"))]:
            del d.keys[key]  # they need a battery
        case["data"] = draw_data(d)
    elif d.chance(0.08) and "wiring.weights_path" not in d.keys:
        case["init_from"] = True
        d.set("init_from", "INIT")  # replaced by a network that is trained first
    case["threads"] = d.choice([2, 2, 3, 4, 5, 8])
    case["resume_threads"] = d.choice([1, 2, 3])
    case["stop"] = d.randint(1, d.keys["train.steps"])
    case["check_step"] = d.choice([1, d.randint(1, d.keys["train.steps"])])
    case["other_target"] = d.choice(d.program.targets)
    case["kill"] = not own_data and d.chance(0.12)
    case["kill_seed"] = d.getrandbits(32)
    return case


def draw_run(d):
    d.set("seed", d.seed_number())
    d.sometimes("recipe", 0.2, lambda: d.choice(d.names("recipe")))
    d.sometimes("simd", 0.7, lambda: d.choice(["auto", *d.program.targets]))


# Tasks ------------------------------------------------------------------------------------------


def draw_battery(d, size):
    published = draw_semantics(d)
    tasks = draw_tasks(d, size, published("go_stimulus"))
    families = {d.program.tasks[task] for task in tasks}
    # Each run computes the scores of an ideal observer: for decisions, this is quadratic in the ring's size.
    most = 20 if families <= {"reach"} else 5 if families <= {"reach", "match"} else 2
    d.set("battery.n_ring", 2 * d.randint(1, 10 if d.chance(0.01) else most))
    dt = d.choice(
        [20, 25, 37.5, 50, 62.5, 90, 100, 100, 100 / 3, 200 / 3, round(d.uniform(15, 200), 2)]
    )
    d.sometimes("battery.dt", 0.8, lambda: dt)
    d.sometimes("battery.timing", 0.4, lambda: d.choice(d.names("battery.timing")))
    d.sometimes("battery.rule", 0.5, lambda: d.choice(d.names("battery.rule")))
    d.sometimes("battery.input_noise", 0.4, lambda: d.choice([0, 0.3, 1, d.log_uniform(0.01, 4)]))
    d.sometimes("battery.omega", 0.3, lambda: round(d.uniform(-0.02, 0.02), 6))
    d.sometimes("battery.durations", 0.3, lambda: draw_durations(d, tasks))
    if not published("task_order"):
        d.sometimes("battery.weights", 0.2, lambda: draw_weights(d, tasks))
    return tasks, not published("task_order")


def draw_tasks(d, size, go_as_published):
    """Names of tasks; one case in twenty has many, by a pattern."""
    left_out = "goint" if go_as_published else "nothing"
    known = {
        task: family for task, family in d.program.tasks.items() if not task.startswith(left_out)
    }
    if size != "large" and d.chance(0.05):
        pattern = d.choice(["rt", "go", "anti"])
        d.set("battery.tasks", f"*{pattern}*" + (",!goint*" if go_as_published else ""))
        return [task for task in known if pattern in task]
    families, most = d.choices(
        [(("reach",), 7), (("reach", "match"), 4), (FAMILIES, 2)], [5, 3, 3]
    )[0]
    known = [task for task, family in known.items() if family in families]
    tasks = d.sample(known, d.choice([1, 1, 2, d.randint(1, most)]))
    d.set("battery.tasks", ",".join(tasks))
    return tasks


def draw_semantics(d):
    """A function that tells for a switch whether it is set as published."""
    base = d.choice(["corrected", "published"])
    kind = d.choice(["none", "none", "whole", "switches"])
    switches = {}
    if kind == "none":
        return lambda name: False
    if kind == "switches":
        switches = {
            name: d.choice(["corrected", "published"])
            for name in d.sample(SWITCHES, d.randint(1, len(SWITCHES)))
        }
    d.set("battery.semantics", {"base": base, **switches} if switches else base)
    return lambda name: switches.get(name, base) == "published"


def draw_durations(d, tasks):
    """At least one step for stimuli and decisions: 200 ms and more, which no drawn dt exceeds."""

    def duration(low):
        a, b = sorted([round(d.uniform(low, 700), 1), round(d.uniform(low, 700), 1)])
        return d.choice([a, int(b), {"uniform": [a, b]}, {"choice": [a, b, 300]}])

    table = {}
    for family in d.sample(FAMILIES, d.randint(1, 3)):
        table[family] = {"fixation": duration(0), "decision": duration(200)}
        if d.chance(0.5):
            shown = {"delayed_decision": ["stim1", "stim2"], "match": ["sample", "test"]}
            table[family][d.choice(shown.get(family, ["stimulus"]))] = duration(200)
    if d.chance(0.5):
        table[d.choice(tasks)] = {"decision": duration(200)}
    return table


def draw_weights(d, tasks):
    weights = {
        task: d.choice([0, 1, 2.5, d.log_uniform(0.01, 10)])
        for task in d.sample(tasks, d.randint(1, len(tasks)))
    }
    weights[d.choice(sorted(weights))] = 1.5
    return weights


# Network ----------------------------------------------------------------------------------------


def draw_sheet(d, size):
    most = {"tiny": 4, "small": 12, "medium": 15, "large": 23}[size]
    if size == "large":  # 300 to 529 units
        rows = d.randint(14, 23)
        return rows, d.randint(-(-300 // rows), max(-(-300 // rows), 529 // rows))
    return d.randint(1, most), d.randint(1, most)


def sizes_of_areas(keys):
    """(rows, cols) by name of area; the one sheet is named None."""
    rows, cols = keys["wiring.rows"], keys["wiring.cols"]
    areas = keys.get("wiring.areas", [{"name": None}])
    return {area["name"]: (area.get("rows", rows), area.get("cols", cols)) for area in areas}


def n_units_of(keys):
    return sum(rows * cols for rows, cols in sizes_of_areas(keys).values())


def draw_areas(d, kind, size):
    """Two or three sheets with synapses between them; a file says for itself which there are."""
    if size not in ("tiny", "small") or "wiring.areas" not in d.program.keys or not d.chance(0.2):
        return
    areas = []
    for name in d.sample(["v1", "V4", "m-1", "pfc_2"], d.choice([1, 2, 2, 2, 3])):
        area = {"name": name}
        for key in ("rows", "cols"):
            if d.chance(0.5):
                area[key] = d.randint(2, 6)
        if kind in ("local", "random") and d.chance(0.5):
            area["radius"] = d.choice([0, 1, 1.5, 3])
        areas.append(area)
    d.set("wiring.areas", areas)
    d.sometimes("wiring.between_length", 0.5, lambda: d.choice([0, 1, 6.5]))
    if kind == "file":
        return
    names = [area["name"] for area in areas]
    pairs = [(a, b) for a in names for b in names if a != b]
    if pairs and d.chance(0.5):
        d.set(
            "wiring.projections",
            [
                {"from": a, "to": b, "density": d.choice([0, 0.2, 1, round(d.random(), 2)])}
                for a, b in d.sample(pairs, d.randint(1, len(pairs)))
            ],
        )
    if "wiring.projections" not in d.keys or d.chance(0.5):
        d.set("wiring.between_density", d.choice([0, 0.1, 0.3, 1]))


def draw_wiring(d, case, size):
    rows, cols = draw_sheet(d, size)
    d.set("wiring.rows", rows)
    d.set("wiring.cols", cols)
    kind = d.name("wiring.kind")
    draw_areas(d, kind, size)
    n = n_units_of(d.keys)
    # Settings that must be possible in each area alone.
    least_units = min(r * c for r, c in sizes_of_areas(d.keys).values())
    d.sometimes("wiring.metric", 0.6, lambda: d.choice(d.names("wiring.metric")))
    d.sometimes("wiring.boundary", 0.5, lambda: d.choice(d.names("wiring.boundary")))
    d.set("wiring.radius", d.choice([1, 1.5, 2, 3, 4, 0, round(d.uniform(0, 6), 2)]))
    if kind != "autapse" and (kind != "file" or n > 1):  # one unit without its autapse has no synapse
        d.sometimes("wiring.autapses", 0.3, lambda: d.choice([True, False]))
    autapses = d.keys.get("wiring.autapses", True)
    d.sometimes("wiring.seed", 0.3, d.seed_number)
    if kind == "rewired":
        d.set("wiring.radius", d.choice([1, 1.5, 2]))
    d.sometimes(
        "wiring.rewire", 0.9 if kind == "rewired" else 0.1, lambda: round(d.uniform(0, 0.5), 3)
    )
    m = least_units
    least, most = (1 / m if autapses else 0.0), (1.0 if autapses else 1 - 1 / m)
    low, high = (
        (least, most) if m < 4 else (least + 0.05 * (most - least), least + 0.7 * (most - least))
    )
    if kind == "exponential" or d.chance(0.1):
        d.set("wiring.density", d.choice([low, high, d.uniform(low, high)]))
    d.sometimes("wiring.length", 0.5, lambda: round(d.uniform(0.5, 5), 2))
    if kind == "blocks":
        d.set("wiring.block_units", d.choice(divisors_of_areas(d.keys)))
    if kind == "file":
        draw_mask_file(d, case, "wiring")
    draw_unit_types(d, case, kind, n)
    for subset in ("wiring.plastic", "wiring.initial"):
        if d.chance(0.15):
            draw_subset(d, case, subset, n)
    draw_measured(d, case, kind, n)
    return n


def divisors_of_areas(keys):
    """Sizes of blocks that divide the number of units of every area."""
    sizes = [rows * cols for rows, cols in sizes_of_areas(keys).values()]
    return [k for k in range(1, min(sizes) + 1) if all(n % k == 0 for n in sizes)]


def draw_unit_types(d, case, kind, n_units):
    """Excitatory and inhibitory units, at least one of each, or only excitatory ones."""
    if not d.chance(0.25):
        return
    if d.chance(0.2):
        case["types"] = {
            "format": d.choice(["npy", "npz"]), "share": d.choice([0.5, 0.8, 1]),
            "seed": d.getrandbits(32),
        }  # fmt: skip
        d.set("wiring.excitatory_placement", "file")
        d.set("wiring.excitatory_path", "TYPES")  # replaced by the file
    else:
        shares = [1] if n_units < 4 else [0, 1, 0.5, 0.75, 0.8, round(d.uniform(0.3, 0.8), 3)]
        d.set("wiring.excitatory", d.choice(shares))
        if d.keys["wiring.excitatory"] == 0:
            return
        placements = [
            name for name in d.names("wiring.excitatory_placement") if name != "file"
        ]
        d.sometimes("wiring.excitatory_placement", 0.6, lambda: d.choice(placements))
    d.sometimes("network.readout_excitatory", 0.3, lambda: d.choice([True, False]))
    if "wiring.areas" in d.keys:
        if kind != "file":
            d.sometimes("wiring.between_excitatory", 0.5, lambda: d.choice([True, False]))
        return
    if kind in ("local", "random"):  # rewired: with larger radii, there may be no source left
        for pair in ("ee", "ei", "ie", "ii"):
            d.sometimes(f"wiring.radius_{pair}", 0.3, lambda: d.choice([1, 1.5, 2, 4]))


def draw_measured(d, case, kind, n_units):
    """Places of units, weights and types of cells from files, and gains instead of weights."""
    file = lambda **more: {"format": d.choice(["npy", "npz"]), "seed": d.getrandbits(32), **more}
    typed = d.keys.get("wiring.excitatory", 0) > 0 or "TYPES" in d.keys.values()
    if n_units > 1 and "wiring.areas" not in d.keys and d.chance(0.12):
        case["places"] = file(dimensions=d.choice([2, 3]))
        d.set("wiring.coordinates_path", "PLACES")  # replaced by the file, as those below
        d.set("wiring.boundary", "open")
    if kind == "file" and d.keys.get("wiring.initial.kind", "all") == "all" and d.chance(0.3):
        case["weights"] = file(signed=not typed)
        d.set("wiring.weights_path", "WEIGHTS")
        d.sometimes("wiring.weights_scale", 0.6, lambda: d.choice(d.names("wiring.weights_scale")))
    if d.keys.get("wiring.plastic.kind") == "none" or not d.chance(0.15):
        return
    if d.chance(0.5):
        case["cells"] = file(types=d.choice([1, 2, 5]))
        d.set("wiring.types_path", "CELLS")
    typed = typed or "wiring.types_path" in d.keys
    groups = [name for name in d.names("wiring.gains") if typed or name != "types"]
    d.set("wiring.gains", d.choice(groups))


def draw_subset(d, case, table, n_units):
    kinds = d.names(f"{table}.kind")
    if "wiring.areas" not in d.keys:
        kinds = [kind for kind in kinds if kind not in ("within", "between")]
    kind = d.choice(kinds)
    d.set(f"{table}.kind", kind)
    d.sometimes(f"{table}.radius", 0.6, lambda: d.choice([1, 1.5, 2, 5]))
    if kind == "blocks":
        d.set(f"{table}.block_units", d.choice(divisors_of_areas(d.keys)))
    if kind == "file":
        draw_mask_file(d, case, table)
    d.sometimes(f"{table}.seed", 0.3, d.seed_number)


def draw_mask_file(d, case, table):
    """One file serves all tables of a case."""
    if "mask" not in case:
        case["mask"] = {
            "format": d.choice(["npz", "npz", "npy", "csv", "safetensors"]),
            "density": d.choice([0.02, 0.1, 0.5, 1.0]),
            "seed": d.getrandbits(32),
            "type": d.choice(["uint8", "bool", "float32", "float64", "int64"]),
            "others": d.chance(0.5),  # npz: then the name of the array must be given
        }
    d.set(f"{table}.path", "MASK")  # replaced by the file
    if case["mask"]["format"] == "npz" and (case["mask"]["others"] or d.chance(0.5)):
        d.set(f"{table}.dataset", "mask")


def draw_network(d):
    d.sometimes("network.activation", 0.7, lambda: d.choice(d.names("network.activation")))
    dt = d.keys.get("battery.dt", 100)
    d.sometimes(
        "network.tau", 0.6, lambda: d.choice([0, dt, dt * 2, dt * 5, dt * d.log_uniform(1, 30)])
    )
    d.sometimes("network.initialisation", 0.7, lambda: d.choice(d.names("network.initialisation")))
    if "wiring.weights_path" in d.keys:  # for any recipe
        d.set("network.initialisation", "fan-in")
    d.sometimes("network.gain", 0.2, lambda: d.choice([1, 0.5, 1.4142, round(d.uniform(0, 2), 3)]))
    d.sometimes(
        "network.recurrent_noise", 0.5, lambda: d.choice([0, 0.05, 0.3, d.log_uniform(1e-3, 0.5)])
    )
    kinds = [
        kind
        for kind in d.names("network.storage")
        if kind != "diagonal" or (d.keys["wiring.kind"] == "autapse" and "wiring.areas" not in d.keys)
    ]
    d.sometimes("network.storage", 0.6, lambda: d.choice(kinds))
    if "network.equation" in d.program.keys:
        d.sometimes("network.equation", 0.5, lambda: d.choice(d.names("network.equation")))
    for layer in ("input", "readout"):
        d.sometimes(
            f"network.{layer}.density",
            0.3,
            lambda: d.choice([0.1, 0.5, 0.9, 0, round(d.random(), 2)]),
        )
        areas = list(sizes_of_areas(d.keys))
        if "wiring.areas" in d.keys:
            some = lambda: d.sample(areas, d.randint(1, len(areas)))
            d.sometimes(f"network.{layer}.areas", 0.6, some)
        areas = d.keys.get(f"network.{layer}.areas", areas)
        if len(areas) == 1:
            d.sometimes(f"network.{layer}.patch", 0.2, lambda: draw_patch(d, areas[0]))


def draw_patch(d, area):
    rows, cols = sizes_of_areas(d.keys)[area]
    height, width = d.randint(1, rows), d.randint(1, cols)
    return d.choice([[], [d.randint(0, rows - height), d.randint(0, cols - width), height, width]])


# Data, loss, optimiser --------------------------------------------------------------------------


def draw_stream(d, size, n_units):
    steps = d.choice(
        [1, 2, 7, 15, 16, 17, 31, 33, d.randint(3, 60), d.randint(3, 60), d.randint(60, 300)]
    )
    batch = d.choice([1, 2, 3, 5, 8, d.randint(2, 33), d.randint(16, 40), d.randint(60, 110)])
    if size == "large":
        steps = d.choice([3, 6, 9, 17])
        batch = d.choice([9, 17, 36, 65, 100, d.randint(60, 110)])
    most = MOST_WORK * (4 if d.chance(0.05) else 1)
    while steps * batch * max(n_units, 16) ** 2 > most:
        steps, batch = max(1, steps * 2 // 3), max(1, batch * 19 // 20)
    d.set("stream.row_steps", steps)
    d.set("stream.batch", batch)
    d.sometimes("stream.grow_from", 0.2, lambda: d.choice([0, 1, batch, d.randint(1, batch)]))
    d.sometimes("stream.grow_until", 0.2, d.share)
    d.sometimes("stream.mode", 0.6, lambda: d.choice(d.names("stream.mode")))
    d.sometimes("stream.reset_at_trial", 0.7, lambda: d.choice([True, True, False]))
    d.sometimes("stream.trials_per_task", 0.35, lambda: d.choice([0, 1, 3, d.randint(1, 200)]))


def draw_loss(d, own_data):
    d.sometimes("loss.kind", 0.7, lambda: d.choice(d.names("loss.kind")))
    for period in ("fixation", "stimulus", "delay", "second_stimulus", "decision"):
        d.sometimes(
            f"loss.weights.{period}", 0.25, lambda: d.choice([0, 0.5, 5, d.log_uniform(0.01, 20)])
        )
    if d.keys.get("loss.weights.decision") == 0:
        d.set("loss.weights.decision", 0.25)
    if not own_data:
        d.sometimes("loss.balance", 0.15, lambda: d.choice(d.names("loss.balance")))
    d.sometimes("loss.rate_penalty", 0.35, lambda: d.choice([0, d.log_uniform(1e-5, 1)]))
    d.sometimes("loss.weight_penalty", 0.35, lambda: d.choice([0, d.log_uniform(1e-6, 1e-1)]))
    d.sometimes("loss.penalised", 0.4, lambda: d.choice(d.names("loss.penalised")))
    if len(d.keys.get("wiring.areas", ())) < 2 or "wiring.between_length" in d.keys:
        d.sometimes("loss.wire_penalty", 0.25, lambda: d.choice([0, d.log_uniform(1e-6, 1e-1)]))
    d.sometimes("loss.wire_power", 0.25, lambda: d.choice([0, 1, 2, 0.5, round(d.uniform(0, 8), 2)]))


def draw_optimiser(d):
    key = "optimiser."
    d.sometimes(key + "kind", 0.6, lambda: d.choice(d.names(key + "kind")))
    d.sometimes(key + "learning_rate", 0.6, lambda: d.choice([0, d.log_uniform(1e-5, 2e-2)]))
    for group in ("recurrent", "input", "readout"):
        d.sometimes(f"{key}{group}_rate", 0.2, lambda: d.choice([0, d.log_uniform(1e-5, 2e-2)]))
    d.sometimes(key + "beta1", 0.3, lambda: d.choice([0, 0.5, 0.99, 0.999999]))
    d.sometimes(key + "beta2", 0.3, lambda: d.choice([0, 0.5, 0.9, 0.99999999]))
    d.sometimes(key + "epsilon", 0.3, lambda: d.log_uniform(1e-12, 1e-1))
    d.sometimes(key + "momentum", 0.4, lambda: d.choice([0, 0.5, 0.99]))
    d.sometimes(key + "in_degree_power", 0.2, lambda: d.choice([0, 0.5, 1, 2]))
    if "wiring.gains" in d.keys:
        d.keys.pop(key + "in_degree_power", None)
    d.sometimes(key + "weight_decay", 0.3, lambda: d.choice([0, d.log_uniform(1e-4, 1)]))
    d.sometimes(key + "clip", 0.5, lambda: d.choice([0, d.log_uniform(1e-3, 10)]))
    d.sometimes("schedule.kind", 0.7, lambda: d.choice(d.names("schedule.kind")))
    d.sometimes("schedule.warmup", 0.5, d.share)
    d.sometimes("schedule.cooldown", 0.5, d.share)
    d.sometimes("schedule.last", 0.4, d.share)
    if d.keys.get("schedule.kind") in ("warmup-cooldown", "open-ended"):
        if d.keys["schedule.kind"] == "open-ended" and d.keys.get("schedule.cooldown") == 1:
            d.set("schedule.cooldown", 0.9)
        warmup = d.keys.get("schedule.warmup", 0.05)
        cooldown = d.keys.get("schedule.cooldown", 0.2)
        if warmup + cooldown > 1:
            d.set("schedule.cooldown", math.floor((1 - warmup) * 1e6) / 1e6)


def draw_training(d, size, own_data):
    d.set("train.steps", d.choice([12, 12, 11, 7, 3, 1]) if size != "large" else d.choice([12, 6]))
    batch = d.keys["stream.batch"]
    d.sometimes(
        "train.block",
        0.4,
        lambda: d.choice([0, 1, batch, d.randint(1, batch), d.randint(1, batch)]),
    )
    d.sometimes("train.recompute", 0.5, lambda: d.choice([True, False]))
    d.set("train.log_every", d.choice([1, 2, 5]))
    d.set("evaluation.trials", d.randint(1, 6) if size in ("medium", "large") else d.randint(1, 40))
    d.sometimes("evaluation.final_trials", 0.2, lambda: d.randint(1, 40))
    d.sometimes("evaluation.every", 0.7, lambda: d.randint(0, 6))
    d.sometimes("evaluation.split", 0.5, lambda: d.choice(d.names("evaluation.split")))
    d.sometimes("evaluation.seed", 0.3, d.seed_number)
    evaluated = d.keys.get("evaluation.every", 500) > 0  # then stop criteria are checked
    if evaluated:
        d.sometimes("train.stop_mean", 0.1, d.share)
        d.sometimes("train.stop_worst", 0.1, d.share)
    single = (
        len(d.keys["battery.tasks"]) < 16
        and "," not in d.keys["battery.tasks"]
        and "*" not in d.keys["battery.tasks"]
    )
    if evaluated and size == "tiny" and not own_data and single and d.chance(0.1):
        d.set("evaluation.trials", 1000)  # with fewer, a task never counts as solved
        d.set("train.stop_solved", d.choice([1, *filter(None, d.names("train.stop_solved"))]))
    d.sometimes("train.average", 0.2, lambda: d.choice([0, 0.5, 0.9, 0.999, 0.9999999]))
    if d.keys.get("evaluation.every"):
        d.sometimes("train.stop_plateau", 0.1, lambda: d.choice([0, 0.01, 1]))
    d.set("checkpoint.every", d.choice([0, 1, 2, 3, 5]))
    d.sometimes("checkpoint.keep_last", 0.6, lambda: d.randint(1, 15))
    d.sometimes("checkpoint.keep_every", 0.4, lambda: d.randint(0, 5))


def draw_curriculum(d, tasks):
    d.sometimes("curriculum.stage", 0.12, lambda: draw_stages(d, tasks))
    by_default = "continue" if d.keys.get("recipe") == "neurogym" else "restart"
    restarts = d.keys.get("stream.mode", by_default) == "restart"
    endless = d.keys.get("stream.trials_per_task", 0) == 0
    unseen = d.keys.get("evaluation.split") != "test"
    if restarts and endless and unseen and d.keys.get("evaluation.every", 500) > 0:
        d.sometimes("curriculum.adaptive", 0.3, d.share)


def draw_stages(d, tasks):
    """Stages of one step and more, the last one with all tasks; some, where each of them is drawn."""
    left, stages = d.keys["train.steps"], []
    while left > 1 and len(stages) < 3 and d.chance(0.8):
        stage = {"tasks": ",".join(tasks), "steps": d.randint(1, left - 1)}
        if "battery.weights" not in d.keys:
            stage["tasks"] = ",".join(d.sample(tasks, d.randint(1, len(tasks))))
        stages.append(stage)
        left -= stage["steps"]
    stages.append({"tasks": ",".join(tasks), **d.choice([{}, {"steps": left}])})
    for stage in stages:
        if d.chance(0.3):
            stage["durations"] = draw_durations(d, tasks)
    return stages


def draw_data(d):
    """Custom data; the configuration may name them."""
    if d.chance(0.5):
        d.set("source", "random")
    return {
        "n_channels": d.randint(1, 40),
        "n_classes": d.randint(1, 20),
        "n_rules": d.choice([0, 0, 1, 3, 90]),
        "n_tasks": d.randint(1, 3),
        "seed": d.getrandbits(32),
    }
