import numpy as np
import pytest

from cardiotrace.phantoms.fundus.stroke import draw_strokes


def line(points, *radii):
    return np.array(points, float), np.array(radii, float)


@pytest.mark.parametrize("angle", [0.0, 0.3, 0.8, 1.4])
@pytest.mark.parametrize("radius", [0.8, 2.5, 6.0])
def test_area_is_that_of_a_band_with_round_ends(angle, radius):
    ends = np.array([60.0, 60.0]) + np.outer([-30, 30], [np.sin(angle), np.cos(angle)])
    made = draw_strokes([line(ends, radius, radius)], (121, 121))
    assert made.coverage.sum() == pytest.approx(2 * radius * 60 + np.pi * radius**2, rel=0.02)


def test_depth_is_the_chord_of_a_round_vessel():
    made = draw_strokes([line([[20, 0], [20, 40]], 5, 5)], (41, 41))
    assert made.depth[20, 20] == pytest.approx(10)
    assert made.depth[23, 20] == pytest.approx(8)
    assert made.depth[26, 20] == 0
    assert made.extent[18, 20] == pytest.approx(3)


def test_taper_runs_from_one_radius_to_the_other():
    made = draw_strokes([line([[20, 0], [20, 60]], 6, 2)], (41, 61))
    widths = made.coverage.sum(axis=0)
    assert widths[[15, 30, 45]] == pytest.approx([10, 8, 6], abs=0.2)


def test_only_wide_vessels_show_a_reflex():
    made = draw_strokes([line([[10, 0], [10, 40]], 1.5, 1.5), line([[30, 0], [30, 40]], 5, 5)], (41, 41))
    assert made.reflex[10, 20] == 0
    assert made.reflex[30, 20] == pytest.approx(1)
    assert made.reflex[33, 20] < 0.1


def test_strokes_beyond_the_edge_are_cut():
    made = draw_strokes([line([[-20, -20], [10, 10]], 3, 3), line([[90, 90], [99, 99]], 3, 3)], (20, 20))
    assert made.coverage[5, 5] == 1
    assert draw_strokes([], (4, 4)).coverage.sum() == 0
