"""The correctors that are shipped: what is broken is made whole, and what is whole is left alone."""

import numpy as np
import pytest

from cardiotrace.clinical.correction import Outcome
from cardiotrace.core.label import ACDC, CAMUS
from cardiotrace.core.terms import Structure
from cardiotrace.inference.corrector import Corrector, mean_dice
from cardiotrace.inference.zoo import load_model

PIXEL = (1.4, 1.4)
"""Millimetres."""
ROWS, COLUMNS = np.mgrid[:128, :128]


@pytest.fixture(scope="module")
def short_axis() -> Corrector:
    return Corrector.of(load_model("corrector-sax"))


def disk(row: float, column: float, radius: float) -> np.ndarray:
    return np.hypot(ROWS - row, COLUMNS - column) <= radius


def slice_of_a_heart() -> np.ndarray:
    """A left ventricle of 50 mm with a wall of 8 mm, and a right one at its left."""
    outer, inner = disk(64, 70, 24), disk(64, 70, 18)
    labels = np.zeros(ROWS.shape, np.uint8)
    labels[disk(62, 48, 24) & (COLUMNS < 58)] = ACDC.values["RV"]
    labels[outer] = ACDC.values["MYO"]
    labels[inner] = ACDC.values["LV"]
    return labels


def test_the_shipped_ones_know_their_structures(short_axis):
    assert short_axis.scheme.values == ACDC.values
    assert Corrector.of(load_model("corrector-4ch")).scheme.values == CAMUS.values


def test_a_whole_slice_is_left_alone(short_axis):
    (found,) = short_axis.project([slice_of_a_heart()], PIXEL)
    assert found.outcome is Outcome.VALID
    np.testing.assert_array_equal(found.labels, slice_of_a_heart())


def test_a_wall_that_is_open_is_closed(short_axis):
    whole = slice_of_a_heart()
    broken = np.where((COLUMNS > 86) & (abs(ROWS - 64) < 7), 0, whole).astype(np.uint8)
    broken[40:44, 100:104] = ACDC.values[Structure.RV]
    (found,) = short_axis.project([broken], PIXEL)
    assert found.outcome is Outcome.CORRECTED
    assert found.failed
    assert mean_dice(found.labels, whole) > 0.95  # whole, not more exact: borders move a little elsewhere
    assert short_axis.project([found.labels], PIXEL)[0].outcome is Outcome.VALID
    assert not (found.labels[40:44, 100:104] == ACDC.values[Structure.RV]).any()
    assert found.dice == pytest.approx(mean_dice(found.labels, broken))
