#!/usr/bin/env bash
# nengo 4.1.0: in a network with a seed, one new connection gives all ensembles other neurons. (2026-12-01)
#
# A good guess: nengo.Network(seed=1) fixes the neurons of its ensembles. What is added at the end of the script, as a
#               connection to a readout, leaves the ensembles before it as they are.
# Instead:      the seeds are drawn for all connections first, then for ensembles, subnetworks and nodes. Each new
#               connection moves the ensembles by one draw: the first gets the neurons that the second had, the last
#               gets new ones. Gains, biases, encoders and weights all change, and so do the spikes. Connected and
#               not, or with and without a readout, are two networks that share no neuron. A new ensemble in turn
#               changes all subnetworks. Only a probe or a node without a connection changes nothing. No message.
# What to do:   give each ensemble its own seed. Or put what you add into a subnetwork at the end (with
#               nengo.Network():), which leaves the rest as it is.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 nengo==4.1.0
observe <<'PYTHON'
import nengo
import numpy as np


def build(added=None, seeds=(None, None)):
    with nengo.Network(seed=1) as network:
        first, second = (nengo.Ensemble(20, 1, seed=seed) for seed in seeds)
        nengo.Connection(first, second)
        with nengo.Network():
            third = nengo.Ensemble(20, 1)
        if added == "a probe":
            nengo.Probe(second)
        elif added == "a node":
            nengo.Node(0)
        elif added == "a connection":
            nengo.Connection(second, nengo.Node(size_in=1))
        elif added == "a connection in a subnetwork":
            with nengo.Network():
                nengo.Connection(second, nengo.Node(size_in=1))
        elif added == "an ensemble":
            nengo.Ensemble(20, 1)
    with nengo.Simulator(network, progress_bar=False) as simulator:
        return [simulator.data[each].gain for each in (first, second, third)]


def kept(before, after):
    return [len(np.intersect1d(*each)) for each in zip(before, after)]


print("nengo", nengo.__version__)
print("neurons of 20 that stay, in the first and second ensemble, and in one of a subnetwork")
before = build()
seen = {}
for added in None, "a probe", "a node", "a connection", "an ensemble", "a connection in a subnetwork":
    seen[added] = kept(before, build(added))
    print(f"added {added or 'nothing'}: {seen[added]}")
moved = np.array_equal(build("a connection")[0], before[1])
print("with the connection, the first ensemble has the neurons that the second had:", moved)
seeds = kept(build(None, (11, 12)), build("a connection", (11, 12)))
print("added a connection, the first two with seeds of their own:", seeds)

assert seen[None] == seen["a probe"] == seen["a node"] == seen["a connection in a subnetwork"] == [20, 20, 20]
assert seen["a connection"] == [0, 0, 0] and moved
assert seen["an ensemble"] == [20, 20, 0]
assert seeds == [20, 20, 0]
PYTHON
