"""Numbers as tables print them: as many digits for all of a kind, and no noise of rounding."""

import math

_NOISE = 1e-9
"""What lies below it came of rounding: nothing that is measured here is as small, but p values, see `p_value`."""
_ONE_DIGIT = ("mm", "ml", "percent", "g", "cm", "cm2", "ms")
_MISSING = "-"


def digits_of(name: str) -> int:
    """Digits after the point that a quantity is worth, by the unit that its name ends in.

    Example:
        >>> digits_of("hausdorff_mm"), digits_of("left_ventricular_ejection_fraction_percent"), digits_of("dice")
        (1, 1, 3)
    """
    return 1 if name.rsplit("_", 1)[-1] in _ONE_DIGIT else 3


def fixed(value: float, digits: int, *, signed: bool = False) -> str:
    """A number with fixed digits; zero has no sign, and what is no number is "-".

    Args:
        value: the number.
        digits: after the point.
        signed: whether a plus is written too.

    Example:
        >>> fixed(-2.5e-15, 3), fixed(1.26, 1), fixed(1.26, 1, signed=True), fixed(float("nan"), 1)
        ('0.000', '1.3', '+1.3', '-')
    """
    if math.isnan(value):
        return _MISSING
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    return text.lstrip("+-") if math.isfinite(value) and float(text) == 0 else text


def general(value: float) -> str:
    """A number to four digits; noise of rounding is 0.

    Example:
        >>> general(-2.5e-15), general(0.123456), general(12345.6)
        ('0', '0.1235', '1.235e+04')
    """
    return "0" if abs(value) < _NOISE else f"{value:.4g}"


def mean_and_sd(mean: float, sd: float | None, digits: int) -> str:
    """A mean and its standard deviation; the mean alone where one value has none, "-" without any.

    Example:
        >>> mean_and_sd(0.9, 0.05, 3), mean_and_sd(0.9, float("nan"), 3)
        ('0.900 ± 0.050', '0.900')
    """
    has_spread = sd is not None and math.isfinite(sd) and math.isfinite(mean)
    return fixed(mean, digits) + (f" ± {fixed(sd, digits)}" if has_spread and sd is not None else "")


def p_value(value: float) -> str:
    """A p value to three digits; what is smaller is told as such.

    Example:
        >>> p_value(0.0421), p_value(3e-12), p_value(1.0)
        ('0.042', '<0.001', '1.000')
    """
    return "<0.001" if value < 0.001 else fixed(value, 3)
