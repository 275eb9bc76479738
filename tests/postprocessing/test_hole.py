"""Enclosed background is filled; nothing else changes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cardiotrace.core.label import ACDC, CAMUS
from cardiotrace.core.terms import Structure
from cardiotrace.postprocessing.hole import FillHoles, fill_enclosed


def frame(*rows: str) -> np.ndarray:
    return np.array([[[int(sign) for sign in row] for row in rows]], np.uint8)


def test_a_hole_takes_the_label_around_it() -> None:
    labels = frame("111", "101", "111")
    np.testing.assert_array_equal(fill_enclosed(FillHoles(), labels, CAMUS), frame("111", "111", "111"))


def test_a_bay_is_no_hole() -> None:
    labels = frame("101", "101", "111")
    np.testing.assert_array_equal(fill_enclosed(FillHoles(), labels, CAMUS), labels)


def test_the_cavity_inside_a_ring_stays_cavity_and_its_own_hole_becomes_cavity() -> None:
    labels = frame("2222222", "2333332", "2330332", "2333332", "2222222")  # ACDC: 2 MYO, 3 LV
    filled = fill_enclosed(FillHoles(), labels, ACDC)
    np.testing.assert_array_equal(filled, np.where(labels == 0, 3, labels))


def test_a_gap_between_two_structures_is_filled_only_together() -> None:
    labels = frame("222222", "200332", "233332", "222222")
    np.testing.assert_array_equal(fill_enclosed(FillHoles(), labels, ACDC), labels)
    config = FillHoles(structures=(Structure.LV, Structure.MYO), together=True)
    filled = fill_enclosed(config, labels, ACDC)
    assert not (filled == 0).any()
    assert filled[0, 1, 1] == 2 or filled[0, 1, 1] == 3
    np.testing.assert_array_equal(filled[labels != 0], labels[labels != 0])


def test_a_gap_that_touches_a_structure_not_listed_stays() -> None:
    labels = frame("2221", "2001", "2221")
    config = FillHoles(structures=(Structure.MYO,))
    np.testing.assert_array_equal(fill_enclosed(config, labels, CAMUS), labels)


def test_each_plane_is_filled_by_itself() -> None:
    ring = frame("111", "101", "111")
    labels = np.concatenate([ring, np.zeros_like(ring), ring])
    assert fill_enclosed(FillHoles(), labels, CAMUS).sum(axis=(1, 2)).tolist() == [9, 0, 9]


@settings(max_examples=50, deadline=None)
@given(arrays(np.uint8, (2, 7, 8), elements=st.integers(0, 3)), st.booleans())
def test_laws(labels: np.ndarray, together: bool) -> None:
    config = FillHoles(together=together)
    filled = fill_enclosed(config, labels, CAMUS)
    np.testing.assert_array_equal(filled[labels != 0], labels[labels != 0])
    np.testing.assert_array_equal(fill_enclosed(config, filled, CAMUS), filled)
    assert np.all(filled[:, 0] == labels[:, 0])  # the border encloses nothing
