"""One frame of a long-axis view: the left ventricle's outline, area, long axis and disks, and what lies around it."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.clinical.annulus import IMAGE_DOWN, Direction
from cardiotrace.clinical.axis import LongAxis, axis_of_outline, outline_of, placed_axis
from cardiotrace.clinical.scale import UNKNOWN, Scale
from cardiotrace.clinical.volume import Disks, area_length_volume, simpson_disks
from cardiotrace.core.exam import Landmarks
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure


@dataclass(frozen=True)
class LongAxisTrace:
    """The left ventricle in one frame.

    Areas, points and lengths are in the unit of `scale`, mm or pixels: ratios are taken of them. Names with a unit
    are None where the size of pixels is not known.
    """

    scale: Scale
    area: float
    """Of the cavity, squares of the unit; 0 where there is none."""
    axis: LongAxis | None = None
    """None if the cavity is empty or its base could not be told."""
    disks: Disks | None = None
    ring: Float[np.ndarray, "n 2"] = field(default_factory=lambda: np.zeros((0, 2)), repr=False)
    """Outline of the cavity's largest piece as an open ring of (row, column); empty without a cavity."""
    myocardium_area: float = 0.0
    """0 where it is not labelled."""
    atrium_area: float = 0.0
    """Of the left atrium; 0 where it is not labelled."""
    right_area: float = 0.0
    """Of the right ventricle; 0 where it is not labelled."""

    @property
    def area_cm2(self) -> float | None:
        """Area of the cavity, cm2."""
        return self.scale.area_cm2(self.area)

    @property
    def length_cm(self) -> float | None:
        """Length of the long axis, cm."""
        return None if self.axis is None else self.scale.length_cm(self.axis.length)

    @property
    def disk_volume(self) -> float | None:
        """Volume from round disks, cubes of the unit."""
        return None if self.disks is None else self.disks.volume

    @property
    def area_length_volume(self) -> float | None:
        """Volume from area and length, cubes of the unit."""
        return None if self.axis is None else area_length_volume(self.area, self.axis.length)

    @property
    def simpson_ml(self) -> float | None:
        """Volume from round disks, ml."""
        return None if self.disks is None else self.scale.volume_ml(self.disks.volume)


EMPTY = LongAxisTrace(UNKNOWN, 0.0)
"""Of a frame in which no left ventricle is measured."""


def plane_mask(labels: LabelMap, structure: Structure, frame: int) -> Bool[np.ndarray, "height width"] | None:
    """A structure in one frame of a planar image; None if the scheme does not hold it."""
    value = labels.scheme.values.get(structure)
    return None if value is None else labels.array[frame, 0] == value


def trace_long_axis(
    labels: LabelMap, frame: int, *, towards_base: Direction | None = IMAGE_DOWN, placed: Landmarks | None = None
) -> LongAxisTrace:
    """Measure the left ventricle in one frame.

    Args:
        labels: planar labels with an LV, and its myocardium where there is one.
        frame: which frame, from 0.
        towards_base: direction in which the base is sought, see `long_axis`.
        placed: ends of the long axis that a person placed.

    Returns:
        Its outline, areas, long axis and disks.

    Example:
        >>> from cardiotrace.core.geometry import Geometry
        >>> from cardiotrace.core.label import LV_ONLY
        >>> rows, columns = np.mgrid[:400, :400] / 4
        >>> half = (((rows - 90) / 80) ** 2 + ((columns - 50) / 25) ** 2 < 1) & (rows < 90)
        >>> place = Geometry.of_spacing((1.0, 0.25, 0.25))
        >>> found = trace_long_axis(LabelMap(half.astype(np.uint8)[None, None], LV_ONLY, place), 0)
        >>> round(found.area_cm2, 1), round(found.simpson_ml), round(found.area_length_volume / 1000)
        (31.3, 104, 105)
    """
    scale = Scale.of(labels.geometry)

    def area(structure: Structure) -> float:
        mask = plane_mask(labels, structure, frame)
        return 0.0 if mask is None else float(np.count_nonzero(mask) * scale.pixel_area)

    # Before the cavity is looked for: wall and atrium are there, and asked for, where the ventricle was lost.
    around = (area(Structure.MYO), area(Structure.LA), area(Structure.RV))
    cavity = plane_mask(labels, Structure.LV, frame)
    if cavity is None or not cavity.any():
        return LongAxisTrace(scale, 0.0, None, None, EMPTY.ring, *around)
    ring, myocardium = outline_of(cavity, scale.pixel), plane_mask(labels, Structure.MYO, frame)
    axis = axis_of_outline(ring, myocardium, scale.pixel, towards_base=towards_base)
    if placed is not None:
        axis = placed_axis(ring, axis, placed, scale.pixel)
    # An outline of a few pixels may have its farthest point in the middle of its own base.
    if axis is not None and not axis.length > 0:
        axis = None
    disks = None if axis is None else simpson_disks(ring, axis)
    return LongAxisTrace(scale, area(Structure.LV), axis, disks, ring, *around)
