#!/usr/bin/env bash
# elephant 1.2.1: a rate that is computed with a causal kernel rises before the spike. (2026-11-30)
#
# A good guess: one takes ExponentialKernel or AlphaKernel for a rate that depends on past spikes only, as for
#               latencies or for decoding. instantaneous_rate is 0 before the first spike.
# Instead:      the kernel is moved so that its median is at the spike: center_kernel=True is the default. With
#               an exponential one of 50 ms the rate jumps to its maximum 34 ms before the spike: a response
#               seems to start before its stimulus, and a decoder sees the future. The rate looks as causal as
#               before, with its sharp rise and slow decay. Symmetric kernels do not move.
# What to do:   instantaneous_rate(..., center_kernel=False).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 elephant==1.2.1
observe <<'PYTHON'
import importlib.metadata

import neo
import numpy as np
import quantities as pq
from elephant.kernels import AlphaKernel, ExponentialKernel, GaussianKernel
from elephant.statistics import instantaneous_rate

train = neo.SpikeTrain([0.5], units="s", t_stop=1.0)


def look(kernel, **settings):
    rate = instantaneous_rate(train, sampling_period=1 * pq.ms, kernel=kernel(50 * pq.ms), **settings)
    values = rate.magnitude[:, 0]
    return int(np.argmax(values > 1)), int(np.argmax(values)), round(float(values[:500].sum() / values.sum()), 2)


print("elephant", importlib.metadata.version("elephant"))
print("one spike at 500 ms; (ms at which the rate passes 1 Hz, ms of its maximum, share of the rate before the spike)")
seen = {}
for kernel in (ExponentialKernel, AlphaKernel, GaussianKernel):
    seen[kernel] = look(kernel), look(kernel, center_kernel=False)
    print(f"{kernel.__name__}: {seen[kernel][0]}, with center_kernel=False: {seen[kernel][1]}")
assert seen[ExponentialKernel] == ((466, 466, 0.5), (500, 500, 0.0)) and seen[AlphaKernel][0][0] < 450
assert seen[AlphaKernel][1][0] >= 500 and seen[GaussianKernel][0] == seen[GaussianKernel][1]
PYTHON
