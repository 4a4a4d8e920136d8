#!/usr/bin/env bash
# pandas 3.1.1: read_json makes a date in 1971 of "evaluated_at": 40000000. (2026-11-30)
#
# A good guess: JSON says what is a number and what is a text, so read_json takes it over: 40000000 stays a
#               number and "007" a text.
# Instead:      a column is read as dates if its name ends in _at or _time, is "date" or "modified", or starts
#               with "timestamp", and if all its values are above 31536000, the seconds of a year. A column of
#               training steps is a number as long as one run is short, and becomes dates in the table of long
#               runs. Texts that all look like numbers become numbers: the run "007" is 7, the commit "12e5" is
#               1200000.0, and joining on them finds nothing. The same for to_json and read_json of one table.
#               No message.
# What to do:   read_json(..., convert_dates=False, dtype=False), or pandas.DataFrame(json.load(file)).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 pandas==3.1.1
observe <<'PYTHON'
import io
import json

import pandas

short = [{"run": "007", "commit": "12e5", "evaluated_at": 12_000, "step": 12_000},
         {"run": "008", "commit": "3401", "evaluated_at": 40_000_000, "step": 40_000_000}]
long = [dict(short[1], run="007", commit="12e5"), dict(short[1], evaluated_at=90_000_000, step=90_000_000)]


def columns(table):
    return {name: [str(value) for value in table[name]] for name in table}


print("pandas", pandas.__version__)
seen = {}
for name, runs in {"one short run": short, "long runs": long}.items():
    text = json.dumps(runs)
    seen[name] = columns(pandas.read_json(io.StringIO(text)))
    print(f"{name}: {text}")
    print(f"    read_json: {seen[name]}")
    safe = pandas.read_json(io.StringIO(text), convert_dates=False, dtype=False)
    assert columns(safe) == columns(pandas.DataFrame(json.loads(text))) == columns(pandas.DataFrame(runs))
table = pandas.DataFrame(long)
again = pandas.read_json(io.StringIO(table.to_json(orient="records")))
found = len(table.merge(again.astype({"run": str}), on="run"))
print("rows found by joining the table with itself after to_json and read_json, on the run:", found)
assert seen["one short run"] == {"run": ["7", "8"], "commit": ["1200000.0", "3401.0"],
                                 "evaluated_at": ["12000", "40000000"], "step": ["12000", "40000000"]}
assert seen["long runs"]["evaluated_at"] == ["1971-04-08 23:06:40", "1972-11-07 16:00:00"]
assert seen["long runs"]["step"] == ["40000000", "90000000"] and found == 0
PYTHON
