"""How well probabilities tell a structure from the rest, at all thresholds at once."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64
from numpy.typing import ArrayLike

from cardiotrace.core.errors import InputError
from cardiotrace.metrics.pair import as_mask


@dataclass(frozen=True)
class RankingCurve:
    """Pixels that are right and wrong at each distinct probability taken as the lowest that counts as the structure.

    From the highest probability to the lowest; pixels of equal probability stand together, so nothing depends on
    their order.
    """

    true_positive: Int64[np.ndarray, " thresholds"]
    false_positive: Int64[np.ndarray, " thresholds"]

    @classmethod
    def of(cls, probability: ArrayLike, reference: ArrayLike) -> "RankingCurve":
        """Count pixels over all thresholds, exactly.

        Args:
            probability: of the structure, any shape; any number that grows with it will do.
            reference: a mask of the same shape.

        Raises:
            InputError: the shapes differ, or a probability is not a number.
        """
        values, mask = np.asarray(probability).ravel(), as_mask(reference, "reference").ravel()
        if values.shape != mask.shape:
            raise InputError(f"{values.size} probabilities for {mask.size} pixels of the reference")
        if np.isnan(values).any():
            raise InputError("a probability is not a number")
        order = np.argsort(values)[::-1]
        values, mask = values[order], mask[order]
        # The last pixel of each run of equal probabilities: a threshold takes all of them or none, so the curve has
        # corners only there.
        last = np.append(np.flatnonzero(np.diff(values)), max(values.size - 1, 0))[: values.size]
        true_positive = np.cumsum(mask, dtype=np.int64)[last]
        return cls(true_positive, last.astype(np.int64) + 1 - true_positive)

    @property
    def roc_auc(self) -> float:
        """Area under true-positive over false-positive rate; NaN without pixels of both kinds."""
        if not self._has_both:
            return math.nan
        rates = (np.append(0, counts) / counts[-1] for counts in (self.true_positive, self.false_positive))
        # Trapezoids: over a run of ties the curve is a straight line, which counts each tie half.
        true_rate, false_rate = rates
        return float((np.diff(false_rate) * (true_rate[1:] + true_rate[:-1]) / 2).sum())

    @property
    def average_precision(self) -> float:
        """Sum of precision times the step in recall; NaN without pixels of the structure."""
        if not len(self.true_positive) or not self.true_positive[-1]:
            return math.nan
        precision = self.true_positive / (self.true_positive + self.false_positive)
        return float((np.diff(self.true_positive, prepend=0) * precision).sum() / self.true_positive[-1])

    @property
    def _has_both(self) -> bool:
        return bool(len(self.true_positive) and self.true_positive[-1] and self.false_positive[-1])


def roc_auc(probability: ArrayLike, reference: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a pixel of the structure ranks above one that is not, ties half.

    Args:
        probability: of the structure, any shape.
        reference: a mask of the same shape.

    Returns:
        0 to 1, 0.5 for guessing; NaN if the reference is empty or full.

    Raises:
        InputError: the shapes differ, or a probability is not a number.

    Example:
        >>> roc_auc([0.9, 0.8, 0.3, 0.3], [1, 0, 1, 0])
        0.625

    Source:
        Hanley and McNeil 1982, Radiology 143:29.
    """
    return RankingCurve.of(probability, reference).roc_auc


def average_precision(probability: ArrayLike, reference: ArrayLike) -> float:
    """Average precision, sum over thresholds of (R_n - R_(n-1)) P_n, without interpolation.

    Args:
        probability: of the structure, any shape.
        reference: a mask of the same shape.

    Returns:
        0 to 1, the structure's share of the pixels for guessing; NaN if the reference is empty.

    Raises:
        InputError: the shapes differ, or a probability is not a number.

    Example:
        >>> round(average_precision([0.9, 0.8, 0.7], [1, 0, 1]), 4)
        0.8333
    """
    return RankingCurve.of(probability, reference).average_precision


def dice_at(
    thresholds: Float[np.ndarray, " thresholds"], probability: ArrayLike, reference: ArrayLike
) -> Float[np.ndarray, " thresholds"]:
    """Dice of the pixels above each threshold, counted in one pass.

    Args:
        thresholds: rising; compared in the type of the probabilities.
        probability: of the structure, any shape.
        reference: a mask of the same shape.

    Returns:
        0 to 1; NaN where neither holds a pixel.

    Raises:
        InputError: the shapes differ.

    Example:
        >>> dice_at(np.array([0.1, 0.5]), [0.9, 0.6, 0.3], [1, 1, 0]).tolist()
        [0.8, 1.0]
    """
    values, mask = np.asarray(probability).ravel(), as_mask(reference, "reference").ravel()
    if values.shape != mask.shape:
        raise InputError(f"{values.size} probabilities for {mask.size} pixels of the reference")
    passed = np.searchsorted(thresholds.astype(values.dtype), values, side="left")
    counts = [np.bincount(part, minlength=len(thresholds) + 1)[::-1] for part in (passed, passed[mask])]
    predicted, both = (np.cumsum(part)[::-1][1:] for part in counts)
    total = predicted + np.count_nonzero(mask)
    shares: Float[np.ndarray, " thresholds"] = np.full(len(thresholds), np.nan)
    np.divide(2.0 * both, total, out=shares, where=total > 0)
    return shares
