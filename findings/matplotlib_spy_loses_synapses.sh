#!/usr/bin/env bash
# matplotlib 3.11.2: spy of a large matrix shows 28 of 500 synapses, and nothing of a diagonal. (2026-11-29)
#
# A good guess: spy(W) shows where a matrix is not 0, at the resolution of the figure: a pixel is dark if a synapse falls
#               on it.
# Instead:      a dense matrix becomes an image without interpolation: each pixel takes one entry and skips the others.
#               In a figure of 6 inches, 2000 units have 4 entries per pixel in each direction. Of 500 scattered synapses 28
#               are seen; unit 7, which projects to all others, is gone, and so are all autapses. Which ones stay depends
#               on size and dpi. A sparse matrix is drawn with markers, and complete.
# What to do:   spy(scipy.sparse.csr_array(W), markersize=1), or reduce W by the maximum of blocks before drawing.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 matplotlib==3.11.2
observe <<'PYTHON'
import matplotlib
import matplotlib.pyplot
import numpy as np
import scipy.ndimage
import scipy.sparse

matplotlib.use("Agg")
units = 2000
scattered, hub, autapses = np.zeros((units, units)), np.zeros((units, units)), np.eye(units)
scattered[np.random.default_rng(0).integers(0, units, 500), np.random.default_rng(1).integers(0, units, 500)] = 1
hub[:, 7] = 1


def spots(weights, **options):
    """(pixels that are not white, groups of them) of a picture by spy."""
    figure, axes = matplotlib.pyplot.subplots(figsize=(6, 6))
    axes.spy(weights, **options)
    axes.set_axis_off()
    figure.canvas.draw()
    drawn = np.asarray(figure.canvas.buffer_rgba())[..., :3].min(axis=2) < 250
    matplotlib.pyplot.close(figure)
    return int(drawn.sum()), int(scipy.ndimage.label(drawn)[1])


print("matplotlib", matplotlib.__version__)
seen = {}
for name, weights in (("scattered", scattered), ("hub", hub), ("autapses", autapses)):
    seen[name] = spots(weights), spots(scipy.sparse.csr_array(weights), markersize=1)
    print(f"{name}: {int(weights.sum())} synapses; (pixels, spots) dense: {seen[name][0]}, sparse: {seen[name][1]}")
assert seen["scattered"][0][1] < 50 and seen["scattered"][1][1] > 400
assert seen["hub"][0] == seen["autapses"][0] == (0, 0) and seen["hub"][1][0] > 400 and seen["autapses"][1][0] > 400
PYTHON
