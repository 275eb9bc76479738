"""How well two ways of measuring the same quantity agree: EF, volumes."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from cardiotrace.core.errors import InputError


@dataclass(frozen=True)
class Agreement:
    """Two paired series compared; differences are predicted minus reference, in the unit of the series.

    Args:
        count: pairs compared.
        excluded: pairs left out because either value was not finite.
        correlation: Pearson's r; NaN below two pairs or if a series is constant.
        bias: mean difference.
        sd: sample standard deviation of the differences (n - 1).
        lower_limit: bias - 1.96 sd, the lower limit of agreement.
        upper_limit: bias + 1.96 sd.
        mean_absolute_error: mean size of the differences.
        intraclass_correlation: for absolute agreement of single measurements, two-way random effects, ICC(2,1): unlike
            Pearson's r it falls with a bias or another scale; NaN below two pairs or if nothing varies.
    """

    count: int
    excluded: int
    correlation: float
    bias: float
    sd: float
    lower_limit: float
    upper_limit: float
    mean_absolute_error: float
    intraclass_correlation: float = math.nan

    def __str__(self) -> str:
        left_out = f", {self.excluded} excluded" if self.excluded else ""
        return (
            f"r {self.correlation:.3f}, bias {self.bias:.2f} ± {self.sd:.2f}, "
            f"MAE {self.mean_absolute_error:.2f} (n = {self.count}{left_out})"
        )


def agreement(predicted: ArrayLike, reference: ArrayLike) -> Agreement:
    """Correlation, bias and limits of agreement of paired measurements.

    Args:
        predicted: one value for each exam.
        reference: the same exams in the same order and unit.

    Returns:
        The comparison; NaN where too few pairs remain.

    Raises:
        InputError: the series differ in length.

    Example:
        >>> print(agreement([52.0, 61.0, 40.0], [50.0, 60.0, 42.0]))
        r 0.989, bias 0.33 ± 2.08, MAE 1.67 (n = 3)

    Source:
        Bland and Altman 1986, Lancet 327:307; Shrout and Fleiss 1979, Psychol Bull 86:420 (case 2).
    """
    first, second = (np.asarray(series, dtype=np.float64).ravel() for series in (predicted, reference))
    if first.size != second.size:
        raise InputError(f"series of different length: {first.size} predicted, {second.size} reference")
    usable = np.isfinite(first) & np.isfinite(second)
    first, second = first[usable], second[usable]
    excluded = int(usable.size - first.size)
    if first.size == 0:
        return Agreement(0, excluded, *(math.nan,) * 6)
    difference = first - second
    bias = float(difference.mean())
    sd = float(difference.std(ddof=1)) if first.size > 1 else math.nan
    error = float(np.abs(difference).mean())
    varies = first.size > 1 and bool(np.ptp(first) > 0 and np.ptp(second) > 0)
    correlation = float(np.corrcoef(first, second)[0, 1]) if varies else math.nan
    limits = bias - 1.96 * sd, bias + 1.96 * sd
    return Agreement(first.size, excluded, correlation, bias, sd, *limits, error, _intraclass(first, second))


def _intraclass(first: Float[np.ndarray, "n"], second: Float[np.ndarray, "n"]) -> float:
    """ICC(2,1) = (B - E) / (B + E + 2 (W - E) / n) of two raters.

    B, W and E are the mean squares between patients, between raters and of what remains.
    """
    count = first.size
    if count < 2:
        return math.nan
    both = np.stack([first, second])
    patients, raters, mean = both.mean(axis=0), both.mean(axis=1), both.mean()
    between = 2 * float(((patients - mean) ** 2).sum()) / (count - 1)
    of_raters = count * float(((raters - mean) ** 2).sum())
    rest = float(((both - patients - raters[:, None] + mean) ** 2).sum()) / (count - 1)
    whole = between + rest + 2 * (of_raters - rest) / count
    return (between - rest) / whole if whole > 0 else math.nan
