"""Defects of random shapes against scikit-image, and shapes at the edge of the image."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, binary_fill_holes, distance_transform_edt, gaussian_filter
from skimage import measure, morphology

from cardiotrace.geometry.component import largest_component
from cardiotrace.geometry.defect import apart, dent_depth, gaps, holes, neck_ratio, roundness

SQUARE = np.ones((3, 3), bool)


def blob(seed: int) -> NDArray[np.bool_]:
    """The largest piece of smoothed noise: bays, necks and holes of all sizes."""
    random = np.random.default_rng(seed)
    smooth = gaussian_filter(random.standard_normal((70, 90)), random.uniform(2, 6))
    shape = np.pad(smooth > np.quantile(smooth, random.uniform(0.6, 0.9)), 3)
    return largest_component(shape, "full")


@pytest.mark.parametrize("seed", range(8))
def test_perimeter_and_hull(seed: int) -> None:
    shape = blob(seed)
    filled = binary_fill_holes(shape)
    perimeter = measure.perimeter(filled)
    assert roundness(shape) == pytest.approx(4 * math.pi * filled.sum() / perimeter**2)
    hull = morphology.convex_hull_image(filled)
    dents = binary_erosion(hull & ~filled, SQUARE)
    deepest = distance_transform_edt(hull, sampling=(1.0, 1.5))[dents].max(initial=0.0)
    assert dent_depth(shape, spacing_mm=(1.0, 1.5)) == pytest.approx(deepest)


@pytest.mark.parametrize("seed", range(8))
def test_peels_one_by_one(seed: int) -> None:
    shape, peels = blob(seed), 0
    left = shape
    while measure.label(left, connectivity=2).max() == 1:
        left, peels = binary_erosion(left, SQUARE), peels + 1
        numbers = measure.label(left, connectivity=1)
        left = left & (np.bincount(numbers.ravel())[numbers] >= 4)
    assert neck_ratio(shape, smallest=4) == pytest.approx(peels / distance_transform_edt(shape).max())


@pytest.mark.parametrize("seed", range(8))
def test_holes_are_regions_of_background_that_reach_no_edge(seed: int) -> None:
    shape = blob(seed)
    regions = measure.regionprops(measure.label(np.pad(~shape, 1, constant_values=True), connectivity=2))
    assert holes(shape).sum() == sum(region.area for region in regions if region.bbox[0] > 0)


def test_nothing_and_everything() -> None:
    empty, full = np.zeros((6, 7), bool), np.ones((6, 7), bool)
    assert not any(found.any() for found in (holes(empty), apart(empty), gaps(empty, full)))
    assert all(
        math.isnan(found) for found in (neck_ratio(empty), neck_ratio(full), dent_depth(empty), roundness(empty))
    )
    assert dent_depth(full) == 0.0


def test_a_gap_is_what_neither_shuts_in_alone() -> None:
    ring = np.zeros((12, 12), bool)
    ring[1:11, 1:11] = True
    ring[3:9, 3:9] = False
    inside = np.zeros_like(ring)
    inside[3:9, 3:9] = True
    inside[5, 5] = False  # its own hole
    assert gaps(ring, inside).sum() == 0
    inside[3, 3:9] = False
    assert gaps(ring, inside).sum() == 6
    ring[1, 1:11] = ring[2, 4] = False  # a way out
    assert gaps(ring, inside).sum() == 0
