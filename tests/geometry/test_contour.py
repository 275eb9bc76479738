import contourpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import ConvexHull, QhullError

from cardiotrace.core.errors import InputError
from cardiotrace.geometry.contour import (
    contours,
    convex_hull_area,
    largest_contour,
    polygon_area,
    polygon_perimeter,
    resample_polyline,
)


def disc(radius, size=None):
    size = size or 2 * int(radius) + 5
    row, column = np.mgrid[:size, :size] - (size - 1) / 2
    return row**2 + column**2 <= radius**2


def test_single_pixel_is_a_diamond_around_its_centre():
    mask = np.zeros((5, 6), bool)
    mask[2, 3] = True
    (line,) = contours(mask)
    assert {tuple(point) for point in line} == {(1.5, 3.0), (2.5, 3.0), (2.0, 2.5), (2.0, 3.5)}
    assert polygon_area(line) == 0.5
    assert polygon_perimeter(line) == pytest.approx(2 * np.sqrt(2))


def test_square_loses_its_four_corners():
    mask = np.ones((10, 10), bool)  # reaches the image border on all sides
    (line,) = contours(mask)
    assert polygon_area(line) == 100 - 4 / 8
    assert polygon_perimeter(line) == pytest.approx(4 * 9 + 4 * np.sqrt(0.5))


def test_contours_are_closed_and_largest_first():
    mask = np.zeros((30, 40), bool)
    mask[1:4, 1:4] = mask[10:25, 10:25] = True
    mask[14:20, 14:20] = False
    lines = contours(mask)
    assert [polygon_area(line) for line in lines] == [225 - 0.5, 36 + 0.5 - 1, 9 - 0.5]
    assert all(np.array_equal(line[0], line[-1]) for line in lines)
    assert np.array_equal(largest_contour(mask), lines[0])


def test_empty_mask_has_no_contour():
    assert contours(np.zeros((4, 4), bool)) == []
    assert largest_contour(np.zeros((4, 4), bool)).shape == (0, 2)


def test_place_of_the_contour_is_that_of_the_mask():
    mask = np.zeros((200, 300), bool)
    mask[150:161, 220:251] = True
    line = largest_contour(mask)
    assert line.min(axis=0).tolist() == [149.5, 219.5]
    assert line.max(axis=0).tolist() == [160.5, 250.5]


def test_area_and_perimeter_of_an_anisotropic_rectangle():
    corners = np.array([[2.0, 1.0], [2.0, 11.0], [6.0, 11.0], [6.0, 1.0], [2.0, 1.0]])
    assert polygon_area(corners, (0.5, 0.25)) == pytest.approx(4 * 0.5 * 10 * 0.25)
    assert polygon_perimeter(corners, (0.5, 0.25)) == pytest.approx(2 * (4 * 0.5 + 10 * 0.25))
    assert polygon_area(corners[:-1]) == polygon_area(corners) == polygon_area(corners[::-1]) == 40


def test_polygons_of_too_few_points_are_flat():
    assert polygon_area(np.zeros((2, 2))) == 0
    assert polygon_perimeter(np.zeros((1, 2))) == 0
    assert convex_hull_area(np.zeros((2, 2))) == 0
    assert convex_hull_area(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])) == 0


def test_disc_contour_approaches_the_circle():
    line = largest_contour(disc(40.3))
    assert polygon_area(line) == pytest.approx(np.pi * 40.3**2, rel=2e-3)
    # Short steps of a level line on a binary disc are 5 % too long whatever the size.
    assert polygon_perimeter(line) / (2 * np.pi * 40.3) == pytest.approx(1.05, abs=0.01)


def test_hull_is_scaled_by_both_pixel_sizes():
    points = np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 0.0], [1.0, 1.0]])
    assert convex_hull_area(points, (0.5, 3.0)) == pytest.approx(8 * 1.5)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 60), st.booleans())
def test_hull_is_that_of_qhull(seed, count, is_whole):
    points = np.random.default_rng(seed).normal(scale=4, size=(count, 2))
    points = points.round() if is_whole else points  # whole numbers: many points on one line, and twice the same
    try:
        area = ConvexHull(points).volume
    except QhullError:
        area = 0.0
    assert convex_hull_area(points) == pytest.approx(area, rel=1e-12, abs=1e-12)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_area_is_within_the_hull_and_pixels(seed):
    mask = np.random.default_rng(seed).random((8, 9)) < 0.5
    for line in contours(mask):
        assert polygon_area(line) <= convex_hull_area(line) + 1e-9
        assert polygon_area(line) <= 72


def test_resampled_open_line_keeps_its_ends_and_equal_steps():
    angle = np.sort(np.random.default_rng(0).uniform(0, np.pi, 500))
    arc = np.column_stack([np.sin(angle), np.cos(angle)])
    even = resample_polyline(arc, 21)
    steps = np.linalg.norm(np.diff(even, axis=0), axis=1)
    assert np.array_equal(even[[0, -1]], arc[[0, -1]])
    assert steps == pytest.approx(np.full(20, steps.mean()), rel=1e-3)


def test_resampled_closed_line_does_not_return_to_its_start():
    square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    assert resample_polyline(square, 8, closed=True).tolist() == [
        [0, 0],
        [0, 0.5],
        [0, 1],
        [0.5, 1],
        [1, 1],
        [1, 0.5],
        [1, 0],
        [0.5, 0],
    ]


@pytest.mark.parametrize(("points", "count"), [(np.empty((0, 2)), 5), (np.zeros((3, 2)), 1)])
def test_resampling_refuses_what_cannot_be(points, count):
    with pytest.raises(InputError, match="cannot place"):
        resample_polyline(points, count)


@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_lines_are_those_of_the_librarys_own_door(mask):
    """`contours` goes past what the library does for heights that are no numbers; nothing else may differ."""
    padded = np.pad(mask.astype(float), 1)
    if not mask.any():
        assert contours(mask) == []
        return
    expected = [line[:, ::-1] - 1 for line in contourpy.contour_generator(z=padded).lines(0.5)]
    found = contours(mask)
    assert len(found) == len(expected)
    by_place = sorted((line.tolist() for line in found), key=sorted)
    assert by_place == sorted((line.tolist() for line in expected), key=sorted)
