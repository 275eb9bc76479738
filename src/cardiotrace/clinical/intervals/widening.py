"""How much wider an interval must be where an image is unlike those that a model was tried on."""

import math
from dataclasses import dataclass

LIMIT = 1.0
"""Unlikeness up to which an image is a usual one."""


@dataclass(frozen=True)
class Widening:
    """Factors that were counted on images damaged in many ways and degrees, of patients that no model had seen."""

    steps: tuple[tuple[float, float], ...] = ()
    """Unlikeness up to which, and how many times wider an interval is there; none: it was never counted."""

    def factor(self, unlikeness: float) -> float:
        """How many times wider; 1 of usual images, and where nothing is known.

        Example:
            >>> Widening(((2.0, 1.3), (4.0, 1.9))).factor(1.5), Widening(((2.0, 1.3), (4.0, 1.9))).factor(9.0)
            (1.3, 1.9)
        """
        if not self.steps or not unlikeness > LIMIT:
            return 1.0
        return next((factor for upto, factor in self.steps if unlikeness <= upto), self.steps[-1][1])

    def holds(self, unlikeness: float) -> bool:
        """Whether anybody counted how often an interval holds the truth of images as unlike as that.

        Example:
            >>> Widening(((2.0, 1.3),)).holds(9.0), Widening().holds(9.0), Widening().holds(float("nan"))
            (False, False, True)
        """
        return not unlikeness > max((LIMIT, *(upto for upto, _ in self.steps)))


NEVER_COUNTED = Widening()


def widened(limits: tuple[float, float], factor: float) -> tuple[float, float]:
    """Limits of a score, moved away from their middle.

    Example:
        >>> widened((-1.0, 3.0), 2.0)
        (-3.0, 5.0)
    """
    middle, half = (limits[0] + limits[1]) / 2, (limits[1] - limits[0]) / 2
    return middle - factor * half, middle + factor * half


def needed(limits: tuple[float, float], score: float) -> float:
    """How many times wider limits must be to hold a score.

    Example:
        >>> needed((-1.0, 3.0), 5.0), needed((-1.0, 1.0), 0.0)
        (2.0, 0.0)
    """
    middle, half = (limits[0] + limits[1]) / 2, (limits[1] - limits[0]) / 2
    return abs(score - middle) / half if half > 0 else math.inf
