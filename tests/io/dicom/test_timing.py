"""When frames were taken, and by which element of the header."""

import numpy as np
import pytest

from cardiotrace.core.geometry import Known
from cardiotrace.io.dicom.timing import r_waves_of, timing_of
from tests.fake.ultrasound import ultrasound

VECTOR = ["0", "20", "30", "20", "30"]


def test_the_frame_time():
    timing = timing_of(ultrasound(), 5)
    assert timing.times_ms.tolist() == [0, 25, 50, 75, 100]
    assert timing.known is Known.FILE
    assert timing.notes == ("times of its frames from FrameTime, 25 ms",)


def test_the_vector_holds_increments():
    timing = timing_of(ultrasound(FrameTimeVector=VECTOR, FrameIncrementPointer=0x00181065), 5)
    assert timing.times_ms.tolist() == [0, 20, 50, 70, 100]
    assert "FrameTimeVector" in timing.notes[0]
    assert timing.interval_ms == 25


def test_the_header_points_to_the_one_that_counts():
    assert timing_of(ultrasound(FrameTimeVector=VECTOR), 5).times_ms.tolist() == [0, 25, 50, 75, 100]


@pytest.mark.parametrize(
    ("vector", "words"),
    [
        (VECTOR[:4], "has 4 entries for 5 frames"),
        (["0", "20", "-5", "20", "20"], "holds times that cannot be"),
        (["0", "20", "0", "20", "20"], "holds times that cannot be"),
    ],
)
def test_a_vector_that_cannot_be_is_passed_over_and_it_is_said(vector, words):
    timing = timing_of(ultrasound(FrameTimeVector=vector, FrameIncrementPointer=0x00181065), 5)
    assert timing.times_ms.tolist() == [0, 25, 50, 75, 100]
    assert timing.notes[1:] == (f"FrameTimeVector {words}, and does not count",)


@pytest.mark.parametrize(
    ("keyword", "value", "step"), [("CineRate", "50", 20), ("RecommendedDisplayFrameRate", "40", 25)]
)
def test_a_rate_of_playing_is_assumed(keyword, value, step):
    timing = timing_of(ultrasound(FrameTime=None, **{keyword: value}), 5)
    assert np.diff(timing.times_ms).tolist() == [step] * 4
    assert timing.known is Known.ASSUMED
    assert keyword in timing.notes[0]


def test_the_duration_of_a_frame_comes_before_rates():
    timing = timing_of(ultrasound(FrameTime=None, CineRate="50", ActualFrameDuration="40"), 5)
    assert (timing.interval_ms, timing.known) == (40, Known.FILE)


@pytest.mark.parametrize("wrong", ["0", "-3", "99999"])
def test_nothing_that_can_be(wrong):
    timing = timing_of(ultrasound(FrameTime=wrong), 5)
    assert timing.times_ms is None
    assert timing.notes == ("nothing states when its frames were taken",)


def test_a_still_has_no_times():
    assert timing_of(ultrasound(), 1).times_ms is None


def test_r_waves_stand_in_order():
    assert r_waves_of(ultrasound(RWaveTimeVector=[12.5, 812.5])) == (12.5, 812.5)
    assert r_waves_of(ultrasound(RWaveTimeVector=[812.5, 12.5])) == ()
    assert r_waves_of(ultrasound()) == ()
