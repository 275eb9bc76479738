"""A vote of neighbours, against a vote counted pixel by pixel."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cardiotrace.core.catalog import Choice
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.label import ACDC, LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.postprocessing import Postprocessing
from cardiotrace.postprocessing.smooth import Smooth, smooth

FRAMES = arrays(np.uint8, (2, 6, 7), elements=st.integers(0, 3))


def counted(labels: np.ndarray, radius: int, listed: set[int]) -> np.ndarray:
    padded = np.pad(labels, ((0, 0), (radius, radius), (radius, radius)), mode="edge")
    voted = labels.copy()
    for depth, row, column in np.ndindex(labels.shape):
        window = padded[depth, row : row + 2 * radius + 1, column : column + 2 * radius + 1]
        counts = np.bincount(window.ravel(), minlength=4)
        own, winner = labels[depth, row, column], counts.argmax()
        if counts[winner] > counts[own] and {int(own), int(winner)} & listed:
            voted[depth, row, column] = winner
    return voted


@settings(max_examples=30)
@given(FRAMES, st.integers(1, 3))
def test_the_majority_of_a_square_decides(labels: np.ndarray, radius: int) -> None:
    np.testing.assert_array_equal(smooth(Smooth(radius=radius), labels, ACDC), counted(labels, radius, {1, 2, 3}))


@settings(max_examples=30)
@given(FRAMES)
def test_only_pixels_that_come_to_or_leave_a_listed_structure_change(labels: np.ndarray) -> None:
    smoothed = smooth(Smooth((Structure.RV,)), labels, ACDC)
    np.testing.assert_array_equal(smoothed, counted(labels, 1, {1}))


@settings(max_examples=30)
@given(FRAMES, st.integers(1, 3), st.integers(0, 4))
def test_background_around_what_is_labelled_votes_in_a_row_of_steps_too(
    labels: np.ndarray, radius: int, margin: int
) -> None:
    """Steps see a box around what is labelled: beyond it lies background, and only at the image's edge its edge."""
    whole = np.pad(labels, ((0, 0), (margin, margin), (0, margin)))
    steps = Postprocessing([Choice("smooth", {"radius": radius})])
    found = steps.apply(LabelMap(whole[None], ACDC, NO_GEOMETRY)).labels.array[0]
    np.testing.assert_array_equal(found, smooth(Smooth(radius=radius), whole, ACDC))
