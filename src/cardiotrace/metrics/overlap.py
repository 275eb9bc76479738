"""How far two masks share their voxels.

One rule for absent structures, everywhere: both masks empty is NaN, to be counted as absent; one of them
empty is 0, to be counted as false negative where the prediction is empty, as false positive where the reference is.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from cardiotrace.metrics.pair import mask_pair


class Presence(StrEnum):
    """Whether a structure is there to be compared."""

    PRESENT = "present"
    """In both masks."""
    ABSENT = "absent"
    """In neither: nothing to score."""
    FALSE_NEGATIVE = "false negative"
    """In the reference only: missed."""
    FALSE_POSITIVE = "false positive"
    """In the prediction only: found where there is none."""


@dataclass(frozen=True)
class Confusion:
    """Counts of voxels that two masks agree and disagree on; every overlap score is read from them.

    Example:
        >>> Confusion.count([1, 1, 0, 0], [1, 0, 1, 0])
        Confusion(true_positive=1, false_positive=1, false_negative=1, true_negative=1)
    """

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @classmethod
    def count(cls, predicted: ArrayLike, reference: ArrayLike) -> "Confusion":
        """Compare two masks of one shape.

        Raises:
            InputError: the shapes differ, or the arrays are not masks.
        """
        first, second = mask_pair(predicted, reference)
        # Three counts are enough: the fourth is what is left of all voxels.
        both = int(np.count_nonzero(first & second))
        false_positive = int(np.count_nonzero(first)) - both
        false_negative = int(np.count_nonzero(second)) - both
        return cls(both, false_positive, false_negative, first.size - both - false_positive - false_negative)

    @property
    def presence(self) -> Presence:
        """In both masks, in either or in none."""
        predicted = self.true_positive + self.false_positive > 0
        reference = self.true_positive + self.false_negative > 0
        if predicted and reference:
            return Presence.PRESENT
        if predicted:
            return Presence.FALSE_POSITIVE
        return Presence.FALSE_NEGATIVE if reference else Presence.ABSENT

    @property
    def dice(self) -> float:
        """2 TP / (2 TP + FP + FN)."""
        return self._share(2 * self.true_positive, 2 * self.true_positive + self.false_positive + self.false_negative)

    @property
    def jaccard(self) -> float:
        """TP / (TP + FP + FN)."""
        return self._share(self.true_positive, self.true_positive + self.false_positive + self.false_negative)

    @property
    def precision(self) -> float:
        """TP / (TP + FP)."""
        return self._share(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        """TP / (TP + FN), also called sensitivity."""
        return self._share(self.true_positive, self.true_positive + self.false_negative)

    @property
    def specificity(self) -> float:
        """TN / (TN + FP), about the background: NaN only if the reference fills the image."""
        negative = self.true_negative + self.false_positive
        return self.true_negative / negative if negative else math.nan

    @property
    def accuracy(self) -> float:
        """(TP + TN) / all: NaN only for an image without voxels."""
        whole = self.true_positive + self.true_negative + self.false_positive + self.false_negative
        return (self.true_positive + self.true_negative) / whole if whole else math.nan

    def _share(self, part: int, whole: int) -> float:
        # Asked before dividing: 0 / 0 is NaN where the structure is in neither mask, and 0 where it was missed.
        if self.presence is Presence.ABSENT:
            return math.nan
        return part / whole if whole else 0.0


def dice(predicted: ArrayLike, reference: ArrayLike) -> float:
    """Dice coefficient, the overlap as a share of the mean size: 2 TP / (2 TP + FP + FN); of masks also called F1.

    Args:
        predicted: a mask of any shape, boolean or zeros and ones.
        reference: a mask of the same shape.

    Returns:
        0 to 1; NaN if both are empty, 0 if one is.

    Raises:
        InputError: the shapes differ, or the arrays are not masks.

    Example:
        >>> dice([1, 1, 1, 0], [0, 1, 1, 0])
        0.8

    Source:
        Dice 1945, Ecology 26:297. Challenge scripts often score two empty masks as 1.
    """
    return Confusion.count(predicted, reference).dice


def jaccard(predicted: ArrayLike, reference: ArrayLike) -> float:
    """Jaccard index, intersection over union: TP / (TP + FP + FN) = Dice / (2 - Dice); as `dice`.

    Example:
        >>> jaccard([1, 1, 1, 0], [0, 1, 1, 1])
        0.5
    """
    return Confusion.count(predicted, reference).jaccard


def precision(predicted: ArrayLike, reference: ArrayLike) -> float:
    """Share of the predicted voxels that are right: TP / (TP + FP); as `dice`.

    Example:
        >>> precision([1, 1, 1, 1], [0, 1, 1, 1])
        0.75
    """
    return Confusion.count(predicted, reference).precision


def recall(predicted: ArrayLike, reference: ArrayLike) -> float:
    """Share of the reference voxels that were found, or sensitivity: TP / (TP + FN); as `dice`.

    Example:
        >>> recall([0, 1, 1, 1], [1, 1, 1, 1])
        0.75
    """
    return Confusion.count(predicted, reference).recall


def specificity(predicted: ArrayLike, reference: ArrayLike) -> float:
    """Share of the background that was left alone: TN / (TN + FP).

    It grows with the empty margin of the image, so it compares methods on the same images only. NaN if the reference
    has no background.

    Example:
        >>> specificity([1, 1, 0, 0, 0], [1, 0, 0, 0, 0])
        0.75
    """
    return Confusion.count(predicted, reference).specificity


def accuracy(predicted: ArrayLike, reference: ArrayLike) -> float:
    """Share of all voxels that are right: (TP + TN) / (TP + TN + FP + FN).

    Like `specificity` it grows with the empty margin of the image. NaN without voxels.

    Example:
        >>> accuracy([1, 1, 0, 0, 0], [1, 0, 0, 0, 0])
        0.8
    """
    return Confusion.count(predicted, reference).accuracy
