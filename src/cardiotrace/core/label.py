"""Label maps speak of structures by name; the integers are a detail of each data set."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import Geometry, Spacing
from cardiotrace.core.image import FileSource, Grid
from cardiotrace.core.terms import Structure


@dataclass(frozen=True)
class LabelScheme:
    """Which integer stands for which structure; 0 is always background.

    Example:
        >>> camus = LabelScheme("camus", {Structure.LV: 1, Structure.MYO: 2, Structure.LA: 3})
        >>> camus.value(Structure.LA)
        3
        >>> camus.structures
        (<Structure.LV: 'LV'>, <Structure.MYO: 'MYO'>, <Structure.LA: 'LA'>)
    """

    name: str
    values: Mapping[Structure, int]

    def __post_init__(self) -> None:
        numbers = list(self.values.values())
        if len(set(numbers)) != len(numbers) or any(not 1 <= number <= 255 for number in numbers):
            raise InputError(f"label scheme {self.name}: values must be distinct integers in 1..255, got {numbers}")

    @property
    def structures(self) -> tuple[Structure, ...]:
        """The structures, in order of their value."""
        return tuple(sorted(self.values, key=self.values.__getitem__))

    @property
    def class_count(self) -> int:
        """Number of classes of a network trained on this scheme: the structures and background."""
        return len(self.values) + 1

    def value(self, structure: Structure) -> int:
        """The integer of a structure.

        Raises:
            InputError: the scheme does not hold it.
        """
        if structure not in self.values:
            raise InputError(f"label scheme {self.name} has no {structure}", remedy=f"it has {', '.join(self.values)}.")
        return self.values[structure]

    def is_dense(self) -> bool:
        """Whether the values are 1, 2, ... without gaps, as class indices are."""
        return sorted(self.values.values()) == list(range(1, len(self.values) + 1))

    def table_to(self, other: "LabelScheme") -> NDArray[np.uint8]:
        """Look-up table (256) from this scheme's values to those of `other`; what `other` lacks becomes 0."""
        table = np.zeros(256, np.uint8)
        for structure, value in self.values.items():
            table[value] = other.values.get(structure, 0)
        return table


@dataclass(frozen=True)
class LabelMap:
    """Labels (time, depth, height, width) of uint8 on an image's own grid, with the scheme that names them.

    Raises:
        InputError: wrong dtype or number of axes, or a value that the scheme does not know.
    """

    array: NDArray[np.uint8]
    scheme: LabelScheme
    geometry: Geometry
    """Where its voxels lie: that of its image."""
    source: FileSource | None = None
    notes: tuple[str, ...] = ()
    """In words, what was assumed or changed to lay them onto their image."""

    def __post_init__(self) -> None:
        where = None if self.source is None else self.source.path
        if self.array.ndim != 4 or self.array.dtype != np.uint8:
            raise InputError(
                f"labels need uint8 axes (time, depth, height, width), got {self.array.dtype} {self.array.shape}",
                where=where,
            )
        if strange := self._strange_values():
            known = ", ".join(f"{structure} = {value}" for structure, value in self.scheme.values.items())
            raise InputError(
                f"label values {strange[:8]} are not in scheme {self.scheme.name} ({known})",
                where=where,
                remedy=self._schemes_that_fit(),
            )

    @property
    def spacing_mm(self) -> Spacing | None:
        """(depth, height, width), mm; None where the pixel size is unknown, NaN in depth where the distance is."""
        return self.geometry.spacing_mm

    def _strange_values(self) -> list[int]:
        if self.scheme.is_dense() and int(self.array.max(initial=0)) <= len(self.scheme.values):
            return []  # counting every value would take hundreds of times as long
        found = np.flatnonzero(np.bincount(self.array.ravel(), minlength=256)).tolist()
        return sorted(set(found) - {0, *self.scheme.values.values()})

    def _schemes_that_fit(self) -> str:
        values = set(np.unique(self.array).tolist()) - {0}
        if values == {255}:
            if Structure.VESSEL in self.scheme.values:
                return "vessels of 255 have the scheme vessel255."
            first = self.scheme.structures[0]
            return (
                f"a mask of 0 and 255: save 1 in place of 255; in a data set of your own, values = {{{first} = 255}}."
            )
        fitting = [name for name, scheme in SCHEMES.items() if values <= set(scheme.values.values())]
        if fitting:
            return f"these values fit {' or '.join(fitting)}: choose the scheme that the labels follow."
        return f"correct the labels, or choose their scheme; known are {', '.join(SCHEMES)}."

    def mask(self, *structures: Structure) -> NDArray[np.bool_]:
        """Where any of the structures is: (time, depth, height, width).

        The LV epicardium of the CAMUS tables is `mask(Structure.LV, Structure.MYO)`.
        """
        found = np.zeros(self.array.shape, bool)
        # Compared one by one: `np.isin` builds a table of look-ups that takes ten times as long.
        for structure in structures:
            found |= self.array == self.scheme.value(structure)
        return found

    def to(self, scheme: LabelScheme) -> "LabelMap":
        """The same labels in another scheme; structures that it lacks become background."""
        return replace(self, array=self.scheme.table_to(scheme)[self.array], scheme=scheme)

    @property
    def grid(self) -> Grid:
        """Where its voxels lie, without the voxels."""
        time, depth, height, width = self.array.shape
        return Grid(self.geometry, (time, depth, height, width), self.source)


CAMUS = LabelScheme("camus", {Structure.LV: 1, Structure.MYO: 2, Structure.LA: 3})
ACDC = LabelScheme("acdc", {Structure.RV: 1, Structure.MYO: 2, Structure.LV: 3})
MNMS = LabelScheme("mnms", {Structure.LV: 1, Structure.MYO: 2, Structure.RV: 3})
CHAMBERS = LabelScheme(
    "chambers", {Structure.RV: 1, Structure.MYO: 2, Structure.LV: 3, Structure.LA: 4, Structure.RA: 5}
)
"""Values of ACDC, and both atria behind them."""
SUNNYBROOK = LabelScheme("sunnybrook", {Structure.MYO: 1})
LEFT_VENTRICLE = LabelScheme("left-ventricle", {Structure.LV: 1, Structure.MYO: 2})
"""Values of CAMUS and of M&Ms, without the third."""
LV_ONLY = LabelScheme("lv", {Structure.LV: 1})
WALL_ONLY = LabelScheme("wall", {Structure.MYO: 1})
VESSEL = LabelScheme("vessel", {Structure.VESSEL: 1})
VESSEL255 = LabelScheme("vessel255", {Structure.VESSEL: 255})

SCHEMES: Mapping[str, LabelScheme] = {
    scheme.name: scheme
    for scheme in (CAMUS, ACDC, MNMS, CHAMBERS, SUNNYBROOK, LEFT_VENTRICLE, LV_ONLY, WALL_ONLY, VESSEL, VESSEL255)
}


def scheme_from_mapping(name: str, values: Mapping[str, Any]) -> LabelScheme:
    """Scheme from plain data, as a recipe or a model file holds it.

    Raises:
        InputError: a structure's name is unknown.
    """
    known: Iterable[str] = [structure.value for structure in Structure]
    for key in values:
        if key not in known:
            raise InputError(f"unknown structure {key!r}", remedy=f"known structures: {', '.join(known)}.")
    return LabelScheme(name, {Structure(key): int(value) for key, value in values.items()})
