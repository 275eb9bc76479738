"""Frames that jump are found, and decided anew by whoever can."""

import numpy as np
import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.label import LV_ONLY, LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.postprocessing import Postprocessing
from cardiotrace.postprocessing.film import SteadyFrames

STEADY = Postprocessing([Choice("steady-frames"), Choice("largest-component")])


def film(*sizes: int) -> LabelMap:
    """One row of twenty pixels a frame, of which so many are labelled."""
    array = np.zeros((len(sizes), 1, 1, 20), np.uint8)
    for frame, size in enumerate(sizes):
        array[frame, ..., :size] = 1
    return LabelMap(array, LV_ONLY, NO_GEOMETRY)


def jumping(*sizes: int, dark: tuple[int, ...] = ()) -> list[int]:
    """The frames that jump, of which some show no image."""
    shown = np.ones(len(sizes), bool)
    shown[list(dark)] = False
    return SteadyFrames().jumping(film(*sizes), shown)


def test_a_beat_does_not_jump() -> None:
    assert jumping(*(15 + 5 * np.cos(np.linspace(0, 2 * np.pi, 25))).astype(int)) == []


def test_a_frame_jumps_and_its_neighbours_do_not() -> None:
    assert jumping(18, 17, 5, 16, 15, 14) == [2]
    assert jumping(18, 17, 5, 16, 15, 6, 14) == [2, 5]


def test_what_cannot_be_told_stays() -> None:
    assert jumping(5, 17, 17) == []  # the first
    assert jumping(17, 5) == []
    assert jumping(18, 17, 5, 16, 15, dark=(1,)) == []
    assert jumping(0, 0, 0, 0) == []


def test_the_frame_is_decided_anew_cleaned_and_counted() -> None:
    given = film(18, 17, 5, 16, 15)
    asked = []

    def anew(frame: int) -> np.ndarray:
        asked.append(frame)
        labels = film(16).array[0].copy()
        labels[..., 18] = 1  # apart from the rest
        return labels

    processed = STEADY.apply(given, decide_anew=anew)
    assert asked == [2]
    assert processed.decided_anew == (2,)
    assert np.count_nonzero(processed.labels.array, axis=(1, 2, 3)).tolist() == [18, 17, 16, 16, 15]
    assert processed.added[Structure.LV].tolist() == [0, 0, 11, 0, 0]
    assert np.count_nonzero(given.array[2]) == 5


def test_labels_alone_stay_as_they_are() -> None:
    processed = STEADY.apply(film(18, 17, 5, 16, 15))
    assert processed.decided_anew == ()
    assert np.count_nonzero(processed.labels.array[2]) == 5


@pytest.mark.parametrize("jump", [0.0, 1.0, -1.0])
def test_a_jump_that_all_or_none_make_is_refused(jump: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        SteadyFrames(jump=jump)
