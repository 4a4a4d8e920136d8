#!/usr/bin/env bash
# PyTables 3.11.1: append copies the bytes of a structured array: fields swap, and an onset 12 is 6e-323. (2026-12-01)
#
# A good guess: table.append(rows) of a structured array puts each field into the column of its name, as
#               table.row["onset"] = ... does, and converts it to the type of the column. Or it raises.
# Instead:      if a row of the array is as long as one of the table, append and modify_rows take its bytes and ignore
#               its names and types. The whole number 12 in a float column is 6e-323. The columns of a class or a dict
#               without pos=... are sorted by name, so that "onset, duration" becomes "duration, onset": an event at
#               12.5 s of 0.2 s is saved as one at 0.2 s of 12.5 s. Numbers of the other byte order are wrong, and an
#               array with the fields "rate" and "depth" is accepted. No message. Rows of another length raise. Lists
#               of tuples are converted, but by position as well.
# What to do:   append numpy.lib.recfunctions.require_fields(rows[table.colnames], table.dtype). It goes by name,
#               converts, and raises if a field is missing.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 tables==3.11.1
observe <<'PYTHON'
import numpy as np
import tables
from numpy.lib.recfunctions import require_fields


class Event(tables.IsDescription):
    onset = tables.Float64Col()
    duration = tables.Float64Col()


print("tables", tables.__version__)
file = tables.open_file("session.h5", "w")
names = (f"table{k}" for k in range(100))
floats = np.dtype([("onset", float), ("duration", float)])


def rows(onset, duration, kind="f8", names=("onset", "duration")):
    return np.array([(onset, duration)], dtype=[(name, kind) for name in names])


def safe(table, array):
    return require_fields(array[table.colnames], table.dtype)


def saved(description, array, how):
    table = file.create_table("/", next(names), description)
    if how == "row by row":
        for name in "onset", "duration":
            table.row[name] = array[name][0]
        table.row.append()
    elif how == "modify_rows":
        table.append([(0, 0)])
        table.modify_rows(0, 1, rows=array)
    elif how == "append":
        table.append(array)
    elif how == "append of a list":
        table.append(array.tolist())
    else:
        table.append(safe(table, array))
    table.flush()
    return {name: table[0][name].item() for name in table.colnames}


cases = {"floats into a class": (Event, rows(12.5, 0.2), {"duration": 12.5, "onset": 0.2}),
         "integers into floats": (floats, rows(12, 1, "i8"), {"onset": 6e-323, "duration": 5e-324}),
         "the other byte order": (floats, rows(12.5, 0.2, np.dtype("f8").newbyteorder()), None)}
for what, (description, array, wrong) in cases.items():
    right = dict(zip(("onset", "duration"), array.tolist()[0]))
    for how in "row by row", "append", "modify_rows", "append of a list", "require_fields":
        seen = saved(description, array, how)
        print(f"{what}, {how}: {seen}")
        if how in ("append", "modify_rows"):
            assert seen == wrong if wrong else abs(seen["onset"] - 12.5) > 1
        elif how == "append of a list" and description is Event:
            assert seen == wrong
        else:
            assert seen == right

other = rows(12.5, 0.2, names=("rate", "depth"))
print("rate and depth, append:", saved(floats, other, "append"))
for what, call in {"require_fields": lambda: saved(floats, other, "require_fields"),
                   "append of float32": lambda: saved(floats, rows(12.5, 0.2, "f4"), "append")}.items():
    try:
        call()
    except (KeyError, ValueError) as error:
        print(f"{what} raises {type(error).__name__}")
    else:
        raise SystemExit(f"{what} is accepted")
file.close()
PYTHON
