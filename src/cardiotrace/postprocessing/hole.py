"""Fill what a structure, or several together, enclose."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from cardiotrace.core.label import LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.component import bordering, fill_holes
from cardiotrace.postprocessing.component import groups_of

Window = tuple[slice, slice]


@dataclass(frozen=True)
class FillHoles:
    """Which enclosed background becomes structure."""

    structures: tuple[Structure, ...] = ()
    """Empty: every structure of the scheme."""
    together: bool = False
    """Also fill a gap that several of the structures enclose, such as one between LV and MYO: each pixel takes the
    label of the nearest. Otherwise only a gap whose every neighbour is one and the same structure."""


def fill_enclosed(
    config: FillHoles, labels: UInt8[np.ndarray, "depth height width"], scheme: LabelScheme
) -> UInt8[np.ndarray, "depth height width"]:
    """Give each gap of background in a plane to what surrounds it.

    A gap is a connected region of background that does not reach the border. Only background changes: the cavity
    inside a myocardial ring stays cavity, and a gap that also touches a structure not listed stays a gap.

    Example:
        >>> from cardiotrace.core.label import LV_ONLY
        >>> labels = np.array([[[1, 1, 1], [1, 0, 1], [1, 1, 1]]], np.uint8)
        >>> int(fill_enclosed(FillHoles(), labels, LV_ONLY).sum())
        9
    """
    groups = [set(group) for group in groups_of(config.structures, scheme, together=config.together)]
    filled = labels.copy()
    for plane in filled:
        for window, gap in _gaps(plane):
            # A gap goes to a structure only if nothing else borders on it: between a cavity and a wall nobody knows
            # whose it is, unless both were listed to be filled together.
            neighbours = set(plane[window][bordering(gap)].tolist())
            if any(neighbours <= group for group in groups):
                _fill(plane[window], gap)
    return filled


def _gaps(plane: UInt8[np.ndarray, "height width"]) -> Iterator[tuple[Window, Bool[np.ndarray, "rows columns"]]]:
    """Each enclosed region of background, in a window that is one pixel wider on all sides."""
    from scipy.ndimage import find_objects, label

    # Enclosed by all structures together first: what reaches the border of the image is no gap of anybody's.
    enclosed = fill_holes(plane != 0) & (plane == 0)
    if not enclosed.any():
        return
    regions, _ = label(enclosed)
    for number, (rows, columns) in enumerate(find_objects(regions), start=1):
        # What is enclosed does not touch the border, so the wider window lies in the plane.
        window = slice(rows.start - 1, rows.stop + 1), slice(columns.start - 1, columns.stop + 1)
        yield window, regions[window] == number


def _fill(labels: UInt8[np.ndarray, "rows columns"], gap: Bool[np.ndarray, "rows columns"]) -> None:
    """Give each pixel of the gap the label of the nearest pixel around it, in place."""
    from scipy.ndimage import distance_transform_edt

    # The transform of the background hands each of its pixels the place of the nearest labelled one.
    row, column = distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    labels[gap] = labels[row[gap], column[gap]]
