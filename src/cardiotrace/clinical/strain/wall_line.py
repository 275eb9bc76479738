"""The wall of the left ventricle in one long-axis frame as smooth lines from hinge to hinge of the mitral valve.

Points are (row, column) in the unit of the outline, mm where the size of a pixel is known.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.annulus import PixelSize
from cardiotrace.clinical.axis import LongAxis
from cardiotrace.geometry.contour import resample_polyline

POINTS = 181
"""Of every line; the same number on each, so that lines can be averaged point by point."""
_SMOOTHED_SHARE = 0.015
"""Length below which bends are smoothed away, over that of the line; a radius of the apex is several times as long."""
_CORNER_PIXELS = 2.0
"""Within which the outline of pixels cuts the corner between wall and base."""
_SHORTEST_WALL_PIXELS = 20.0
_LOW_SHARE = 0.04
"""Of its height that a ventricle's outer outline may have cut off below."""
_LEAST_FALL = 0.3
"""Cosine of the angle to the chord's normal beyond which a wall does not come down to it."""
_BASE_POINTS = 60
_END_POINTS = 8
"""Of a wall's line, from whose direction it is followed on."""
_SHORTEST_BASE_PIXELS, _LONG_BASE_PIXELS = 6.0, 40.0
"""A base of fewer pixels has no direction; of fewer than the second, no bow that could be told from its steps."""
_FURTHEST_PIXELS = 1.5
"""By which a hinge may lie off the traced corner: further away the outlines do not meet as wall and base do."""


@dataclass(frozen=True)
class WallLine:
    """One line along the wall.

    Example:
        >>> angle = np.linspace(np.pi, 0, 721)
        >>> half = WallLine(np.stack([-80 * np.sin(angle), 25 * np.cos(angle)], axis=1))
        >>> round(half.length, 1), half.apex.round(2).tolist()
        (176.5, [-80.0, 0.0])
    """

    points: Float[np.ndarray, "n 2"]
    """From hinge over apex to hinge, clockwise on the screen: where the apex is above, from the left to the right.

    So one end is the same hinge in every frame, also where the heart lies on its side.
    """

    @cached_property
    def length(self) -> float:
        """Along the line, hinge to hinge; the mitral plane does not count."""
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())

    @cached_property
    def hinges(self) -> Float[np.ndarray, "2 2"]:
        """Both ends."""
        return self.points[[0, -1]]

    @cached_property
    def apex_index(self) -> int:
        """Which point lies farthest from the middle between the hinges."""
        return int(np.linalg.norm(self.points - self.hinges.mean(axis=0), axis=1).argmax())

    @cached_property
    def apex(self) -> Float[np.ndarray, "2"]:
        """The point farthest from the middle between the hinges."""
        return np.asarray(self.points[self.apex_index])

    @cached_property
    def curvature(self) -> Float[np.ndarray, "n"]:
        """One over the radius of the circle that fits the line at each point; positive where it bends inwards."""
        first = np.gradient(self.points, axis=0)
        second = np.gradient(first, axis=0)
        # Clockwise, with rows that count downwards.
        bend = first[:, 1] * second[:, 0] - first[:, 0] * second[:, 1]
        return np.asarray(bend / np.maximum(np.linalg.norm(first, axis=1) ** 3, 1e-12))


def wall_line(ring: Float[np.ndarray, "n 2"], axis: LongAxis, pixel: PixelSize) -> WallLine | None:
    """The part of an outline of pixels that follows the wall, without the steps of the pixels.

    Args:
        ring: outline of cavity, or of cavity and myocardium together, open.
        axis: tells the corners between wall and base.
        pixel: size of a pixel, in the unit of the outline.

    Returns:
        The line; None where wall or base is only a few pixels long.
    """
    step = float(max(pixel))
    wall, base = _wall_and_base(ring, axis)
    inner = _without_ends(wall, _CORNER_PIXELS * step)
    if inner is None or _length(inner) < _SHORTEST_WALL_PIXELS * step:
        return None
    smooth = _smoothed(inner)
    floor = _without_ends(base, _CORNER_PIXELS * step)
    first, last = _hinge(smooth[::-1], floor, wall[0], step), _hinge(smooth, floor, wall[-1], step)
    return WallLine(resample_polyline(np.stack([first, *smooth, last]), POINTS))


def above_chord(ring: Float[np.ndarray, "n 2"], inner: WallLine, pixel: PixelSize) -> WallLine | None:
    """The part of an outer outline that lies on the apex's side of the line through both hinges.

    Args:
        ring: outline of cavity and myocardium together, open.
        inner: the endocardium.
        pixel: size of a pixel, in the unit of the outline.

    Returns:
        The line, the same way round as the endocardium; None where it does not go around the endocardium.
    """
    step = float(max(pixel))
    foot = inner.hinges.mean(axis=0)
    chord = inner.hinges[1] - inner.hinges[0]
    along = chord / max(float(np.linalg.norm(chord)), 1e-12)
    up = np.array([-along[1], along[0]])
    up = up if float((inner.points.mean(axis=0) - foot) @ up) > 0 else -up
    heights = (ring - foot) @ up
    top = int(heights.argmax())
    turned, risen = np.roll(ring, -top, axis=0), np.roll(heights, -top)
    # The line through two hinges that are good to a part of a pixel is off by more where it is followed on beneath a
    # thick wall: what lies low is left out, and the wall is followed down.
    low = np.flatnonzero(risen < _CORNER_PIXELS * step + _LOW_SHARE * risen.max())
    if not len(low):
        return None
    line = np.concatenate([turned[low[-1] + 1 :], turned[: low[0]]])
    if len(line) < 4 or _length(line) < _SHORTEST_WALL_PIXELS * step:
        return None
    line = line if float((line[-1] - line[0]) @ along) > 0 else line[::-1]
    smooth = _smoothed(line)
    first, last = _onto_chord(smooth[::-1], foot, up), _onto_chord(smooth, foot, up)
    return WallLine(resample_polyline(np.stack([first, *smooth, last]), POINTS))


def _onto_chord(
    wall: Float[np.ndarray, "points 2"], foot: Float[np.ndarray, "2"], up: Float[np.ndarray, "2"]
) -> Float[np.ndarray, "2"]:
    """Where a wall, followed straight on, comes down to the line through the hinges."""
    middle, ahead = _line(wall[-_END_POINTS:])
    fall = float(ahead @ up)
    # Where it runs along the chord instead of down to it, its end is brought down the shortest way.
    if fall > -_LEAST_FALL:
        return np.asarray(wall[-1] - ((wall[-1] - foot) @ up) * up)
    return np.asarray(middle - (float((middle - foot) @ up) / fall) * ahead)


def _wall_and_base(
    ring: Float[np.ndarray, "n 2"], axis: LongAxis
) -> tuple[Float[np.ndarray, "wall 2"], Float[np.ndarray, "base 2"]]:
    """The outline cut at both corners: clockwise from one over the apex to the other, and the rest the other way."""
    left, right = (int(np.linalg.norm(ring - corner, axis=1).argmin()) for corner in axis.annulus)
    turned, stop = np.roll(ring, -left, axis=0), (right - left) % len(ring)
    parts = (turned[: stop + 1], np.concatenate([turned[stop:], turned[:1]])[::-1])
    # Around the cavity is farther than across its base.
    base, wall = sorted(parts, key=_length)
    return (wall, base) if _is_clockwise(wall) else (wall[::-1], base[::-1])


def _is_clockwise(line: Float[np.ndarray, "n 2"]) -> bool:
    """Whether a line goes around the cavity clockwise on the screen, whose rows count downwards."""
    offsets = line - line.mean(axis=0)
    after = np.roll(offsets, -1, axis=0)
    return float((offsets[:, 1] * after[:, 0] - offsets[:, 0] * after[:, 1]).sum()) > 0


def _length(line: Float[np.ndarray, "n 2"]) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def _without_ends(line: Float[np.ndarray, "n 2"], cut: float) -> Float[np.ndarray, "m 2"] | None:
    """A line without so much of either end; None if nothing is left."""
    travelled = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    kept = line[(travelled >= cut) & (travelled <= travelled[-1] - cut)]
    return kept if len(kept) > 3 else None


def _smoothed(line: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "points 2"]:
    """The line without bends that are short against it, by the least change of its bending.

    A penalty on third differences: what it leaves of a bend falls with the sixth power of its frequency, so that the
    apex keeps its radius while steps of pixels go, and an end goes on as it came, without being drawn inwards.

    Source:
        Whittaker 1923, Proc Edinburgh Math Soc 41:63; Eilers 2003, Anal Chem 75:3631.
    """
    return np.asarray(_smoother() @ resample_polyline(line, POINTS))


@cache
def _smoother() -> Float[np.ndarray, "points points"]:
    """The matrix that smooths a line of `POINTS`: as it counts in shares of the line, one does for all."""
    third = np.diff(np.eye(POINTS), n=3, axis=0)
    weight = (_SMOOTHED_SHARE * (POINTS - 1)) ** 6
    return np.linalg.inv(np.eye(POINTS) + weight * third.T @ third)


def _hinge(
    wall: Float[np.ndarray, "points 2"],
    floor: Float[np.ndarray, "m 2"] | None,
    corner: Float[np.ndarray, "2"],
    step: float,
) -> Float[np.ndarray, "2"]:
    """Where the wall, followed straight on beyond its last point, meets the base; the traced corner where it does not.

    Args:
        wall: smooth, ending near the hinge.
        floor: outline of the base without its corners.
        corner: the traced one, good to half a pixel.
        step: size of a pixel.
    """
    if floor is None or _length(floor) < _SHORTEST_BASE_PIXELS * step:
        return corner
    middle, ahead = _line(wall[-_END_POINTS:])
    even = resample_polyline(floor, _BASE_POINTS)
    foot, along = _line(even)
    across = np.array([-along[1], along[0]])
    x, y = (even - foot) @ along, (even - foot) @ across
    degree = 2 if _length(floor) >= _LONG_BASE_PIXELS * step else 1
    a, b, c = np.pad(np.polyfit(x, y, degree), (2 - degree, 0))
    # The way along the wall's end at which it stands on the parabola (or straight line) y = a x^2 + b x + c.
    (x0, x1), (y0, y1) = ((middle - foot) @ along, ahead @ along), ((middle - foot) @ across, ahead @ across)
    ways = np.roots([a * x1**2, (2 * a * x0 + b) * x1 - y1, (a * x0 + b) * x0 + c - y0])
    met = middle + ways[np.isreal(ways)].real[:, None] * ahead
    near = met[np.linalg.norm(met - corner, axis=1) <= _FURTHEST_PIXELS * step]
    return near[0] if len(near) else corner


def _line(points: Float[np.ndarray, "n 2"]) -> tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    """Middle and unit direction of the straight line that fits points best, from the first of them to the last."""
    middle = points.mean(axis=0)
    direction = np.linalg.svd(points - middle, full_matrices=False)[2][0]
    return middle, direction if (points[-1] - points[0]) @ direction > 0 else -direction
