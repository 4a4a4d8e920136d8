"""Makes dsa.npz: operators of two trained networks, and the scores of dsa-metric on them.

    lmrnn analyze RUN similarity --set other=OTHER --set rank=N --out FOLDER
    python make_dsa.py FOLDER... dsa.npz

`a0`, `b0`, ...: pairs of operators; `angular`, `spectral` (pair): the smaller angular score of two runs of its
optimiser, and its default score ("wasserstein").
"""

import sys
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np
import torch
from DSA.simdist import SimilarityTransformDist

*folders, out = sys.argv[1:]
made, angular, spectral = {}, [], []
for folder in folders:
    with h5py.File(Path(folder) / "operators.h5", "r") as file:
        for task in file:
            a, b = file[task]["ours"][:], file[task]["theirs"][:]
            scores = []
            for seed in range(2):
                torch.manual_seed(seed)
                method = SimilarityTransformDist(iters=600, lr=1e-2, score_method="angular")
                scores.append(float(method.fit_score(a.copy(), b.copy())))
            number = len(angular)
            made |= {f"a{number}": a, f"b{number}": b}
            angular.append(min(scores))
            method = SimilarityTransformDist(score_method="wasserstein")
            spectral.append(float(method.fit_score(torch.from_numpy(a), torch.from_numpy(b))))
            print(folder, task, a.shape, "angular", np.round(scores, 5), "spectral", spectral[-1])
np.savez_compressed(out, version=version("dsa-metric"), angular=angular, spectral=spectral, **made)
