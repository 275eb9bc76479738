"""Answers on the network's grid, as those who judge shapes see them: label values, pixel size, axis of the heart."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from cardiotrace.clinical.anatomy.criterion import CRITERIA, Axis, Kind, Measured
from cardiotrace.clinical.anatomy.limits import AnatomyLimits
from cardiotrace.clinical.anatomy.plane import Plane
from cardiotrace.clinical.axis import long_axis
from cardiotrace.core.catalog import Choice
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.postprocessing import Postprocessing

Classes = UInt8[np.ndarray, "height width"]
"""Class of every pixel: 0 is background, i the i-th structure of the scheme."""
PixelSize = tuple[float, float]
"""Of a row and a column of the network's grid, mm."""
Points = Float[np.ndarray, "points 2"]
_SQUARE: PixelSize = (1.0, 1.0)
MENDING = Postprocessing([Choice("largest-component"), Choice("fill-holes", {"together": True})])
"""What is put right without any doubt: stray pixels, and holes whoever is around them."""


@dataclass(frozen=True)
class Anatomy:
    """By what an answer is judged: its scheme, how planes cut the heart, and the limits of the criteria."""

    scheme: LabelScheme
    axis: Axis
    limits: AnatomyLimits
    is_upright: bool
    """Whether the apex is known to be at the top."""

    def values(self, classes: Classes) -> UInt8[np.ndarray, "height width"]:
        """Label values of a map of classes."""
        table = np.array([0, *(self.scheme.value(name) for name in self.scheme.structures)], np.uint8)
        values: UInt8[np.ndarray, "height width"] = table[classes]
        return values

    def mended(self, classes: Classes) -> Classes:
        """A map of classes without stray pixels and holes; see `MENDING`."""
        labels = LabelMap(self.values(classes)[None, None], self.scheme, NO_GEOMETRY)
        table = np.zeros(256, np.uint8)
        for index, name in enumerate(self.scheme.structures, start=1):
            table[self.scheme.value(name)] = index
        mended: Classes = table[MENDING.apply(labels).labels.array[0, 0]]
        return mended

    def is_valid(self, classes: Classes, pixel_mm: PixelSize | None) -> bool:
        """Whether something is labelled and no criterion fails; a missing structure fails."""
        plane = self._plane(classes, pixel_mm)
        if not all(plane.masks[name].any() for name in self.scheme.structures if self.axis is Axis.LONG):
            return False
        return not plane.is_empty and not self.limits.failures(Measured.of(plane, self.axis), self.axis)

    def reward(self, classes: Classes, pixel_mm: PixelSize | None) -> Float[np.ndarray, "height width"]:
        """1 all over where no criterion fails.

        Where one fails that counts pixels, such as those of a hole, these have 0. Of one that is about the shape of a
        structure, all pixels of the structure have the share of such criteria of it that are met.
        """
        plane = self._plane(classes, pixel_mm)
        reward = np.ones(plane.array.shape)
        if not plane.is_empty:
            measured = Measured.of(plane, self.axis)
            failed = {each.criterion.name for each in self.limits.failures(measured, self.axis) if not each.is_missing}
            if failed:
                self._lower(reward, plane, failed, measured)
        whole = np.ones(classes.shape)
        whole[plane.box] = reward
        return whole

    def _lower(self, reward: Float[np.ndarray, "height width"], plane: Plane, failed: set[str], of: Measured) -> None:
        """Lower the reward of a plane where criteria fail, in place."""
        asked = [each for each in CRITERIA[self.axis] if each.name in of.values]
        for structure in self.scheme.structures:
            shapes = [each.name in failed for each in asked if each.where is None and each.about is structure]
            if any(shapes):
                mask = plane.mask(structure)
                reward[mask] = np.minimum(reward[mask], 1 - sum(shapes) / len(shapes))
        counted = [each for each in asked if each.name in failed and each.where is not None]
        areas = [each for each in counted if each.kind is Kind.AREA]
        # What borders on a hole or lies apart has wrong neighbours too: the border is not to blame for that.
        for each in areas or counted:
            assert each.where is not None
            reward[each.where(plane)] = 0

    @property
    def has_annulus(self) -> bool:
        """Whether a mitral annulus is to be found: the ventricle is labelled in planes with the apex at the top."""
        return self.axis is Axis.LONG and self.is_upright and Structure.LV in self.scheme.values

    def annulus(self, classes: Classes, pixel_mm: PixelSize | None) -> tuple[Points, float] | None:
        """Both points of the mitral annulus (row, column) and the long axis' length, in mm or pixels.

        Returns:
            None where there is no ventricle, or its base cannot be told.
        """
        if not self.has_annulus:
            return None
        values = self.values(classes)
        wall = values == self.scheme.value(Structure.MYO) if Structure.MYO in self.scheme.values else None
        found = long_axis(values == self.scheme.value(Structure.LV), wall, pixel_mm or _SQUARE)
        return None if found is None else (found.annulus, found.length)

    def _plane(self, classes: Classes, pixel_mm: PixelSize | None) -> Plane:
        geometry = NO_GEOMETRY if pixel_mm is None else Geometry.of_spacing((1.0, *pixel_mm))
        labels = LabelMap(self.values(classes)[None, None], self.scheme, geometry)
        return Plane.of(labels, 0, is_upright=self.is_upright)
