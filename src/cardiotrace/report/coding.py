"""What others call our quantities: codes of LOINC, SNOMED CT and DICOM, read from `codes.toml`.

Where no public code says exactly what was measured, a private one and the plain name stand in its place: a code that
is nearly right would be read as if it were right.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.term import TERMS
from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Modality
from cardiotrace.io.dicom.code import PRIVATE_SCHEME, Code


@dataclass(frozen=True)
class Row:
    """Which values of a quantity a public code names; what is empty is not asked for."""

    name: str
    code: Code
    modality: str = ""
    method: str = ""
    view: str = ""

    def fits(self, quantity: Quantity, modality: Modality) -> bool:
        """Whether it names the value."""
        wanted = (quantity.name, modality.value, quantity.method.value, quantity.view)
        stated = (self.name, self.modality, self.method, self.view)
        return all(word in ("", actual) for word, actual in zip(stated, wanted, strict=True))


@dataclass(frozen=True)
class Codebook:
    """All that `codes.toml` says."""

    rows: tuple[Row, ...]
    private: Mapping[str, str]
    """Private code of each quantity."""
    methods: Mapping[str, Code]
    area_methods: Mapping[str, Code]
    """What methods are called that gave an area, where that differs."""
    views: Mapping[str, Code]
    sites: Mapping[str, Code]
    units: Mapping[str, Code]


@cache
def codebook() -> Codebook:
    """The tables, read once."""
    plain = tomllib.loads(files("cardiotrace.report").joinpath("codes.toml").read_text("utf-8"))
    rows = tuple(Row(**row | {"code": Code(*row["code"])}) for row in plain["quantity"])
    names = ("method", "area_method", "view", "site", "unit")
    tables = ({key: Code(*code) for key, code in plain[name].items()} for name in names)
    return Codebook(rows, plain["private_quantity"], *tables)


def quantity_code(quantity: Quantity, modality: Modality) -> Code:
    """What a value is called: by the public code that says just that, else by the private one.

    Raises:
        InputError: nobody gave the quantity a code.

    Example:
        >>> from cardiotrace.clinical.method import Method
        >>> name = "left_ventricular_ejection_fraction"
        >>> biplane = Quantity(name, 60.0, "percent", Method.BIPLANE_DISKS, "A4C+A2C", ())
        >>> quantity_code(biplane, Modality.US).value, quantity_code(biplane, Modality.UNKNOWN).value
        ('79991-6', 'LV-EF')
    """
    book = codebook()
    public = next((row.code for row in book.rows if row.fits(quantity, modality)), None)
    if public is not None:
        return public
    if quantity.name not in book.private:
        raise InputError(f"quantity {quantity.name} has no code", remedy="add it to report/codes.toml.")
    return Code(book.private[quantity.name], PRIVATE_SCHEME, _words(quantity.name))


def method_code(quantity: Quantity) -> Code | None:
    """What the method of a value is called; None where it is not known.

    Example:
        >>> from cardiotrace.clinical.method import Method
        >>> area = Quantity("left_atrial_area", 17.0, "cm2", Method.TRACED, "A4C", ())
        >>> length = Quantity("left_atrial_length", 5.0, "cm", Method.TRACED, "A4C", ())
        >>> method_code(area).meaning, method_code(length).scheme
        ('Planimetry', '99CARDIOTRACE')
    """
    book = codebook()
    own = book.area_methods if quantity.unit in ("cm2", "px2") else {}
    return own.get(quantity.method.value) or book.methods.get(quantity.method.value)


def view_codes(view: str, modality: Modality) -> tuple[Code, ...]:
    """What the views are called that a value was measured in, such as "A4C+A2C"."""
    return tuple(_view_code(word, modality) for word in view.split("+") if word)


def site_code(quantity: Quantity) -> Code:
    """The part of the body that a value is of."""
    sites = codebook().sites
    term = TERMS.get(quantity.name)
    is_wall = any(word in quantity.name for word in ("mass", "wall", "strain"))
    return sites["mass" if is_wall else "" if term is None else term.chamber]


def unit_code(unit: str) -> Code:
    """The unit in UCUM's words.

    Raises:
        InputError: nobody gave the unit a code.
    """
    units = codebook().units
    if unit not in units:
        raise InputError(f"unit {unit} has no code", remedy="add it to report/codes.toml.")
    return units[unit]


def modality_of(modalities: Sequence[Modality]) -> Modality:
    """The one that all have; UNKNOWN where they differ."""
    return modalities[0] if len(set(modalities)) == 1 else Modality.UNKNOWN


def _view_code(view: str, modality: Modality) -> Code:
    private = Code(f"VIEW-{view}"[:16], PRIVATE_SCHEME, f"View {view}")
    return codebook().views.get(f"{modality.value} {view}", private)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
