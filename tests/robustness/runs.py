"""Carries out the trainings of a case, in this process (the Python package) or with the program, and takes fingerprints
of the results."""

import hashlib
import json
import random
import re
import shutil
import signal
import subprocess
import time

import numpy as np
import tomllib

DTYPES = {
    "F32": "<f4",
    "F64": "<f8",
    "U8": "u1",
    "U32": "<u4",
    "U64": "<u8",
    "I32": "<i4",
    "I64": "<i8",
}


class Refused(Exception):
    """The program rejects the configuration."""


class Broken(Exception):
    """The program ended in a way that is never allowed."""


class Failure(Exception):
    def __init__(self, check, detail):
        super().__init__(f"{check}: {detail}")
        self.check, self.detail = check, detail


def read_safetensors(path):
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    arrays = {}
    for name, entry in json.loads(content[8 : 8 + size]).items():
        if name != "__metadata__":
            first, last = (8 + size + offset for offset in entry["data_offsets"])
            arrays[name] = np.frombuffer(content[first:last], DTYPES[entry["dtype"]]).reshape(
                entry["shape"]
            )
    return arrays


def write_safetensors(path, name, array):
    kind = next(k for k, v in DTYPES.items() if np.dtype(v) == array.dtype)
    header = json.dumps(
        {name: {"dtype": kind, "shape": array.shape, "data_offsets": [0, array.nbytes]}}
    ).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + array.tobytes())


def nested(keys):
    """Dotted keys as nested tables."""
    tables = {}
    for dotted, value in keys.items():
        *path, key = dotted.split(".")
        table = tables
        for name in path:
            table = table.setdefault(name, {})
        table[key] = value
    return tables


def toml_value(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return json.dumps(value) if isinstance(value, str) else repr(value)


# What surrounds a case ---------------------------------------------------------------------------


def random_mask(spec, n_units):
    mask = np.random.default_rng(spec["seed"]).random((n_units, n_units)) < spec["density"]
    mask[0, n_units - 1] = True  # never without any synapse
    return mask


def write_mask(spec, n_units, directory):
    """A random mask in a file of the format that the case names."""
    mask = random_mask(spec, n_units)
    path = directory / f"mask.{spec['format']}"
    if spec["format"] == "csv":
        rows = "".join(f"{source},{target}\n" for target, source in np.argwhere(mask))
        path.write_text("source,target\n" + rows)
        return path
    array = mask.astype(spec["type"])
    if spec["format"] == "npy":
        np.save(path, array)
    elif spec["format"] == "safetensors":
        write_safetensors(path, "mask", array if spec["type"] != "bool" else mask.astype(np.uint8))
    else:
        others = {"other": np.arange(3)} if spec.get("others") else {}
        np.savez_compressed(path, mask=array, **others)
    return path


def write_types(spec, n_units, directory):
    """Random types of units, 1 for excitatory ones, in a file of the format that the case names."""
    types = np.random.default_rng(spec["seed"]).random(n_units) < spec["share"]
    types[0] |= not types.any()  # a network of inhibitory units only is rejected
    path = directory / f"types.{spec['format']}"
    if spec["format"] == "npy":
        np.save(path, types)
    else:
        np.savez(path, excitatory=types.astype(np.int64), other=np.arange(3))
    return path


def write_array(spec, file, name, array, directory):
    """Writes an array to a file of the format that the case names; an npz gets a second array."""
    path = directory / f"{file}.{spec['format']}"
    if spec["format"] == "npy":
        np.save(path, array)
    else:
        np.savez(path, **{name: array}, other=np.arange(3))
    return path


def read_array(path, name):
    given = np.load(path)
    return given[name] if hasattr(given, "files") else given


def write_places(spec, n_units, directory):
    """Places of units, about 1 apart."""
    side = n_units ** (1 / spec["dimensions"])
    places = np.random.default_rng(spec["seed"]).uniform(0, side, (n_units, spec["dimensions"]))
    return write_array(spec, "places", "coordinates", places, directory)


def write_weights(spec, mask, directory):
    """(target, source) weights of the synapses of a mask."""
    weights = mask * np.random.default_rng(spec["seed"]).normal(size=mask.shape) * 0.3
    weights = weights if spec["signed"] else np.abs(weights)
    return write_array(spec, "weights", "weights", weights, directory)


def write_cells(spec, n_units, directory):
    types = np.random.default_rng(spec["seed"]).integers(spec["types"], size=n_units)
    return write_array(spec, "cells", "types", types, directory)


class RandomData:
    """Custom data: arrays that are a function of (split, batch)."""

    def __init__(self, spec):
        self.name, self.spec = "random", spec
        self.n_channels, self.n_classes, self.n_rules = (
            spec[k] for k in ("n_channels", "n_classes", "n_rules")
        )
        self.tasks = [f"task {i}" for i in range(spec["n_tasks"])]

    def arrays(self, split, batch, steps, rows):
        key = [self.spec["seed"], ("train", "validation", "test").index(split), batch]
        rng, shape = np.random.default_rng(key), (steps, rows)
        inputs = rng.normal(size=(*shape, self.n_channels)) * (
            rng.random((*shape, self.n_channels)) < 0.5
        )
        made = {
            "inputs": inputs.astype(np.float32),
            "targets": rng.integers(self.n_classes, size=shape, dtype=np.int32),
            "mask": rng.choice(np.float32([0, 0.5, 1]), size=shape),
            "scored": rng.integers(2, size=shape, dtype=np.uint8),
            "trial_starts": (rng.random(shape) < 0.1).astype(np.uint8),
            "tasks": rng.integers(len(self.tasks), size=shape, dtype=np.int32),
        }
        made["trial_starts"][0] = 1
        if self.n_rules:
            made["rules"] = rng.integers(-1, self.n_rules, size=shape, dtype=np.int32)
        return made


# Runners ------------------------------------------------------------------------------------------


class ByPackage:
    """Trainings in this process."""

    def __init__(self, program):
        import lmrnn

        self.lmrnn, self.program = lmrnn, program

    def train(self, config, directory, threads, data=None, stop=None, resume=False):
        """Trains to the end or, with `stop`, until about that step. Returns "done", "stopped", or the message of a
        divergence."""
        lmrnn = self.lmrnn
        source = RandomData(data) if data else None
        try:
            if resume:
                trainer = lmrnn.Trainer.resume(directory, data=source, threads=threads)
            else:
                trainer = lmrnn.Trainer(config, directory, data=source, threads=threads)
            trainer.run((lambda p: p.step >= stop) if stop else ())
        except lmrnn.UsageError as error:
            raise Refused(str(error)) from None
        except lmrnn.RunError as error:
            return without_paths(str(error), directory)
        return "stopped" if trainer.outcome == "interrupted" else "done"


class ByProgram:
    """Trainings with the command line, which may be built with a sanitizer."""

    def __init__(self, program):
        self.program = program

    def train(self, config, directory, threads, data=None, stop=None, resume=False):
        if data:
            raise ValueError("custom data need the Python package")
        child = self.begin(config, directory, threads, resume)
        if stop:
            self.signal_at(child, directory, stop)
        return self.end(child, directory)

    def begin(self, config, directory, threads, resume=False):
        arguments = ["--resume", directory]
        if not resume:
            file = directory.with_name(directory.name + ".toml")
            file.write_text("".join(toml_line(k, v) for k, v in config.items()))
            arguments = [file, "--out", directory]
        command = [self.program, "train", *map(str, arguments), "--threads", str(threads)]
        return subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def signal_at(self, child, directory, step):
        """Sends SIGTERM once there is a checkpoint of this step or a later one."""
        while child.poll() is None and max(checkpoint_steps(directory), default=-1) < step:
            time.sleep(0.001)
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)

    def end(self, child, directory):
        try:
            _, said = child.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            raise Broken("the program hangs: 300 s") from None
        if child.returncode == 0 or (directory / "DONE").exists():
            return "done"  # the signal may come after the end
        if child.returncode in (75, -signal.SIGTERM, -signal.SIGKILL):
            return "stopped"
        if child.returncode == 2:
            raise Refused(said.strip()[-600:])
        if child.returncode == 1 and re.search("diverge[ds]", said):  # before or during training
            return without_paths(said[said.rindex("lmrnn: ") + 7 :].strip(), directory)
        raise Broken(f"exit status {child.returncode}: {said.strip()[-3000:]}")

    def kill_and_resume(self, config, directory, threads, seconds, seed):
        """Kills the program with SIGKILL at random moments, resumes it, and finally lets it end."""
        generator = random.Random(seed)
        n_kills = 0
        while not (directory / "DONE").exists():
            resume = (directory / "config.toml").exists()
            if not resume:
                shutil.rmtree(directory, ignore_errors=True)
            child = self.begin(config, directory, threads, resume)
            if n_kills < 3 and (n_kills == 0 or generator.random() < 0.5):
                time.sleep(generator.uniform(0, seconds))
                child.kill()
                n_kills += 1
            outcome = self.end(child, directory)
            if outcome not in ("done", "stopped"):
                return outcome
        return "done"


def toml_line(key, value):
    """A line for a dotted key; tables are inline, so the order of lines does not matter."""
    return f"{key} = {toml_value(value)}\n"


def without_paths(message, directory):
    """The message of a divergence, without the parts that depend on the directory."""
    message = message.replace(str(directory), "RUN")
    return "diverged: " + re.sub(r"; the last good checkpoint is .*", "", message, flags=re.DOTALL)


def checkpoint_steps(run):
    return sorted(int(path.name[5:]) for path in run.glob("checkpoints/step-*"))


def checkpoint(run, step):
    """Arrays of a checkpoint: the network's, and the optimiser's."""
    folder = run / "checkpoints" / f"step-{step:08d}"
    return read_safetensors(folder / "network.safetensors"), read_safetensors(
        folder / "state.safetensors"
    )


def configuration(run):
    return tomllib.loads((run / "config.toml").read_text())


def metrics(run):
    """Rows of metrics.csv by step, as text by column."""
    head, *rows = ((run / "metrics.csv").read_text()).splitlines()
    return {int(row.split(",")[0]): dict(zip(head.split(","), row.split(","))) for row in rows}


def digest(content):
    return hashlib.sha256(content).hexdigest()[:16]


def fingerprint(run, outcome):
    """Everything in a run directory that depends only on its configuration."""
    found = {"outcome": outcome}
    for path in sorted((run / "checkpoints").rglob("*.safetensors")):
        found[str(path.relative_to(run))] = digest(path.read_bytes())
    for step, row in metrics(run).items() if (run / "metrics.csv").exists() else ():
        found[f"metrics.csv, step {step}"] = {k: v for k, v in row.items() if k != "seconds"}
    if outcome == "done":
        found["tasks.csv"] = digest((run / "tasks.csv").read_bytes())
        done = json.loads((run / "DONE").read_text())
        found["DONE"] = {key: value for key, value in done.items() if key != "seconds"}
    return found


def differences(found, expected):
    """The first few entries of two fingerprints that differ."""
    wrong = [key for key in sorted({*found, *expected}) if found.get(key) != expected.get(key)]
    show = lambda value: json.dumps(value)[:300]
    return "; ".join(
        f"{key}: {show(found.get(key))} instead of {show(expected.get(key))}" for key in wrong[:3]
    )
