#!/usr/bin/env python3
"""Seeds of the fuzz targets: small valid inputs from which the fuzzer starts.

    tests/fuzz/make_corpus.py build/release/src/cli/lmrnn

Writes tests/fuzz/corpus/READER/seed-*. Needs numpy. Inputs that once broke a reader are named corpus/READER/found-*;
this script does not change them.
"""

import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests/fuzz/corpus"
PROGRAM = sys.argv[1]


def seed(reader, name, content):
    path = CORPUS / reader / f"seed-{name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def program(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], check=True, capture_output=True,
                          text=True).stdout


CONFIG = """seed = 1
[battery]
tasks = "go,dms"
n_ring = 2
[wiring]
rows = 2
cols = 2
radius = 1
[stream]
batch = 2
steps = 5
[train]
steps = 1
[evaluation]
trials = 2
"""


def configurations():
    seed("config", "quickstart", (ROOT / "studies/quickstart.toml").read_text())
    seed("config", "small", CONFIG)
    seed("config", "durations", """seed = 3
battery = {tasks = "dly*,!*seql", dt = 20.0, weights = {dlygo = 2.5}, semantics = "published"}
[battery.durations]
reach = {delay = {uniform = [200, 500]}, fixation = 300}
dms = {delay = {choice = [0, 100, 200]}}
""")
    seed("config", "semantics", """seed = 3
[battery.semantics]
base = "published"
ring_wrap = "corrected"
[network.input]
density = 0.5
patch = [0, 0, 2, 2]
""")
    seed("config", "toml", """a = [1, 2.5e-3, inf, -nan, true, "x\\u00e9\\n", '''raw''']
b.c."d e" = {f = 0x1F, g = 1_000, h = []}
[[i]]
j = 1
[[i]]
j = 1979-05-27T07:32:00Z
""")
    seed("set", "several", 'wiring.radius=2\nnetwork.activation=tanh\nbattery.tasks="go,dm1"\n'
         "battery.weights.go=2.5\nnetwork.input.patch=[0,0,2,2]\nseed=nan\nwiring.rows.x=1\n=\n")
    for name, expression in {"collections": "cog20, modcog82,modcog132", "globs": "dly*,!*seql,?nti",
                             "names": "go,dlygointrseql,ctxdlydm1intseq", "none": "!go"}.items():
        seed("tasks", name, expression)


def arrays():
    mask = np.eye(4, dtype=np.uint8)
    for name, value in {"mask": mask, "fortran": np.asfortranarray(mask * 1.5),
                        "big": mask.astype(">i2"), "half": mask.astype("f2"),
                        "text": np.array("lmrnn"), "fields": np.zeros(2, "i4,f8")}.items():
        buffer = io.BytesIO()
        np.save(buffer, value)
        seed("npz", f"npy-{name}", buffer.getvalue())
    for name, save in {"stored": np.savez, "deflated": np.savez_compressed}.items():
        buffer = io.BytesIO()
        save(buffer, mask=mask, labels=np.array(["a", "b"]), note=np.array("x"))
        seed("npz", name, buffer.getvalue())
    seed("edges", "plain", "source,target\n0,1\n1,2\n15,0\n")
    seed("edges", "spreadsheet", "\ufeffsource , target\r\n0, 1\r\n\r\n3,3\r\n")
    seed("edges", "twice", "0,1\n0,1\n")


SMALL_STUDY = """claim = "c"
support = "s"
seeds = [1, 2]
results = "results.csv"
[config]
battery = {tasks = "go,dms", n_ring = 2}
wiring = {rows = 2, cols = 2, radius = 1}
stream = {batch = 2, steps = 5}
train.steps = 2
evaluation = {every = 1, trials = 2}
[axis.network.local]
[axis.network.dense]
wiring.kind = "dense"
[tuning]
values = [1e-3, 3e-3, 1e-2]
seeds = [9]
[[contrast]]
axis = "network"
a = "local"
b = "dense"
[[best]]
axis = "network"
measure = "steps_to_80"
smaller = true
[statistics]
seed = 1
"""
PRUNED_STUDY = """claim = "c"
support = "s"
seeds = [1]
statistics = {seed = 1, level = 0.9, marks = [0.5, 0.025]}
config.battery.tasks = "go"
[axis.network.ticket]
wiring.kind = "dense"
pruning = {density = 0.25, rounds = 2, rewind = 1, start = "reinitialise"}
[axis.'a name / with signs'."../up"]
[axis.'a name / with signs'.""]
train.steps = 7
[grid]
stream.batch = [8, 16.0]
network.input.patch = [[], [0, 0, 1, 1]]
battery.semantics = ["published", {base = "corrected"}]
[[override]]
when = {stream.batch = [8, 16]}
set = {train = {steps = 9}}
[[override]]
when = {network = "ticket", stream.batch = 16}
skip = true
[slurm]
options = ["--constraint=avx2"]
setup = ["module load gcc"]
"""


def studies():
    for path in (ROOT / "studies").glob("*-small.toml"):
        seed("study", path.stem, "".join(line for line in path.read_text().splitlines(True)
                                         if not line.startswith("#")))
    seed("study", "pruned", PRUNED_STUDY)
    many = ", ".join(map(str, range(400)))
    seed("study", "huge", SMALL_STUDY + "[grid]\n" + "".join(f"a{i} = [{many}]\n" for i in range(2)))
    seed("study", "deep", SMALL_STUDY + "[axis" + ".a" * 900 + "]\n")
    with tempfile.TemporaryDirectory() as directory:
        study = Path(directory) / "small.toml"
        study.write_text(SMALL_STUDY)
        program("study", "run", study, "--out", Path(directory) / "out")
        results = (Path(directory) / "results.csv").read_text()
    rows = [row.split(",") for row in results.splitlines()]
    machine = [rows[0].index(name) for name in ("processor", "host", "started", "commit")]
    for row in rows[1:]:
        for column in machine:
            row[column] = "x"
    seed("study", "results", SMALL_STUDY + "\0" + "".join(",".join(row) + "\n" for row in rows))


def runs():
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory) / "small.toml"
        config.write_text(CONFIG)
        run = Path(directory) / "run"
        program("train", config, "--out", run)
        checkpoint = run / "checkpoints/step-00000001"
        for name in ("network", "state"):
            content = (checkpoint / f"{name}.safetensors").read_bytes()
            seed("safetensors", name, content)
            size = int.from_bytes(content[:8], "little")
            seed("network", name, content[8:8 + size] + b"\0" + content[8 + size:])
        provenance = re.sub(r"(\"(started|host|processor|commit)\": \")[^\"]*", r"\1x", (run / "provenance.json").read_text())
        seed("run_directory", "whole", provenance.encode() + b"\0"
             b"step,trials,seconds\n1,2,0.5\n5,10,2.5\n9,18,4.5\n10,2")
    seed("safetensors", "kinds", b'\x98\0\0\0\0\0\0\0'
         + b'{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},'
           b'"b":{"dtype":"I8","shape":[],"data_offsets":[4,5]},"__metadata__":{"k":"v"}}'.ljust(152)
         + bytes(5))
    lines = (ROOT / "tests/golden/modcog_released_dt100_ring16.jsonl").read_text().splitlines()
    by_family = {line.split('"family":"')[1].split('"')[0]: line for line in lines}
    for family, line in by_family.items():
        seed("golden", family.lower(), line + "\n")


configurations()
arrays()
studies()
runs()
