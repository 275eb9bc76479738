"""Many scores to a few numbers, with the counts of what could not be scored always beside them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.number import mean_and_sd
from cardiotrace.metrics.overlap import Presence

_DRAWS_AT_ONCE = 1 << 22
"""Bounds the memory of the bootstrap to some 70 MB."""


@dataclass(frozen=True)
class Summary:
    """Statistics of one score over cases.

    Args:
        count: cases that the statistics speak of.
        mean: of those cases; NaN if there are none, like the rest.
        sd: sample standard deviation (n - 1); NaN below two cases.
        median: middle value.
        minimum: smallest value.
        maximum: largest value.
        absent: cases with the structure in neither mask; never in the statistics.
        false_negative: cases with the structure in the reference only. Their Dice of 0 is in the statistics; their
            infinite distance is not, unless a penalty replaced it.
        false_positive: cases with the structure in the prediction only; scored like false negatives.
    """

    count: int
    mean: float
    sd: float
    median: float
    minimum: float
    maximum: float
    absent: int
    false_negative: int
    false_positive: int = 0

    def __str__(self) -> str:
        words = {"absent": self.absent, "false negative": self.false_negative, "false positive": self.false_positive}
        left_out = [f"{number} {word}" for word, number in words.items() if number]
        counts = ", ".join([f"n = {self.count}", *left_out])
        return f"{mean_and_sd(self.mean, self.sd, 3)} ({counts})"


def summarise(
    values: ArrayLike, presence: Sequence[Presence] | None = None, *, infinite_as: float | ArrayLike | None = None
) -> Summary:
    """Summarise one score over cases, dropping nothing in silence.

    Args:
        values: one score for each case; NaN is absent, infinite is false negative or false positive.
        presence: for each case, whether the structure was there. Needed to count misses in scores that
            stay finite, such as Dice, and to tell them from false positives; read off the values if None.
        infinite_as: what stands for an infinite distance, one number or one for each case; usually
            `image_diagonal_mm`. None leaves such cases out of the statistics.

    Returns:
        The statistics and the counts.

    Raises:
        InputError: `presence` has another length than `values`, or calls a NaN score present.

    Example:
        >>> print(summarise([1.0, 3.0, math.inf, math.nan]))
        2.000 ± 1.414 (n = 2, 1 absent, 1 false negative)
        >>> print(summarise([1.0, 3.0, math.inf, math.nan], infinite_as=80.0))
        28.000 ± 45.044 (n = 3, 1 absent, 1 false negative)
    """
    scores = np.asarray(values, dtype=np.float64).ravel()
    states = [_presence_of(score) for score in scores.tolist()] if presence is None else list(presence)
    _require_scored(scores, states)
    if infinite_as is not None:
        # After presences are read off the scores: a penalty must not make a missed structure look found.
        scores = np.where(np.isinf(scores), np.asarray(infinite_as, dtype=np.float64), scores)
    absent = np.array([state is Presence.ABSENT for state in states], dtype=bool)
    usable = scores[np.isfinite(scores) & ~absent]
    return Summary(
        *_statistics(usable),
        absent=int(absent.sum()),
        false_negative=states.count(Presence.FALSE_NEGATIVE),
        false_positive=states.count(Presence.FALSE_POSITIVE),
    )


def _require_scored(scores: NDArray[np.float64], states: Sequence[Presence]) -> None:
    """Refuse scores and presences that cannot be of the same cases."""
    if len(states) != scores.size:
        raise InputError(f"{len(states)} presences for {scores.size} scores")
    if any(math.isnan(score) and state is Presence.PRESENT for score, state in zip(scores, states, strict=True)):
        raise InputError("a structure present in both masks has no score", remedy="check how the score was computed.")


def image_diagonal_mm(shape: Sequence[int], spacing_mm: Sequence[float]) -> float:
    """Length of the image's diagonal, mm: no distance within the image is larger, so it can stand for a miss.

    Example:
        >>> image_diagonal_mm((300, 400), (0.5, 0.5))
        250.0
    """
    return math.hypot(*(size * step for size, step in zip(shape, spacing_mm, strict=True)))


def bootstrap_interval(
    values: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    resamples: int = 10_000,
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean: the same seed gives the same interval.

    Args:
        values: independent finite scores. Give one for each patient: the two instants of one heart are
            not independent.
        weights: how much each value counts in the mean, such as the images of each patient; all alike if None.
        confidence: between 0 and 1.
        seed: of the random draws.
        resamples: how many times cases are drawn anew.

    Returns:
        Lower and upper end; both NaN without values.

    Raises:
        InputError: a value is not finite, the confidence is not between 0 and 1, or the weights are not as many.

    Example:
        >>> low, high = bootstrap_interval([0.80, 0.85, 0.90, 0.95])
        >>> 0.80 < low < 0.875 < high < 0.95
        True

    Source:
        Efron 1979, Ann Stat 7:1.
    """
    scores = np.asarray(values, dtype=np.float64).ravel()
    if not np.isfinite(scores).all():
        raise InputError(
            "a bootstrap needs finite scores", remedy="leave absent and missed cases out, and report them."
        )
    if not 0 < confidence < 1:
        raise InputError(f"a confidence lies between 0 and 1, got {confidence}")
    shares = np.ones(scores.size) if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    if scores.size and shares.size != scores.size:
        raise InputError(f"{shares.size} weights for {scores.size} scores")
    if scores.size == 0:
        return math.nan, math.nan
    means = _drawn_means(scores, shares, np.random.default_rng(seed), resamples)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _drawn_means(
    scores: NDArray[np.float64], shares: NDArray[np.float64], random: np.random.Generator, resamples: int
) -> NDArray[np.float64]:
    """Weighted means of cases drawn with replacement, as many in each draw as there are."""
    means = np.empty(resamples)
    # Draws go block by block: all at once would take gigabytes for thousands of patients.
    block = max(_DRAWS_AT_ONCE // scores.size, 1)
    for start in range(0, resamples, block):
        stop = min(start + block, resamples)
        # Weights are drawn along with their values: how many images a draw holds varies with who is in it.
        picked = random.integers(0, scores.size, (stop - start, scores.size))
        means[start:stop] = np.average(scores[picked], axis=1, weights=shares[picked])
    return means


def _presence_of(score: float) -> Presence:
    if math.isnan(score):
        return Presence.ABSENT
    return Presence.FALSE_NEGATIVE if math.isinf(score) else Presence.PRESENT


def _statistics(values: NDArray[np.float64]) -> tuple[int, float, float, float, float, float]:
    if values.size == 0:
        return 0, math.nan, math.nan, math.nan, math.nan, math.nan
    sd = float(values.std(ddof=1)) if values.size > 1 else math.nan
    return values.size, float(values.mean()), sd, float(np.median(values)), float(values.min()), float(values.max())
