"""The wall of the left ventricle in one short-axis slice: a closed ring between two smooth outlines."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.geometry.component import fill_holes, largest_component
from cardiotrace.geometry.contour import largest_contour, polygon_perimeter, resample_polyline

PixelSize = tuple[float, float]
Points = Float[np.ndarray, "_ 2"]
Mask = Bool[np.ndarray, "height width"]

FEWEST_PIXELS = 10
"""Of cavity and of wall: what is smaller has no shape."""
POINT_COUNT = 96
"""On each outline: one every 4 degrees."""
_WAVE_PIXELS = 10.0
"""Waves of an outline that are shorter than this come from the pixels. Of 4 to 10 pixels the last gave thicknesses
without bias on ellipses; see docs/explanation/regional.md."""
_WAVES = (3, 16)
"""Waves around an outline that are kept whatever the size of its pixels: an ellipse takes two; and at most."""
_STEEPNESS = 8


@dataclass(frozen=True, eq=False)
class Ring:
    """Outlines of cavity and wall, and the thickness between them; in the unit of the pixels' size."""

    inner: Points
    """Endocardium, open, at equal distances."""
    outer: Points
    """Epicardium."""

    @cached_property
    def centre(self) -> Float[np.ndarray, "2"]:
        """Middle of the cavity's area."""
        return centroid(self.inner)

    @cached_property
    def _measured(self) -> tuple[Points, Float[np.ndarray, "n"]]:
        _, across = nearest_on(self.inner, self.outer)
        midway = resample_polyline((self.inner + across) / 2, POINT_COUNT, closed=True)
        # From the middle both ways: from one surface alone, the nearest point of the other is too near where it bends.
        inwards, outwards = nearest_on(midway, self.inner)[0], nearest_on(midway, self.outer)[0]
        return midway, inwards + outwards

    @property
    def middle(self) -> Points:
        """Mid-wall line, open, at equal distances."""
        return self._measured[0]

    @property
    def thickness(self) -> Float[np.ndarray, "n"]:
        """Thickness of the wall at each point of `middle`: its distance from both outlines together."""
        return self._measured[1]

    @property
    def lengths(self) -> Float[np.ndarray, "3"]:
        """Lengths of endocardium, mid-wall line and epicardium."""
        return np.array([polygon_perimeter(line) for line in (self.inner, self.middle, self.outer)])


def ring_of(cavity: Mask, wall: Mask, pixel: PixelSize) -> Ring | None:
    """The ring of one slice; None where there is none: too few pixels, or a cavity that the wall does not enclose.

    Args:
        cavity: of the left ventricle, papillary muscles included.
        wall: its myocardium.
        pixel: (height, width) of a pixel.

    Example:
        >>> rows, columns = np.mgrid[:60, :60] - 29.6
        >>> radius = np.hypot(rows, columns)
        >>> found = ring_of(radius < 15, (radius >= 15) & (radius < 22), (1.5, 1.5))
        >>> round(float(found.thickness.mean()), 1)
        10.5
        >>> ring_of(radius < 15, (radius >= 15) & (radius < 22) & (rows > -10), (1.5, 1.5)) is None
        True
    """
    if cavity.sum() < FEWEST_PIXELS or wall.sum() < FEWEST_PIXELS:
        return None
    inside = largest_component(cavity)
    whole = fill_holes(wall)
    if not whole[inside].all():
        return None
    outside = largest_component(whole)
    return Ring(smooth_outline(inside, pixel), smooth_outline(outside, pixel))


def smooth_outline(mask: Mask, pixel: PixelSize) -> Points:
    """The outline of a mask without the steps of its pixels, at equal distances.

    The half-way line between pixels is made of waves around it, of which those of a few pixels are left out. Unlike
    blurring the mask, that does not draw a round outline inwards.
    """
    points = resample_polyline(largest_contour(mask)[:-1], 2 * POINT_COUNT, closed=True)
    waves = np.fft.fft(points[:, 0] + 1j * points[:, 1])
    number = np.abs(np.fft.fftfreq(len(points), 1 / len(points)))
    kept = np.clip(polygon_perimeter(points) / _WAVE_PIXELS, *_WAVES)
    smooth = np.fft.ifft(waves / (1 + (number / kept) ** _STEEPNESS))
    line = np.stack([smooth.real, smooth.imag], axis=1) * np.asarray(pixel)
    return resample_polyline(line, POINT_COUNT, closed=True)


def centroid(ring: Points) -> Float[np.ndarray, "2"]:
    """Middle of the area that a closed line encloses.

    Example:
        >>> centroid(np.array([[0.0, 0.0], [0.0, 2.0], [4.0, 2.0], [4.0, 0.0]])).tolist()
        [2.0, 1.0]
    """
    first = ring - ring[0]
    second = np.roll(first, -1, axis=0)
    crosses = first[:, 0] * second[:, 1] - second[:, 0] * first[:, 1]
    return np.asarray(ring[0] + (crosses[:, None] * (first + second)).sum(axis=0) / (3 * crosses.sum()))


def nearest_on(points: Points, line: Points) -> tuple[Float[np.ndarray, "n"], Points]:
    """Distance of points from a closed line, and the places on it that are nearest to them."""
    step = np.roll(line, -1, axis=0) - line
    square = np.maximum((step**2).sum(axis=1), 1e-12)
    along = (points @ step.T - (line * step).sum(axis=1)) / square
    share = np.clip(along, 0, 1)
    rows = line[:, 0] + share * step[:, 0] - points[:, :1]
    columns = line[:, 1] + share * step[:, 1] - points[:, 1:]
    away = rows**2 + columns**2
    nearest = away.argmin(axis=1)
    each = np.arange(len(points))
    offset = np.stack([rows[each, nearest], columns[each, nearest]], axis=1)
    return np.sqrt(away[each, nearest]), points + offset
