"""Numbers as tables print them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.core.number import fixed, general, mean_and_sd, p_value


@pytest.mark.parametrize("noise", [-2.5e-15, 2.5e-15, -0.0, 0.0, -0.0004])
def test_noise_of_rounding_is_zero_without_a_sign(noise: float) -> None:
    assert fixed(noise, 3) == fixed(noise, 3, signed=True) == "0.000"
    assert general(noise) in ("0", "-0.0004")


@given(st.floats(-1e6, 1e6), st.integers(0, 3))
def test_fixed_digits_are_fixed(value: float, digits: int) -> None:
    text = fixed(value, digits)
    assert len(text.partition(".")[2]) == digits
    assert float(text) == pytest.approx(value, abs=0.5001 * 10**-digits)


def test_what_is_no_number_is_told() -> None:
    assert (fixed(math.nan, 1), fixed(math.inf, 1), fixed(-math.inf, 1)) == ("-", "inf", "-inf")
    assert mean_and_sd(math.nan, math.nan, 3) == "-"
    assert mean_and_sd(1.0, math.nan, 3) == mean_and_sd(1.0, None, 3) == "1.000"
    assert p_value(math.nan) == "-"
