"""The sector of an ultrasound image: where the probe's apex lies, and turns and stretches about it."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Shaped

from cardiotrace.geometry.contour import lower_hull

Apex = Literal["found", "top"]
"""Where the apex is: where the sector's edges meet, or the middle of the plane's first row."""

DARK = 0.02
"""Share of the range of grey values up to which a pixel is outside the sector."""
CORE = (0.15, 0.85)
"""Part of the straight edges, by rows, that lines are fitted to: arcs and rounded corners lie beyond."""
LEAST_ROWS = 16
LEAST_SLOPE, LARGEST_SLOPE = 0.15, 6.0
"""Columns per row of half the opening; beyond, it is no sector."""
CUT_SIDE, CUT_BOTTOM = 0.05, 0.4
"""Share of the rows that may touch a side of the image, and of the columns that the last row may span."""
ASPECTS = (0.4, 2.5)
"""Widths of pixels over their heights that are believed."""


@dataclass(frozen=True)
class Sector:
    """Where the sector of an ultrasound image begins, and the shape of its pixels.

    Args:
        row: of the apex, pixels; pixel i reaches from i to i + 1. Negative where it lies above the image.
        column: of the apex, pixels.
        aspect: width of a pixel over its height, in mm: 1 for square pixels.
    """

    row: float
    column: float
    aspect: float = 1.0


@dataclass(frozen=True)
class SectorChange:
    """A turn about the apex and stretches from it; by default nothing."""

    turn_degrees: float = 0.0
    """Counter-clockwise as displayed."""
    opening: float = 1.0
    """Factor on the angle to the vertical through the apex."""
    depth: float = 1.0
    """Factor on the distance from the apex."""

    @property
    def inverse(self) -> "SectorChange":
        """What takes this change back.

        Example:
            >>> SectorChange(10.0, 2.0, 0.5).inverse
            SectorChange(turn_degrees=-5.0, opening=0.5, depth=2.0)
        """
        return SectorChange(-self.turn_degrees / self.opening, 1 / self.opening, 1 / self.depth)


def lit_area(frames: Shaped[np.ndarray, "time height width *channel"]) -> Bool[np.ndarray, "height width"]:
    """Where an image shows something in any frame: between the first and last bright pixel of its row and column.

    Args:
        frames: grey values; black outside the sector.

    Returns:
        True inside; all True where every pixel of every frame is alike, so that nothing is taken for a surround.

    Example:
        >>> plane = np.zeros((5, 5), np.uint8)
        >>> plane[1:4, 1:4], plane[2, 2] = 90, 0  # the dark pixel in the middle is inside
        >>> lit_area(plane[None]).sum(axis=1).tolist()
        [0, 3, 3, 3, 0]
    """
    brightest = frames.max(axis=0)
    if brightest.ndim == 3:
        brightest = brightest.max(axis=2)
    if brightest.min() == brightest.max():
        return np.ones(brightest.shape, bool)
    lit = _lit(brightest)
    # From the first bright pixel on, and up to the last, along rows and along columns: what both agree on.
    spans = [
        np.logical_or.accumulate(lit, axis=axis)
        & np.flip(np.logical_or.accumulate(np.flip(lit, axis), axis=axis), axis)
        for axis in (0, 1)
    ]
    inside: Bool[np.ndarray, "height width"] = spans[0] & spans[1]
    return inside


def find_sector(plane: Shaped[np.ndarray, "height width"], *, apex: Apex = "found") -> Sector:
    """The sector that a plane shows on a dark ground.

    Lines are fitted to the left and right border of what is not dark, by its convex hull, from the top to the two
    outer corners; the apex is where they meet. Where the arc below is whole, its depth at the corners and
    below the apex tells the angle, and the angle against the lines' slope tells the pixels' aspect.

    Args:
        plane: grey values; darkest outside the sector. Their scale and offset do not matter.
        apex: "top" takes the middle of the first row and square pixels without looking.

    Returns:
        The sector; as with "top" where no two edges meet above the image's middle.

    Example:
        >>> rows, columns = np.mgrid[:200, :240] + 0.5
        >>> angle, radius = np.arctan2(columns - 120, rows - 8), np.hypot(columns - 120, rows - 8)
        >>> found = find_sector((np.abs(angle) < 0.6) & (radius < 185))
        >>> round(found.row), round(found.column), round(found.aspect, 1)
        (8, 120, 1.0)
    """
    found = _where_edges_meet(plane) if apex == "found" else None
    return found or Sector(0.0, plane.shape[1] / 2)


def _where_edges_meet(plane: Shaped[np.ndarray, "height width"]) -> Sector | None:
    """The sector whose apex is where the lines along its edges meet; None where they do not, above the middle."""
    height, width = plane.shape
    borders = _hull_borders(_lit(plane))
    if borders is None:
        return None
    rows, left, right = borders
    lines = [_line(rows, left, int(left.argmin())), _line(rows, right, int(right.argmax()))]
    if any(line is None for line in lines):
        return None
    (left_slope, left_start), (right_slope, right_start) = (line for line in lines if line is not None)
    slope = (right_slope - left_slope) / 2
    if not (left_slope < 0 < right_slope and LEAST_SLOPE < slope < LARGEST_SLOPE):
        return None
    # Where the lines meet. With a small opening a little noise moves that point far: hence the limits on the slope.
    row = (left_start - right_start) / (2 * slope)
    if row > height / 2:
        return None
    corner = (rows[left.argmin()] + rows[right.argmax()]) / 2
    aspect = _aspect(slope, corner - row, rows[-1] - row) if _is_whole(left, right, width) else 1.0
    return Sector(float(row), float(left_start + left_slope * row), aspect)


def _lit(plane: Shaped[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    low, high = plane.min(), plane.max()
    lit: Bool[np.ndarray, "height width"] = plane > low + DARK * (float(high) - float(low))
    return lit


def _hull_borders(
    lit: Bool[np.ndarray, "height width"],
) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, " rows"], Float[np.ndarray, " rows"]] | None:
    """Middle of each row, and where the convex hull of the lit pixels' middles begins and ends; None if it is small."""
    found = np.flatnonzero(lit.any(axis=1))
    if len(found) < LEAST_ROWS:
        return None
    first = lit[found].argmax(axis=1) + 0.5
    last = lit.shape[1] - lit[found, ::-1].argmax(axis=1) - 0.5
    rows = np.arange(found[0], found[-1] + 1) + 0.5
    return rows, _below(found + 0.5, first, rows), -_below(found + 0.5, -last, rows)


def _below(
    x: Float[np.ndarray, " points"], y: Float[np.ndarray, " points"], at: Float[np.ndarray, " rows"]
) -> Float[np.ndarray, " rows"]:
    """The largest convex function below the points; x rises."""
    hull = lower_hull(x, y)
    values: Float[np.ndarray, " rows"] = np.interp(at, x[hull], y[hull])
    return values


def _line(
    rows: Float[np.ndarray, " rows"], border: Float[np.ndarray, " rows"], corner: int
) -> tuple[float, float] | None:
    """Slope, and column in row 0, of the straight part of a border from the top to the corner."""
    first, last = (round(share * corner) for share in CORE)
    if last - first < LEAST_ROWS // 2:
        return None
    slope, start = np.polyfit(rows[first:last], border[first:last], 1)
    return float(slope), float(start)


def _is_whole(left: Float[np.ndarray, " rows"], right: Float[np.ndarray, " rows"], width: int) -> bool:
    """Whether neither the sides nor the bottom of the image cut the sector."""
    at_side = int(max(np.count_nonzero(left < 1), np.count_nonzero(right > width - 1)))
    return at_side <= CUT_SIDE * len(left) and float(right[-1] - left[-1]) <= CUT_BOTTOM * width


def _aspect(slope: float, corner: float, bottom: float) -> float:
    """From columns per row of the edge, and depth of the arc at the edge and in the middle; 1 where they do not fit."""
    # In mm the arc is a circle about the apex: its ends lie at depth r cos(half the opening), its lowest point at r,
    # so rows alone tell the opening. The edge runs tan(half the opening) / aspect columns to the side in each row.
    cosine = corner / bottom if bottom > 0 else 1.0
    if not 0.05 < cosine < 0.97:
        return 1.0
    aspect = float(np.tan(np.arccos(cosine)) / slope)
    return aspect if ASPECTS[0] < aspect < ASPECTS[1] else 1.0


def before_change(right: Any, down: Any, *, turn: Any, opening: Any, depth: Any, library: Any = np) -> tuple[Any, Any]:
    """Where a place in the changed sector lay before: angle / opening after the turn is taken back, radius / depth.

    Args:
        right: distance from the apex to the right, in any unit of length.
        down: distance below the apex.
        turn: radians, counter-clockwise as displayed.
        opening: factor on angles.
        depth: factor on distances.
        library: numpy, or torch where the arrays are tensors.

    Returns:
        Distance to the right, distance below.

    Example:
        >>> right, down = before_change(0.0, 2.0, turn=-np.pi / 4, opening=0.5, depth=2.0)
        >>> round(float(right), 6), round(float(down), 6)
        (1.0, 0.0)
    """
    # Counter-clockwise with y down: what was below the apex goes to the right.
    angle = (library.arctan2(right, down) - turn) / opening
    radius = library.hypot(right, down) / depth
    return radius * library.sin(angle), radius * library.cos(angle)


def change_planes(
    planes: Float[np.ndarray, "channels height width"],
    sector: Sector,
    change: SectorChange,
    *,
    outside: float | None = None,
) -> Float[np.ndarray, "channels height width"]:
    """Planes of one image after a change of its sector, interpolated linearly.

    Args:
        planes: all with the same sector.
        sector: where it lies.
        change: what is done to it.
        outside: value of what lies beyond the planes; None repeats their edges.

    Example:
        >>> planes = np.arange(4.0).reshape(1, 4, 1).repeat(4, axis=2)
        >>> change_planes(planes, Sector(0.0, 2.0), SectorChange(depth=2.0))[0, :, 2].round(2).tolist()
        [0.0, 0.25, 0.75, 1.25]
    """
    from scipy.ndimage import map_coordinates  # half a second, only where it is needed

    mode = "nearest" if outside is None else "grid-constant"
    where = places_before(planes.shape[-2:], sector, change)
    moved = [map_coordinates(plane, where, order=1, mode=mode, cval=outside or 0.0) for plane in planes]
    return np.stack(moved)


def places_before(shape: tuple[int, ...], sector: Sector, change: SectorChange) -> Float[np.ndarray, "2 height width"]:
    """Index (row, column), with fractions, that each pixel of the changed plane had before."""
    height, width = shape
    down, right = np.meshgrid(
        np.arange(height) + 0.5 - sector.row, (np.arange(width) + 0.5 - sector.column) * sector.aspect, indexing="ij"
    )
    turn = np.deg2rad(change.turn_degrees)
    right, down = before_change(right, down, turn=turn, opening=change.opening, depth=change.depth)
    return np.stack([down + sector.row - 0.5, right / sector.aspect + sector.column - 0.5])
