"""Polygons to masks."""

import numpy as np
from jaxtyping import Bool, Int, Num


def fill_polygon(points_rc: Num[np.ndarray, "n 2"], shape: tuple[int, int]) -> Bool[np.ndarray, "height width"]:
    """Pixels whose centre lies inside a closed polygon, by the even-odd rule.

    A centre exactly on an edge belongs to one side only (the top and left edges are inside, the
    bottom and right outside), so polygons that share an edge never share a pixel and leave no gap.

    Args:
        points_rc: (row, column) corners with pixel centres at whole numbers; the polygon closes itself
            and may reach beyond the image.
        shape: (height, width) of the mask.

    Returns:
        The mask; empty for fewer than three corners.

    Example:
        >>> corners = np.array([[0.5, 0.5], [0.5, 3.5], [2.5, 3.5], [2.5, 0.5]])
        >>> fill_polygon(corners, (4, 5)).astype(int).tolist()
        [[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]]
    """
    height, width = shape
    if len(points_rc) < 3:
        return np.zeros(shape, bool)
    # A pixel is inside if an odd number of edges crosses its row to the left of it. So each edge is turned into the
    # pixels where it switches inside to outside, and a running sum along the row does the rest for all pixels at once.
    edge, row = _crossed_rows(points_rc[:, 0], height)
    start, end = points_rc[edge], np.roll(points_rc, -1, axis=0)[edge]
    share = (row - start[:, 0]) / (end[:, 0] - start[:, 0])
    crossing = start[:, 1] + share * (end[:, 1] - start[:, 1])
    # The first pixel whose centre is not left of the crossing; `ceil` puts a centre on the edge to its right, always.
    first_right = np.clip(np.ceil(crossing), 0, width).astype(np.intp)
    # One column more than the image has takes the crossings beyond its right edge.
    switches = np.bincount(row * (width + 1) + first_right, minlength=height * (width + 1))
    # Bytes run over, which leaves odd odd and even even.
    crossed = np.cumsum(switches.astype(np.uint8).reshape(height, width + 1)[:, :width], axis=1, dtype=np.uint8)
    inside: Bool[np.ndarray, "height width"] = (crossed & 1).view(bool)
    return inside


def _crossed_rows(
    row_of_corner: Num[np.ndarray, " n"], height: int
) -> tuple[Int[np.ndarray, " crossings"], Int[np.ndarray, " crossings"]]:
    """Each pair of an edge and a pixel row that it crosses; an edge holds its upper end, not its lower."""
    following = np.roll(row_of_corner, -1)
    first = np.clip(np.ceil(np.minimum(row_of_corner, following)), 0, height).astype(np.intp)
    stop = np.clip(np.ceil(np.maximum(row_of_corner, following)), 0, height).astype(np.intp)
    # Half open, so that a corner on a row belongs to one of its two edges and horizontal edges to none.
    counts = stop - first
    edge = np.repeat(np.arange(len(counts)), counts)
    rank = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    return edge, first[edge] + rank
