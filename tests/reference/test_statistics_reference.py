"""Statistics, ranks and shapes against scipy and scikit-image."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats
from skimage import measure

from cardiotrace.core.label import CAMUS
from cardiotrace.evaluation.compare import holm
from cardiotrace.geometry.component import largest_component
from cardiotrace.metrics import agreement, bootstrap_interval, convexity, roc_auc, simplicity, summarise
from cardiotrace.postprocessing.hole import FillHoles, fill_enclosed

SCORES = st.lists(st.floats(0, 1), min_size=3, max_size=40)


@given(SCORES)
def test_summary_is_that_of_the_standard_library(values):
    found = summarise(values)
    assert (found.count, found.minimum, found.maximum) == (len(values), min(values), max(values))
    assert found.mean == pytest.approx(statistics.fmean(values))
    assert found.sd == pytest.approx(statistics.stdev(values), abs=1e-12)
    assert found.median == pytest.approx(statistics.median(values))


@pytest.mark.parametrize("seed", range(3))
def test_bootstrap_interval_is_that_of_scipy(seed):
    values = np.random.default_rng(seed).beta(8, 2, 40)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=seed).confidence_interval
    ours = bootstrap_interval(values, resamples=20_000)
    spread = theirs.high - theirs.low
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.03 * spread)


@given(st.integers(0, 10_000), st.integers(2, 60))
def test_agreement_is_that_of_scipy(seed, count):
    random = np.random.default_rng(seed)
    reference = random.normal(60, 10, count + 1)
    predicted = reference + random.normal(1, 4, count + 1)
    found = agreement(predicted, reference)
    assert found.correlation == pytest.approx(stats.pearsonr(predicted, reference).statistic, abs=1e-9)
    difference = stats.describe(predicted - reference)
    assert found.bias == pytest.approx(difference.mean)
    assert found.upper_limit - found.lower_limit == pytest.approx(2 * 1.96 * math.sqrt(difference.variance))


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60))
def test_area_under_the_curve_is_the_rank_sum(pixels):
    probability, reference = (np.array(part) for part in zip(*pixels, strict=True))
    found = roc_auc(probability, reference)
    if reference.all() or not reference.any():
        assert math.isnan(found)
        return
    test = stats.mannwhitneyu(probability[reference], probability[~reference])
    assert found == pytest.approx(test.statistic / (reference.sum() * (~reference).sum()))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_a_correction_between_none_and_bonferroni(values):
    found = holm(values)
    bonferroni = np.minimum(np.array(values) * len(values), 1)
    assert np.all(np.array(found) >= np.array(values) - 1e-15)
    assert np.all(np.array(found) <= bonferroni + 1e-15)
    # The least is corrected as by Bonferroni, and the order of the values is kept.
    assert min(found) == pytest.approx(bonferroni.min())
    order = np.argsort(values, kind="stable")
    assert np.all(np.diff(np.array(found)[order]) >= 0)


def blob(seed: int, smooth: float = 4.0) -> np.ndarray:
    """A smooth island of some hundred pixels."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(90, 90)), smooth)
    rows, columns = np.mgrid[:90, :90]
    return largest_component(field / field.std() - ((rows - 45) ** 2 + (columns - 45) ** 2) / 500 > -1)


@pytest.mark.parametrize("seed", range(8))
def test_shapes_are_near_those_of_scikit_image(seed):
    mask = ndimage.binary_fill_holes(blob(seed))
    (region,) = measure.regionprops(mask.astype(np.uint8))
    # Its hull is one of pixels, ours one of the contour half a pixel around their centres.
    assert convexity(mask) == pytest.approx(region.solidity, abs=0.02)
    # Crofton's perimeter is that of the smooth outline, ours runs along steps and is longer, by 9 percent at most.
    crofton = math.sqrt(4 * math.pi * region.area) / region.perimeter_crofton
    assert 0.90 * crofton <= simplicity(mask) <= 1.01 * crofton


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 0.7), st.sampled_from([1, "full"]))
def test_components_are_those_of_scikit_image(seed, density, connectivity):
    mask = np.random.default_rng(seed).random((6, 9, 8)) < density
    theirs = measure.label(mask, connectivity=1 if connectivity == 1 else 3)
    sizes = np.sort(np.bincount(theirs.ravel())[1:])[::-1]
    largest = largest_component(mask, connectivity)
    if mask.any():
        (number,) = np.unique(theirs[largest])
        assert (theirs == number).sum() == largest.sum() == sizes[0]


@given(st.integers(0, 10_000))
def test_enclosed_background_of_one_structure_is_what_scipy_fills(seed):
    plane = (np.random.default_rng(seed).random((14, 15)) < 0.55).astype(np.uint8)
    filled = fill_enclosed(FillHoles(), plane[None], CAMUS)[0]
    np.testing.assert_array_equal(filled, ndimage.binary_fill_holes(plane))
