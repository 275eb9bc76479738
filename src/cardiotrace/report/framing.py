"""What is drawn: a frame with its labels, and which part of the image a report shows."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Integer, UInt8

from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality

_MARGIN_MM, _MARGIN = 12.0, 0.12
"""Around the labelled heart: at least the first, and the second as a share of its size."""
_LEAST_MM = 70.0
"""A box is at least as large, so that a few stray pixels do not fill the image."""


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True)
class LabelledFrame:
    """One frame of an image with its labels, ready to be drawn."""

    image: Image
    labels: LabelMap
    """On the image's grid."""
    frame: int = 0
    depth: int = 0
    """Which slice of a stack, where one is drawn alone."""
    corner_mm: tuple[float, float] = (0.0, 0.0)
    """(row, column) of the image's corner on the image as it was measured, mm; pixels where there is no spacing."""
    former: LabelMap | None = None
    """Labels before a person corrected them, on the same grid."""
    error: Float[np.ndarray, "height width"] | None = None
    """Probability that the label of each pixel of the slice is wrong."""

    def cropped(self, box: Box | None) -> "LabelledFrame":
        """The same frame within a box, as it is without one; what was measured in the whole is still drawn in place."""
        if box is None:
            return self
        cine, labels = cropped(self.image, self.labels, box)
        height_mm, width_mm = self.labels.geometry.pixel_mm
        corner_mm = (self.corner_mm[0] + box.top * height_mm, self.corner_mm[1] + box.left * width_mm)
        former = None if self.former is None else cropped(self.image, self.former, box)[1]
        error = None if self.error is None else self.error[box.top : box.bottom, box.left : box.right]
        return replace(self, image=cine, labels=labels, corner_mm=corner_mm, former=former, error=error)


def heart_box(labels: Iterable[LabelMap]) -> Box | None:
    """A square around everything that is labelled in any frame and slice of several maps on grids of one shape.

    Args:
        labels: those of all images that are to show the same part.

    Returns:
        The box with a margin of 12 mm or more, within the image; None where nothing is labelled, or the grids differ.
    """
    maps = list(labels)
    grids = {(item.array.shape[2:], item.spacing_mm and item.spacing_mm[1:]) for item in maps}
    held = np.any([item.array.any(axis=(0, 1)) for item in maps], axis=0) if len(grids) == 1 else np.zeros((0, 0), bool)
    if not held.any():
        return None
    row_mm, column_mm = maps[0].geometry.pixel_mm
    rows, columns = np.flatnonzero(held.any(axis=1)), np.flatnonzero(held.any(axis=0))
    size_mm = float(max((np.ptp(rows) + 1) * row_mm, (np.ptp(columns) + 1) * column_mm))
    # Without a pixel size "mm" are pixels, and nobody knows how many make 12 mm: a share of the heart, and four.
    is_scaled = maps[0].spacing_mm is not None
    margin_mm = max(_MARGIN_MM, _MARGIN * size_mm) if is_scaled else _MARGIN * size_mm + 4
    side_mm = max(size_mm + 2 * margin_mm, _LEAST_MM if is_scaled else 0.0)
    return Box(*_within(rows, side_mm / row_mm, held.shape[0]), *_within(columns, side_mm / column_mm, held.shape[1]))


def box_to_show(cine: Image, labels: Iterable[LabelMap]) -> Box | None:
    """The part of an image that a report shows: of MRI what lies around the heart; None for all of it.

    Args:
        cine: the image; a stack of unknown modality is taken for MRI, whose images show the whole chest.
        labels: see `heart_box`.
    """
    is_chest = cine.modality is Modality.MR or (cine.modality is Modality.UNKNOWN and cine.grid_shape[1] > 1)
    return heart_box(labels) if is_chest else None


def cropped(cine: Image, labels: LabelMap, box: Box | None) -> tuple[Image, LabelMap]:
    """An image and its labels within a box, with the grey values of the whole; as they are without a box."""
    if box is None:
        return cine, labels
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    geometry = cine.geometry.moved((0, box.top, box.left))
    grey = display_grey(cine)[:, :, rows, columns]
    return (
        replace(cine, frames=grey, geometry=geometry, source=None),
        replace(labels, array=labels.array[:, :, rows, columns], geometry=geometry, source=None),
    )


def display_grey(cine: Image) -> UInt8[np.ndarray, "time depth height width *channel"]:
    """Grey values for the screen: 8-bit images as they are, others between their 0.5 and 99.5 percentiles."""
    if cine.frames.dtype == np.uint8:
        return np.asarray(cine.frames)
    low, high = (float(value) for value in np.percentile(cine.frames[:: max(1, len(cine.frames) // 8)], (0.5, 99.5)))
    share = (cine.frames.astype(np.float32) - low) / max(high - low, 1e-6)
    return np.asarray(np.clip(share * 255, 0, 255).astype(np.uint8))


def _within(held: Integer[np.ndarray, " indices"], length: float, end: int) -> tuple[int, int]:
    """An interval of a length about the middle of some indices, moved into 0..end, and cut where it is longer."""
    centre = (int(held[0]) + int(held[-1]) + 1) / 2
    first = min(max(round(centre - length / 2), 0), max(end - math.ceil(length), 0))
    return first, min(first + math.ceil(length), end)
