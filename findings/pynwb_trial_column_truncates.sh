#!/usr/bin/env bash
# pynwb 4.2.0: a column of trials takes the type of its first value, and cuts off later ones. (2026-11-29)
#
# A good guess: a column whose values are 1, 0.5 and 0.25 is a column of floating-point numbers, or the
#               second value is an error.
# Instead:      in memory it is [1, 0.5, 0.25]; the file has integers, [1, 0, 0], and neither writing nor
#               reading says so. A session whose first trial happens to have a whole coherence or angle
#               loses those of all others.
# What to do:   give every value the type of the column: float(value).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 pynwb==4.2.0 hdmf==6.2.0
observe <<'PYTHON'
import datetime
import importlib.metadata

from pynwb import NWBHDF5IO, NWBFile

def coherences(values):
    """(in memory, from the file) of a column of trials."""
    session = NWBFile("session", "id", datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc))
    session.add_trial_column("coherence", "of the motion")
    for i, value in enumerate(values):
        session.add_trial(start_time=float(i), stop_time=i + 1.0, coherence=value)
    with NWBHDF5IO("session.nwb", "w") as file:
        file.write(session)
    with NWBHDF5IO("session.nwb", "r") as file:
        return list(session.trials["coherence"].data), file.read().trials["coherence"].data[:].tolist()

for package in ("pynwb", "hdmf"):
    print(package, importlib.metadata.version(package))
mixed, floats = coherences([1, 0.5, 0.25]), coherences([1.0, 0.5, 0.25])
print("first value an int:   in memory", mixed[0], " from the file", mixed[1])
print("first value a float:  in memory", floats[0], " from the file", floats[1])
assert mixed == ([1, 0.5, 0.25], [1, 0, 0]) and floats[1] == [1, 0.5, 0.25]
PYTHON
