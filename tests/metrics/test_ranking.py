import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError
from cardiotrace.metrics import average_precision, dice, dice_at, roc_auc

PIXELS = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=30)


@given(PIXELS)
def test_area_is_the_chance_of_ranking_right(pixels):
    values, mask = (np.array(part) for part in zip(*pixels, strict=True))
    pairs = [(a > b) + 0.5 * (a == b) for a in values[mask] for b in values[~mask]]
    expected = float(np.mean(pairs)) if pairs else math.nan
    assert roc_auc(values, mask) == pytest.approx(expected, nan_ok=True)


@given(PIXELS)
def test_average_precision_by_its_definition(pixels):
    values, mask = (np.array(part) for part in zip(*pixels, strict=True))
    expected, before = 0.0, 0.0
    for threshold in sorted(set(values.tolist()), reverse=True):
        taken = values >= threshold
        found = mask[taken].sum() / max(mask.sum(), 1)
        expected += (found - before) * mask[taken].mean()
        before = found
    assert average_precision(values, mask) == pytest.approx(expected if mask.any() else math.nan, nan_ok=True)


def test_order_of_equal_probabilities_does_not_matter():
    assert roc_auc([0.5, 0.5, 0.5, 0.5], [1, 0, 1, 0]) == roc_auc([0.5, 0.5, 0.5, 0.5], [0, 0, 1, 1]) == 0.5


def test_dice_at_each_threshold_is_the_dice_of_the_mask():
    rng = np.random.default_rng(0)
    reference = rng.random((30, 40)) < 0.2
    probability = np.round(np.clip(0.4 * reference + 0.6 * rng.random(reference.shape), 0, 1), 2).astype(np.float32)
    thresholds = np.arange(1, 100) / 100
    found = dice_at(thresholds, probability, reference)
    for index in (0, 29, 50, 98):
        assert found[index] == pytest.approx(dice(probability > np.float32(thresholds[index]), reference))


def test_bad_input():
    with pytest.raises(InputError, match="not a number"):
        roc_auc([0.1, math.nan], [0, 1])
    with pytest.raises(InputError, match="3 probabilities for 2"):
        roc_auc([0.1, 0.2, 0.3], [0, 1])
    with pytest.raises(InputError, match="1 probabilities for 2"):
        dice_at(np.array([0.5]), [0.1], [0, 1])
