import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.geometry.contour import contours, polygon_area
from cardiotrace.geometry.polygon import fill_polygon


def winding(points, shape):
    """Even-odd rule for one pixel centre at a time."""
    inside = np.zeros(shape, bool)
    for row, column in np.ndindex(*shape):
        for (row_a, column_a), (row_b, column_b) in zip(points, np.roll(points, -1, axis=0), strict=True):
            if (row_a <= row) != (row_b <= row):
                crossing = column_a + (row - row_a) / (row_b - row_a) * (column_b - column_a)
                inside[row, column] ^= column >= crossing
    return inside


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 9))
def test_agrees_with_a_ray_for_each_pixel(seed, corners):
    random = np.random.default_rng(seed)
    points = random.uniform(-4, 15, (corners, 2))
    assert np.array_equal(fill_polygon(points, (10, 12)), winding(points, (10, 12)))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_whole_number_corners_share_no_pixel_and_leave_no_gap(seed):
    outer = np.array([[0, 0], [0, 9], [9, 9], [9, 0]])
    inner = np.random.default_rng(seed).integers(0, 10, 2)
    fans = [fill_polygon(np.array([outer[k], outer[(k + 1) % 4], inner]), (11, 11)) for k in range(4)]
    assert np.array_equal(sum(fan.astype(int) for fan in fans), fill_polygon(outer, (11, 11)).astype(int))


def test_top_and_left_edges_are_inside():
    mask = fill_polygon(np.array([[1.0, 2.0], [1.0, 4.0], [3.0, 4.0], [3.0, 2.0]]), (5, 6))
    assert np.argwhere(mask).tolist() == [[1, 2], [1, 3], [2, 2], [2, 3]]


def test_large_circle_has_its_area():
    angle = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    circle = np.column_stack([128 + 100.4 * np.sin(angle), 128 + 100.4 * np.cos(angle)])
    assert fill_polygon(circle, (256, 256)).sum() == pytest.approx(np.pi * 100.4**2, rel=2e-3)


def test_clipped_polygon_keeps_what_is_in_the_image():
    mask = fill_polygon(np.array([[-50.0, -50.0], [-50.0, 2.5], [50.0, 2.5], [50.0, -50.0]]), (4, 6))
    assert np.array_equal(mask, np.arange(6) <= np.full((4, 1), 2))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_filling_a_contour_gives_back_the_mask(seed):
    random = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radius = random.uniform(4, 9, 40)
    mask = fill_polygon(np.column_stack([10 + radius * np.sin(angle), 10 + radius * np.cos(angle)]), (21, 21))
    refilled = np.zeros_like(mask)
    for line in contours(mask):
        refilled ^= fill_polygon(line, mask.shape)
    assert np.array_equal(refilled, mask)


def test_fewer_than_three_corners_fill_nothing():
    assert not fill_polygon(np.array([[1.0, 1.0], [3.0, 3.0]]), (5, 5)).any()


def test_area_of_the_polygon_is_that_of_many_small_pixels():
    points = np.random.default_rng(3).uniform(20, 480, (3, 2))
    assert fill_polygon(points, (500, 500)).sum() == pytest.approx(polygon_area(points), rel=5e-3)
