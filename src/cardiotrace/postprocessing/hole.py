"""Fill what a structure, or several together, enclose."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from cardiotrace.core.label import LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.component import fill_holes
from cardiotrace.postprocessing.component import groups_of


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
        for gap, neighbours in _gaps(plane):
            if any(neighbours <= group for group in groups):
                plane[gap] = _nearest_label(plane)[gap]
    return filled


def _gaps(
    plane: UInt8[np.ndarray, "height width"],
) -> Iterator[tuple[Bool[np.ndarray, "height width"], set[int]]]:
    """Each enclosed region of background with the label values around it."""
    from scipy.ndimage import binary_dilation, label

    enclosed = fill_holes(plane != 0) & (plane == 0)
    if not enclosed.any():
        return
    regions, count = label(enclosed)
    for number in range(1, count + 1):
        gap = regions == number
        around = binary_dilation(gap) & (plane != 0)
        yield gap, {int(value) for value in np.unique(plane[around])}


def _nearest_label(plane: UInt8[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width"]:
    from scipy.ndimage import distance_transform_edt

    row, column = distance_transform_edt(plane == 0, return_distances=False, return_indices=True)
    nearest: UInt8[np.ndarray, "height width"] = plane[row, column]
    return nearest
