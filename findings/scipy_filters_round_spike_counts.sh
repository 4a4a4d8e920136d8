#!/usr/bin/env bash
# SciPy 1.17.1: spike counts that are smoothed with scipy.ndimage are almost all lost. (2026-11-30)
#
# A good guess: gaussian_filter1d(counts, 2) of whole numbers is float, as numpy.convolve(counts, kernel) and
#               scipy.signal.fftconvolve are, and its sum is the number of spikes.
# Instead:      the output has the type of the input, and the smoothed values are cut to whole numbers. A unit
#               that spikes in every third bin keeps 3 of its 330 spikes, one with three spikes per bin keeps
#               five of six: the rates look low, not wrong, and the loss depends on the rate. A smoothed mask is
#               false everywhere. uniform_filter1d cuts too.
# What to do:   gaussian_filter1d(counts, 2, output=float), or counts.astype(float).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1
observe <<'PYTHON'
import numpy as np
import scipy
from scipy import ndimage

counts = np.random.default_rng(1).poisson([[0.3], [3.0]], (2, 1000))
mask = np.zeros(21, dtype=bool)
mask[10] = True


def spikes(smoothed):
    return smoothed.sum(axis=1).round(1).tolist()


print("SciPy", scipy.__version__)
seen = spikes(ndimage.gaussian_filter1d(counts, 2))
safe = spikes(ndimage.gaussian_filter1d(counts, 2, output=float))
smooth_mask = ndimage.gaussian_filter1d(mask, 2)
print("spikes of two units in 1000 bins:             ", spikes(counts))
print("sums of the smoothed counts:                  ", seen)
print("sums with output=float:                       ", safe)
print("one true entry of 21, smoothed:               ", smooth_mask.dtype, int(smooth_mask.sum()), "true")
boxes = spikes(ndimage.uniform_filter1d(counts, 5))
print("sums after uniform_filter1d over 5 bins:      ", boxes)
assert spikes(counts) == safe == [330, 2901] and seen == [3, 2412] and boxes[0] < 40
assert smooth_mask.dtype == bool and not smooth_mask.any()
PYTHON
