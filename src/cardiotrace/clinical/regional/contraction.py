"""What the rings of a stack tell about contraction: thickness, thickening, and strain from the lengths of contours.

Sign: shortening is negative, thickening positive, both in percent of end-diastole. Contours have no marks: the strain
of a whole ring needs none, but which part of a contour a segment's muscle has come to lie in cannot be told. So
segments have a thickening, and no circumferential strain.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.regional.division import Division
from cardiotrace.clinical.regional.ring import POINT_COUNT, Ring

LINES = ("endocardial", "midwall", "epicardial")
"""The lines whose lengths `Ring.lengths` are."""
_SMOOTHED = POINT_COUNT // 12
"""Points of a ring over which its greatest thickness is averaged: a twelfth, as one point alone is mostly noise."""


@dataclass(frozen=True)
class RingStrain:
    """Strain of the rings that are closed at both instants, percent of the first."""

    circumferential: tuple[float, float, float]
    """Of `LINES`."""
    radial: float
    """Of the mean thickness of the wall."""
    slices: tuple[int, ...]


def ring_strain(first: Mapping[int, Ring], second: Mapping[int, Ring]) -> RingStrain | None:
    """Strain from one instant to another, of all rings that are closed at both.

    e = 100 (sum L - sum L_0) / sum L_0, with the lengths L of a contour in every slice; the same of the thickness,
    which is averaged along the mid-wall lines.

    Args:
        first: rings at end-diastole, by slice.
        second: rings at the other instant, of the same slices.

    Returns:
        None where no slice is closed at both.
    """
    both = tuple(sorted(first.keys() & second.keys()))
    if not both:
        return None
    before, after = (np.sum([rings[depth].lengths for depth in both], axis=0) for rings in (first, second))
    around = 100 * (after / before - 1)
    thick = [mean_thickness(rings[depth] for depth in both) for rings in (first, second)]
    circumferential = (float(around[0]), float(around[1]), float(around[2]))
    return RingStrain(circumferential, 100 * (thick[1] / thick[0] - 1), both)


def mean_thickness(rings: Iterable[Ring]) -> float:
    """Thickness of the wall along the mid-wall lines of some rings, each as much as it is long."""
    found = [(float(ring.thickness.mean()), float(ring.lengths[1])) for ring in rings]
    return float(np.average([value for value, _ in found], weights=[length for _, length in found]))


def greatest_thickness(rings: Iterable[Ring]) -> float:
    """The greatest thickness, averaged over a twelfth of a ring, in any of some rings.

    Example:
        >>> angles = np.radians(np.arange(0, 360, 360 / POINT_COUNT))
        >>> circle = np.stack([np.sin(angles), np.cos(angles)], axis=1)
        >>> round(greatest_thickness([Ring(20 * circle, 30 * circle), Ring(20 * circle, 28 * circle)]), 1)
        10.0
    """
    return max(float(_averaged(ring.thickness).max()) for ring in rings)


def _averaged(values: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
    padded = np.concatenate([values, values[: _SMOOTHED - 1]])
    return np.convolve(padded, np.full(_SMOOTHED, 1 / _SMOOTHED), mode="valid")


def segment_thickness(division: Division) -> dict[int, float]:
    """Mean thickness of each segment, along the mid-wall lines of its slices.

    Args:
        division: of one frame; its own thirds, so that the muscle is followed through the slices as the base descends.
    """
    return _means((numbers, ring.thickness, float(ring.lengths[1])) for _, ring, numbers in division.parts())


def _means(
    parts: Iterable[tuple[np.ndarray, Float[np.ndarray, "n"], float]],
) -> dict[int, float]:
    sums, weights = np.zeros(17), np.zeros(17)
    for numbers, values, length in parts:
        sums += np.bincount(numbers, values * length, minlength=17)
        weights += np.bincount(numbers, np.full(len(values), length), minlength=17)
    return {number: float(sums[number] / weights[number]) for number in range(1, 17) if weights[number] > 0}


def segment_thickening(first: Division, second: Division) -> dict[int, float]:
    """100 (t - t_0) / t_0 of each segment that both instants have, percent; positive where the wall thickens."""
    return _changes(segment_thickness(first), segment_thickness(second))


def _changes(before: Mapping[int, float], after: Mapping[int, float]) -> dict[int, float]:
    return {number: 100 * (after[number] / before[number] - 1) for number in before if number in after}
