"""Thickness of rings whose two outlines are known, on pixels of several sizes, wherever they lie on them."""

import numpy as np
import pytest

from cardiotrace.clinical.regional.ring import centroid, nearest_on, ring_of


def ellipse(size_mm, pixel_mm, centre_mm, axes_mm, turn):
    rows, columns = np.mgrid[: int(size_mm / pixel_mm), : int(size_mm / pixel_mm)] * pixel_mm
    down, right = rows - centre_mm[0], columns - centre_mm[1]
    along, across = right * np.cos(turn) + down * np.sin(turn), down * np.cos(turn) - right * np.sin(turn)
    return (along / axes_mm[0]) ** 2 + (across / axes_mm[1]) ** 2 < 1


@pytest.mark.parametrize("pixel_mm", [1.0, 1.5, 2.0])
@pytest.mark.parametrize(("radius_mm", "wall_mm"), [(10.0, 5.0), (20.0, 10.0), (30.0, 7.0)])
def test_the_thickness_of_a_round_ring_is_right_to_three_tenths_of_a_millimetre(pixel_mm, radius_mm, wall_mm):
    random = np.random.default_rng(3)
    for _ in range(4):
        centre = 60 + random.uniform(-1, 1, 2)
        inner, outer = (
            ellipse(120, pixel_mm, centre, (radius, radius), 0.0) for radius in (radius_mm, radius_mm + wall_mm)
        )
        ring = ring_of(inner, outer & ~inner, (pixel_mm, pixel_mm))
        assert ring is not None
        assert ring.thickness.mean() == pytest.approx(wall_mm, abs=0.3)
        assert np.abs(ring.thickness - wall_mm).mean() < 0.3 * max(pixel_mm, 1.0)
        truth = 2 * np.pi * (radius_mm + np.array([0, wall_mm / 2, wall_mm]))
        assert ring.lengths == pytest.approx(truth, rel=0.016)
        assert ring.centre == pytest.approx(centre, abs=0.35)


def test_an_eccentric_ring_is_thick_where_it_is():
    centre = np.array([50.0, 50.0])
    inner = ellipse(100, 1.0, centre, (20, 20), 0.0)
    outer = ellipse(100, 1.0, centre + np.array([0, 4]), (30, 30), 0.0)
    ring = ring_of(inner, outer & ~inner, (1.0, 1.0))
    assert ring is not None
    assert ring.thickness[ring.middle[:, 1].argmax()] == pytest.approx(14, abs=0.5)
    assert ring.thickness[ring.middle[:, 1].argmin()] == pytest.approx(6, abs=0.5)


def test_pixels_that_are_not_square_are_no_matter():
    rows, columns = np.mgrid[:60, :120] * np.array([2.0, 1.0])[:, None, None]
    radius = np.hypot(rows - 59.3, columns - 60.4)
    ring = ring_of(radius < 20, (radius >= 20) & (radius < 30), (2.0, 1.0))
    assert ring is not None
    assert ring.thickness.mean() == pytest.approx(10, abs=0.2)


def test_what_is_no_closed_ring_is_none():
    rows, columns = np.mgrid[:50, :50] - 24.5
    radius = np.hypot(rows, columns)
    cavity, wall = radius < 12, (radius >= 12) & (radius < 18)
    assert ring_of(cavity, wall, (1.0, 1.0)) is not None
    assert ring_of(cavity, wall & (np.abs(rows) > 2), (1.0, 1.0)) is None
    assert ring_of(cavity & (radius < 1), wall, (1.0, 1.0)) is None
    one = np.zeros_like(cavity)
    one[20, 20] = True
    assert ring_of(one, one, (1.0, 1.0)) is None


def test_an_island_beside_the_ring_does_not_count():
    rows, columns = np.mgrid[:50, :80] - 24.5
    radius = np.hypot(rows, columns)
    cavity, wall = radius < 12, (radius >= 12) & (radius < 18)
    alone = ring_of(cavity, wall, (1.0, 1.0))
    with_island = ring_of(cavity, wall | ((columns > 45) & (columns < 50) & (np.abs(rows) < 4)), (1.0, 1.0))
    assert alone is not None
    assert with_island is not None
    assert with_island.thickness == pytest.approx(alone.thickness)


def test_nearest_places_lie_on_the_edges_not_on_the_corners():
    square = np.array([[0.0, 0.0], [0.0, 10.0], [10.0, 10.0], [10.0, 0.0]])
    distance, place = nearest_on(np.array([[3.0, 12.0], [5.0, 5.0]]), square)
    assert distance.tolist() == [2.0, 5.0]
    assert place[0].tolist() == [3.0, 10.0]
    assert centroid(square).tolist() == [5.0, 5.0]
