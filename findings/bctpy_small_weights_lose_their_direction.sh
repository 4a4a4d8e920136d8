#!/usr/bin/env bash
# bctpy 0.6.1: a directed network with small weights is thresholded as an undirected one. (2026-11-29)
#
# A good guess: threshold_proportional(W, p) keeps the strongest weights of a directed network, whatever their unit:
#               thresholding W and 1e-9 * W keeps the same synapses.
# Instead:      whether W is directed is asked with numpy.allclose(W, W.T), which takes everything within 1e-8 for
#               equal. Conductances in siemens (1 nS is 1e-9), and fractions of all synapses of a large connectome,
#               are all below that. The lower triangle is then replaced with the mirrored upper one: synapses
#               that do not exist appear, real ones vanish, and the result is symmetric. Nothing says so. randmio_und,
#               which refuses directed networks, takes this one.
# What to do:   divide by the largest weight first: threshold_proportional(W / abs(W).max(), p).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 bctpy==0.6.1
observe <<'PYTHON'
import importlib.metadata

import bct
import numpy as np

random = np.random.default_rng(1)
synapses = (random.random((30, 30)) < 0.2) & ~np.eye(30, dtype=bool)
nanosiemens = np.where(synapses, random.uniform(0.1, 5, (30, 30)), 0)


def kept(weights):
    return bct.threshold_proportional(weights, 0.1) != 0


right, siemens, scaled = kept(nanosiemens), kept(nanosiemens * 1e-9), kept(nanosiemens * 1e-9 / 1e-9)
print("bctpy", importlib.metadata.version("bctpy"), "numpy", np.__version__)
for unit, result in (("nS", right), ("S", siemens)):
    print(f"in {unit}: {result.sum()} synapses kept, that do not exist: {(result & ~synapses).sum()}",
          f" symmetric: {(result == result.T).all()}")
print("kept in both:", (right & siemens).sum())


def refused(weights):
    try:
        bct.randmio_und(weights, 1, seed=1)
    except bct.BCTParamError:
        return True
    return False


units = [refused(nanosiemens), refused(nanosiemens * 1e-9)]
print("randmio_und refuses it in nS:", units[0], " in S:", units[1])
assert units == [True, False]
assert not (right & ~synapses).any() and (right == scaled).all() and not (right == right.T).all()
assert (siemens == siemens.T).all() and (siemens & ~synapses).sum() > 10
PYTHON
