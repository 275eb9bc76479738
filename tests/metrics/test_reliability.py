"""Probabilities that mean what they say have no error of calibration, and one temperature mends those that do not."""

import numpy as np
import pytest

from cardiotrace.metrics.reliability import Reliability, best_temperature, tempered

RNG = np.random.default_rng(0)


def drawn(temperature: float, count: int = 40_000) -> tuple[np.ndarray, np.ndarray]:
    """Classes drawn from true probabilities, and probabilities that are too sure by a temperature."""
    logits = RNG.normal(0, 1.5, (3, count))
    true = np.exp(logits) / np.exp(logits).sum(axis=0)
    labels = (RNG.random(count) > true.cumsum(axis=0)).sum(axis=0)
    return tempered(true, 1 / temperature), labels


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> Reliability:
    return Reliability.of(probabilities.max(axis=0), probabilities.argmax(axis=0) == labels)


@pytest.mark.parametrize("temperature", [0.6, 1.0, 2.0])
def test_the_temperature_that_spoiled_them_is_found_and_mends_them(temperature: float) -> None:
    probabilities, labels = drawn(temperature)
    assert best_temperature(probabilities, labels) == pytest.approx(temperature, rel=0.04)
    assert reliability(tempered(probabilities, temperature), labels).expected_error < 0.012
    spoiled = reliability(probabilities, labels).expected_error
    assert (spoiled > 0.04) is (temperature != 1.0)


def test_no_temperature_changes_which_class_is_most_probable() -> None:
    probabilities, _ = drawn(1.0, 500)
    for temperature in (0.3, 4.0):
        assert (tempered(probabilities, temperature).argmax(axis=0) == probabilities.argmax(axis=0)).all()
        np.testing.assert_allclose(tempered(probabilities, temperature).sum(axis=0), 1)


def test_expected_error_by_hand() -> None:
    # Two bins: 0.95 said and 3 of 4 right; 0.55 said and 1 of 4 right.
    found = Reliability.of(np.array([0.95] * 4 + [0.55] * 4), np.array([1, 1, 1, 0, 1, 0, 0, 0], bool))
    assert found.expected_error == pytest.approx(0.5 * 0.20 + 0.5 * 0.30)
    assert found.rows() == [pytest.approx((0.55, 0.25, 0.5)), pytest.approx((0.95, 0.75, 0.5))]
    assert (found + found).expected_error == pytest.approx(found.expected_error)
    assert np.isnan(Reliability.of(np.zeros(0), np.zeros(0, bool)).expected_error)


def test_certain_and_certainly_wrong_are_counted_in_their_bins() -> None:
    found = Reliability.of(np.array([1.0, 1.0, 0.0]), np.array([True, False, False]))
    assert found.count.sum() == 3
    assert found.count[-1] == 2
