"""What a mask has that no organ has: holes, pieces, gaps to a neighbour, wrong neighbours, dents, narrow necks.

Everything is in pixels of one plane unless a pixel size is asked for. Nothing lies beyond the edge of the image: it is
neither background nor structure, so that an organ which the edge cuts is not faulted there. A plane may be cut down to
what is labelled and a pixel around it; no value changes.

Source:
    Painchaud et al. 2020, IEEE Trans Med Imaging 39:3703 (what is counted); definitions as in the code that its
    authors publish.
"""

import math

import numpy as np
from jaxtyping import Bool, Float, Int

from cardiotrace.geometry.box import bounding_box, grown
from cardiotrace.geometry.component import fill_holes, largest_component, numbered_components
from cardiotrace.geometry.contour import lower_hull

Mask = Bool[np.ndarray, "height width"]

_SQUARE, _CROSS = np.ones((3, 3), bool), np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
_ROUNDING = 1e-9


def holes(mask: Mask) -> Mask:
    """Background that the mask shuts in, so that no way leads out even across corners.

    Example:
        >>> ring = np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [1, 1, 1, 1]], bool)
        >>> int(holes(ring).sum()), int(holes(np.pad(np.ones((2, 2), bool), 1)).sum())
        (0, 0)
    """
    found = np.zeros_like(mask)
    box = bounding_box(mask)
    # One pixel of background around makes all that lies outside a single component, the first.
    numbers, _ = numbered_components(np.pad(~mask[box], 1, constant_values=True), "full")
    found[box] = numbers[1:-1, 1:-1] > 1
    return found


def apart(mask: Mask) -> Mask:
    """Pixels outside the largest piece; pieces that touch at a corner are one.

    Example:
        >>> int(apart(np.array([[1, 1, 0, 0], [1, 1, 0, 1]], bool)).sum())
        1
    """
    return np.asarray(mask & ~largest_component(mask, "full"))


def gaps(first: Mask, second: Mask) -> Mask:
    """Pixels that two structures shut in between them, and neither shuts in alone.

    A hole of the one that holds some of the other, as the ring of the myocardium holds the ventricle, is no hole: what
    the other leaves of it is the gap.

    Example:
        >>> ring = np.ones((5, 5), bool)
        >>> ring[1:4, 1:4] = False
        >>> inside = np.zeros((5, 5), bool)
        >>> inside[1:4, 1:3] = True
        >>> int(gaps(ring, inside).sum())
        3
    """
    found = np.zeros_like(first)
    box = bounding_box(first | second)
    both = first[box], second[box]
    # Whatever lies between them lies in a hole of the two as one, which most have none of.
    union = both[0] | both[1]
    if not np.array_equal(fill_holes(union), union):
        joint = _without_own_holes(*both) | _without_own_holes(*both[::-1])
        found[box] = fill_holes(joint) & ~joint
    return found


def frontier(mask: Mask, other: Mask) -> Mask:
    """Pixels of a mask that touch another one, also at a corner; a single one counts as none.

    Example:
        >>> left, right = np.zeros((3, 4), bool), np.zeros((3, 4), bool)
        >>> left[:, :2], right[:2, 2:] = True, True
        >>> int(frontier(left, right).sum())
        3
    """
    touching: Mask = mask & _dilated(other)
    return touching if np.count_nonzero(touching) > 1 else np.zeros_like(mask)


def frontier_length(mask: Mask, other: Mask) -> int:
    """Pixels of the `frontier` of a mask with another one."""
    return int(np.count_nonzero(frontier(mask, other)))


def frontier_share(mask: Mask, other: Mask) -> float:
    """`frontier_length` as a share of the mask's own width, from its first to its last column; 0 of an empty mask.

    Example:
        >>> below, above = np.zeros((4, 6), bool), np.zeros((4, 6), bool)
        >>> below[2:, 1:5], above[:2, 1:3] = True, True
        >>> frontier_share(below, above)
        0.75
    """
    columns = bounding_box(mask)[1]
    width = columns.stop - columns.start
    return frontier_length(mask, other) / width if width else 0.0


def width_ratio(first: Mask, second: Mask) -> float:
    """Pixels of the first over pixels of the second, in the row of their common centre of mass.

    Returns:
        NaN where that row lacks either.

    Example:
        >>> first, second = np.zeros((3, 8), bool), np.zeros((3, 8), bool)
        >>> first[:, 2:6], second[:, 1], second[:, 6] = True, True, True
        >>> width_ratio(first, second)
        2.0
    """
    rows = np.count_nonzero(first, axis=1) + np.count_nonzero(second, axis=1)
    if not rows.any():
        return math.nan
    row = int(rows @ np.arange(len(rows)) / rows.sum())
    widths = np.count_nonzero(first[row]), np.count_nonzero(second[row])
    return float(widths[0] / widths[1]) if all(widths) else math.nan


def neck_ratio(mask: Mask, *, smallest: float = 0.0) -> float:
    """How many peels of one pixel (3 x 3) it takes until a mask falls apart or is gone, over half its greatest width.

    Args:
        mask: one structure; one in pieces has 0.
        smallest: smaller pieces than this many pixels, left by peeling, do not count.

    Returns:
        Up to about 1 where it is nowhere narrower than elsewhere, near 0 with a thin neck; NaN of an empty mask, and of
        one that fills the image.

    Example:
        >>> bell = np.zeros((12, 24), bool)
        >>> bell[1:10, 1:10] = bell[1:10, 13:22] = bell[4:7, 10:13] = True
        >>> neck_ratio(bell)  # a bridge of three pixels goes at the second peel; the greatest inscribed radius is 5
        0.4
    """
    from scipy.ndimage import distance_transform_cdt, distance_transform_edt

    box = grown(bounding_box(mask), mask.shape)
    cut = mask[box]
    if not cut.any() or cut.all():
        return math.nan
    # What n peels leave lies more than n pixels from the background, counted as a king walks.
    depths = distance_transform_cdt(cut, "chessboard")
    peels = 0
    while _is_whole(depths > peels, smallest if peels else 0.0):
        peels += 1
    return float(peels / distance_transform_edt(cut).max())


def dent_depth(mask: Mask, *, spacing_mm: tuple[float, float] = (1.0, 1.0)) -> float:
    """How far the deepest dent of a mask, its holes filled, lies inside its convex hull.

    Dents that are not three pixels wide do not count: the border of a mask runs in steps.

    Args:
        mask: one structure.
        spacing_mm: pixel size (row, column), mm; 1 for a depth in pixels.

    Returns:
        Millimetres or pixels; 0 without a dent, NaN of an empty mask.

    Example:
        >>> notched = np.ones((11, 15), bool)
        >>> notched[:6, 5:10] = False
        >>> dent_depth(np.pad(notched, 1))
        5.0
    """
    from scipy.ndimage import binary_erosion, distance_transform_edt

    if not mask.any():
        return math.nan
    cut = fill_holes(mask[grown(bounding_box(mask), mask.shape)])
    hull = _convex_hull(cut)
    dents = binary_erosion(hull & ~cut, _SQUARE, border_value=1)
    if not dents.any():
        return 0.0
    if hull.all():
        return math.nan
    return float(distance_transform_edt(hull, sampling=spacing_mm)[dents].max())


def roundness(mask: Mask) -> float:
    """4 pi A / P^2 of a mask, its holes filled, with a perimeter counted from border pixels.

    Returns:
        About 1 for a disc; above 1 for a mask of few pixels, whose counted perimeter is too short; NaN without pixels
        or without a perimeter. Pixels count as squares.

    Example:
        >>> square = np.zeros((12, 12), bool)
        >>> square[1:11, 1:11] = True
        >>> round(roundness(square), 4)  # a border of 36 pixels: 4 pi 100 / 36^2
        0.9696

    Source:
        Benkrid and Crookes 2000 (perimeters by the neighbours of border pixels).
    """
    if not mask.any():
        return math.nan
    cut = np.pad(fill_holes(mask[bounding_box(mask)]), 2)
    perimeter = _border_length(cut)
    return 4 * math.pi * int(np.count_nonzero(cut)) / perimeter**2 if perimeter else math.nan


def distance_apart(mask: Mask, other: Mask, *, spacing_mm: tuple[float, float] = (1.0, 1.0)) -> float:
    """Width of the gap between two masks, less the pixel by which neighbours lie apart; 0 where they touch.

    Args:
        mask: grown by a pixel on all sides before it is measured.
        other: to which the distance is taken.
        spacing_mm: pixel size (row, column), mm; 1 for a distance in pixels.

    Returns:
        Millimetres or pixels; 0 where either is empty.

    Example:
        >>> left, right = np.zeros((3, 9), bool), np.zeros((3, 9), bool)
        >>> left[:, :2], right[:, 6:] = True, True
        >>> distance_apart(left, right)  # from column 2 to column 6
        4.0
    """
    from scipy.ndimage import distance_transform_edt

    if not mask.any() or not other.any():
        return 0.0
    wider = _dilated(mask)
    if (wider & other).any():
        return 0.0
    return float(distance_transform_edt(~other, sampling=spacing_mm)[wider].min())


def _without_own_holes(mask: Mask, other: Mask) -> Mask:
    """A mask with those of its holes filled that hold nothing of another one."""
    holes, count = numbered_components(fill_holes(mask) & ~mask, 1)
    if not count:
        return mask
    held = np.zeros(count + 1, bool)
    held[holes[other]] = True
    filled: Mask = mask | ((holes > 0) & ~held[holes])
    return filled


def _is_whole(mask: Mask, smallest: float) -> bool:
    """Whether a mask is one piece, corners joined, once small pieces are gone, of which corners join none."""
    if smallest > 1:
        numbers, count = numbered_components(mask, 1)
        is_kept = np.bincount(numbers.ravel(), minlength=count + 1) >= smallest
        is_kept[0] = False
        mask = is_kept[numbers]
    return numbered_components(mask, "full")[1] == 1


def _dilated(mask: Mask) -> Mask:
    """Grown by a pixel on all sides, corners too."""
    rows = mask.copy()
    rows[1:] |= mask[:-1]
    rows[:-1] |= mask[1:]
    grown = rows.copy()
    grown[:, 1:] |= rows[:, :-1]
    grown[:, :-1] |= rows[:, 1:]
    return grown


def _convex_hull(mask: Mask) -> Mask:
    """Pixels whose centre lies in the smallest convex outline around all edges' midpoints of a mask's pixels."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1).astype(float)
    last = mask.shape[1] - 1.0 - mask[rows, ::-1].argmax(axis=1)
    # Of each row's outermost pixels: their sides at the row itself, their upper and lower edges half a row beside it.
    places = np.concatenate([rows - 0.5, rows, rows + 0.5])
    order = np.argsort(places, kind="stable")
    sides = [np.concatenate([side, side - 0.5, side])[order] for side in (first, -last)]
    within = np.arange(mask.shape[0], dtype=float)
    left, right = (_lower_border(places[order], side, within) for side in sides)
    columns = np.arange(mask.shape[1])
    hull = (columns >= left[:, None] - _ROUNDING) & (columns <= -right[:, None] + _ROUNDING)
    hull[: rows[0]] = hull[rows[-1] + 1 :] = False
    return np.asarray(hull)


def _lower_border(
    x: Float[np.ndarray, " points"], y: Float[np.ndarray, " points"], at: Float[np.ndarray, " places"]
) -> Float[np.ndarray, " places"]:
    """Height of the lower hull of points at some places."""
    places, which = np.unique(x, return_inverse=True)
    lowest = np.full(len(places), np.inf)
    np.minimum.at(lowest, which, y)
    corners = lower_hull(places, lowest)
    return np.asarray(np.interp(at, places[corners], lowest[corners]))


_WEIGHTS = {
    **{(beside, across): 1.0 for beside in (2, 3) for across in (0, 1, 2)},
    **dict.fromkeys(((0, 2), (1, 3)), math.sqrt(2)),
    **dict.fromkeys(((1, 1), (1, 2)), (1 + math.sqrt(2)) / 2),
}
"""What a border pixel adds to the perimeter, by how many other border pixels lie beside it and across its corners."""


def _border_length(mask: Mask) -> float:
    """Perimeter of a mask that has two pixels of background around it."""
    from scipy.ndimage import binary_erosion

    border = mask & ~binary_erosion(mask, _CROSS)
    own = border[1:-1, 1:-1]
    beside = _summed(border, ((0, 1), (1, 0), (1, 2), (2, 1)))[own]
    across = _summed(border, ((0, 0), (0, 2), (2, 0), (2, 2)))[own]
    table = np.zeros((5, 5))
    for (first, second), weight in _WEIGHTS.items():
        table[first, second] = weight
    return float(table[beside, across].sum())


def _summed(mask: Mask, shifts: tuple[tuple[int, int], ...]) -> Int[np.ndarray, "rows columns"]:
    """How many of some neighbours of each pixel inside the rim are true."""
    height, width = mask.shape[0] - 2, mask.shape[1] - 2
    parts = [mask[row : row + height, column : column + width] for row, column in shifts]
    return np.asarray(np.sum(parts, axis=0, dtype=int))
