"""Where the right ventricle is inserted into the wall of the left one, and the middle of the septum between."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.clinical.regional.ring import Mask, PixelSize, Ring
from cardiotrace.geometry.component import largest_component
from cardiotrace.geometry.contour import resample_polyline

SPAN_DEGREES = (80.0, 160.0)
"""Between both insertions, as seen from the middle of the cavity: 120 of a round heart, and 40 either way."""
_SHORTEST_GAP = 15.0
"""Degrees along which the right ventricle may leave the wall and come back: trabeculae, and steps of pixels."""
_PIXEL_TURN = 4.0
"""Degrees by which a septum that does not turn seems to turn from base to apex: chosen on phantoms, where none does."""
_EDGE_POINTS = 720
"""Of the epicardium that are asked: two a degree."""
_FEWEST_CONTACTS = 20
"""Of these that the right ventricle lies before; fewer are an accident of pixels."""
_BEYOND = (0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5)
"""Pixels beyond the epicardium at which it is looked for."""


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
    """The septum of a slice: the longest stretch of its epicardium before which the right ventricle lies.

    Args:
        ring: the wall of the left ventricle.
        right: the cavity of the right ventricle in the slice.
        pixel: (height, width) of a pixel.

    Returns:
        None where the right ventricle is not there, does not touch the wall, or lies all around it.
    """
    if not right.any():
        return None
    edge = resample_polyline(ring.outer, _EDGE_POINTS, closed=True)
    outwards = edge - ring.centre
    outwards /= np.linalg.norm(outwards, axis=1)[:, None]
    angles, piece = angles_about(ring.centre, edge), largest_component(right)
    step = float(np.sqrt(pixel[0] * pixel[1]))
    found = [_longest(angles[_holds(piece, (edge + beyond * step * outwards) / np.array(pixel))]) for beyond in _BEYOND]
    stretches = [stretch for stretch in found if stretch is not None]
    if not stretches:
        return None
    # Where the wedge between both ventricles ends on the pixels is chance, and other chance at every distance.
    starts, spans = np.array([start for start, _ in stretches]), np.array([span for _, span in stretches])
    middles = starts + spans / 2
    about = np.degrees(np.angle(np.exp(1j * np.radians(middles)).mean()))
    middle = about + np.mean((middles - about + 180) % 360 - 180)
    span = float(spans.max())
    return Septum(float(middle - span / 2) % 360, span)


def _holds(mask: Mask, places: Float[np.ndarray, "n 2"]) -> Bool[np.ndarray, "n"]:
    """Whether the pixels that places lie in are in a mask; beyond the image there is none."""
    rows, columns = np.rint(places).astype(int).T
    inside = (rows >= 0) & (columns >= 0) & (rows < mask.shape[0]) & (columns < mask.shape[1])
    held = np.zeros(len(places), bool)
    held[inside] = mask[rows[inside], columns[inside]]
    return held


def _longest(angles: Float[np.ndarray, "n"]) -> tuple[float, float] | None:
    """Beginning and extent of the longest stretch of angles, degrees; None where they lie all around, or are few."""
    if len(angles) < _FEWEST_CONTACTS:
        return None
    angles = np.sort(angles)
    gaps = np.diff(angles, append=angles[0] + 360)
    breaks = np.flatnonzero(gaps > _SHORTEST_GAP)
    if not len(breaks):
        return None
    starts = angles[(breaks + 1) % len(angles)]
    # Each stretch ends at the break that follows its beginning.
    spans = (angles[np.roll(breaks, -1)] - starts) % 360
    longest = int(spans.argmax())
    return float(starts[longest]), float(spans[longest])


def septal_angles(septa: Mapping[int, Septum], slices: Iterable[int]) -> dict[int, float]:
    """Angle of the septum's middle in each slice, along the line that runs best through all slices that have one.

    In the line no single slice counts for much: its slope is the median of the slopes between all pairs, less what
    pixels alone would make of a septum that does not turn. Beyond the slices that have a septum the angle stays what it
    is at the last of them.

    Args:
        septa: by number of the slice, those that are plausible; at least one.
        slices: for which angles are wanted.

    Example:
        >>> found = septal_angles({1: Septum(90, 120), 2: Septum(110, 120), 3: Septum(130, 120)}, range(5))
        >>> {depth: round(angle, 1) for depth, angle in found.items()}
        {0: 150.2, 1: 150.2, 2: 170.0, 3: 189.8, 4: 189.8}
    """
    places = np.array(sorted(septa), float)
    middles = np.radians([septa[int(place)].middle for place in places])
    about = np.angle(np.exp(1j * middles).mean())
    offsets = np.degrees(np.angle(np.exp(1j * (middles - about))))
    first, second = np.triu_indices(len(places), 1)
    turn = (
        float(np.median((offsets[second] - offsets[first]) / (places[second] - places[first]))) if len(first) else 0.0
    )
    whole = abs(turn) * float(places[-1] - places[0])
    slope = turn * max(0.0, 1 - (_PIXEL_TURN / whole) ** 2) if whole else 0.0
    level = float(np.median(offsets - slope * places))
    clipped = {depth: float(np.clip(depth, places[0], places[-1])) for depth in slices}
    return {depth: float((np.degrees(about) + level + slope * place) % 360) for depth, place in clipped.items()}
