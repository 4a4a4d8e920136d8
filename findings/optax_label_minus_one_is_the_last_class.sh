#!/usr/bin/env bash
# optax 0.2.8: steps padded with the label -1 train the network to choose the last class. (2026-11-30)
#
# A good guess: softmax_cross_entropy_with_integer_labels of a label that is no class, as the -1 with which trials
#               are padded to one length, raises, is NaN, or is 0 as it is with one_hot labels.
# Instead:      labels are indices as in Python: -1 is the last class, -2 the one before. Half of the trial below is
#               padding, and the loss there pulls towards the last class: a network that should be undecided there
#               answers class 2 with 99.6 %, in steps that have no answer at all, and the loss that is reported is
#               small. A label below -3 or above 2 is NaN, and so is PyTorch's -100. one_hot(-1) is all zeros, so
#               that softmax_cross_entropy ignores these steps.
# What to do:   softmax_cross_entropy_with_integer_labels(logits, labels, where=labels >= 0), and divide by the
#               number of labels that are >= 0, not by mean().
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 jax==0.10.2 jaxlib==0.10.2 optax==0.2.8
observe <<'PYTHON'
import jax
import jax.numpy as jnp
import optax

labels = jnp.array([0, 1, 0, -1, -1, -1])


def by_index(logits):
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels)


def one_hot(logits):
    return optax.softmax_cross_entropy(logits, jax.nn.one_hot(labels, 3))


def masked(logits):
    valid = labels >= 0
    return optax.softmax_cross_entropy_with_integer_labels(logits, jnp.where(valid, labels, 0), where=valid)


def trained(loss):
    logits = jnp.zeros((6, 3))
    step = jax.jit(lambda logits: logits - jax.grad(lambda x: loss(x).mean())(logits))
    for _ in range(1000):
        logits = step(logits)
    return jax.nn.softmax(logits)[-1], float(loss(logits).mean())


def of_label(label):
    logits = jnp.array([[2.0, 1.0, 0.0]])
    return float(optax.softmax_cross_entropy_with_integer_labels(logits, jnp.array([label]))[0])


print("optax", optax.__version__, "JAX", jax.__version__)
losses = {label: round(of_label(label), 3) for label in (0, 1, 2, -1, -2, -3, -4, 3, -100)}
print("losses by label of the logits 2, 1, 0:", losses)
answers = {loss.__name__: trained(loss) for loss in (by_index, one_hot, masked)}
for name, (answer, loss) in answers.items():
    print(f"{name:10} answer in the padding: {[round(float(p), 3) for p in answer]}, loss {loss:.3f}")
assert losses[-1] == losses[2] and losses[-2] == losses[1] and losses[-3] == losses[0]
assert all(losses[label] != losses[label] for label in (-4, 3, -100))
assert answers["by_index"][0][2] > 0.9 and answers["by_index"][1] < 0.1
for name in ("one_hot", "masked"):
    assert abs(float(answers[name][0][2]) - 1 / 3) < 1e-3
PYTHON
