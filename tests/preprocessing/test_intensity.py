"""Steps on values: numbers by hand, and numpy as torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cardiotrace.preprocessing.intensity import (
    LANDMARK_PERCENTS,
    HistogramStandard,
    Percentiles,
    ZScore,
    landmarks_of,
)

IMAGES = arrays(np.float32, (2, 1, 5, 7), elements=st.floats(0, 1, width=32))


def ramp(count: int = 101) -> np.ndarray:
    return np.linspace(0, 1, count, dtype=np.float32).reshape(1, 1, 1, count)


def test_percentiles_stretch_and_clip() -> None:
    stretched = Percentiles(10, 60).normalise(ramp(), 2).ravel()
    assert stretched[:11].max() < 1e-5
    assert stretched[35] == pytest.approx(0.5, abs=1e-4)
    assert stretched[60:] == pytest.approx(1, abs=1e-4)


def test_one_bright_pixel_darkens_no_other() -> None:
    image = ramp(1001)
    bright = image.copy()
    bright[..., -1] = 50
    before, after = (Percentiles().normalise(each, 2)[..., :-1] for each in (image, bright))
    np.testing.assert_allclose(before, after, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(IMAGES, st.floats(0, 49), st.floats(51, 100))
def test_percentiles_are_those_of_numpy(images: np.ndarray, low: float, high: float) -> None:
    first, last = (np.percentile(images, percent, axis=(2, 3), keepdims=True) for percent in (low, high))
    expected = np.clip((images - first) / (last - first + 1e-6), 0, 1)
    np.testing.assert_allclose(Percentiles(low, high).normalise(images, 2), expected, atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(IMAGES, st.sampled_from([Percentiles(), HistogramStandard(), ZScore()]))
def test_numpy_and_torch_say_the_same(images: np.ndarray, step: Percentiles | HistogramStandard | ZScore) -> None:
    if isinstance(step, ZScore):  # of a flat image it is the rounding of the mean over epsilon: any small number
        images = images + ramp(35).reshape(5, 7)
    in_torch = step.normalise(torch.from_numpy(images), 2).numpy()
    np.testing.assert_allclose(step.normalise(images, 2), in_torch, atol=2e-5, rtol=1e-4)


def test_every_image_gets_the_deciles_of_the_standard() -> None:
    random = np.random.default_rng(3)
    images = np.stack([random.gamma(2, 30, (1, 40, 40)), random.normal(500, 40, (1, 40, 40))]).astype(np.float32)
    step = HistogramStandard()
    moved = step.normalise(images, 2)
    for image in moved:
        np.testing.assert_allclose(np.percentile(image, LANDMARK_PERCENTS), step.landmarks, atol=5e-3)
    # Brighter stays brighter.
    order = np.argsort(images[0].ravel())
    assert (np.diff(moved[0].ravel()[order]) >= -1e-6).all()


def test_landmarks_of_images_are_found_again_and_change_nothing() -> None:
    images = np.random.default_rng(5).gamma(2, 30, (1, 1, 60, 60)).astype(np.float32)
    found = HistogramStandard(landmarks_of(images))
    np.testing.assert_allclose(found.normalise(images, 2), Percentiles().normalise(images, 2), atol=2e-3)


def test_a_flat_image_stays_flat_and_finite() -> None:
    flat = np.full((1, 1, 4, 4), 0.7, np.float32)
    for step in (Percentiles(), HistogramStandard()):
        assert step.normalise(flat, 2).tolist() == np.zeros_like(flat).tolist()


@pytest.mark.parametrize("landmarks", [(0.0, 1.0), (0.0, 0.5, 0.4, *(1.0,) * 8)])
def test_landmarks_that_fall_or_are_too_few_are_refused(landmarks: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="11 numbers that never fall"):
        HistogramStandard(landmarks)


@pytest.mark.parametrize(("low", "high"), [(60, 40), (-1, 99), (1, 101)])
def test_percentages_out_of_order_are_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="percentages"):
        Percentiles(low, high)
