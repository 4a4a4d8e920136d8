#!/usr/bin/env bash
# dsa-metric 2.0.2: the default score of DSA is not an angle, and not a metric. (2026-11-29)
#
# A good guess: DSA(X, Y).fit_score() is the distance of the paper that introduced the method: the angle between
#               two linear systems after the best rotation, from 0 to pi. The README lists "angular" as the
#               default, and SimilarityTransformDist(), which DSA uses, has that default.
# Instead:      DSA passes score_method="wasserstein": the mean squared distance of matched eigenvalues. It has no
#               upper limit. Being squared, it breaks the triangle inequality: of three systems, two can be
#               farther apart than both together are from the third, which clustering and embedding do not
#               expect. And systems with the same eigenvalues have distance 0, however different their transients.
# What to do:   pass score_method="angular", or take the root, and say which one in the text.
. "$(dirname "$0")/torch.inc" numpy==2.2.6 dsa-metric==2.0.2 pot==0.9.7.post1
observe <<'PYTHON'
import importlib.metadata

import numpy as np
import torch
from DSA import DSA

random = np.random.default_rng(1)


def trials(matrix):
    """30 trials of 20 steps of the linear system, (trial, step, unit)."""
    states = [random.normal(size=(30, 2))]
    for _ in range(19):
        states.append(states[-1] @ np.array(matrix).T)
    return np.stack(states, axis=1)


def distance(first, second, **options):
    torch.manual_seed(1)
    return float(DSA(trials(first), trials(second), n_delays=1, rank=2, **options).fit_score())


def decay(rate):
    return [[rate, 0], [0, rate]]


print("dsa-metric", importlib.metadata.version("dsa-metric"), "PyTorch", torch.__version__)
near, far, whole = (distance(decay(a), decay(b)) for a, b in ((0.9, 0.6), (0.6, 0.3), (0.9, 0.3)))
print("default, eigenvalues 0.9 and 0.6, 0.6 and 0.3, 0.9 and 0.3:", [round(d, 3) for d in (near, far, whole)])
normal, transient = [[0.9, 0], [0, 0.5]], [[0.9, 2], [0, 0.5]]
default, angular = distance(normal, transient), distance(normal, transient, score_method="angular")
print("same eigenvalues, one with a strong transient, default:", round(default, 3), " angular:", round(angular, 3))
assert np.allclose([near, far, whole], [0.09, 0.09, 0.36], atol=0.01) and whole > near + far
assert default < 0.01 and angular > 0.1
PYTHON
