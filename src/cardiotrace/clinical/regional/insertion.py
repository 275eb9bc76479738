"""Where the right ventricle is inserted into the wall of the left one, and the middle of the septum between."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.annulus import borders
from cardiotrace.clinical.regional.ring import Mask, PixelSize, Ring
from cardiotrace.geometry.component import largest_component

SPAN_DEGREES = (80.0, 160.0)
"""Between both insertions, as seen from the middle of the cavity: 120 of a round heart, and 40 either way."""
_SHORTEST_GAP = 15.0
"""Degrees along which the right ventricle may leave the wall and come back: trabeculae, and steps of pixels."""
_FEWEST_CONTACTS = 3
"""Points of the epicardium that touch the right ventricle; fewer are an accident of pixels."""


@dataclass(frozen=True)
class Septum:
    """The septum of one slice: the part of the wall between both insertions.

    Angles run counterclockwise in the image from its right, degrees.
    """

    start: float
    """Angle of the insertion at which it begins, counterclockwise."""
    span: float

    @property
    def middle(self) -> float:
        """Angle of its middle: both insertions count alike, 0 to 360."""
        return (self.start + self.span / 2) % 360

    @property
    def is_plausible(self) -> bool:
        """Whether the span is that of a septum."""
        return SPAN_DEGREES[0] <= self.span <= SPAN_DEGREES[1]


def angles_about(centre: Float[np.ndarray, "2"], points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n"]:
    """Angles of (row, column) points about a middle, counterclockwise from the image's right, 0 to 360.

    Example:
        >>> angles_about(np.zeros(2), np.array([[0.0, 1.0], [-1.0, 0.0], [1.0, 0.0]])).tolist()
        [0.0, 90.0, 270.0]
    """
    return np.asarray(np.degrees(np.arctan2(centre[0] - points[:, 0], points[:, 1] - centre[1])) % 360)


def septum_of(ring: Ring, right: Mask, pixel: PixelSize) -> Septum | None:
    """The septum of a slice: the longest stretch of its epicardium along the right ventricle.

    Args:
        ring: the wall of the left ventricle.
        right: the cavity of the right ventricle in the slice.
        pixel: (height, width) of a pixel.

    Returns:
        None where the right ventricle is not there, does not touch the wall, or lies all around it.
    """
    if not right.any():
        return None
    touched = borders(ring.outer, largest_component(right), pixel)
    if touched.sum() < _FEWEST_CONTACTS:
        return None
    angles = np.sort(angles_about(ring.centre, ring.outer[touched]))
    gaps = np.diff(angles, append=angles[0] + 360)
    breaks = np.flatnonzero(gaps > _SHORTEST_GAP)
    if not len(breaks):
        return None
    starts = angles[(breaks + 1) % len(angles)]
    # Each stretch ends at the break that follows its beginning.
    spans = (angles[np.roll(breaks, -1)] - starts) % 360
    longest = int(spans.argmax())
    return Septum(float(starts[longest]), float(spans[longest]))


def septal_angles(septa: Mapping[int, Septum], slices: Iterable[int]) -> dict[int, float]:
    """Angle of the septum's middle in each slice, along the line that runs best through all slices that have one.

    In the line no single slice counts for much: its slope is the median of the slopes between all pairs. Beyond the
    slices that have a septum the angle stays what it is at the last of them.

    Args:
        septa: by number of the slice, those that are plausible; at least one.
        slices: for which angles are wanted.

    Example:
        >>> found = septal_angles({1: Septum(100, 120), 2: Septum(104, 120), 3: Septum(108, 120)}, range(5))
        >>> {depth: round(angle, 6) for depth, angle in found.items()}
        {0: 160.0, 1: 160.0, 2: 164.0, 3: 168.0, 4: 168.0}
    """
    places = np.array(sorted(septa), float)
    middles = np.radians([septa[int(place)].middle for place in places])
    about = np.angle(np.exp(1j * middles).mean())
    offsets = np.degrees(np.angle(np.exp(1j * (middles - about))))
    first, second = np.triu_indices(len(places), 1)
    slope = float(np.median((offsets[second] - offsets[first]) / (places[second] - places[first]))) if len(first) else 0.0
    level = float(np.median(offsets - slope * places))
    clipped = {depth: float(np.clip(depth, places[0], places[-1])) for depth in slices}
    return {depth: float((np.degrees(about) + level + slope * place) % 360) for depth, place in clipped.items()}
