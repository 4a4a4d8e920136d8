#!/usr/bin/env bash
# orjson 3.13.0, numpy 2.4.6: a generator state saved as JSON and read by orjson is another generator. (2026-11-30)
#
# A good guess: orjson.loads reads what json.dumps wrote, or raises an error as orjson.dumps does for integers
#               above 64 bits. NumPy refuses a state that is not made of integers.
# Instead:      orjson.loads turns integers above 64 bits into floats, and DuckDB does the same. The two numbers
#               of PCG64's state have 128 bits, and so has the entropy of a SeedSequence. NumPy accepts the
#               floats as a state, without a message: the run that is resumed from a checkpoint draws other numbers
#               than the run it continues. It does so every time, so that it even looks reproducible.
# What to do:   read states with the module json or msgspec, or write the integers as text. After loading, check
#               that state["state"]["state"] is an int.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 orjson==3.13.0 msgspec==0.23.0
observe <<'PYTHON'
import json

import msgspec
import numpy as np
import orjson

generator = np.random.default_rng(1)
generator.random(3)
saved = json.dumps(generator.bit_generator.state)
expected = generator.random(3)
print("numpy", np.__version__, "orjson", orjson.__version__)
print("saved:", saved)
print("the run continues with", expected.round(4).tolist())
same = {}
for name, load in {"json": json.loads, "msgspec": msgspec.json.decode, "orjson": orjson.loads}.items():
    state = load(saved)
    resumed = np.random.default_rng()
    resumed.bit_generator.state = state
    drawn = resumed.random(3)
    same[name] = bool((drawn == expected).all())
    print(f"{name}: state {state['state']['state']}, resumed with {drawn.round(4).tolist()}")
try:
    orjson.dumps(generator.bit_generator.state)
    refused = False
except TypeError as error:
    refused = True
    print("orjson.dumps of the state:", error)
assert same == {"json": True, "msgspec": True, "orjson": False} and refused
PYTHON
