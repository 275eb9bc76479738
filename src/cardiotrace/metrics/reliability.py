"""Whether probabilities mean what they say: reliability, expected calibration error, and one temperature for all."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Bool, Float, Int

BINS = 15
_LEAST = 1e-6
"""No probability is taken for smaller: one pixel that was certain and wrong would decide alone."""
_COLDEST, _HOTTEST = 0.2, 5.0
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Reliability:
    """How often what was said with some confidence was right, by bins of confidence of equal width.

    Example:
        >>> sure = Reliability.of(np.full(10, 0.9), np.arange(10) < 7)
        >>> round(sure.expected_error, 2), round(sure.confidence, 2), round(sure.accuracy, 2)
        (0.2, 0.9, 0.7)
    """

    count: Float[np.ndarray, "bins"]
    said: Float[np.ndarray, "bins"]
    """Sum of the confidence."""
    right: Float[np.ndarray, "bins"]
    """Number of right ones."""

    @classmethod
    def of(cls, confidence: Float[np.ndarray, "n"], right: Bool[np.ndarray, "n"]) -> Self:
        """Count predictions.

        Args:
            confidence: probability of what was said, from 0 to 1.
            right: whether it was so.
        """
        bins = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
        sums = (np.bincount(bins, weights, BINS) for weights in (None, confidence, right.astype(float)))
        return cls(*(np.asarray(found, float) for found in sums))

    def __add__(self, other: "Reliability") -> "Reliability":
        """Both together."""
        return Reliability(self.count + other.count, self.said + other.said, self.right + other.right)

    @property
    def confidence(self) -> float:
        """Mean confidence; NaN of nothing."""
        return _ratio(self.said.sum(), self.count.sum())

    @property
    def accuracy(self) -> float:
        """Share of right ones; NaN of nothing."""
        return _ratio(self.right.sum(), self.count.sum())

    @property
    def expected_error(self) -> float:
        """Expected calibration error: ECE = sum_b n_b / n |accuracy_b - confidence_b|; NaN of nothing.

        Source:
            Guo et al. 2017, Proceedings of Machine Learning Research 70:1321.
        """
        return _ratio(np.abs(self.right - self.said).sum(), self.count.sum())

    def rows(self) -> list[tuple[float, float, float]]:
        """Of each bin that holds any: mean confidence, share of right ones, share of all."""
        total = self.count.sum()
        return [
            (float(said / count), float(right / count), float(count / total))
            for count, said, right in zip(self.count, self.said, self.right, strict=True)
            if count
        ]


def tempered(probabilities: Float[np.ndarray, "classes *n"], temperature: float) -> Float[np.ndarray, "classes *n"]:
    """Probabilities at another temperature: p_i^(1/T) / sum_j p_j^(1/T); above 1 less sure, the order as before.

    Example:
        >>> tempered(np.array([0.9, 0.1]), 2.0).round(2).tolist()
        [0.75, 0.25]
    """
    powers = np.maximum(probabilities, _LEAST) ** (1 / temperature)
    return np.asarray(powers / powers.sum(axis=0))


def best_temperature(probabilities: Float[np.ndarray, "classes n"], labels: Int[np.ndarray, "n"]) -> float:
    """The temperature of the greatest likelihood.

    Args:
        probabilities: of each class.
        labels: the true class.

    Returns:
        From 0.2 to 5, by golden section of its logarithm, in which the likelihood has one peak.

    Source:
        Guo et al. 2017, Proceedings of Machine Learning Research 70:1321.
    """
    logits = np.log(np.maximum(probabilities, _LEAST))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        top = scaled.max(axis=0)
        told = np.take_along_axis(scaled, labels[None], axis=0)[0]
        return float((np.log(np.exp(scaled - top).sum(axis=0)) + top - told).mean())

    low, high = np.log(_COLDEST), np.log(_HOTTEST)
    while high - low > 1e-3:
        first, second = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, second) if loss(first) < loss(second) else (first, high)
    return float(np.exp((low + high) / 2))


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
