#!/usr/bin/env bash
# Python's sqlite3 with NumPy 2.4.6: numbers of NumPy are saved as bytes, and pass every threshold. (2026-11-29)
#
# A good guess: a numpy.int64 in an INTEGER column and a numpy.float32 in a REAL column are saved as numbers, as
#               numpy.float64 is, or refused.
# Instead:      sqlite3 saves the bytes of their memory, as it does for every object that has a buffer. Nothing is raised.
#               `WHERE seed = 3` finds no row, the mean of the column is 0, and `accuracy >= 0.95` is true for an
#               accuracy of 0.5, because bytes are greater than any number. Seeds of numpy.arange and float32
#               accuracies are such numbers.
# What to do:   value.item() before the insert, or once sqlite3.register_adapter(numpy.int64, int) and (numpy.float32,
#               float). A table declared STRICT refuses the bytes.
. "$(dirname "$0")/packages.inc" numpy==2.4.6
observe <<'PYTHON'
import platform
import sqlite3

import numpy as np

seeds, accuracies = np.arange(3, 6), np.array([0.5, 0.75, 1.0], np.float32)


def look(rows):
    """(types, rows with seed 3, mean seed, rows that pass) of a table with these rows."""
    table = sqlite3.connect(":memory:")
    table.execute("CREATE TABLE runs (seed INTEGER, accuracy REAL)")
    table.executemany("INSERT INTO runs VALUES (?, ?)", rows)

    def ask(question):
        return table.execute(question).fetchall()

    return (ask("SELECT DISTINCT typeof(seed), typeof(accuracy) FROM runs")[0],
            ask("SELECT count(*) FROM runs WHERE seed = 3")[0][0], ask("SELECT avg(seed) FROM runs")[0][0],
            ask("SELECT count(*) FROM runs WHERE accuracy >= 0.95")[0][0])


print("Python", platform.python_version(), "SQLite", sqlite3.sqlite_version, "NumPy", np.__version__)
numpys, pythons = look(zip(seeds, accuracies)), look(zip(seeds.tolist(), accuracies.tolist()))
print("(types, rows with seed 3, mean seed, rows with accuracy >= 0.95)")
print("numbers of NumPy: ", numpys)
print("numbers of Python:", pythons)
print("numpy.float64:", look([(3, np.float64(0.5))])[0])
sqlite3.register_adapter(np.int64, int)
sqlite3.register_adapter(np.float32, float)
print("with adapters:    ", look(zip(seeds, accuracies)))
assert numpys == (("blob", "blob"), 0, 0.0, 3) and pythons == (("integer", "real"), 1, 4.0, 1)
assert look(zip(seeds, accuracies)) == pythons
PYTHON
