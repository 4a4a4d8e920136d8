#!/usr/bin/env bash
# PyTorch 2.15.0: `W @ h` with sparse W has a dense gradient, torch.sparse.mm(W, h) a sparse one. (2026-11-29)
#
# A good guess: for a sparse matrix of weights, the operator and torch.sparse.mm are two names of one product. The
#               gradient has the pattern of the weights, which is the reason to train a sparse matrix.
# Instead:      the results are equal, but the gradient of `W @ h` (and of torch.nn.functional.linear) is a dense
#               matrix of all pairs, for CSR and COO: 40 000 numbers for 396 synapses here, 10 GB instead of 25 MB
#               for 50 000 units with 1 in 400 synapses (float32, without the indices). And no optimiser takes it:
#               SGD raises "Sparse CSR tensors do not have is_contiguous". With torch.sparse.mm SGD works.
# What to do:   torch.sparse.mm(W, h) with W in CSR or COO; Adam takes neither, so train the vector of values and
#               build the matrix from it in each step if you need Adam.
. "$(dirname "$0")/torch.inc" numpy==2.2.6
observe <<'PYTHON'
import torch

torch.manual_seed(0)
dense = (torch.rand(200, 200) < 0.01).float()
activity = torch.rand(200, 3)
products = {
    "W @ h": lambda weights: weights @ activity,
    "linear": lambda weights: torch.nn.functional.linear(activity.T, weights).T,
    "torch.sparse.mm": lambda weights: torch.sparse.mm(weights, activity),
}


def look(product, weights):
    weights.requires_grad_()
    result = product(weights)
    (result**2).sum().backward()
    gradient = weights.grad
    numbers = gradient.numel() if gradient.layout == torch.strided else gradient._nnz()
    try:
        torch.optim.SGD([weights], lr=0.01).step()
        step = "works"
    except RuntimeError as error:
        step = "raises " + str(error)
    return result.detach(), numbers, step


print("PyTorch", torch.__version__, " synapses:", int(dense.sum()))
for layout in ("CSR", "COO"):
    seen = {}
    for name, product in products.items():
        weights = dense.to_sparse_csr() if layout == "CSR" else dense.to_sparse().coalesce()
        result, numbers, step = look(product, weights)
        assert torch.allclose(result, dense @ activity)
        seen[name] = numbers, step == "works"
        print(f"{layout}, {name}: {numbers} numbers in the gradient, SGD {step}")
    assert seen["torch.sparse.mm"] == (dense.sum(), True)
    assert seen["W @ h"] == seen["linear"] == (dense.numel(), False)
PYTHON
