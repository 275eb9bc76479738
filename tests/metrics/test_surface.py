import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError
from cardiotrace.metrics import SurfaceDistances, surface_distances


def blobs(seed, shape=(12, 14)):
    random = np.random.default_rng(seed)
    return random.random(shape) < 0.3, random.random(shape) < 0.3


def disc(radius, centre=(64.0, 64.0), size=129):
    row, column = np.mgrid[:size, :size]
    return (row - centre[0]) ** 2 + (column - centre[1]) ** 2 <= radius**2


def test_single_pixels():
    predicted, reference = np.zeros((2, 20, 20), bool)
    predicted[3, 4] = reference[6, 8] = True
    distances = surface_distances(predicted, reference, spacing_mm=(2.0, 0.5))
    expected = pytest.approx(math.hypot(6, 2))
    assert distances.hausdorff_mm == expected
    assert distances.hausdorff95_mm == expected
    assert distances.mean_absolute_mm == expected
    assert distances.average_symmetric_mm == expected


def test_single_voxels_of_anisotropic_volumes():
    predicted, reference = np.zeros((2, 6, 9, 9), bool)
    predicted[1, 2, 3] = reference[3, 5, 7] = True
    distances = surface_distances(predicted, reference, spacing_mm=(8.0, 1.5, 0.5))
    assert distances.hausdorff_mm == pytest.approx(math.sqrt(16**2 + 4.5**2 + 2**2))


def test_shifted_rows_by_hand():
    predicted, reference = np.zeros((2, 3, 12), bool)
    predicted[1, 0:4] = True
    reference[1, 2:10] = True
    distances = surface_distances(predicted, reference, spacing_mm=(1.0, 0.5))
    assert distances.predicted_to_reference_mm.tolist() == [1.0, 0.5, 0.0, 0.0]
    assert distances.reference_to_predicted_mm.tolist() == [0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert distances.hausdorff_mm == 3.0
    assert distances.mean_absolute_mm == pytest.approx((0.375 + 1.3125) / 2)
    assert distances.average_symmetric_mm == pytest.approx(12.0 / 12)
    # 12 pooled values, rank 0.95 * 11 = 10.45 between 2.5 and 3.0
    assert distances.hausdorff95_mm == pytest.approx(2.725)
    assert distances.hausdorff_percentile_mm(95, pooled=False) == pytest.approx(2.5 + 0.65 * 0.5)
    assert distances.surface_dice(0.0) == pytest.approx(4 / 12)
    assert distances.surface_dice(1.0) == pytest.approx(8 / 12)
    assert distances.surface_dice(3.0) == 1.0


def test_concentric_discs_lie_their_difference_apart():
    distances = surface_distances(disc(40), disc(30), spacing_mm=(0.3, 0.3))
    assert distances.mean_absolute_mm == pytest.approx(10 * 0.3, abs=0.1)
    assert distances.hausdorff_mm == pytest.approx(10 * 0.3, abs=0.3)
    assert distances.surface_dice(2.5) == 0
    assert distances.surface_dice(3.4) == 1


def test_pooled_and_directed_percentiles_differ_as_documented():
    distances = SurfaceDistances(np.zeros(90), np.full(10, 5.0))
    assert distances.hausdorff_percentile_mm(50, pooled=True) == 0
    assert distances.hausdorff_percentile_mm(50, pooled=False) == 5
    assert distances.mean_absolute_mm == 2.5
    assert distances.average_symmetric_mm == 0.5


def test_both_empty_is_nan():
    distances = surface_distances(np.zeros((4, 4), bool), np.zeros((4, 4), bool), spacing_mm=(1, 1))
    scores = (distances.hausdorff_mm, distances.hausdorff95_mm, distances.mean_absolute_mm)
    assert all(math.isnan(score) for score in (*scores, distances.average_symmetric_mm, distances.surface_dice(1)))


@pytest.mark.parametrize("swap", [False, True])
def test_one_empty_is_infinitely_far(swap):
    masks = [np.zeros((4, 4), bool), np.eye(4, dtype=bool)]
    distances = surface_distances(*(masks[::-1] if swap else masks), spacing_mm=(1, 1))
    assert distances.hausdorff_mm == distances.hausdorff95_mm == math.inf
    assert distances.mean_absolute_mm == distances.average_symmetric_mm == math.inf
    assert distances.surface_dice(1e9) == 0


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 100))
def test_laws(seed, percentile):
    predicted, reference = blobs(seed)
    assume(predicted.any() and reference.any())
    one = surface_distances(predicted, reference, spacing_mm=(0.3, 0.7))
    other = surface_distances(reference, predicted, spacing_mm=(0.3, 0.7))
    assert one.hausdorff_mm == other.hausdorff_mm
    assert one.mean_absolute_mm == pytest.approx(other.mean_absolute_mm)
    pooled = one.hausdorff_percentile_mm(percentile)
    assert pooled == pytest.approx(
        np.percentile(np.r_[one.predicted_to_reference_mm, one.reference_to_predicted_mm], percentile)
    )
    directed = one.hausdorff_percentile_mm(percentile, pooled=False)
    assert 0 <= pooled <= one.hausdorff_mm
    assert directed <= one.hausdorff_mm
    assert one.hausdorff95_mm <= one.hausdorff_mm
    assert one.mean_absolute_mm <= one.hausdorff_mm
    assert one.surface_dice(one.hausdorff_mm) == 1
    doubled = surface_distances(predicted, reference, spacing_mm=(0.6, 1.4))
    assert doubled.hausdorff95_mm == pytest.approx(2 * one.hausdorff95_mm)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_same_masks_touch_everywhere(seed):
    mask, _ = blobs(seed, (4, 6, 7))
    assume(mask.any())
    distances = surface_distances(mask, mask, spacing_mm=(8, 1, 1))
    assert distances.hausdorff_mm == distances.mean_absolute_mm == 0
    assert distances.surface_dice(0) == 1


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 20), st.integers(0, 20))
def test_place_in_the_image_does_not_matter(seed, down, right):
    predicted, reference = (np.pad(mask, ((1, 20), (1, 20))) for mask in blobs(seed))
    moved = [np.roll(mask, (down, right), axis=(0, 1)) for mask in (predicted, reference)]
    here = surface_distances(predicted, reference, spacing_mm=(1, 2))
    there = surface_distances(*moved, spacing_mm=(1, 2))
    assert np.array_equal(here.predicted_to_reference_mm, there.predicted_to_reference_mm)


@pytest.mark.parametrize(
    ("shape", "spacing_mm", "message"),
    [
        ((4, 4), (1.0, 1.0, 1.0), "2 axes need 2 pixel sizes"),
        ((4, 4), (1.0, 0.0), "spacing must be positive"),
        ((4,), (1.0,), "2 or 3 axes"),
        ((1, 1, 4, 4), (1.0, 1.0, 1.0, 1.0), "2 or 3 axes"),
    ],
)
def test_what_does_not_fit_is_refused(shape, spacing_mm, message):
    with pytest.raises(InputError, match=message):
        surface_distances(np.ones(shape, bool), np.ones(shape, bool), spacing_mm=spacing_mm)


def test_bad_percentile_and_tolerance_are_refused():
    distances = surface_distances(disc(4), disc(5), spacing_mm=(1, 1))
    with pytest.raises(InputError, match="percentile"):
        distances.hausdorff_percentile_mm(101)
    with pytest.raises(InputError, match="tolerance"):
        distances.surface_dice(-1)
