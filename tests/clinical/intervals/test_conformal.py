"""Limits that were counted hold as often as they say, whatever errors are distributed like."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.clinical.intervals.conformal import fewest_cases, limits, limits_by_group, limits_of
from cardiotrace.core.errors import InputError


@pytest.mark.parametrize("share", [0.8, 0.9, 0.95])
def test_of_new_cases_as_many_lie_within_as_was_asked_for(share: float) -> None:
    generator = np.random.default_rng(1)
    inside = []
    for _ in range(600):
        # Skewed, with a bias and heavy tails on one side.
        scores = generator.gamma(1.5, 3.0, 90) - 2
        low, high = limits(scores[:60], share=share)
        inside.append(np.mean((low <= scores[60:]) & (scores[60:] <= high)))
    assert np.mean(inside) == pytest.approx(share, abs=0.012)


def test_each_side_leaves_out_its_half() -> None:
    scores = np.random.default_rng(2).exponential(1.0, 4000)
    low, high = limits(scores, share=0.9)
    assert np.mean(scores < low) == pytest.approx(0.05, abs=0.002)
    assert np.mean(scores > high) == pytest.approx(0.05, abs=0.002)


@settings(max_examples=50, deadline=None)
@given(st.integers(19, 200), st.integers(0, 99))
def test_limits_lie_among_scores_and_in_order_however_cases_come(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    scores = generator.normal(size=count)
    found = limits(scores, share=0.9)
    assert scores.min() <= found[0] <= found[1] <= scores.max()
    assert limits(generator.permutation(scores), share=0.9) == found


def test_the_smallest_number_of_cases_takes_both_ends_and_one_less_is_refused() -> None:
    assert fewest_cases(0.9) == 19
    scores = np.arange(19.0)
    assert limits(scores, share=0.9) == (0.0, 18.0)
    for few in (3, 18):
        with pytest.raises(InputError, match=f"at least 19 patients, there are {few}"):
            limits(scores[:few], share=0.9)
    with pytest.raises(InputError, match="without a score"):
        limits(np.full(40, np.nan), share=0.9)


def test_a_group_has_its_own_limits_where_it_is_large_enough() -> None:
    generator = np.random.default_rng(3)
    scores = np.concatenate([generator.normal(0, 1, 100), generator.normal(0, 4, 50), generator.normal(0, 9, 5)])
    groups = ["good"] * 100 + ["poor"] * 50 + ["rare"] * 5
    found = limits_by_group(scores, groups, share=0.9)
    assert set(found) == {"", "good", "poor"}
    assert found["good"][1] < found[""][1] < found["poor"][1]
    # What was too small, never seen or not stated has the limits of all.
    assert limits_of(found, "rare") == limits_of(found, "never seen") == limits_of(found, "") == found[""]
