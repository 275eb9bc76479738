import math

import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.metrics import Presence, bootstrap_interval, image_diagonal_mm, summarise

P, A, M = Presence.PRESENT, Presence.ABSENT, Presence.FALSE_NEGATIVE


def test_statistics_by_hand():
    summary = summarise([2.0, 4.0, 4.0, 10.0])
    assert (summary.count, summary.mean, summary.median, summary.minimum, summary.maximum) == (4, 5, 4, 2, 10)
    assert summary.sd == pytest.approx(math.sqrt((9 + 1 + 1 + 25) / 3))
    assert (summary.absent, summary.false_negative) == (0, 0)


def test_missed_dice_counts_in_the_mean_and_absent_does_not():
    summary = summarise([0.9, 0.7, 0.0, math.nan], [P, P, M, A])
    assert (summary.count, summary.absent, summary.false_negative) == (3, 1, 1)
    assert summary.mean == pytest.approx(1.6 / 3)


def test_missed_distance_is_counted_and_only_penalised_if_asked():
    distances = [1.0, 3.0, math.inf, math.inf, math.nan]
    plain = summarise(distances)
    assert (plain.count, plain.mean, plain.absent, plain.false_negative) == (2, 2.0, 1, 2)
    one = summarise(distances, infinite_as=20.0)
    assert (one.count, one.mean, one.false_negative) == (4, 11.0, 2)
    each = summarise(distances, infinite_as=[9, 9, 30.0, 10.0, 9])
    assert each.mean == 11.0
    assert each.maximum == 30.0


def test_nothing_left():
    summary = summarise([math.nan, math.inf])
    assert summary.count == 0
    assert math.isnan(summary.mean)
    assert (summary.absent, summary.false_negative) == (1, 1)
    assert math.isnan(summarise([3.0]).sd)
    assert summarise([]).count == 0


def test_counts_are_always_printed_when_there_are_any():
    assert str(summarise([1.0, 2.0, math.inf])) == "1.500 ± 0.707 (n = 2, 1 false negative)"
    assert str(summarise([1.0, 2.0])) == "1.500 ± 0.707 (n = 2)"


def test_contradictions_are_refused():
    with pytest.raises(InputError, match="2 presences for 1 scores"):
        summarise([1.0], [P, P])
    with pytest.raises(InputError, match="no score"):
        summarise([math.nan], [P])


def test_no_distance_in_an_image_exceeds_its_diagonal():
    assert image_diagonal_mm((4, 30, 40), (3.0, 1.0, 1.0)) == pytest.approx(math.sqrt(144 + 900 + 1600))


def test_interval_of_a_mean_matches_the_normal_one():
    values = np.random.default_rng(1).normal(10, 2, 400)
    low, high = bootstrap_interval(values)
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)


def test_interval_repeats_with_its_seed_and_widens_with_confidence():
    values = np.random.default_rng(2).random(50)
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)
    narrow, wide = bootstrap_interval(values, confidence=0.5), bootstrap_interval(values, confidence=0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_interval_covers_the_true_mean_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    hits = 0
    for seed in range(200):
        low, high = bootstrap_interval(random.normal(0, 1, 60), confidence=0.9, seed=seed, resamples=500)
        hits += low <= 0 <= high
    assert 0.84 <= hits / 200 <= 0.95


def test_interval_of_many_cases_is_drawn_in_blocks():
    values = np.arange(50_000) % 2
    low, high = bootstrap_interval(values, resamples=300)
    half = 1.96 * 0.5 / math.sqrt(50_000)
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half), abs=0.0005)


def test_interval_refuses_what_has_no_mean():
    with pytest.raises(InputError, match="finite"):
        bootstrap_interval([1.0, math.inf])
    with pytest.raises(InputError, match="confidence"):
        bootstrap_interval([1.0], confidence=95)
    assert all(math.isnan(end) for end in bootstrap_interval([]))


def test_weights_count_values_as_if_they_stood_there_often() -> None:
    low, high = bootstrap_interval([0.0, 1.0], weights=[1, 3], resamples=4000)
    assert (low, high) == (0.0, 1.0)
    random = np.random.default_rng(1)
    values = random.normal(0, 1, 40)
    assert bootstrap_interval(values, weights=np.full(40, 2), seed=5) == pytest.approx(
        bootstrap_interval(values, seed=5)
    )
    counts = random.integers(1, 4, 40)
    mean = np.average(values, weights=counts)
    half = 1.96 * math.sqrt((counts**2 * (values - mean) ** 2).sum()) / counts.sum()
    assert bootstrap_interval(values, weights=counts, resamples=2000) == pytest.approx(
        (mean - half, mean + half), abs=0.02
    )
    with pytest.raises(InputError, match="1 weights for 2"):
        bootstrap_interval([0.0, 1.0], weights=[1])
