#!/usr/bin/env bash
# hdmf 6.2.0 (pynwb 4.2.0): trials["rt"][[True, False, True]] is trials 1, 0 and 1. (2026-11-30)
#
# A good guess: a list of True and False selects the rows that are True, as in NumPy, h5py and pandas, or is
#               refused.
# Instead:      in a column of a table that was made in the same program, True is row 1 and False is row 0: the
#               result has as many rows as the list, all of them copies of the first two. A mean over "correct"
#               trials is a mean of two trials. The table trials[mask] does the same. Read from a file the same
#               line raises, a ragged column such as spike_times selects as expected, and get_unit_spike_times
#               takes the row numbers again, from the file, too.
# What to do:   numpy.flatnonzero(mask), or trials.to_dataframe()[mask].
. "$(dirname "$0")/packages.inc" numpy==2.4.6 h5py==3.16.0 pandas==3.1.1 hdmf==6.2.0 pynwb==4.2.0
observe <<'PYTHON'
import datetime

import hdmf
import numpy as np
import pynwb

session = pynwb.NWBFile("session", "1", datetime.datetime(2026, 11, 30, tzinfo=datetime.timezone.utc))
session.add_trial_column("rt", "reaction time in s")
for start, rt in enumerate([0.1, 0.2, 0.3]):
    session.add_trial(start_time=float(start), stop_time=start + 0.5, rt=rt)
for spikes in [0.1, 0.2], [0.3, 0.4, 0.5], [0.6]:
    session.add_unit(spike_times=spikes)
mask = [True, False, True]


def times(units):
    return [np.asarray(each).tolist() for each in units]


print("hdmf", hdmf.__version__, "pynwb", pynwb.__version__)
column = list(session.trials["rt"][mask])
table = session.trials[mask]["rt"].tolist()
safe = list(session.trials["rt"][np.flatnonzero(mask)])
frame = session.trials.to_dataframe()[mask]["rt"].tolist()
print("reaction times: [0.1, 0.2, 0.3], mask:", mask)
print("column[mask]:", column, "table[mask]:", table)
print("column[flatnonzero(mask)]:", safe, "to_dataframe()[mask]:", frame)
ragged = times(session.units["spike_times"][mask])
print("units['spike_times'][mask]:", ragged)
with pynwb.NWBHDF5IO("session.nwb", "w") as file:
    file.write(session)
with pynwb.NWBHDF5IO("session.nwb", "r") as file:
    read = file.read()
    try:
        read.trials["rt"][mask]
        refused = False
    except TypeError:
        refused = True
    spikes = times(read.units.get_unit_spike_times(mask))
print("from the file: column[mask] is refused:", refused, "get_unit_spike_times(mask):", spikes)
assert column == table == [0.2, 0.1, 0.2] and safe == frame == [0.1, 0.3] and refused
assert ragged == [[0.1, 0.2], [0.6]] and spikes == [[0.3, 0.4, 0.5], [0.1, 0.2], [0.3, 0.4, 0.5]]
PYTHON
