import numpy as np
import pytest

import lmrnn


def test_local_mask_is_the_distance_on_the_sheet():
    sheet = lmrnn.Sheet(8, 8)
    mask = lmrnn.Mask.make("local", sheet=sheet, radius=2)
    dense = mask.to_dense()
    for unit in (0, 27):
        assert np.array_equal(dense[unit].reshape(8, 8), sheet.distances_from(unit) <= 2)
        assert np.array_equal(np.flatnonzero(dense[unit]), mask.sources_of(unit))
    assert mask.statistics(sheet)["n_synapses"] == mask.n_synapses == dense.sum()


def test_masks_of_ones_own():
    dense = np.random.default_rng(0).random((5, 7)) < 0.4
    mask = lmrnn.Mask(dense)
    assert mask.shape == (5, 7) and np.array_equal(mask.to_dense(), dense)
    pairs = np.stack([mask.targets, mask.sources], axis=1)
    assert lmrnn.Mask.from_pairs(5, 7, pairs) == mask
    with pytest.raises(lmrnn.UsageError):
        lmrnn.Mask.from_pairs(2, 2, np.array([[0, 5]], dtype=np.uint32))
    with pytest.raises(IndexError):
        mask.sources_of(5)


def test_random_masks_need_a_seed():
    with pytest.raises(lmrnn.UsageError, match="seed"):
        lmrnn.Mask.make("random", rows=8, cols=8, radius=2)
    a = lmrnn.Mask.make("random", rows=8, cols=8, radius=2, seed=1)
    assert a == lmrnn.Mask.make("random", rows=8, cols=8, radius=2, seed=1)
    local = lmrnn.Mask.make("local", rows=8, cols=8, radius=2)
    shuffled = local.shuffled(seed=3)
    assert shuffled != local
    assert np.array_equal(np.diff(shuffled.row_offsets), np.diff(local.row_offsets))
