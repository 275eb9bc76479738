"""Closed smooth curves through a few points, and the few points that draw a given outline.

Points are (row, column) with pixel centres at whole numbers.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.geometry.box import bounding_box
from cardiotrace.geometry.contour import largest_contour, resample_polyline
from cardiotrace.geometry.polygon import fill_polygon

STEPS = 16
"""Points that stand for the curve between two of those that it goes through."""
_COUNTS = (12, 16, 20, 24)
"""Of control points, the fewest that do are taken."""
_ALIKE = 0.995
"""Dice of outline and curve at which no more points are tried."""
_DENSE = 168
_CORNER_WINDOW = 0.03
"""Of the outline's length, to either side, over which it is seen whether it turns."""
_CORNER = np.pi / 4
_ROUNDS = 2
_ROOM = 4
_STAY = 0.02
"""Weight of points that stay where they were put, beside those of the outline."""


def closed_curve(points: Float[np.ndarray, "n 2"], steps: int = STEPS) -> Float[np.ndarray, "m 2"]:
    """The closed centripetal Catmull-Rom curve through some points, as an open ring.

    Between two points it is a cubic whose speed at either end follows from the square roots of the distances to the
    neighbours, so that it makes no loops where points crowd, as at a corner.

    Args:
        points: that it goes through; one that repeats the one before counts once.
        steps: points for each stretch between two of them.

    Returns:
        `steps` points for each of the points, which are among them. Fewer than three points come back as they are.

    Example:
        >>> square = np.array([[0.0, 0.0], [0.0, 8.0], [8.0, 8.0], [8.0, 0.0]])
        >>> closed_curve(square, 2).round(2).tolist()[:3]
        [[0.0, 0.0], [-1.0, 4.0], [0.0, 8.0]]

    Source:
        Yuksel, Schaefer and Keyser 2011, Comput Aided Des 43:747 (parameterisation of Catmull-Rom curves).
    """
    distinct = np.asarray(points, float)
    distinct = distinct[np.any(distinct != np.roll(distinct, 1, axis=0), axis=1)]
    if len(distinct) < 3:
        return np.asarray(points, float)
    return np.asarray(_basis(distinct, steps) @ distinct)


def _basis(points: Float[np.ndarray, "n 2"], steps: int) -> Float[np.ndarray, "m n"]:
    """Weights of the points in each point of their curve; they depend on the distances alone.

    A stretch depends on the points at its ends and on one more to either side: all other weights are zero.
    """
    count = len(points)
    after = np.sqrt(np.linalg.norm(_shifted(points, 1) - points, axis=1))
    leaving = _handle(_shifted(after, -1), after)
    reaching = _handle(_shifted(after, 1), after)
    share = np.arange(steps) / steps
    rest = 1 - share
    # The four points of a cubic of Bezier, from the end that it leaves to the one that it reaches.
    start, first, second, end = rest**3, 3 * rest**2 * share, 3 * rest * share**2, share**3
    stretch = np.arange(count)
    weights = np.zeros((count, steps, count))
    for offset, found in (
        (-1, first * leaving.far),
        (0, start + first * leaving.near + second * reaching.other),
        (1, first * leaving.other + second * reaching.near + end),
        (2, second * reaching.far),
    ):
        weights[stretch, :, (stretch + offset) % count] += found
    return weights.reshape(count * steps, count)


def _shifted(values: Float[np.ndarray, "n *axes"], places: int) -> Float[np.ndarray, "n *axes"]:
    """For each point of a ring the value of the one so many places on."""
    return values[(np.arange(len(values)) + places) % len(values)]


@dataclass(frozen=True)
class _Handle:
    """Weights, for each stretch, in the second point of the Bezier curve that leaves `near` for `other`."""

    far: Float[np.ndarray, "n 1"]
    """Of the point that the curve came from to `near`."""
    near: Float[np.ndarray, "n 1"]
    other: Float[np.ndarray, "n 1"]


def _handle(outer: Float[np.ndarray, "n"], inner: Float[np.ndarray, "n"]) -> _Handle:
    """Where a stretch is left for.

    Args:
        outer: square roots of the distances from `far` to `near`.
        inner: square roots of those from `near` to `other`.
    """
    first, second = outer[:, None], inner[:, None]
    whole = 3 * first * (first + second)
    near = 2 * first**2 + 3 * first * second + second**2
    return _Handle(-(second**2) / whole, near / whole, first**2 / whole)


def fill_curve(points: Float[np.ndarray, "n 2"], shape: tuple[int, int]) -> Bool[np.ndarray, "height width"]:
    """Pixels whose centre lies inside the closed curve through some points, see `fill_polygon`."""
    return fill_polygon(closed_curve(points), shape)


def control_points(mask: Bool[np.ndarray, "height width"]) -> Float[np.ndarray, "n 2"]:
    """A few points whose closed curve draws the outline of a mask's largest piece.

    They lie closer where the outline turns, and upon its corners; then all are moved so that the curve comes nearest to
    the outline. The fewest of 12, 16, 20 and 24 are taken that reproduce the piece to a Dice of 0.995; 24 where even
    they do not.

    Args:
        mask: a structure in one plane; holes are not drawn.

    Returns:
        In order along the outline; no points for an empty mask.

    Example:
        >>> rows, columns = np.mgrid[:60, :60]
        >>> points = control_points((rows - 30) ** 2 / 400 + (columns - 28) ** 2 / 150 < 1)
        >>> len(points), closed_curve(points).min(axis=0).round().tolist()
        (12, [10.0, 16.0])
    """
    box = bounding_box(mask)
    ring = largest_contour(mask[box])
    if not len(ring):
        return np.zeros((0, 2))
    corner = np.array([box[0].start, box[1].start])
    # A curve may reach a little beyond the mask: seen with some room around, it is told from one that fits.
    shape, ring = (mask[box].shape[0] + 2 * _ROOM, mask[box].shape[1] + 2 * _ROOM), ring + _ROOM
    dense = resample_polyline(ring[:-1], _DENSE, closed=True)
    piece = fill_polygon(ring, shape)
    found, best = dense[:: _DENSE // max(_COUNTS)], -1.0
    for count in _COUNTS:
        tried = _fitted(dense, _places(dense, count))
        alike = _dice(fill_curve(tried, shape), piece)
        if alike > best:
            found, best = tried, alike
        if best >= _ALIKE:
            break
    return np.asarray(found - _ROOM + corner)


def _dice(one: Bool[np.ndarray, "height width"], other: Bool[np.ndarray, "height width"]) -> float:
    both, size = int(np.count_nonzero(one & other)), int(np.count_nonzero(one)) + int(np.count_nonzero(other))
    return 2 * both / max(size, 1)


def _places(dense: Float[np.ndarray, "points 2"], count: int) -> list[int]:
    """Which points of an even outline the curve is drawn through: its corners, the others where it turns."""
    size = len(dense)
    turning = _turning(dense, max(int(_CORNER_WINDOW * size), 2))
    corners = _corners(np.abs(turning), count // 3)
    # Every stretch gets as many as it is long and as it turns, in equal parts.
    crowd = 1 / size + np.abs(turning) / max(float(np.abs(turning).sum()), 1e-9)
    first = corners[0] if corners else 0
    order = (first + np.arange(size)) % size
    travelled = np.concatenate([[0.0], np.cumsum(crowd[order])])
    marks = [(corner - first) % size for corner in corners] or [0]
    places: list[int] = []
    total, left = travelled[-1], count
    for start, stop in zip(marks, [*marks[1:], size], strict=True):
        rest = total - travelled[start]
        share = (travelled[stop] - travelled[start]) / max(rest, 1e-9)
        here = left if stop == size else max(1, round(left * share))
        wanted = np.linspace(travelled[start], travelled[stop], here, endpoint=False)
        places.extend(np.searchsorted(travelled, wanted, side="left").clip(start, stop - 1).tolist())
        left -= here
    return sorted({int(order[place]) for place in places})


def _turning(dense: Float[np.ndarray, "points 2"], window: int) -> Float[np.ndarray, "points"]:
    """Angle by which an outline turns at each point, between the chords to both sides."""
    back = dense - np.roll(dense, window, axis=0)
    ahead = np.roll(dense, -window, axis=0) - dense
    cross = back[:, 0] * ahead[:, 1] - back[:, 1] * ahead[:, 0]
    return np.asarray(np.arctan2(cross, (back * ahead).sum(axis=1)))


def _corners(turning: Float[np.ndarray, "points"], most: int) -> list[int]:
    """Places where an outline turns more than around them, and by much."""
    size, apart = len(turning), max(int(_CORNER_WINDOW * len(turning)) * 2, 2)
    found: list[int] = []
    for place in np.argsort(-turning, kind="stable").tolist():
        if turning[place] < _CORNER or len(found) == most:
            break
        if all(min((place - other) % size, (other - place) % size) >= apart for other in found):
            found.append(place)
    return sorted(found)


def _fitted(dense: Float[np.ndarray, "points 2"], places: list[int]) -> Float[np.ndarray, "n 2"]:
    """The points at some places of an outline, moved for their curve to come nearest to it."""
    points = start = dense[places]
    for _ in range(_ROUNDS):
        basis = _basis(points, STEPS)
        # Each point of the outline is compared with that of the curve which lies nearest.
        curve = basis @ points
        rows = basis[((curve**2).sum(axis=1) - 2 * dense @ curve.T).argmin(axis=1)]
        matrix = rows.T @ rows + _STAY * len(dense) / len(points) * np.eye(len(points))
        right = rows.T @ dense + _STAY * len(dense) / len(points) * start
        points = np.linalg.solve(matrix, right)
    return np.asarray(points)
