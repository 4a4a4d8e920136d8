#!/usr/bin/env bash
# PyTorch 2.15.0: the weights of a pruned layer are those of its last forward pass. (2026-11-30)
#
# A good guess: after torch.nn.utils.prune, `layer.weight` is the product of `weight_orig` and `weight_mask`, as with
#               torch.nn.utils.parametrize: after load_state_dict it is the loaded weight.
# Instead:      it is an ordinary attribute, which only a forward pass renews. After load_state_dict it is still the
#               random weight from before: the spectral radius, the density or torch.nn.functional.linear of a loaded
#               network is that of another one, and its mask is the old one too. After optimizer.step() it is the
#               weight before the step. layer.double() leaves it in float32. No message, and the first forward pass
#               removes all traces. nn.Linear, nn.RNN, GRU and LSTM are alike.
# What to do:   read `layer.weight_orig * layer.weight_mask`, or call the layer once after loading, or prune.remove().
. "$(dirname "$0")/torch.inc" numpy==2.2.6
observe <<'PYTHON'
import torch
from torch.nn.utils import prune


def pruned(seed):
    torch.manual_seed(seed)
    network = torch.nn.RNN(3, 50)
    prune.random_unstructured(network, "weight_hh_l0", amount=0.9 if seed == 1 else 0.2)
    return network


def radius(weights):
    return round(float(torch.linalg.eigvals(weights.detach()).abs().max()), 3)


def look(network):
    weights = network.weight_hh_l0
    return int((weights != 0).sum()), radius(weights)


trained, loaded = pruned(seed=1), pruned(seed=2)
with torch.no_grad():
    trained.weight_hh_l0_orig.mul_(5)
trained(torch.zeros(1, 1, 3))
before = look(loaded)
loaded.load_state_dict(trained.state_dict())
after = look(loaded)
product = loaded.weight_hh_l0_orig * loaded.weight_hh_l0_mask
print("PyTorch", torch.__version__)
print("(synapses, spectral radius)")
print("trained network:               ", look(trained))
print("new network:                   ", before)
print("after load_state_dict:         ", after)
print("weight_orig times weight_mask: ", (int((product != 0).sum()), radius(product)))
loaded(torch.zeros(1, 1, 3))
print("after a forward pass:          ", look(loaded))
assert after == before != look(trained) == look(loaded)

layer = torch.nn.Linear(3, 3)
prune.random_unstructured(layer, "weight", amount=3)
optimizer = torch.optim.SGD(layer.parameters(), lr=1.0)
layer(torch.ones(1, 3)).sum().backward()
old = layer.weight.detach().clone()
optimizer.step()
moved = float((layer.weight_orig * layer.weight_mask - old).abs().max())
stale = torch.equal(layer.weight, old)
print(f"after a step that moves the weights by {moved:.1f}, layer.weight is as before:", stale)
kept = layer.double().weight.dtype
print("weight after layer.double():", kept)
assert stale and moved == 1 and kept == torch.float32
PYTHON
