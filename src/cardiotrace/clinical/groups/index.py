"""Numbers that tell groups of patients apart: what is measured in one view, per body surface, as ratios, by segment."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.clinical.segment import SegmentValues
from cardiotrace.clinical.term import TERMS, key_of
from cardiotrace.core.flag import Flag, Grade, worst

_SEGMENT = "segment_"
STATISTICS = ("mean", "least", "greatest", "spread")
"""Of a value over segments; the spread is their standard deviation."""
FEWEST_SEGMENTS = 12
"""Without the four of the apex, which often show no insertion of the right ventricle."""
_INDEX = "_index"
RATIOS: Mapping[str, tuple[str, str, str]] = {
    "left_ventricular_mass_per_end_diastolic_volume": (
        "g/ml",
        "left_ventricular_mass_g",
        "left_ventricular_end_diastolic_volume_ml",
    ),
    "right_to_left_end_diastolic_volume": (
        "ratio",
        "right_ventricular_end_diastolic_volume_ml",
        "left_ventricular_end_diastolic_volume_ml",
    ),
}
"""Unit, and what is divided by what."""
SHORT_AXIS = (
    *("left_ventricular_ejection_fraction_percent", "right_ventricular_ejection_fraction_percent"),
    "left_ventricular_end_diastolic_volume_index_ml_per_m2",
    "right_ventricular_end_diastolic_volume_index_ml_per_m2",
    "left_ventricular_mass_index_g_per_m2",
    *("left_ventricular_mass_per_end_diastolic_volume_g_per_ml", "right_to_left_end_diastolic_volume_ratio"),
    *("left_ventricular_maximal_wall_thickness_mm", "left_ventricular_mean_wall_thickness_mm"),
    *("left_ventricular_midwall_circumferential_strain_percent", "left_ventricular_radial_strain_percent"),
    *("segment_spread_end_diastolic_wall_thickness_mm", "segment_spread_end_systolic_wall_thickness_mm"),
    *("segment_mean_wall_thickening_percent", "segment_least_wall_thickening_percent"),
    "segment_spread_wall_thickening_percent",
)
"""Those that tell diseases of the left and the right ventricle apart in a short-axis stack; of two that say nearly the
same only one. They were chosen for what they mean, not by scores."""


@dataclass(frozen=True)
class Index:
    """What an index is, read from its name.

    Example:
        >>> found = Index.of("segment_least_wall_thickening_percent")
        >>> found.name, found.unit, found.statistic, found.is_per_body
        ('wall_thickening', 'percent', 'least', False)
    """

    key: str
    name: str
    """Of the quantity, of what is measured by segment, or of the ratio."""
    unit: str
    """Empty of what this program does not measure, such as a column of somebody's own table."""
    statistic: str = ""
    """Over segments, one of `STATISTICS`; else empty."""

    @classmethod
    def of(cls, key: str) -> "Index":
        """The index of a name."""
        statistic = next((word for word in STATISTICS if key.startswith(f"{_SEGMENT}{word}_")), "")
        name = key.removeprefix(f"{_SEGMENT}{statistic}_") if statistic else key
        units = ("percent", "mm", "1_per_cm") if statistic else ()
        unit = next((unit for unit in units if name.endswith(f"_{unit}")), "")
        if unit:
            return cls(key, name.removesuffix(f"_{unit}"), unit.replace("_per_", "/"), statistic)
        if key in _KNOWN:
            return cls(key, *_KNOWN[key])
        return cls(key, key, "")

    @property
    def is_per_body(self) -> bool:
        """Whether height and weight are needed for it."""
        return self.name.endswith(_INDEX)


_KNOWN = {
    **{term.key: (term.name, term.unit) for term in TERMS.values()},
    **{key_of(name, unit): (name, unit) for name, (unit, _, _) in RATIOS.items()},
}


@dataclass(frozen=True)
class IndexValue:
    """An index of one exam, with what speaks against what it is made of."""

    value: float
    flags: tuple[Flag, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Whether no flag says that it is not."""
        return worst(self.flags) is not Grade.NOT_USABLE

    @property
    def is_doubted(self) -> bool:
        """Whether a flag asks for a second look."""
        return worst(self.flags) in (Grade.NOT_USABLE, Grade.LOOK_TWICE)


def indices_of(measures: Measures, view: str) -> dict[str, IndexValue]:
    """All indices of an exam in one view, those that are not usable among them.

    Args:
        measures: of the exam.
        view: what quantities say of the view that they were measured in, such as "SAX": what several views tell
            together was measured otherwise.

    Returns:
        By name and unit; what was not measured is missing.

    Example:
        >>> from cardiotrace.clinical.method import Method
        >>> def volume(chamber, value):
        ...     name = f"{chamber}_ventricular_end_diastolic_volume"
        ...     return Quantity(name, value, "ml", Method.SUM_OF_SLICES, "SAX", ())
        >>> found = indices_of(Measures("p1", (volume("left", 100.0), volume("right", 130.0))), "SAX")
        >>> found["right_to_left_end_diastolic_volume_ratio"].value
        1.3
    """
    found: dict[str, IndexValue] = {}
    # The preferred value stands first.
    for quantity in measures:
        if quantity.view == view and not quantity.name.endswith(_INDEX):
            found.setdefault(quantity.key, IndexValue(quantity.value, quantity.flags))
    found.update(_per_body(measures, found))
    found.update(_ratios(found))
    for values in measures.segments:
        if values.view == view:
            found.update(_over_segments(values))
    return {key: each for key, each in found.items() if math.isfinite(each.value)}


def _per_body(measures: Measures, found: Mapping[str, IndexValue]) -> Iterator[tuple[str, IndexValue]]:
    """Volumes and masses of the view per body surface, whichever view the exam's own indices are of."""
    indexed = [quantity for quantity in measures if quantity.name.endswith(_INDEX) and quantity.unit.endswith("/m2")]
    area_m2 = next((area for each in indexed if (area := _area_m2(each, measures.quantities))), None)
    if area_m2 is None:
        return
    for name, unit in dict.fromkeys((each.name.removesuffix(_INDEX), each.unit) for each in indexed):
        base = found.get(key_of(name, unit.removesuffix("/m2")))
        if base is not None:
            yield key_of(f"{name}{_INDEX}", unit), IndexValue(base.value / area_m2, base.flags)


def _area_m2(indexed: Quantity, quantities: Sequence[Quantity]) -> float | None:
    """The body surface that an index was made with."""
    name, unit = indexed.name.removesuffix(_INDEX), indexed.unit.removesuffix("/m2")
    about = (name, unit, indexed.method, indexed.view)
    base = next((each for each in quantities if (each.name, each.unit, each.method, each.view) == about), None)
    return None if base is None or not indexed.value > 0 else base.value / indexed.value


def _ratios(found: Mapping[str, IndexValue]) -> Iterator[tuple[str, IndexValue]]:
    for name, (unit, above, below) in RATIOS.items():
        if above in found and below in found and found[below].value > 0:
            flags = tuple(dict.fromkeys((*found[above].flags, *found[below].flags)))
            yield key_of(name, unit), IndexValue(found[above].value / found[below].value, flags)


def _over_segments(values: SegmentValues) -> Iterator[tuple[str, IndexValue]]:
    known = np.array([value for value in values.values.values() if math.isfinite(value)])
    if len(known) < FEWEST_SEGMENTS:
        return
    told = (known.mean(), known.min(), known.max(), known.std(ddof=1))
    for statistic, value in zip(STATISTICS, told, strict=True):
        yield f"{_SEGMENT}{statistic}_{key_of(values.name, values.unit)}", IndexValue(float(value), values.flags)
