"""Logistic regression as numbers: probabilities of groups, what each index says of them, how odd an exam is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Regression:
    """Multinomial logistic regression on standardised indices, its probabilities calibrated by one temperature.

    z = (x - centre) / scale; P = softmax((W z + b) / T).

    Example:
        >>> flat = np.zeros((2, 1))
        >>> model = Regression(
        ...     ("ef",), np.array([50.0]), np.array([10.0]), np.array([[1.0], [-1.0]]), np.zeros(2), 1.0,
        ...     flat, np.eye(1), 3.0,
        ... )
        >>> model.probabilities(np.array([60.0])).round(2).tolist(), model.distance(np.array([60.0]))
        ([0.88, 0.12], 1.0)

    Source:
        Guo et al. 2017, ICML (temperature scaling). Lee et al. 2018, NeurIPS (distance to the nearest class, with one
        covariance for all classes); theirs is of a network's features.
    """

    indices: tuple[str, ...]
    """Their names, in the order of all that follows."""
    centre: Float[np.ndarray, "index"]
    """Mean of each index over the patients that it learned from."""
    scale: Float[np.ndarray, "index"]
    """Standard deviation of each."""
    weights: Float[np.ndarray, "group index"]
    offsets: Float[np.ndarray, "group"]
    temperature: float
    """Found on patients that it had not learned from."""
    means: Float[np.ndarray, "group index"]
    """Standardised mean of each group."""
    precision: Float[np.ndarray, "index index"]
    """Inverse of the standardised covariance within groups."""
    farthest: float
    """The greatest distance of a patient from those that were learned from without it: beyond it nothing is said."""

    def standardised(self, values: Float[np.ndarray, "*n index"]) -> Float[np.ndarray, "*n index"]:
        """Indices in standard deviations from their means."""
        return np.asarray((values - self.centre) / self.scale)

    def logits(self, values: Float[np.ndarray, "*n index"]) -> Float[np.ndarray, "*n group"]:
        """What the softmax is taken of, before the temperature."""
        return np.asarray(self.standardised(values) @ self.weights.T + self.offsets)

    def probabilities(self, values: Float[np.ndarray, "*n index"]) -> Float[np.ndarray, "*n group"]:
        """Calibrated probability of each group.

        Args:
            values: the indices in their units.
        """
        return softmax(self.logits(values) / self.temperature)

    def contributions(self, values: Float[np.ndarray, "index"]) -> Float[np.ndarray, "group index"]:
        """What each index adds to the log odds of each group against the mean of all, from the mean patient on.

        They add up: with `offsets` less their mean over the temperature, they are those log odds.
        """
        centred = self.weights - self.weights.mean(axis=0)
        return np.asarray(centred * self.standardised(values) / self.temperature)

    def distance(self, values: Float[np.ndarray, "index"]) -> float:
        """Mahalanobis distance to the nearest group, over the root of the number of indices: about 1 in a group."""
        away = self.standardised(values) - self.means
        squares = np.einsum("gi,ij,gj->g", away, self.precision, away)
        return float(np.sqrt(squares.min() / len(self.indices)))


def softmax(logits: Float[np.ndarray, "*n group"]) -> Float[np.ndarray, "*n group"]:
    """Exponentials that add up to 1 over the last axis."""
    grown = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=-1, keepdims=True))


def first_complete(regressions: Sequence[Regression], known: Sequence[str] | set[str]) -> Regression | None:
    """The first of several that needs no index but those that are known."""
    return next((each for each in regressions if set(each.indices) <= set(known)), None)
