import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.geometry.contour import largest_contour
from cardiotrace.geometry.polygon import fill_polygon
from cardiotrace.geometry.spline import closed_curve, control_points, fill_curve
from cardiotrace.metrics.overlap import dice


def blob(seed, size=96):
    """A smooth star shape."""
    random = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    radius = random.uniform(12, 30) * (1 + sum(random.uniform(-0.12, 0.12) * np.cos(k * angle + k) for k in (1, 2, 3)))
    centre = random.uniform(44, 52, 2)
    return fill_polygon(
        np.column_stack([centre[0] + radius * np.sin(angle), centre[1] + radius * np.cos(angle)]), (size, size)
    )


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_a_few_points_draw_a_smooth_shape_again(seed):
    mask = blob(seed)
    points = control_points(mask)
    assert 12 <= len(points) <= 24
    assert dice(fill_curve(points, mask.shape), mask) >= 0.99


def test_the_curve_goes_through_its_points():
    points = np.random.default_rng(0).uniform(0, 50, (9, 2))
    curve = closed_curve(points, 4)
    assert np.abs(curve[::4] - points).max() < 1e-9
    assert len(curve) == 36


def test_the_speed_at_a_point_is_that_of_the_published_recursion():
    """Barry and Goldman's pyramid with knots by the square roots of distances."""
    p = np.array([[0.0, 0.0], [0.0, 4.0], [9.0, 5.0], [3.0, 1.0]])
    knots = np.concatenate([[0], np.cumsum(np.sqrt(np.linalg.norm(np.diff(p, axis=0), axis=1)))])
    for share in (0.25, 0.5, 0.75):
        t = knots[1] + share * (knots[2] - knots[1])
        level = list(p)
        for width in (1, 2):
            level = [
                ((knots[i + width] - t) * level[i] + (t - knots[i]) * level[i + 1]) / (knots[i + width] - knots[i])
                for i in range(len(level) - 1)
            ]
        wanted = ((knots[2] - t) * level[0] + (t - knots[1]) * level[1]) / (knots[2] - knots[1])
        assert closed_curve(p, 4)[4 + round(share * 4)] == pytest.approx(wanted)


@settings(max_examples=30)
@given(st.floats(-20, 20), st.floats(-20, 20), st.integers(0, 2**32 - 1))
def test_the_curve_moves_with_its_points(down, right, seed):
    points = np.random.default_rng(seed).uniform(0, 50, (7, 2))
    way = np.array([down, right])
    assert closed_curve(points + way) == pytest.approx(closed_curve(points) + way, abs=1e-6)


def test_repeated_points_count_once():
    points = np.array([[0.0, 0.0], [0.0, 8.0], [8.0, 8.0], [8.0, 0.0]])
    assert np.array_equal(closed_curve(np.repeat(points, 2, axis=0)), closed_curve(points))


def test_corners_of_a_flat_base_are_kept():
    rows, columns = np.mgrid[:200, :160]
    half = (((rows - 150) / 120) ** 2 + ((columns - 80) / 45) ** 2 < 1) & (rows < 150)
    curve, ring = closed_curve(control_points(half)), largest_contour(half)
    for corner in (np.array([149.5, 35.5]), np.array([149.5, 124.5])):
        assert np.linalg.norm(curve - corner, axis=1).min() < 2.5
    # A corner that is cut off must not be made good by the curve running out elsewhere.
    apart = np.linalg.norm(curve[:, None] - ring[None], axis=2).min(axis=1)
    assert apart.max() < 2


@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_the_smallest_masks_have_points(size):
    mask = np.zeros((20, 20), bool)
    mask[5, 5 : 5 + size] = True
    points = control_points(mask)
    assert len(points) >= 4
    assert np.isfinite(points).all()
    assert fill_curve(points, mask.shape).any()


def test_an_empty_mask_has_none():
    assert control_points(np.zeros((5, 5), bool)).shape == (0, 2)


def test_a_mask_at_the_edge_of_the_image():
    mask = np.zeros((40, 40), bool)
    mask[20:, 10:30] = True
    assert dice(fill_curve(control_points(mask), mask.shape), mask) >= 0.98
