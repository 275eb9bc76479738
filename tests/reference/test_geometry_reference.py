"""Contours and polygons against scikit-image."""

import numpy as np
import pytest

from benchmarks.metrics import heart
from cardiotrace.geometry.contour import contours, convex_hull_area, largest_contour, polygon_area
from cardiotrace.geometry.polygon import fill_polygon


@pytest.fixture(scope="module", params=range(4))
def labels(request):
    return heart(np.random.default_rng(request.param), 1, side=120)[0]


def test_contours_are_those_of_marching_squares(labels):
    measure = pytest.importorskip("skimage.measure")
    for value in (1, 2, 3):
        mask = labels == value
        theirs = measure.find_contours(np.pad(mask, 1).astype(float), 0.5)
        theirs = sorted((line - 1 for line in theirs), key=polygon_area, reverse=True)
        ours = contours(mask)
        assert len(ours) == len(theirs) > 0
        for line, other in zip(ours, theirs, strict=True):
            assert {tuple(point) for point in line} == {tuple(point) for point in other}


def test_filled_polygon_differs_only_where_a_centre_lies_on_the_edge(labels):
    draw = pytest.importorskip("skimage.draw")
    corners = largest_contour(labels == 1) + 0.123  # off the grid, no centre lies on an edge
    assert np.array_equal(fill_polygon(corners, labels.shape), draw.polygon2mask(labels.shape, corners))


def test_hull_area_is_that_of_its_pixels(labels):
    morphology = pytest.importorskip("skimage.morphology")
    mask = labels == 2
    pixels = morphology.convex_hull_image(mask).sum()
    assert convex_hull_area(largest_contour(mask)) == pytest.approx(pixels, rel=0.02)


def test_distance_between_surface_points_is_theirs(labels):
    metrics = pytest.importorskip("skimage.metrics")
    from cardiotrace.geometry.surface import surface_to_surface_mm, surface_voxels

    first, second = labels == 1, labels == 2
    ours = max(distances.max() for distances in surface_to_surface_mm(first, second, (1.0, 1.0)))
    assert ours == pytest.approx(metrics.hausdorff_distance(surface_voxels(first), surface_voxels(second)))
