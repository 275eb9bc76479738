import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.clinical.beats.smoothing import FEWEST_SMOOTHED, smoothed, stands_out
from tests.clinical.beats.curves import Known


def beat(count: int = 60, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    known = Known(rate_hz=count / Known().period_ms * 1000).volumes_ml[:count]
    return known * (1 + noise * np.random.default_rng(seed).standard_normal(len(known)))


def test_a_clean_curve_stays_as_it_is_and_a_noisy_one_comes_nearer_to_the_truth() -> None:
    true, every = beat(), np.ones(60, bool)
    clean = smoothed(true, every, is_round=True)
    assert np.abs(clean.values - true).max() < 0.005 * true.max()
    noisy = beat(noise=0.05)
    found = smoothed(noisy, every, is_round=True)
    left, before = (float(np.sqrt(np.mean((values - true) ** 2))) for values in (found.values, noisy))
    assert left < 0.6 * before
    # What it says of the noise, and of what is left of it, is about right.
    assert found.noise == pytest.approx(before, rel=0.3)
    assert found.error == pytest.approx(left, rel=0.6)


def test_frames_that_do_not_count_are_filled_in() -> None:
    sizes, shown = beat(), np.ones(60, bool)
    sizes[20:22], shown[20:22] = 0.0, False
    found = smoothed(sizes, shown)
    assert np.abs(found.values - beat())[18:24].max() < 0.04 * beat().max()


@given(st.integers(0, 59))
def test_a_curve_that_goes_round_may_begin_anywhere(begin: int) -> None:
    sizes, every = beat(noise=0.03), np.ones(60, bool)
    turned = smoothed(np.roll(sizes, begin), every, is_round=True)
    np.testing.assert_allclose(turned.values, np.roll(smoothed(sizes, every, is_round=True).values, begin), atol=1e-9)


def test_few_frames_are_not_smoothed() -> None:
    sizes = np.array([30.0, 25, 18, 22])
    assert smoothed(sizes, np.ones(4, bool)).values.tolist() == sizes.tolist()
    assert smoothed(beat(FEWEST_SMOOTHED, noise=0.1), np.ones(FEWEST_SMOOTHED, bool)).noise > 0


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 80.0])
@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_brief_slips_stand_out_and_no_heart_does(rate_hz: float, noise: float) -> None:
    known = Known(rate_hz=rate_hz, beats=3)
    sizes = known.volumes_ml * (1 + noise * np.random.default_rng(1).standard_normal(len(known.times_ms)))
    interval = 1000 / rate_hz
    assert not stands_out(sizes, interval_ms=interval).any()
    # Foreshortened for one frame, traced too large in another.
    slips = sizes.copy()
    slips[5] *= 0.5
    slips[-9] *= 1.6
    assert stands_out(slips, interval_ms=interval).nonzero()[0].tolist() == [5, len(sizes) - 9]


def test_frames_without_a_ventricle_do_not_stand_out_they_are_not_shown() -> None:
    sizes = beat()
    sizes[10] = 0.0
    assert not stands_out(sizes, interval_ms=16.0).any()


def test_a_slow_film_tells_nothing_of_slips() -> None:
    sizes = np.array([100.0, 70, 40, 60, 90, 100, 70, 40, 60, 90, 100, 70])
    assert not stands_out(sizes, interval_ms=90.0).any()
