import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cardiotrace.geometry.surface import (
    nearest_distances,
    surface_to_surface_mm,
    surface_voxels,
)

SHAPES = [(9, 13), (1, 7), (4, 6, 7)]
SPACINGS = {2: [(1.0, 1.0), (0.154, 0.308), (3.0, 0.2)], 3: [(1.0, 1.0, 1.0), (8.0, 1.4, 1.4)]}


def masks(seed, shape, density):
    random = np.random.default_rng(seed)
    return random.random(shape) < density, random.random(shape) < density


def test_surface_of_a_block_is_all_but_its_core():
    block = np.zeros((7, 7, 7), bool)
    block[1:6, 1:6, 1:6] = True
    assert surface_voxels(block).sum() == 125 - 27


def test_image_border_is_outside():
    assert surface_voxels(np.ones((5, 5), bool)).sum() == 16


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(SHAPES))
def test_surface_is_what_erosion_takes_away(seed, shape):
    mask, _ = masks(seed, shape, 0.8)
    assert np.array_equal(surface_voxels(mask), mask & ~ndimage.binary_erosion(mask))


def test_nearest_distance_to_nothing_is_infinite():
    assert nearest_distances(np.zeros((2, 3)), np.empty((0, 3))).tolist() == [np.inf, np.inf]
    assert nearest_distances(np.empty((0, 3)), np.zeros((2, 3))).shape == (0,)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(SHAPES), st.sampled_from([0.02, 0.2, 0.7]), st.integers(0, 2))
def test_ring_search_agrees_with_distance_transform(seed, shape, density, which):
    first, second = masks(seed, shape, density)
    spacings = SPACINGS[len(shape)]
    spacing_mm = spacings[which % len(spacings)]
    there, back = surface_to_surface_mm(first, second, spacing_mm)
    for distances, start, goal in ((there, first, second), (back, second, first)):
        assert distances.size == surface_voxels(start).sum()
        if not goal.any():
            assert np.isinf(distances).all()
            continue
        field = ndimage.distance_transform_edt(~surface_voxels(goal), sampling=spacing_mm)
        assert distances == pytest.approx(field[surface_voxels(start)], abs=1e-12)


def test_what_lies_beyond_the_rings_is_found_all_the_same():
    first = np.zeros((300, 300), bool)
    second = first.copy()
    first[0, 0] = second[299, 200] = second[1, 290] = True
    there, back = surface_to_surface_mm(first, second, (0.5, 2.0))
    assert there.tolist() == pytest.approx([np.hypot(299 * 0.5, 200 * 2.0)])
    assert back.tolist() == pytest.approx([np.hypot(0.5, 580.0), np.hypot(149.5, 400.0)])


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_margin_around_the_masks_changes_nothing(seed, margin):
    first, second = masks(seed, (6, 7), 0.5)
    wide = ((margin[0], 2), (3, margin[1]))
    cropped = surface_to_surface_mm(first, second, (1.0, 0.7))
    padded = surface_to_surface_mm(np.pad(first, wide), np.pad(second, wide), (1.0, 0.7))
    for ours, theirs in zip(cropped, padded, strict=True):
        assert np.array_equal(ours, theirs)
