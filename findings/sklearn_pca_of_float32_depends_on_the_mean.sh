#!/usr/bin/env bash
# scikit-learn 1.9.1: PCA of float32 voltages around -65 mV finds components that do not exist. (2026-11-30)
#
# A good guess: PCA subtracts the mean first, so an offset of all values changes nothing. A float32 recording
#               has the components of the float64 one up to rounding.
# Instead:      with at most 1000 units and at least ten times as many samples, the default solver multiplies
#               the data as they are and subtracts the mean from the product. In float32 the difference loses
#               its digits: of 20 units around -65 mV with fluctuations of 0.3 mV in two dimensions, the
#               components have 0.39, 0.37 and 0.17 of the variance instead of 0.51, 0.48 and 0.00, so that the
#               network seems to have a third dimension. A part with less than ten times as many samples takes
#               another solver and is right. No message.
# What to do:   PCA(svd_solver="full"), or subtract the mean or use float64 before fit.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
observe <<'PYTHON'
import numpy as np
import sklearn
from sklearn.decomposition import PCA

generator = np.random.default_rng(1)
samples, units = 2000, 20
plane = np.linalg.qr(generator.normal(size=(units, 2)))[0]
fluctuations = 0.3 * generator.normal(size=(samples, 2)) @ plane.T + 0.01 * generator.normal(size=(samples, units))


def shares(voltages, solver="auto"):
    components = PCA(3, svd_solver=solver).fit(voltages)
    return [round(float(share), 2) for share in components.explained_variance_ratio_]


print("scikit-learn", sklearn.__version__)
print("shares of the variance of three components")
voltages = (fluctuations - 65).astype("f4")
seen = {"float64": shares(fluctuations - 65), "float32": shares(voltages),
        "float32, solver full": shares(voltages, "full"),
        "float32, mean subtracted": shares(voltages - voltages.mean(axis=0, dtype="f8").astype("f4")),
        "float32, first 190 samples": shares(voltages[:190])}
for name, values in seen.items():
    print(f"{name}: {values}")
wrong = seen.pop("float32")
assert all(third < 0.01 for _, _, third in seen.values()) and wrong[2] > 0.1
PYTHON
