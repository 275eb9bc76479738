"""Closed sub-pixel contours of masks, and lengths and areas of polygons.

Points are (row, column) with pixel centres at whole numbers. A closed polygon may repeat its first
point at the end or not; `contours` repeats it.
"""

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.core.errors import InputError
from cardiotrace.geometry.box import bounding_box

Points = Float[np.ndarray, "n 2"]


def contours(mask: Bool[np.ndarray, "height width"]) -> list[Float[np.ndarray, "_ 2"]]:
    """Level lines at 0.5 of the mask with zeros around it, largest enclosed area first.

    Outer borders and borders of holes are lines of their own; every line is closed, its last point
    repeats its first. Level lines cut the corners of the pixels, so the square of n x n pixels
    encloses n^2 - 1/2.

    Args:
        mask: a mask of two axes; an empty one has no contours.

    Returns:
        One (points, 2) array of (row, column) for each line, in pixels.

    Example:
        >>> square = np.zeros((6, 6), bool)
        >>> square[2:4, 2:4] = True
        >>> [line.shape for line in contours(square)], polygon_area(contours(square)[0])
        ([(9, 2)], 3.5)

    Source:
        Lorensen and Cline 1987, marching cubes, in two dimensions; computed by contourpy.
    """
    box = bounding_box(mask)
    if box[0].stop == 0:
        return []
    from contourpy import FillType, LineType, SerialContourGenerator, ZInterp

    heights = np.pad(mask[box].astype(np.float64), 1)
    rows, columns = (np.arange(part.start - 1.0, part.stop + 1.0) for part in box)
    # The class itself: `contour_generator` looks for numbers that are none, which takes longer than the lines.
    generator = SerialContourGenerator(
        *np.meshgrid(columns, rows),
        heights,
        None,  # type: ignore[arg-type] # no pixel is left out, as its own door says it
        corner_mask=False,
        line_type=LineType.Separate,
        fill_type=FillType.OuterOffset,
        quad_as_tri=False,
        z_interp=ZInterp.Linear,
    )
    lines = [np.ascontiguousarray(np.asarray(line)[:, ::-1]) for line in generator.lines(0.5)]
    return sorted(lines, key=polygon_area, reverse=True) if len(lines) > 1 else lines


def largest_contour(mask: Bool[np.ndarray, "height width"]) -> Float[np.ndarray, "n 2"]:
    """The contour that encloses the largest area; an array of no points if the mask is empty."""
    lines = contours(mask)
    return lines[0] if lines else np.empty((0, 2))


def polygon_area(points: Float[np.ndarray, "n 2"], spacing_mm: tuple[float, float] = (1.0, 1.0)) -> float:
    """Area a closed polygon encloses, whichever way round: A = 1/2 |sum x_i y_(i+1) - x_(i+1) y_i|.

    Args:
        points: (row, column) corners, pixels.
        spacing_mm: pixel size (row, column), mm; 1 for an area in pixels.

    Returns:
        Area in mm^2, or in pixels without a spacing.

    Example:
        >>> polygon_area(np.array([[0.0, 0.0], [0.0, 3.0], [2.0, 3.0], [2.0, 0.0]]), (0.5, 2.0))
        6.0
    """
    if len(points) < 3:
        return 0.0
    # Measured from one corner, products stay small and nothing cancels far from the source.
    row, column = (points - points[0]).T
    doubled = row[:-1] @ column[1:] - row[1:] @ column[:-1] + row[-1] * column[0] - row[0] * column[-1]
    return float(abs(doubled) / 2 * spacing_mm[0] * spacing_mm[1])


def polygon_perimeter(points: Float[np.ndarray, "n 2"], spacing_mm: tuple[float, float] = (1.0, 1.0)) -> float:
    """Length of a closed polygon, the way back to the first point included.

    Args:
        points: (row, column) corners, pixels.
        spacing_mm: pixel size (row, column), mm; 1 for a length in pixels.

    Returns:
        Length in mm, or in pixels without a spacing.

    Example:
        >>> polygon_perimeter(np.array([[0.0, 0.0], [0.0, 3.0], [2.0, 3.0], [2.0, 0.0]]), (0.5, 2.0))
        14.0
    """
    if len(points) < 2:
        return 0.0
    corners = points * np.asarray(spacing_mm)
    steps = np.diff(corners, axis=0, append=corners[:1])
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def convex_hull_area(points: Float[np.ndarray, "n 2"], spacing_mm: tuple[float, float] = (1.0, 1.0)) -> float:
    """Area of the smallest convex polygon around the points; 0 if they lie on one line.

    Args:
        points: (row, column), pixels.
        spacing_mm: pixel size (row, column), mm; 1 for an area in pixels.

    Returns:
        Area in mm^2, or in pixels without a spacing.

    Example:
        >>> convex_hull_area(np.array([[0.0, 0.0], [4.0, 0.0], [1.0, 1.0], [0.0, 4.0]]))
        8.0
    """
    if len(points) < 3:
        return 0.0
    places, along = np.unique(points[:, 0], return_inverse=True)
    # Of the points in one row only the outermost can be corners of the hull: a contour has few rows and many points.
    low, high = np.full(len(places), np.inf), np.full(len(places), -np.inf)
    np.minimum.at(low, along, points[:, 1])
    np.maximum.at(high, along, points[:, 1])
    left, right = lower_hull(places, low), lower_hull(places, -high)
    corners = np.concatenate([np.stack([places[left], low[left]], 1), np.stack([places[right], high[right]], 1)[::-1]])
    return polygon_area(corners, spacing_mm)


def lower_hull(x: Float[np.ndarray, " points"], y: Float[np.ndarray, " points"]) -> list[int]:
    """Which points are corners of the largest convex function that lies nowhere above them.

    Args:
        x: rising.
        y: one value at each.

    Returns:
        Their numbers, from the first point to the last.

    Example:
        >>> lower_hull(np.arange(5.0), np.array([0.0, 3.0, -1.0, 1.0, 0.0]))
        [0, 2, 4]

    Source:
        Andrew 1979, Inf Process Lett 9:216 (monotone chain).
    """
    # Python's own numbers: taken one by one, they are several times as fast as those of an array.
    places = list(zip(x.tolist(), y.tolist(), strict=True))
    hull: list[int] = []
    for index, last in enumerate(places):
        # A corner at which the chain turns down, or not at all, is none once the next point is known.
        while len(hull) > 1 and _turns_down(places[hull[-2]], places[hull[-1]], last):
            hull.pop()
        hull.append(index)
    return hull


def _turns_down(first: tuple[float, float], middle: tuple[float, float], last: tuple[float, float]) -> bool:
    """Whether the middle of three points lies on or above the line through the others."""
    return (middle[1] - first[1]) * (last[0] - first[0]) >= (last[1] - first[1]) * (middle[0] - first[0])


def resample_polyline(
    points: Float[np.ndarray, "n axes"], count: int, *, closed: bool = False
) -> Float[np.ndarray, "count axes"]:
    """Points at equal distances along a line, measured on the line.

    Args:
        points: at least one point, any number of coordinates.
        count: how many points to return, at least 1 (2 if the line is open).
        closed: go back to the first point, and do not return that end again.

    Returns:
        `count` points; of an open line the first and last are its ends.

    Raises:
        InputError: no points to sample, or too few wanted.

    Example:
        >>> resample_polyline(np.array([[0.0, 0.0], [0.0, 1.0], [3.0, 1.0]]), 3).tolist()
        [[0.0, 0.0], [1.0, 1.0], [3.0, 1.0]]
    """
    if len(points) == 0 or count < (1 if closed else 2):
        raise InputError(f"cannot place {count} points along a line of {len(points)}")
    corners = np.concatenate([points, points[:1]]) if closed else np.asarray(points)
    travelled = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    wanted = np.linspace(0.0, travelled[-1], count, endpoint=not closed)
    return np.stack([np.interp(wanted, travelled, coordinate) for coordinate in corners.T], axis=1)
