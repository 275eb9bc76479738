"""Reference ranges of healthy adults, shown beside a value and never used to alter it; the numbers: `normal.toml`."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import Any, Literal

from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.core.exam import Patient

Papillaries = Literal["cavity", "mass"]
"""Where outlines leave the papillary muscles: counted as blood, or as muscle."""
Place = Literal["below", "within", "above"]
_SEXES = {"men": "M", "women": "F"}


@dataclass(frozen=True)
class NormalSet:
    """Where some ranges come from, and what they were made for."""

    source: str
    seen: str
    """Where the numbers were read: the source itself, or what tabulates it."""
    image: str
    """"echo" or "mri"."""
    views: tuple[str, ...]
    """Patterns of the view of a quantity."""
    methods: tuple[Method, ...]
    ages: tuple[int, int]
    """In whole years, both ends included."""
    papillaries: Papillaries | None = None
    """None where it does not matter."""

    def is_of(self, quantity: Quantity, papillaries: Papillaries) -> bool:
        """Whether it was made for values of this method, in this view, with outlines of this convention."""
        seen = any(fnmatchcase(quantity.view, pattern) for pattern in self.views)
        return seen and quantity.method in self.methods and self.papillaries in (None, papillaries)

    def is_for(self, patient: Patient) -> bool:
        """Whether the patient is of an age that it was made for; one of unknown age is taken for an adult."""
        low, high = self.ages
        return patient.age_years is None or low <= int(patient.age_years) <= high


@dataclass(frozen=True)
class NormalRange:
    """Limits between which a quantity of a healthy adult lies.

    Example:
        >>> NORMAL_RANGES[0].key, NORMAL_RANGES[0].sex, NORMAL_RANGES[0].place(45.0)
        ('left_ventricular_ejection_fraction_percent', 'M', 'below')
    """

    key: str
    """Name and unit of the quantity."""
    sex: str
    """"F" or "M"."""
    low: float
    high: float
    """Infinite where there is no upper limit."""
    set: NormalSet

    def place(self, value: float) -> Place:
        """Where a value lies."""
        return "below" if value < self.low else "above" if value > self.high else "within"


def _read() -> Iterator[NormalRange]:
    tables = tomllib.loads(files("cardiotrace.clinical").joinpath("normal.toml").read_text("utf-8"))
    for table in tables.values():
        limits: Mapping[str, Mapping[str, Any]] = {sex: table.pop(word) for word, sex in _SEXES.items()}
        methods = tuple(map(Method, table.pop("methods")))
        made_for = NormalSet(views=tuple(table.pop("views")), methods=methods, ages=tuple(table.pop("ages")), **table)
        for sex, by_key in limits.items():
            yield from (NormalRange(key, sex, float(low), float(high), made_for) for key, (low, high) in by_key.items())


NORMAL_RANGES: tuple[NormalRange, ...] = tuple(_read())
"""Those whose numbers could be read; see `NormalSet.seen` of each."""


def normal_ranges(
    quantity: Quantity, patient: Patient, *, papillaries: Papillaries = "cavity"
) -> tuple[NormalRange, ...]:
    """Ranges that were made for a value: for its quantity, method, view and kind of outlines, and for such a patient.

    Args:
        quantity: the value.
        patient: of unknown sex gets the ranges of both.
        papillaries: where the outlines leave the papillary muscles.

    Returns:
        One range, two where the sex is unknown, or none; where only one sex's is known, none without the sex.

    Example:
        >>> def ejection(method, view):
        ...     return Quantity("left_ventricular_ejection_fraction", 60.0, "percent", method, view, ())
        >>> biplane, single = ejection(Method.BIPLANE_DISKS, "A4C+A2C"), ejection(Method.SINGLE_PLANE_DISKS, "A4C")
        >>> [(found.low, found.high) for found in normal_ranges(biplane, Patient(sex="F"))]
        [(54.0, 74.0)]
        >>> len(normal_ranges(biplane, Patient())), normal_ranges(single, Patient())
        (2, ())
    """
    known = tuple(
        found
        for found in NORMAL_RANGES
        if found.key == quantity.key and found.set.is_of(quantity, papillaries) and found.set.is_for(patient)
    )
    if patient.sex is None:
        # One sex's range alone would be taken for everybody's.
        return known if {found.sex for found in known} == set(_SEXES.values()) else ()
    return tuple(found for found in known if found.sex == patient.sex)


def place_in(ranges: tuple[NormalRange, ...], value: float) -> Place | None:
    """Where a value lies against ranges; None where there is none, or where they do not agree.

    Example:
        >>> both = tuple(found for found in NORMAL_RANGES if found.key.endswith("fraction_percent"))[:2]
        >>> [(found.sex, found.low) for found in both]
        [('M', 52.0), ('F', 54.0)]
        >>> place_in(both, 40.0), place_in(both, 53.0), place_in((), 53.0)  # 53 % depends on the sex
        ('below', None, None)
    """
    places = {found.place(value) for found in ranges}
    return places.pop() if len(places) == 1 else None


def body_surface_area_m2(height_cm: float, weight_kg: float) -> float:
    """Body surface area: BSA = sqrt(height weight / 3600).

    Args:
        height_cm: height, cm, > 0.
        weight_kg: weight, kg, > 0.

    Returns:
        Area, m2.

    Example:
        >>> round(body_surface_area_m2(180.0, 80.0), 2)
        2.0

    Source:
        Mosteller 1987, N Engl J Med 317:1098.
    """
    return float((height_cm * weight_kg / 3600) ** 0.5)
