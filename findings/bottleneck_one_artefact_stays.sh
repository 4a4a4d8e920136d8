#!/usr/bin/env bash
# bottleneck 1.6.0: after one artefact, the moving standard deviation is wrong to the end. (2026-11-30)
#
# A good guess: move_std of a window that no longer contains an artefact is right again, up to rounding.
# Instead:      each value is computed from the one before, and what was rounded away while the artefact was in
#               the window stays for good. In 2000 float32 samples around 1 with a standard deviation of 0.05,
#               one sample of 1e6 makes it 0.02 to 0.04 in all samples that follow, and one of 1e9 in float64
#               makes it 1.6, the same number to the end. Noise levels and thresholds are wrong for the rest of
#               the recording. No message.
# What to do:   numpy.lib.stride_tricks.sliding_window_view(signal, window).std(axis=-1).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 bottleneck==1.6.0
observe <<'PYTHON'
import bottleneck
import numpy as np

print("bottleneck", bottleneck.__version__)
noise = 1 + 0.05 * np.random.default_rng(1).standard_normal(2000)
seen = {}
for window in 50, 100:
    for name, artefact in ("f4", 1), ("f4", 1e6), ("f8", 1e9):
        signal = noise.astype(name)
        signal[500] = artefact
        after = slice(1700, 2000)
        moving = bottleneck.move_std(signal, window)[after]
        true = np.lib.stride_tricks.sliding_window_view(signal.astype("f8"), window).std(axis=1)[-300:]
        seen[window, name, artefact] = float(np.abs(moving / true - 1).max())
        print(f"window of {window}, {name}, {artefact:g} in sample 500: standard deviation of samples 1700 to 2000:",
              f"{true.min():.3f} to {true.max():.3f}; move_std: {moving.min():.3f} to {moving.max():.3f}")
for (window, name, artefact), error in seen.items():
    assert error > 0.2 if artefact > 1 else error < 0.01, (window, name, artefact, error)
PYTHON
