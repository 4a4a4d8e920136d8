#!/usr/bin/env bash
# snntorch 1.0.0: utils.reset(a) also resets the hidden states of every other network of the process. (2026-12-01)
#
# A good guess: utils.reset(net) sets the membranes of the neurons in net to 0. A second network, for example a
#               teacher, a network before it was rewired, or one that is tested while another one is trained, keeps its
#               membranes.
# Instead:      it only looks in net for the classes of its neurons (Leaky, Synaptic, ...). Then it resets all neurons
#               of these classes that the process has ever made, and cuts them from their graph. A network that is
#               compared with another one every 10 steps restarts from 0 at each comparison, and its gradients
#               stop there. A neuron inside a submodule of net is not seen: if net holds the layers in a Sequential,
#               nothing is reset. No error, no warning.
# What to do:   do not use init_hidden=True: pass the membrane as an argument, spike, mem = neuron(x, mem). Or call
#               reset_mem() of each neuron of net.modules().
. "$(dirname "$0")/torch.inc" numpy==2.2.6 snntorch==1.0.0
observe <<'PYTHON'
import snntorch as snn
import torch
from snntorch import utils

kinds = {"Leaky": {}, "Synaptic": {"alpha": 0.9}, "Lapicque": {}, "RLeaky": {"linear_features": 3},
         "Alpha": {"alpha": 0.95}}


def network(kind):
    neuron = getattr(snn, kind)(beta=0.9, init_hidden=True, **kinds[kind])
    return torch.nn.Sequential(torch.nn.Linear(2, 3), neuron)


def membrane(net):
    return float(net[1].mem.detach().abs().max())


print("snntorch", snn.__version__, "PyTorch", torch.__version__)
for kind in kinds:
    torch.manual_seed(0)
    a, b = network(kind), network(kind)
    for _ in range(3):
        a(torch.ones(4, 2))
        b(torch.ones(4, 2))
    before = membrane(b)
    utils.reset(a)
    print(f"{kind}: largest membrane of b {before:.3f}, after reset(a) {membrane(b):.3f}")
    assert before > 0.1 and membrane(b) == membrane(a) == 0


def output(comparison):
    torch.manual_seed(0)
    net, other = network("Leaky"), network("Leaky")
    for step in range(50):
        net(torch.ones(1, 2))
        if comparison and step % 10 == 5:
            utils.reset(other)
            other(torch.ones(1, 2))
    loss = net[1].mem.sum()
    loss.backward()
    return round(float(loss), 3), round(float(net[0].weight.grad.abs().sum()), 3)


alone, compared = output(False), output(True)
print("50 steps: sum of membranes and of gradients, alone", alone, "with a second network", compared)
assert alone != compared and compared[1] < alone[1] / 2

torch.manual_seed(0)
nested = torch.nn.Sequential(network("Leaky"))
nested(torch.ones(4, 2))
utils.reset(nested)
print(f"a network inside a Sequential, after its reset: {membrane(nested[0]):.3f}")
assert membrane(nested[0]) > 0.1

net, other = network("Leaky"), network("Leaky")
net(torch.ones(4, 2))
other(torch.ones(4, 2))
for module in net.modules():
    if hasattr(module, "reset_mem"):
        module.reset_mem()
print(f"reset_mem() of each neuron: net {membrane(net):.3f}, other {membrane(other):.3f}")
assert membrane(net) == 0 < membrane(other)
PYTHON
