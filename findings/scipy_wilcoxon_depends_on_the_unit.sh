#!/usr/bin/env bash
# SciPy 1.17.1: accuracies in percent have another p-value than the same as fractions. (2026-11-29)
#
# A good guess: the Wilcoxon test uses ranks only, so that dividing all accuracies by 100 changes nothing.
# Instead:      it ranks differences. 0.89 - 0.84 and 0.92 - 0.87 differ in their last bit: ties in percent are none in
#               fractions. The ranks change, and with them the p-value. Here eight pairs of seeds have p = 0.0625 in percent and
#               p = 0.047 as fractions.
# What to do:   round the differences: wilcoxon(numpy.round(x - y, 9)); or test counts of correct trials.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1
observe <<'PYTHON'
import numpy as np
import scipy
from scipy.stats import rankdata, wilcoxon

local = np.array([89, 89, 90, 96, 86, 93, 97, 92])
dense = np.array([84, 84, 87, 93, 87, 94, 96, 90])
differences = local / 100 - dense / 100
print("SciPy", scipy.__version__)
percent, fraction, rounded = (float(wilcoxon(values).pvalue) for values in (local - dense, differences, differences.round(9)))
print("percent:  ranks", rankdata(abs(local - dense)).tolist(), " p:", round(percent, 4))
print("fraction: ranks", rankdata(abs(differences)).tolist(), " p:", round(fraction, 4))
print("fraction, differences rounded: p:", round(rounded, 4))
assert percent == rounded == wilcoxon(local, dense).pvalue and fraction == wilcoxon(local / 100, dense / 100).pvalue
assert fraction < 0.05 < percent
PYTHON
