import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError
from cardiotrace.metrics import Confusion, Presence, dice, jaccard, precision, recall, specificity

SCORES = [dice, jaccard, precision, recall]
EMPTY = np.zeros((4, 5), bool)
FULL = np.ones((4, 5), bool)


def pair(seed, density=0.4):
    random = np.random.default_rng(seed)
    return random.random((5, 6, 3)) < density, random.random((5, 6, 3)) < density


def test_two_overlapping_squares():
    predicted, reference = np.zeros((2, 10, 10), bool)
    predicted[2:6, 2:6] = True  # 16 voxels
    reference[4:9, 3:8] = True  # 25 voxels, 2 x 3 shared
    counts = Confusion.count(predicted, reference)
    assert counts == Confusion(6, 10, 19, 65)
    assert dice(predicted, reference) == pytest.approx(12 / 41)
    assert jaccard(predicted, reference) == pytest.approx(6 / 35)
    assert precision(predicted, reference) == pytest.approx(6 / 16)
    assert recall(predicted, reference) == pytest.approx(6 / 25)
    assert specificity(predicted, reference) == pytest.approx(65 / 75)
    assert counts.presence is Presence.PRESENT


@pytest.mark.parametrize("score", SCORES)
def test_absent_and_missed(score):
    assert math.isnan(score(EMPTY, EMPTY))
    assert score(FULL, EMPTY) == 0
    assert score(EMPTY, FULL) == 0
    assert score(FULL, FULL) == 1


def test_presence():
    assert Confusion.count(EMPTY, EMPTY).presence is Presence.ABSENT
    assert Confusion.count(FULL, EMPTY).presence is Presence.FALSE_POSITIVE
    assert Confusion.count(EMPTY, FULL).presence is Presence.FALSE_NEGATIVE
    disjoint = Confusion.count([1, 0], [0, 1])
    assert disjoint.presence is Presence.PRESENT
    assert disjoint.dice == 0


def test_specificity_speaks_of_the_background():
    assert specificity(EMPTY, EMPTY) == 1
    assert specificity(FULL, EMPTY) == 0
    assert math.isnan(specificity(EMPTY, FULL))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_laws(seed):
    predicted, reference = pair(seed)
    assert dice(predicted, reference) == dice(reference, predicted)
    assert precision(predicted, reference) == recall(reference, predicted)
    assert specificity(predicted, reference) == recall(~predicted, ~reference)
    both = dice(predicted, reference)
    assert jaccard(predicted, reference) == pytest.approx(both / (2 - both))
    share, found = precision(predicted, reference), recall(predicted, reference)
    if share + found:
        assert both == pytest.approx(2 * share * found / (share + found))
    assert all(0 <= score(predicted, reference) <= 1 for score in SCORES)


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32])
def test_zeros_and_ones_of_any_type_are_masks(kind):
    predicted, reference = pair(7)
    assert dice(predicted.astype(kind), reference.astype(kind)) == dice(predicted, reference)


@pytest.mark.parametrize("value", [2, 255, -1, 0.5, np.nan])
def test_label_maps_and_probabilities_are_refused(value):
    with pytest.raises(InputError, match="predicted mask holds values other than 0 and 1"):
        dice(np.array([0, 1, value]), np.array([0, 1, 1]))


def test_different_shapes_are_refused():
    with pytest.raises(InputError, match=r"predicted \(4, 5\), reference \(5, 4\)"):
        dice(EMPTY, EMPTY.T)
