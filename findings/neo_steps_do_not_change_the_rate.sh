#!/usr/bin/env bash
# neo 0.14.6: every second sample of a recording is a recording of half the length at the same rate. (2026-11-30)
#
# A good guess: signal[::2] has half the sampling rate and spans the same time, as `signal[2:6]` keeps its
#               times; or it raises, as a list of indices does.
# Instead:      the start and the sampling rate stay, so that all times after the first are wrong: a pulse at 8
#               ms is found at 4 ms, a rhythm of 10 Hz is one of 20 Hz, and t_stop is halved. signal[::-1] plays
#               backwards, with times that go forwards. Spike trains and epochs of the same segment do not fit
#               any more. No message.
# What to do:   signal.downsample(2), which also filters; or AnalogSignal(signal.magnitude[::2],
#               units=signal.units, t_start=signal.t_start, sampling_rate=signal.sampling_rate / 2).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 neo==0.14.6
observe <<'PYTHON'
import neo
import numpy as np
import quantities as pq

voltage = np.zeros((16, 1))
voltage[8] = 1
signal = neo.AnalogSignal(voltage, units="mV", sampling_rate=1 * pq.kHz)


def look(signal):
    peak = signal.times[np.argmax(signal.magnitude)]
    return [float(value) for value in (peak.rescale("ms"), signal.t_stop.rescale("ms"), signal.sampling_rate.rescale("Hz"))]


print("neo", neo.__version__)
seen = {"signal": look(signal), "signal[2:12]": look(signal[2:12]), "signal[::2]": look(signal[::2]),
        "signal[10::-1]": look(signal[10::-1])}
halved = neo.AnalogSignal(voltage[::2], units="mV", sampling_rate=signal.sampling_rate / 2)
seen["made anew"] = look(halved)
for name, (peak, stop, rate) in seen.items():
    print(f"{name}: pulse at {peak} ms, end at {round(stop, 6)} ms, {rate} Hz")
assert seen["signal"] == seen["signal[2:12]"][:1] + [16, 1000] and seen["made anew"] == [8, 16, 500]
assert seen["signal[::2]"] == [4, 8, 1000] and seen["signal[10::-1]"][0] == 12
PYTHON
