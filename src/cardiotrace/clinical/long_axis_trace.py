"""One frame of a long-axis view: the left ventricle's outline, area, long axis and disks, and what lies around it."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.clinical.axis import IMAGE_DOWN, LongAxis, axis_of_outline, outline_mm
from cardiotrace.clinical.volume import Disks, area_length_ml, simpson_disks
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure


@dataclass(frozen=True)
class LongAxisTrace:
    """The left ventricle in one frame; lengths are pixels instead of mm where the image has no spacing."""

    area_cm2: float
    axis: LongAxis | None = None
    """None if the cavity is empty or its base could not be told."""
    disks: Disks | None = None
    ring_mm: Float[np.ndarray, "n 2"] = field(default_factory=lambda: np.zeros((0, 2)), repr=False)
    """Outline of the cavity's largest piece as an open ring of (row, column), mm; empty without a cavity."""
    myocardium_cm2: float = 0.0
    """Area of the myocardium; 0 where it is not labelled."""
    atrium_cm2: float = 0.0
    """Area of the left atrium; 0 where it is not labelled."""

    @property
    def length_cm(self) -> float | None:
        """Length of the long axis, cm."""
        return None if self.axis is None else self.axis.length_cm

    @property
    def simpson_ml(self) -> float | None:
        """Volume from round disks, ml."""
        return None if self.disks is None else self.disks.volume_ml

    @property
    def area_length_ml(self) -> float | None:
        """Volume from area and length, ml."""
        return None if self.axis is None else area_length_ml(self.area_cm2, self.axis.length_cm)


EMPTY = LongAxisTrace(0.0)
"""Of a frame in which no left ventricle is measured."""


def plane_spacing(labels: LabelMap) -> tuple[float, float]:
    """(height, width) of a pixel, mm; (1, 1) where it is not known, so that ratios can still be had."""
    return labels.geometry.pixel_mm


def plane_mask(labels: LabelMap, structure: Structure, frame: int) -> Bool[np.ndarray, "height width"] | None:
    """A structure in one frame of a planar image; None if the scheme does not hold it."""
    value = labels.scheme.values.get(structure)
    return None if value is None else labels.array[frame, 0] == value


def area_cm2(labels: LabelMap, structure: Structure, frame: int) -> float:
    """Area of a structure in one frame of a planar image, cm2 (hundreds of pixels without spacing)."""
    mask = plane_mask(labels, structure, frame)
    height_mm, width_mm = plane_spacing(labels)
    return 0.0 if mask is None else float(np.count_nonzero(mask) * height_mm * width_mm / 100)


def trace_long_axis(
    labels: LabelMap, frame: int, *, towards_base: tuple[float, float] | None = IMAGE_DOWN
) -> LongAxisTrace:
    """Measure the left ventricle in one frame.

    Args:
        labels: planar labels with an LV, and its myocardium where there is one.
        frame: which frame, from 0.
        towards_base: direction in which the base is sought, see `long_axis`.

    Returns:
        Its outline, areas, long axis and disks.

    Example:
        >>> from cardiotrace.core.geometry import Geometry
        >>> from cardiotrace.core.label import LV_ONLY
        >>> rows, columns = np.mgrid[:400, :400] / 4
        >>> half = (((rows - 90) / 80) ** 2 + ((columns - 50) / 25) ** 2 < 1) & (rows < 90)
        >>> place = Geometry.of_spacing((1.0, 0.25, 0.25))
        >>> found = trace_long_axis(LabelMap(half.astype(np.uint8)[None, None], LV_ONLY, place), 0)
        >>> round(found.area_cm2, 1), round(found.simpson_ml), round(found.area_length_ml)
        (31.3, 104, 105)
    """
    cavity = plane_mask(labels, Structure.LV, frame)
    around = (area_cm2(labels, Structure.MYO, frame), area_cm2(labels, Structure.LA, frame))
    if cavity is None or not cavity.any():
        return LongAxisTrace(0.0, None, None, EMPTY.ring_mm, *around)
    spacing_mm = plane_spacing(labels)
    area, ring = area_cm2(labels, Structure.LV, frame), outline_mm(cavity, spacing_mm)
    myocardium = plane_mask(labels, Structure.MYO, frame)
    axis = axis_of_outline(ring, myocardium, spacing_mm, towards_base=towards_base)
    if axis is None or not axis.length_mm > 0:
        return LongAxisTrace(area, None, None, ring, *around)
    return LongAxisTrace(area, axis, simpson_disks(ring, axis), ring, *around)
