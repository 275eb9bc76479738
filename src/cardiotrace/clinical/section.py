"""One frame of a long-axis view: the left ventricle's area, long axis and discs."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from cardiotrace.clinical.axis import LongAxis, long_axis, outline_mm
from cardiotrace.clinical.volume import Discs, area_length_ml, simpson_discs
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure


@dataclass(frozen=True)
class Section:
    """The left ventricle in one frame; lengths are pixels instead of mm where the image has no spacing."""

    area_cm2: float
    axis: LongAxis | None
    """None if the cavity is empty or its base could not be told."""
    discs: Discs | None

    @property
    def length_cm(self) -> float | None:
        """Length of the long axis, cm."""
        return None if self.axis is None else self.axis.length_cm

    @property
    def simpson_ml(self) -> float | None:
        """Volume from round discs, ml."""
        return None if self.discs is None else self.discs.volume_ml

    @property
    def area_length_ml(self) -> float | None:
        """Volume from area and length, ml."""
        return None if self.axis is None else area_length_ml(self.area_cm2, self.axis.length_cm)


def plane_spacing(labels: LabelMap) -> tuple[float, float]:
    """(height, width) of a pixel, mm; (1, 1) where it is not known, so that ratios can still be had."""
    return (1.0, 1.0) if labels.spacing_mm is None else labels.spacing_mm[1:]


def plane_mask(labels: LabelMap, structure: Structure, frame: int) -> Bool[np.ndarray, "height width"] | None:
    """A structure in one frame of a planar image; None if the scheme does not hold it."""
    value = labels.scheme.values.get(structure)
    return None if value is None else labels.array[frame, 0] == value


def section(labels: LabelMap, frame: int, *, apex_up: bool = True) -> Section:
    """Measure the left ventricle in one frame.

    Args:
        labels: planar labels with an LV, and its myocardium where there is one.
        frame: which frame, from 0.
        apex_up: whether the apex is at the top, as in apical views.

    Returns:
        Its area, long axis and discs.

    Example:
        >>> from cardiotrace.core.geometry import Geometry
        >>> from cardiotrace.core.label import LV_ONLY
        >>> rows, columns = np.mgrid[:400, :400] / 4
        >>> half = (((rows - 90) / 80) ** 2 + ((columns - 50) / 25) ** 2 < 1) & (rows < 90)
        >>> place = Geometry.of_spacing((1.0, 0.25, 0.25))
        >>> found = section(LabelMap(half.astype(np.uint8)[None, None], LV_ONLY, place), 0)
        >>> round(found.area_cm2, 1), round(found.simpson_ml), round(found.area_length_ml)
        (31.3, 104, 105)
    """
    cavity = plane_mask(labels, Structure.LV, frame)
    if cavity is None or not cavity.any():
        return Section(0.0, None, None)
    spacing_mm = plane_spacing(labels)
    area_cm2 = float(np.count_nonzero(cavity) * spacing_mm[0] * spacing_mm[1] / 100)
    axis = long_axis(cavity, plane_mask(labels, Structure.MYO, frame), spacing_mm, apex_up=apex_up)
    if axis is None or not axis.length_mm > 0:
        return Section(area_cm2, None, None)
    return Section(area_cm2, axis, simpson_discs(outline_mm(cavity, spacing_mm), axis))
