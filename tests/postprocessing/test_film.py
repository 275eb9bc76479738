"""Frames that jump are found, and decided anew by whoever can."""

from itertools import product

import numpy as np
import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.label import LV_ONLY, LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.phantoms.heart.cycle import CardiacCycle
from cardiotrace.postprocessing import Postprocessing
from cardiotrace.postprocessing.film import SteadyFrames

STEADY = Postprocessing([Choice("steady-frames"), Choice("largest-component")])


def film(*sizes: int) -> LabelMap:
    """One row of pixels a frame, of which so many are labelled."""
    array = np.zeros((len(sizes), 1, 1, max(20, *sizes)), np.uint8)
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
    assert jumping(18, 17, 5, 16, 15, 14, 13, 12, 12, 13) == [2]
    assert jumping(18, 17, 17, 5, 16, 16, 15, 14, 14, 13, 13, 2, 13, 14, 14, 15, 16) == [3, 11]


def test_what_cannot_be_told_stays() -> None:
    assert jumping(5, 17, 17, 16, 16, 15, 15, 14, 14, 13) == []  # the first
    assert jumping(18, 5, 17, 16, 16, 15, 15, 14, 14, 13) == []  # the second
    assert jumping(17, 5) == []
    assert jumping(18, 17, 5, 16, 15, 14, 13, 12, 12, 13, dark=(4,)) == []
    assert jumping(0, 0, 0, 0, 0, 0, 0, 0, 0, 0) == []


@pytest.mark.parametrize("beat", [(20, 10), (20, 14, 8, 14), (20, 18, 12, 7, 12, 17)])
def test_end_systole_of_a_film_with_few_frames_a_beat_does_not_jump(beat: tuple[int, ...]) -> None:
    assert jumping(*beat, beat[0]) == []
    assert jumping(*(beat * 4)) == []


def test_the_frame_is_decided_anew_cleaned_and_counted() -> None:
    given = film(18, 17, 5, 16, 15, 14, 13, 12, 12, 13)
    asked = []

    def anew(frame: int) -> np.ndarray:
        asked.append(frame)
        labels = film(16).array[0].copy()
        labels[..., 18] = 1  # apart from the rest
        return labels

    processed = STEADY.apply(given, decide_anew=anew)
    assert asked == [2]
    assert processed.decided_anew == (2,)
    assert np.count_nonzero(processed.labels.array, axis=(1, 2, 3)).tolist()[:5] == [18, 17, 16, 16, 15]
    assert processed.added[Structure.LV].tolist() == [0, 0, 11, *[0] * 7]
    assert np.count_nonzero(given.array[2]) == 5


def test_labels_alone_stay_as_they_are() -> None:
    processed = STEADY.apply(film(18, 17, 5, 16, 15))
    assert processed.decided_anew == ()
    assert np.count_nonzero(processed.labels.array[2]) == 5


@pytest.mark.parametrize("jump", [0.0, 1.0, -1.0])
def test_a_jump_that_all_or_none_make_is_refused(jump: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        SteadyFrames(jump=jump)


def test_beats_at_a_low_frame_rate_do_not_jump() -> None:
    films, jumped = 0, 0
    for rate, heart_rate in product((5, 8, 10, 15), range(50, 131, 10)):
        cycle = CardiacCycle(heart_rate)
        for beats, smallest, share in product((1, 2, 3), (0.35, 0.6), (0.0, 0.3, 0.6)):
            times = np.arange(share * cycle.duration_ms, (share + beats) * cycle.duration_ms, 1000 / rate)
            filling = cycle.filling(times % cycle.duration_ms)
            jumped += bool(jumping(*np.round(200 * (smallest + (1 - smallest) * filling)).astype(int)))
            films += 1
    assert jumped <= films / 100
