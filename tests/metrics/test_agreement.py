import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError
from cardiotrace.metrics import agreement


def test_by_hand():
    result = agreement([52.0, 61.0, 40.0, 45.0], [50.0, 60.0, 42.0, 45.0])
    assert (result.count, result.excluded) == (4, 0)
    assert result.bias == pytest.approx(0.25)
    assert result.sd == pytest.approx(math.sqrt((1.75**2 + 0.75**2 + 2.25**2 + 0.25**2) / 3))
    assert result.upper_limit - result.lower_limit == pytest.approx(2 * 1.96 * result.sd)
    assert result.mean_absolute_error == pytest.approx(1.25)
    assert result.correlation == pytest.approx(np.corrcoef([52, 61, 40, 45], [50, 60, 42, 45])[0, 1])


def test_values_that_could_not_be_measured_are_counted():
    result = agreement([50.0, math.nan, 60.0, 55.0], [48.0, 52.0, math.inf, 55.0])
    assert (result.count, result.excluded, result.bias) == (2, 2, 1.0)
    assert "2 excluded" in str(result)


def test_too_little_to_compare():
    assert agreement([], []).count == 0
    assert math.isnan(agreement([], []).bias)
    alone = agreement([3.0], [1.0])
    assert alone.bias == 2
    assert math.isnan(alone.sd)
    assert math.isnan(alone.correlation)
    assert math.isnan(agreement([1.0, 1.0], [2.0, 3.0]).correlation)


def test_different_lengths_are_refused():
    with pytest.raises(InputError, match="1 predicted, 2 reference"):
        agreement([1.0], [1.0, 2.0])


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-50, 50))
def test_shift_is_bias_and_nothing_else(seed, shift):
    random = np.random.default_rng(seed)
    first, second = random.normal(60, 10, (2, 30))
    plain, shifted = agreement(first, second), agreement(first + shift, second)
    assert shifted.bias == pytest.approx(plain.bias + shift)
    assert shifted.sd == pytest.approx(plain.sd)
    assert shifted.correlation == pytest.approx(plain.correlation)
    assert agreement(second, first).bias == pytest.approx(-plain.bias)


def test_the_intraclass_correlation_is_that_of_shrout_and_fleiss():
    # Two of the four judges of their table 2; the sums of squares by hand.
    first, second = [9.0, 6, 8, 7, 10, 6], [2.0, 1, 4, 1, 5, 2]
    between, rest, judges = 23.416667 / 5, 3.416667 / 5, 80.083333
    expected = (between - rest) / (between + rest + 2 * (judges - rest) / 6)
    assert agreement(first, second).intraclass_correlation == pytest.approx(expected, abs=1e-6)
    assert agreement(first, first).intraclass_correlation == 1


def test_a_bias_lowers_the_intraclass_correlation_and_not_pearsons():
    first = np.array([40.0, 50, 60, 70])
    shifted = agreement(first + 10, first)
    assert shifted.correlation == pytest.approx(1)
    assert shifted.intraclass_correlation < 0.8
    assert math.isnan(agreement([1.0], [1.0]).intraclass_correlation)
    assert math.isnan(agreement([1.0, 1.0], [1.0, 1.0]).intraclass_correlation)
