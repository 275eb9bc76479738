import numpy as np
import pytest

from cardiotrace.clinical.regional.insertion import Septum, septal_angles, septum_of
from cardiotrace.clinical.regional.ring import ring_of

PIXEL = (1.5, 1.5)


def short_axis(start_deg, span_deg, reach_mm=45):
    rows, columns = np.mgrid[:80, :80] - np.array([39.7, 40.2])[:, None, None]
    radius, angle = np.hypot(rows, columns) * PIXEL[0], np.degrees(np.arctan2(-rows, columns)) % 360
    cavity, wall = radius < 20, (radius >= 20) & (radius < 30)
    right = (radius >= 30) & (radius < reach_mm) & ((angle - start_deg) % 360 < span_deg)
    return ring_of(cavity, wall, PIXEL), right


@pytest.mark.parametrize("start", [0.0, 47.0, 110.0, 200.0, 330.0])
def test_the_septum_lies_between_both_insertions(start):
    ring, right = short_axis(start, 120)
    assert ring is not None
    found = septum_of(ring, right, PIXEL)
    assert found is not None
    assert found.middle == pytest.approx((start + 60) % 360, abs=1.5)
    # What touches reaches one and a half pixels further at either end.
    assert found.span == pytest.approx(120, abs=10)
    assert found.is_plausible


def test_a_notch_does_not_end_the_septum():
    ring, right = short_axis(100, 130)
    notched = right & ~short_axis(160, 8, 36)[1]
    assert ring is not None
    found = septum_of(ring, notched, PIXEL)
    assert found is not None
    assert found.middle == pytest.approx(165, abs=2)


def test_where_there_is_no_insertion_there_is_no_septum():
    ring, right = short_axis(0, 120)
    assert ring is not None
    assert septum_of(ring, right & False, PIXEL) is None
    assert septum_of(ring, short_axis(0, 361)[1], PIXEL) is None
    assert septum_of(ring, np.roll(right, 30, axis=1) & (np.arange(80) > 78), PIXEL) is None


def test_one_odd_slice_does_not_turn_the_others():
    septa = {depth: Septum(110.0, 120.0) for depth in range(8)} | {0: Septum(150.0, 120.0)}
    assert septal_angles(septa, range(8)) == pytest.approx(dict.fromkeys(range(8), 170.0), abs=1)


def test_angles_are_averaged_across_the_full_circle():
    found = septal_angles({0: Septum(298.0, 120.0), 1: Septum(302.0, 120.0)}, [0, 1])
    assert {depth: (angle + 180) % 360 for depth, angle in found.items()} == pytest.approx({0: 180, 1: 180}, abs=2.1)


@pytest.mark.parametrize(("span", "is_plausible"), [(79, False), (80, True), (160, True), (161, False)])
def test_the_span_of_a_septum_is_120_degrees_and_40_either_way(span, is_plausible):
    assert Septum(10.0, span).is_plausible is is_plausible
