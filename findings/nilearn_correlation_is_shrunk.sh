#!/usr/bin/env bash
# nilearn 0.14.1: two units with a correlation of 0.87 have 0.0 if 48 others are recorded, too. (2026-11-30)
#
# A good guess: ConnectivityMeasure(kind="correlation") is numpy.corrcoef: the correlation of two units does not
#               depend on the others, and differs by sampling errors only between recordings of unequal length.
# Instead:      the correlations come from a shrunken covariance (Ledoit-Wolf), whose strength depends on the
#               number of samples and of units. Of the same two units in the same 50 samples, the correlation is
#               0.74 alone and 0.00 among 50 units, where numpy says 0.87 in both. Comparing kind="correlation"
#               of a model with 50 units and of a recording with 500, or with numpy's of the other, compares the
#               sizes.
# What to do:   ConnectivityMeasure(kind="correlation", cov_estimator=EmpiricalCovariance()), from
#               sklearn.covariance.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 scikit-learn==1.9.1 nilearn==0.14.1
observe <<'PYTHON'
import nilearn
import numpy as np
from nilearn.connectome import ConnectivityMeasure
from sklearn.covariance import EmpiricalCovariance

generator = np.random.default_rng(1)
common = generator.normal(size=(100, 1))
pair = common + 0.3 * generator.normal(size=(100, 2))
rates = np.hstack([pair, generator.normal(size=(100, 48))])
print("nilearn", nilearn.__version__)
seen = {}
for samples in 50, 100:
    for units in 2, 50:
        part = rates[:samples, :units]
        default = ConnectivityMeasure(kind="correlation").fit_transform([part])[0]
        plain = ConnectivityMeasure(kind="correlation", cov_estimator=EmpiricalCovariance()).fit_transform([part])[0]
        true = np.corrcoef(part.T)
        seen[samples, units] = round(float(default[0, 1]), 2)
        print(f"{samples} samples, {units} units: correlation of the first two: nilearn {default[0, 1]:.2f},",
              f"with EmpiricalCovariance {plain[0, 1]:.2f}, numpy {true[0, 1]:.2f}")
        assert np.allclose(plain, true) and true[0, 1] > 0.85
assert seen == {(50, 2): 0.74, (50, 50): 0.0, (100, 2): 0.82, (100, 50): 0.05}
PYTHON
