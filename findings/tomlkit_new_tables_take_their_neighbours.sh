#!/usr/bin/env bash
# tomlkit 0.15.2: a table set below dotted keys takes the settings after it with it. (2026-11-29)
#
# A good guess: after an assignment, dumps(document) is a file that reads back as the document.
# Instead:      where a table is written with dotted keys (schedule.kind = "step"), a new table in it is written as a block
#               with a heading, before the dotted keys and the other settings that follow. These now belong to the new
#               block: training.batch becomes schedule.decay.batch. The heading also lacks the name of the outer table.
#               The file is valid, and the document in memory, which a program compares with, is right.
# What to do:   document["training"]["schedule"]["decay"] = an inline table (tomlkit.inline_table()), or write no dotted keys.
#               In any case compare tomllib.loads(tomlkit.dumps(document)) with document.unwrap() before saving.
. "$(dirname "$0")/packages.inc" tomlkit==0.15.2
observe <<'PYTHON'
import tomllib

import tomlkit

text = """[training]
rate = 0.001
schedule.kind = "step"
schedule.every = 100
batch = 64
"""


def changed(value):
    document = tomlkit.parse(text)
    document["training"]["schedule"]["decay"] = value
    return document.unwrap(), tomlkit.dumps(document)


meant, written = changed({"rate": 0.5})
saved = tomllib.loads(written)
inline = tomlkit.inline_table()
inline["rate"] = 0.5
meant_inline, written_inline = changed(inline)
print("tomlkit", tomlkit.__version__)
print("in memory:", meant)
print("saved:    ", saved)
print("saved, with an inline table:", tomllib.loads(written_inline))
training = {"rate": 0.001, "schedule": {"kind": "step", "every": 100, "decay": {"rate": 0.5}}, "batch": 64}
assert meant == meant_inline == tomllib.loads(written_inline) == {"training": training}
assert saved == {"training": {"rate": 0.001, "schedule": {"kind": "step"}},
                 "schedule": {"decay": {"rate": 0.5, "schedule": {"every": 100}, "batch": 64}}}
PYTHON
