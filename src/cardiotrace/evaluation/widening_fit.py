"""How much wider intervals must be where images are unlike, counted on images damaged in many ways and degrees.

Bands of unlikeness are groups of a Mondrian calibration: of the images in each, as many truths as were asked for lie
within the limits of usual images, widened by the factor that was counted there. A band of greater unlikeness is never
told to be surer than one of less.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.intervals.calibration import ErrorCalibration
from cardiotrace.clinical.intervals.conformal import fewest_cases
from cardiotrace.clinical.intervals.widening import LIMIT, Widening
from cardiotrace.core.errors import InputError
from cardiotrace.evaluation.interval_fit import CalibrationCase

BANDS = (1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""Upper ends, in limits of unlikeness; the first begins at 1."""


@dataclass(frozen=True)
class UnlikeCase:
    """A patient whose images were damaged, or are of another kind."""

    case: CalibrationCase
    unlikeness: float
    """The larger of both key frames."""
    kind: str = ""
    """What was done to the images."""


def fitted_widening(error: ErrorCalibration, cases: Sequence[UnlikeCase]) -> Widening:
    """Factors for an error that was calibrated on usual images.

    Args:
        error: its calibration.
        cases: of patients whom the network had not seen, each any number of times; usual ones among them are passed
            over.

    Raises:
        InputError: too few patients in all bands together.
    """
    unlike = [item for item in cases if item.unlikeness > LIMIT]
    steps: list[tuple[float, float]] = []
    for upto, band in _bands(unlike, fewest_cases(error.share)):
        wanted = [error.needed(item.case.measured, item.case.truth, item.case.signs, item.case.group) for item in band]
        least = steps[-1][1] if steps else 1.0
        steps.append((upto, round(max(least, conformal_quantile(np.array(wanted), error.share)), 2)))
    if not steps:
        raise InputError("too few unlike images to count how wide their intervals must be")
    return Widening(tuple(steps))


def conformal_quantile(values: Float[np.ndarray, "cases"], share: float) -> float:
    """The (n + 1) share-th smallest of n values, between two of them in proportion.

    Example:
        >>> round(conformal_quantile(np.arange(1.0, 100.0), 0.9), 6)
        90.0
    """
    count = len(values)
    return float(np.interp(min(count, (count + 1) * share), np.arange(1, count + 1), np.sort(values)))


def _bands(cases: Sequence[UnlikeCase], fewest: int) -> Iterator[tuple[float, Sequence[UnlikeCase]]]:
    """Cases by bands of at least so many patients: a band of fewer is told of together with the next one."""
    held: list[UnlikeCase] = []
    low = LIMIT
    for upto in BANDS:
        held += [item for item in cases if low < item.unlikeness <= upto]
        low = upto
        if len({item.case.patient for item in held}) >= fewest:
            yield upto, held
            held = []
