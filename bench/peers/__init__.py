"""The peers of the benchmark: one file per peer, each with a class `Peer`.

    Peer(problem, n_threads)
    peer.loss_and_gradients(batch) -> loss, {group: array as in the problem file}
    peer.step(batch) -> loss          one optimiser step on a batch of the problem
    peer.forward(row) -> logits       (time, class) of one row of batch 0, from state 0
    Peer.DESCRIPTION, Peer.MODULE     what it is, and the module that it needs
"""
