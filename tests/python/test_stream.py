from itertools import islice

import numpy as np
import pytest

import lmrnn


@pytest.fixture
def battery():
    return lmrnn.Battery("modcog82")


def test_batches_are_functions_of_their_number(battery):
    stream = battery.stream(batch=4, steps=50, seed=0)
    third = list(islice(stream, 3))[2]
    again = battery.stream(batch=4, steps=50, seed=0)[2]
    for a, b in zip(third[:3], again[:3]):
        assert np.array_equal(a, b)
    assert third.info["number"] == 2
    other = battery.stream(batch=4, steps=50, seed=1)[2]
    assert not np.array_equal(third.inputs, other.inputs)
    assert next(iter(battery.stream(batch=4, steps=50, seed=0, first=2))).info["number"] == 2


def test_shapes_and_types(battery):
    inputs, targets, mask, info = battery.stream(batch=4, steps=50, seed=0)[0]
    assert inputs.shape == (50, 4, 33 + 82) and inputs.dtype == np.float32
    assert targets.shape == (50, 4) and targets.dtype == np.int32
    assert mask.shape == (50, 4) and (mask == 1).all()
    assert info["rules"].shape == (50, 4, 1)
    assert info["trial_starts"][0].all()


def test_dense_rules_are_the_indices_in_one_hot(battery):
    dense = battery.stream(batch=4, steps=50, seed=0)[0]
    index = battery.stream(batch=4, steps=50, seed=0, rules="index")[0]
    assert index.inputs.shape[2] == 33
    assert np.array_equal(dense.inputs[..., :33], index.inputs)
    one_hot = np.eye(82, dtype=np.float32)[index.info["rules"][..., 0]]
    assert np.array_equal(dense.inputs[..., 33:], one_hot)
    assert np.array_equal(index.info["rules"][..., 0], index.info["tasks"])


def test_batch_first_is_the_same_data(battery):
    a = battery.stream(batch=4, steps=50, seed=0)[1]
    b = battery.stream(batch=4, steps=50, seed=0, layout="batch-first")[1]
    assert np.array_equal(a.inputs, b.inputs.swapaxes(0, 1))
    assert np.array_equal(a.targets, b.targets.T)
    assert np.array_equal(a.info["periods"], b.info["periods"].T)


def test_weights_by_period_are_the_mask(battery):
    batch = battery.stream(batch=4, steps=50, seed=0, weights={"decision": 5, "fixation": 0})[0]
    periods = batch.info["periods"]
    assert (batch.mask[periods == 4] == 5).all() and (batch.mask[periods == 0] == 0).all()
    assert (batch.mask[periods == 1] == 1).all()


def test_continue_goes_on_where_the_row_stopped(battery):
    long = battery.stream(batch=2, steps=100, seed=0, mode="continue")[0]
    first, second = list(islice(battery.stream(batch=2, steps=50, seed=0, mode="continue"), 2))
    assert np.array_equal(first.targets, long.targets[:50])
    assert np.array_equal(second.targets, long.targets[50:])
    assert not second.info["trial_starts"][0].all()


def test_refusals(battery):
    with pytest.raises(lmrnn.UsageError, match="layout"):
        battery.stream(seed=0, layout="time_major")
    with pytest.raises(lmrnn.UsageError, match="weights"):
        battery.stream(seed=0, weights={"decison": 1})
    with pytest.raises(lmrnn.UsageError, match="steps"):
        battery.stream(seed=0, steps=0)
    with pytest.raises(TypeError):
        battery.stream()
    with pytest.raises(IndexError):
        battery.stream(seed=0)[-1]
