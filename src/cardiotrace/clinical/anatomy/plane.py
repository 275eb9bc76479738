"""The masks of one labelled plane, cut down to what is labelled."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, UInt8

from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.box import bounding_box

Mask = Bool[np.ndarray, "height width"]

_AROUND = 2
"""Pixels kept around what is labelled, as far as the image reaches: neighbours are sought one pixel away."""
_SMALL_SHARE = 1 / 2**14


@dataclass(frozen=True, eq=False)
class Plane:
    """One plane of labels."""

    array: UInt8[np.ndarray, "height width"]
    """The labels and two pixels around them."""
    scheme: LabelScheme
    pixel_mm: tuple[float, float] | None
    """Size of a pixel (row, column), mm; None where it is not known."""
    small: float
    """So many pixels of the whole plane are a small object: one in 2^14, 4 of 256 x 256."""
    is_upright: bool
    """Whether the apex is known to be at the top: widths are counted along rows."""
    box: tuple[slice, slice]
    """Where it was cut out of the whole plane."""

    @classmethod
    def of(cls, labels: LabelMap, frame: int, depth: int = 0, *, is_upright: bool = False) -> "Plane":
        """One plane of a label map."""
        array = labels.array[frame, depth]
        rows, columns = (
            slice(max(part.start - _AROUND, 0), part.stop + _AROUND) if part.stop else part
            for part in bounding_box(array > 0)
        )
        box = rows, columns
        spacing_mm = labels.spacing_mm
        pixel_mm = None if spacing_mm is None else (spacing_mm[1], spacing_mm[2])
        return cls(array[box], labels.scheme, pixel_mm, array.size * _SMALL_SHARE, is_upright, box)

    @cached_property
    def masks(self) -> Mapping[Structure, Mask]:
        """Where each structure of the scheme is."""
        return {structure: self.array == value for structure, value in self.scheme.values.items()}

    @property
    def background(self) -> Mask:
        """Where nothing is labelled."""
        return np.asarray(self.array == 0)

    def mask(self, *structures: Structure) -> Mask:
        """Where any of some structures is."""
        first, *others = (self.masks[structure] for structure in structures)
        return np.logical_or.reduce([first, *others]) if others else first

    @property
    def is_empty(self) -> bool:
        """Whether nothing is labelled."""
        return not self.array.size
