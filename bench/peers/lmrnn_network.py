"""The problem's network, for our layers in frameworks' training loops."""

import lmrnn


def network_of(problem):
    network = lmrnn.Network(
        lmrnn.Mask(problem.mask()), n_channels=problem.n_channels, n_classes=problem.n_classes,
        n_rules=problem.n_rules,
    )  # fmt: skip
    network.set_weights(**problem.weights)
    return network
