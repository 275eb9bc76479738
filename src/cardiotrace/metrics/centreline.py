"""How far two masks of long thin structures share their centre lines."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cardiotrace.metrics.overlap import Confusion, Presence
from cardiotrace.metrics.pair import mask_pair
from cardiotrace.metrics.thinning import skeleton


@dataclass(frozen=True)
class CentrelineOverlap:
    """Shares of the centre lines that lie in the other mask; NaN where both masks are empty, 0 where one is."""

    precision: float
    """Share of the predicted centre line that lies in the reference."""
    sensitivity: float
    """Share of the reference centre line that lies in the prediction."""

    @property
    def cldice(self) -> float:
        """Harmonic mean of both."""
        total = self.precision + self.sensitivity
        if math.isnan(total):
            return math.nan
        return 2 * self.precision * self.sensitivity / total if total else 0.0


def centreline_overlap(predicted: ArrayLike, reference: ArrayLike) -> CentrelineOverlap:
    """Topology precision and sensitivity of two planar masks.

    |S(P) and R| / |S(P)| and |S(R) and P| / |S(R)| with the skeletons S of predicted P and reference R.

    Raises:
        InputError: the shapes differ, or the arrays are not planar masks.

    Example:
        >>> vessel = np.zeros((9, 20), bool)
        >>> vessel[3:6] = True
        >>> found = vessel.copy()
        >>> found[:, 10:] = False
        >>> overlap = centreline_overlap(found, vessel)
        >>> overlap.precision, round(overlap.sensitivity, 2)
        (1.0, 0.53)

    Source:
        Shit et al. 2021, CVPR, arXiv:2003.07311, equations 1 and 2.
    """
    first, second = mask_pair(predicted, reference)
    presence = Confusion.count(first, second).presence
    if presence is not Presence.PRESENT:
        nothing = math.nan if presence is Presence.ABSENT else 0.0
        return CentrelineOverlap(nothing, nothing)
    # A line against the other's whole mask, never line against line: two lines a pixel apart share nothing.
    return CentrelineOverlap(_share(skeleton(first), second), _share(skeleton(second), first))


def cldice(predicted: ArrayLike, reference: ArrayLike) -> float:
    """Centre-line Dice, 2 Tprec Tsens / (Tprec + Tsens): how far thin structures are found without gaps and extras.

    Args:
        predicted: a planar mask, boolean or zeros and ones.
        reference: a mask of the same shape.

    Returns:
        0 to 1; NaN if both are empty, 0 if one is.

    Raises:
        InputError: the shapes differ, or the arrays are not planar masks.

    Example:
        >>> vessel = np.zeros((9, 20), bool)
        >>> vessel[3:6] = True
        >>> cldice(vessel, vessel), cldice(np.roll(vessel, 3, axis=0), vessel)
        (1.0, 0.0)

    Source:
        Shit et al. 2021, CVPR, arXiv:2003.07311.
    """
    return centreline_overlap(predicted, reference).cldice


def _share(line: np.ndarray, mask: np.ndarray) -> float:
    """Share of a line that lies in a mask."""
    return float(mask[line].mean())
