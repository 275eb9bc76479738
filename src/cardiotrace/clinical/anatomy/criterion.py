"""The anatomical criteria: what is measured of a plane, of which structures, and how it is said.

Twelve for long axes of the left ventricle with its atrium and two for a right ventricle there, sixteen for short axes
with both ventricles. Beyond which values a plane is no heart is not said here: limits are data, see `limits`.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cardiotrace.clinical.anatomy.plane import Mask, Plane
from cardiotrace.core.terms import Structure, View
from cardiotrace.geometry.defect import (
    apart,
    dent_depth,
    distance_apart,
    frontier,
    frontier_length,
    frontier_share,
    gaps,
    holes,
    neck_ratio,
    roundness,
    width_ratio,
)

LV, MYO, LA, RV = Structure.LV, Structure.MYO, Structure.LA, Structure.RV

NAMES: Mapping[Structure, str] = {
    LV: "left ventricle",
    MYO: "myocardium",
    LA: "left atrium",
    RV: "right ventricle",
}
"""What structures are called in sentences."""


class Axis(StrEnum):
    """How a plane cuts the left ventricle."""

    LONG = "long"
    SHORT = "short"

    @classmethod
    def of(cls, view: View) -> "Axis | None":
        """The axis of a view; None where criteria speak of neither."""
        return cls.SHORT if view is View.SAX else cls.LONG if view.is_long_axis else None


class Kind(StrEnum):
    """What a value is."""

    AREA = "area"
    """Pixels, or mm2."""
    LENGTH = "length"
    """Pixels in a row, or mm."""
    DISTANCE = "distance"
    """Measured in mm: not to be had without a pixel size."""
    RATIO = "ratio"


@dataclass(frozen=True)
class Criterion:
    """One thing that is measured of a plane.

    Example:
        >>> [item.name for item in CRITERIA[Axis.SHORT] if item.kind is Kind.DISTANCE]
        ['rv_disconnected_from_myo', 'lv_concavity', 'rv_concavity', 'myo_concavity']
    """

    name: str
    """As published."""
    kind: Kind
    structures: tuple[Structure, ...]
    """Those that labels must know for it to be asked; the first is the one that it speaks of."""
    words: str
    """What is wrong where it fails, with the measured value as {value}."""
    measure: Callable[[Plane], float]
    """NaN where a structure that it needs is not there."""
    is_of_upright: bool = False
    """Whether it is counted along rows or columns, and so means something with the apex at the top alone."""
    where: Callable[[Plane], Mask] | None = None
    """The very pixels that it counts; None of one that is about the shape of a structure as a whole."""

    @property
    def about(self) -> Structure:
        """The structure that it speaks of."""
        return self.structures[0]

    def applies(self, plane: Plane) -> bool:
        """Whether it can be asked of a plane."""
        is_held = all(structure in plane.scheme.values for structure in self.structures)
        is_scaled = self.kind is not Kind.DISTANCE or plane.pixel_mm is not None
        return is_held and is_scaled and (plane.is_upright or not self.is_of_upright)


@dataclass(frozen=True)
class Measured:
    """All criteria that could be asked of one plane."""

    values: Mapping[str, float]
    """By name, areas and lengths in pixels; NaN where a structure is missing. Empty where nothing is labelled."""
    sizes: Mapping[Structure, int]
    """Pixels of each structure that labels know."""
    pixel_mm: tuple[float, float] | None
    """Size of a pixel (row, column), mm; None where it is not known."""

    @classmethod
    def of(cls, plane: Plane, axis: Axis, *, about: Collection[Structure] = tuple(NAMES)) -> "Measured":
        """Measure a plane that cuts the heart along an axis.

        Args:
            plane: of labels.
            axis: how it cuts the heart.
            about: structures that the criteria speak of; all of them, if not said.

        Source:
            Painchaud et al. 2020, IEEE Trans Med Imaging 39:3703 (short axis); Painchaud et al. 2022, IEEE Trans Med
            Imaging 41:2867 (long axis).
        """
        if plane.is_empty:
            return cls({}, {}, plane.pixel_mm)
        asked = [item for item in CRITERIA[axis] if item.about in about and item.applies(plane)]
        values = {item.name: float(item.measure(plane)) for item in asked}
        sizes = {structure: int(mask.sum()) for structure, mask in plane.masks.items()}
        return cls(values, sizes, plane.pixel_mm)


def _counted(name: str, structures: tuple[Structure, ...], words: str, where: Callable[[Plane], Mask]) -> Criterion:
    """One whose value is the number of some pixels."""
    return Criterion(name, Kind.AREA, structures, words, lambda plane: int(where(plane).sum()), where=where)


def _holes(name: str, *structures: Structure, called: str = "") -> Criterion:
    words = f"the {called or NAMES[structures[0]]} has holes of {{value}}"
    return _counted(f"holes_in_{name}", structures, words, lambda plane: holes(plane.mask(*structures)))


def _apart(name: str, structure: Structure) -> Criterion:
    words = f"{{value}} of the {NAMES[structure]} lie apart from its largest piece"
    return _counted(f"disconnectivity_in_{name}", (structure,), words, lambda plane: apart(plane.mask(structure)))


def _between(name: str, first: Structure, second: Structure) -> Criterion:
    words = f"between {NAMES[first]} and {NAMES[second]} lie {{value}} of neither"

    def where(plane: Plane) -> Mask:
        found = gaps(plane.mask(first), plane.mask(second))
        return found if found.sum() > plane.small else np.zeros_like(found)

    return _counted(f"holes_between_{name}", (first, second), words, where)


def _dented(name: str, structure: Structure) -> Criterion:
    words = f"the {NAMES[structure]} has a dent of {{value}}"

    def measure(plane: Plane) -> float:
        return dent_depth(plane.mask(structure), spacing_mm=plane.pixel_mm or (math.nan, math.nan))

    return Criterion(f"{name}_concavity", Kind.DISTANCE, (structure,), words, measure)


def _round(name: str, structure: Structure) -> Criterion:
    words = f"the {NAMES[structure]} is far from round: {{value}} of a circle's 1"
    return Criterion(
        f"{name}_circularity", Kind.RATIO, (structure,), words, lambda plane: roundness(plane.mask(structure))
    )


CRITERIA: Mapping[Axis, tuple[Criterion, ...]] = {
    Axis.LONG: (
        _holes("lv", LV),
        _holes("atrium", LA),
        _holes("epi", LV, MYO, called="left ventricle with its myocardium"),
        _apart("lv", LV),
        _apart("myo", MYO),
        _apart("atrium", LA),
        _between("lv_myo", LV, MYO),
        _between("lv_atrium", LV, LA),
        Criterion(
            "frontier_ratio_lv_bg",
            Kind.RATIO,
            (LV, MYO, LA),
            "the left ventricle borders on nothing along {value} of its width",
            lambda plane: frontier_share(plane.mask(LV), plane.background),
            is_of_upright=True,
            where=lambda plane: frontier(plane.mask(LV), plane.background),
        ),
        Criterion(
            "frontier_ratio_myo_atrium",
            Kind.RATIO,
            (MYO, LA),
            "the myocardium borders on the atrium along {value} of its width",
            lambda plane: frontier_share(plane.mask(MYO), plane.mask(LA)),
            is_of_upright=True,
            where=lambda plane: frontier(plane.mask(MYO), plane.mask(LA)),
        ),
        Criterion(
            "width_ratio_lv_myo",
            Kind.RATIO,
            (MYO, LV),
            "the left ventricle is {value} times as wide as its myocardium",
            lambda plane: width_ratio(plane.mask(LV), plane.mask(MYO)),
            is_of_upright=True,
        ),
        Criterion(
            "erosion_ratio_before_myo_split",
            Kind.RATIO,
            (MYO,),
            "the myocardium is thin in one place: {value} of its greatest width",
            lambda plane: neck_ratio(plane.mask(MYO), smallest=plane.small),
        ),
        # Not among the published twelve, which know no right ventricle: the same two questions, of four chambers.
        _holes("rv", RV),
        _apart("rv", RV),
    ),
    Axis.SHORT: (
        _holes("lv", LV),
        _holes("rv", RV),
        _counted(
            "holes_in_myo",
            (MYO, LV),
            "the myocardium has holes of {value} beside the left ventricle",
            lambda plane: holes(plane.mask(MYO)) & ~plane.mask(LV),
        ),
        _apart("lv", LV),
        _apart("rv", RV),
        _apart("myo", MYO),
        _between("lv_myo", LV, MYO),
        _between("rv_myo", RV, MYO),
        Criterion(
            "rv_disconnected_from_myo",
            Kind.DISTANCE,
            (RV, MYO),
            "the right ventricle lies {value} away from the myocardium",
            lambda plane: distance_apart(
                plane.mask(RV), plane.mask(MYO), spacing_mm=plane.pixel_mm or (math.nan, math.nan)
            ),
        ),
        Criterion(
            "frontier_lv_rv",
            Kind.LENGTH,
            (LV, RV),
            "left and right ventricle touch along {value}",
            lambda plane: frontier_length(plane.mask(LV), plane.mask(RV)),
            where=lambda plane: frontier(plane.mask(LV), plane.mask(RV)),
        ),
        Criterion(
            "frontier_lv_background",
            Kind.LENGTH,
            (LV, MYO),
            "the left ventricle borders on neither wall nor chamber along {value}",
            lambda plane: frontier_length(plane.mask(LV), plane.background),
            where=lambda plane: frontier(plane.mask(LV), plane.background),
        ),
        _dented("lv", LV),
        _dented("rv", RV),
        _dented("myo", MYO),
        _round("lv", LV),
        _round("myo", MYO),
    ),
}
"""Those of each axis, in the order in which they are told."""
