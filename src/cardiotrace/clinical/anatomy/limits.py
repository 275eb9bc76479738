"""Beyond which values of the anatomical criteria a plane is no heart: sets of limits with names, in `limits.toml`."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from cardiotrace.clinical.anatomy.criterion import CRITERIA, Axis, Criterion, Kind, Measured
from cardiotrace.core.errors import InputError

Areas = Literal["pixels", "mm", "share"]
"""What areas and lengths are counted in; a share is one of the structure that the criterion speaks of."""


@dataclass(frozen=True)
class Failure:
    """A criterion that a plane fails."""

    criterion: Criterion
    value: float
    """What was measured, as the limits count it; NaN where a structure is missing."""
    words: str
    """What is wrong, with the value."""

    @property
    def is_missing(self) -> bool:
        """Whether it fails for a structure that is not there."""
        return math.isnan(self.value)


@dataclass(frozen=True)
class Limit:
    """Between which values a criterion passes."""

    low: float = -math.inf
    high: float = math.inf
    of: str = ""
    """The criterion whose value is taken; "" for its own."""


@dataclass(frozen=True)
class AxisLimits:
    """Limits of one axis."""

    areas: Areas
    missing: Literal["valid", "invalid"]
    criteria: Mapping[str, Limit]

    def counted(self, measured: Measured, criterion: Criterion) -> float | None:
        """The value of a criterion as these limits count it; None where it was not asked, or has no size in mm."""
        name = self.criteria[criterion.name].of or criterion.name
        value = measured.values.get(name)
        if value is None or criterion.kind in (Kind.DISTANCE, Kind.RATIO) or self.areas == "pixels":
            return value
        if self.areas == "share":
            size = measured.sizes[criterion.about]
            return value / size if size else math.inf if value else 0.0
        if measured.pixel_mm is None:
            return None
        pixel_area = measured.pixel_mm[0] * measured.pixel_mm[1]
        return value * (pixel_area if criterion.kind is Kind.AREA else math.sqrt(pixel_area))

    def words(self, value: float, kind: Kind) -> str:
        """A counted value with its unit."""
        if kind is Kind.RATIO:
            return f"{value:.2g}"
        if kind is Kind.DISTANCE:
            return f"{value:.0f} mm"
        if self.areas == "share":
            return f"{100 * value:.1f} %"
        if self.areas == "pixels":
            return f"{value:.0f} pixel{'' if value == 1 else 's'}"
        unit = "mm2" if kind is Kind.AREA else "mm"
        return f"{value:.0f} {unit}"


@dataclass(frozen=True)
class AnatomyLimits:
    """A set of limits with a name.

    Example:
        >>> PRESETS["published"].axes[Axis.LONG].criteria["erosion_ratio_before_myo_split"].low
        0.12
    """

    name: str
    source: str
    axes: Mapping[Axis, AxisLimits]

    def failures(self, measured: Measured, axis: Axis) -> tuple[Failure, ...]:
        """The criteria that a plane fails.

        Args:
            measured: what was measured of it.
            axis: how it cuts the heart.

        Returns:
            In the order of `CRITERIA`; empty where the set has no limits for that axis, or nothing is labelled.

        Example:
            >>> from cardiotrace.core.terms import Structure
            >>> found = Measured({"holes_in_lv": 3.0, "lv_concavity": 2.0}, {Structure.LV: 500}, (1.5, 1.5))
            >>> [failure.words for failure in PRESETS["published"].failures(found, Axis.SHORT)]
            ['the left ventricle has holes of 3 pixels']
        """
        limits = self.axes.get(axis)
        if limits is None:
            return ()
        found = (
            _failure(criterion, measured, limits) for criterion in CRITERIA[axis] if criterion.name in limits.criteria
        )
        return tuple(failure for failure in found if failure is not None)


def _failure(criterion: Criterion, measured: Measured, limits: AxisLimits) -> Failure | None:
    value = limits.counted(measured, criterion)
    if value is None:
        return None
    if math.isnan(value):
        words = f"{criterion.name} cannot be measured: a structure is missing"
        return Failure(criterion, value, words) if limits.missing == "invalid" else None
    limit = limits.criteria[criterion.name]
    if limit.low <= value <= limit.high:
        return None
    return Failure(criterion, value, criterion.words.format(value=limits.words(value, criterion.kind)))


def preset(name: str) -> AnatomyLimits:
    """A set of limits by name.

    Raises:
        InputError: there is none of that name.
    """
    if name not in PRESETS:
        raise InputError(f"there are no anatomical limits {name!r}", remedy=f"choose from: {', '.join(PRESETS)}.")
    return PRESETS[name]


def _read() -> Mapping[str, AnatomyLimits]:
    tables = tomllib.loads(files("cardiotrace.clinical.anatomy").joinpath("limits.toml").read_text("utf-8"))
    return {
        name: AnatomyLimits(
            name, table["source"], {axis: _axis(table[axis.value]) for axis in Axis if axis.value in table}
        )
        for name, table in tables.items()
    }


def _axis(table: Mapping[str, Any]) -> AxisLimits:
    limits = {name: Limit(**values) for name, values in table.items() if name not in ("areas", "missing")}
    return AxisLimits(table["areas"], table["missing"], limits)


PRESETS: Mapping[str, AnatomyLimits] = _read()
"""Every set by name."""
