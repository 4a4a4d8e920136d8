#!/usr/bin/env bash
# polars 2.1.0: rolling_corr of float32 voltages is above 1, while corr of the same columns is right. (2026-11-30)
#
# A good guess: rolling_corr is corr in a moving window: with float32 it loses the last digits.
# Instead:      it computes mean(x * y) - mean(x) * mean(y) in the type of the columns. For voltages around -65 mV with
#               a standard deviation of 0.05 mV, float32 has no digits left for the difference of the two: windows
#               with a correlation of 0.8 have values from 0.4 to more than 1. corr of the same float32 columns,
#               numpy.corrcoef and pandas agree to 4 digits. rolling_cov is wrong in the same way.
# What to do:   cast to Float64 before rolling_corr and rolling_cov, and subtract the mean of the column.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 polars==2.1.0
observe <<'PYTHON'
import numpy as np
import polars as pl

random = np.random.default_rng(1)
x, noise = random.normal(size=(2, 1000))
voltages = {"a": -65 + 0.05 * x, "b": -65 + 0.05 * (0.8 * x + 0.6 * noise)}
wide = pl.DataFrame(voltages)
narrow = wide.cast(pl.Float32)
centred = narrow.select(pl.all() - pl.all().mean())
exact = np.array([np.corrcoef(voltages["a"][i - 100:i], voltages["b"][i - 100:i])[0, 1] for i in range(100, 1001)])


def moving(table):
    return table.select(pl.rolling_corr("a", "b", window_size=100)).to_series().to_numpy()[99:]


print("polars", pl.__version__, "windows of 100 samples")
print("numpy.corrcoef of each window:", exact.min().round(3), "to", exact.max().round(3))
errors = {}
for name, table in (("Float64", wide), ("Float32", narrow), ("Float32, mean subtracted", centred)):
    values = moving(table)
    errors[name] = np.abs(values - exact).max()
    print(f"{name:25} rolling_corr {values.min():.3f} to {values.max():.3f}, error up to {errors[name]:.5f};",
          f"corr {table.select(pl.corr('a', 'b')).item():.4f}")
above = (moving(narrow) > 1).mean()
print(f"windows with a correlation above 1: {above:.1%}")
assert errors["Float64"] < 1e-6 and errors["Float32"] > 0.2 and errors["Float32, mean subtracted"] < 0.01
assert moving(narrow).max() > 1 and abs(narrow.select(pl.corr("a", "b")).item() - np.corrcoef(*voltages.values())[0, 1]) < 1e-4
PYTHON
