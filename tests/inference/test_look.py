"""Other tones and sharpness of the same image."""

import numpy as np
import pytest

from cardiotrace.inference.look import AS_IT_IS, STYLES, Look, Style, ToneCurve

BATCH = np.random.default_rng(5).normal(2, 3, size=(2, 1, 24, 20)).astype(np.float32)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("shape", [(2, 1, 24, 20), (2, 3, 4, 12, 10)])
def test_a_style_keeps_mean_and_deviation_of_every_channel(style, shape):
    batch = np.random.default_rng(6).normal(2, 3, size=shape).astype(np.float32)
    found = style.apply(batch)
    assert isinstance(style, Look)
    assert found.shape == shape
    assert found.dtype == np.float32
    axes = tuple(range(2, len(shape)))
    np.testing.assert_allclose(found.mean(axis=axes), batch.mean(axis=axes), atol=1e-4)
    np.testing.assert_allclose(found.std(axis=axes), batch.std(axis=axes), rtol=1e-4)


def test_tones_keep_their_order_and_nothing_moves():
    found = Style(gamma=0.7).apply(BATCH)
    np.testing.assert_array_equal(np.argsort(found[0, 0], axis=None), np.argsort(BATCH[0, 0], axis=None))


def test_a_blur_takes_away_what_changes_from_pixel_to_pixel_and_sharpening_adds_it():
    def roughness(values: np.ndarray) -> float:
        return float(np.abs(np.diff(values, axis=-1)).mean())

    plain = roughness(BATCH)
    assert roughness(Style(sharpness=-0.8).apply(BATCH)) < plain < roughness(Style(sharpness=0.8).apply(BATCH))


def test_a_flat_image_stays_flat():
    flat = np.full((1, 1, 6, 6), 3.0, np.float32)
    for style in STYLES:
        np.testing.assert_allclose(style.apply(flat), 3.0, atol=1e-5)


def test_the_style_that_changes_nothing_gives_the_very_array():
    assert AS_IT_IS.apply(BATCH) is BATCH
    assert STYLES[0] is AS_IT_IS


def test_a_tone_curve_with_tones_that_many_pixels_share():
    curve = ToneCurve((0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 0.0, 2.0))
    np.testing.assert_allclose(curve.apply(np.array([[[[0.0, 0.5, 1.0]]]], np.float32))[0, 0, 0], [0, 1, 2], atol=1e-3)
