"""Scores of each slice of a stack in its own plane, and which third of the ventricle it shows."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from jaxtyping import Bool, Int

from cardiotrace.clinical.base import base_is_first
from cardiotrace.clinical.slices import thirds
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.evaluation.case_table import THIRDS, CaseRow
from cardiotrace.evaluation.score import CasePrediction, score_case
from cardiotrace.metrics.overlap import Presence

FieldOfView = Callable[[], Bool[np.ndarray, "depth height width"]]
_BEYOND = THIRDS.index("beyond")


def score_slices(prediction: CasePrediction) -> list[CaseRow]:
    """One row for each frame, slice and region that either mask has there; none where the image is a single plane.

    Slices are scored in their own plane, by the pixel size alone. What neither mask has in a slice is no row: most
    slices lack something, and an empty one that is right would say as much as the field of view is long.

    Raises:
        InputError: the grids differ, or no structure is in both.
    """
    depth = prediction.reference.array.shape[1]
    if depth == 1:
        return []
    places = np.stack([thirds_of(*sizes) for sizes in _ventricle_sizes(prediction.reference)])
    rows = [
        replace(row, depth=index, groups={**row.groups, "third": THIRDS[places[row.frame, index]]})
        for index in range(depth)
        for row in score_case(_slice(prediction, index))
        if row.presence is not Presence.ABSENT
    ]
    return sorted(rows, key=lambda row: row.frame)


def thirds_of(
    sizes: Int[np.ndarray, "depth"],
    right: Int[np.ndarray, "depth"] | None = None,
    geometry: Geometry = NO_GEOMETRY,
) -> Int[np.ndarray, "depth"]:
    """The third of a ventricle that each slice of a stack shows, as a place in `THIRDS`.

    The slices that show it, from base to apex, span its extent; see `thirds`. Which end is the base is told by
    `base_is_first`.

    Args:
        sizes: of the left ventricle in each slice, pixels.
        right: of the right ventricle; None where it is not traced.
        geometry: of the stack.

    Returns:
        0 basal, 1 mid, 2 apical, 3 where the slice does not show it.

    Example:
        >>> thirds_of(np.array([0, 10, 20, 30, 40, 0])).tolist()
        [3, 2, 1, 1, 0, 3]
        >>> thirds_of(np.array([0, 10, 20, 30, 40, 0]), np.array([0, 9, 9, 2, 0, 0])).tolist()
        [3, 0, 1, 1, 2, 3]
    """
    places = np.full(len(sizes), _BEYOND)
    shown = np.flatnonzero(sizes)
    if len(shown):
        ordered = shown if base_is_first(sizes, right, geometry) else shown[::-1]
        places[ordered] = thirds(len(shown))
    return places


def _ventricle_sizes(
    reference: LabelMap,
) -> Iterator[tuple[Int[np.ndarray, "depth"], Int[np.ndarray, "depth"] | None, Geometry]]:
    """Of each frame the pixels of left and right ventricle in each slice; of the left one's wall for want of more."""
    values = reference.scheme.values
    left = values.get(Structure.LV, values.get(Structure.MYO))
    right = values.get(Structure.RV)
    for stack in reference.array:
        sizes = np.count_nonzero(stack > 0 if left is None else stack == left, axis=(1, 2))
        yield sizes, None if right is None else np.count_nonzero(stack == right, axis=(1, 2)), reference.geometry


def _slice(prediction: CasePrediction, depth: int) -> CasePrediction:
    """One slice as if it were an image of its own."""
    read = prediction.case.read_field_of_view
    case = prediction.case if read is None else replace(prediction.case, read_field_of_view=partial(_at, read, depth))
    probability = prediction.probability
    return replace(
        prediction,
        case=case,
        predicted=_plane(prediction.predicted, depth),
        reference=_plane(prediction.reference, depth),
        probability=None if probability is None else probability[:, depth : depth + 1],
    )


def _at(read: FieldOfView, depth: int) -> Bool[np.ndarray, "1 height width"]:
    return read()[depth : depth + 1]


def _plane(labels: LabelMap, depth: int) -> LabelMap:
    geometry = labels.geometry.moved((depth, 0, 0))
    return replace(labels, array=labels.array[:, depth : depth + 1], geometry=geometry, source=None)
