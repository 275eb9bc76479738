"""The words of the page in the languages that it is written in: one table of strings, `words.toml`."""

import datetime
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from cardiotrace.clinical.method import Method
from cardiotrace.clinical.segment import SegmentValues
from cardiotrace.clinical.term import TERMS, UNIT_SIGNS
from cardiotrace.core.errors import UsageError
from cardiotrace.core.number import fixed

LANGUAGES = ("en", "fr")
"""The first is that of the modules which say something themselves."""
BORROWED = ("term", "method", "note", "rule")
"""Sections in which English may stand elsewhere."""
_DIGITS = {"cm": 1, "cm2": 1, "ratio": 2, "g/ml": 2, "l/min": 1, "l/min/m2": 1, "1/s": 1, "/s": 1}
"""Behind the point, of units that are not whole numbers; a strain has one."""


@cache
def string_table() -> Mapping[str, Mapping[str, str]]:
    """The table: by section and key, such as "page.signature", the string of each language."""
    sections = tomllib.loads(files("cardiotrace.report").joinpath("words.toml").read_text("utf-8"))
    return {f"{section}.{key}": strings for section, table in sections.items() for key, strings in table.items()}


@dataclass(frozen=True)
class Words:
    """One language: its strings, and how it writes numbers and dates.

    Example:
        >>> french = Words("fr")
        >>> french("place.below"), french.number(-18.43, 1), french.date(datetime.date(2026, 11, 1))
        ('sous la référence', '−18,4', '1er novembre 2026')
    """

    language: str = LANGUAGES[0]

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise UsageError(
                f"the report is not written in {self.language!r}", remedy=f"choose from: {', '.join(LANGUAGES)}."
            )

    def __call__(self, key: str, **values: object) -> str:
        """The string of a key, its places in braces filled.

        Raises:
            KeyError: there is none: a fault of the program.
        """
        return string_table()[key][self.language].format(**values)

    def found(self, key: str) -> str:
        """The string of a key; "" where this language has none."""
        return string_table().get(key, {}).get(self.language, "")

    def term(self, name: str) -> str:
        """What a quantity is called, as a heading."""
        own = self.found(f"term.{name}")
        return own or (TERMS[name].words if name in TERMS else name.replace("_", " ").capitalize())

    def method(self, method: Method) -> str:
        """What tables call a method."""
        return self.found(f"method.{method.value}") or method.words

    def method_note(self, method: Method) -> str:
        """How a method works, in a sentence or two; "" where its name says it."""
        return (method.note and self.found(f"note.{method.value}")) or method.note

    def view(self, view_name: str) -> str:
        """What a report calls a view: the cardiologist's word, or that it is not known.

        Example:
            >>> Words().view("A4C"), Words().view("FUNDUS"), Words().view("unknown")
            ('A4C', 'retina', 'view unknown')
        """
        return self.found(f"view.{view_name}") or view_name

    def segments(self, values: SegmentValues) -> str:
        """What is measured segment by segment, as a heading."""
        return self.found(f"segment.{values.name}") or values.name.replace("_", " ").capitalize()

    def number(self, value: float, digits: int = 0, *, signed: bool = False) -> str:
        """A number with fixed digits, its decimal mark the language's, its minus a true one."""
        text = fixed(value, digits, signed=signed)
        return text.replace(".", self("language.decimal")).replace("-", "−") if text != "-" else text

    def value(self, value: float, unit: str, name: str = "", *, signed: bool = False) -> str:
        """A value with the digits that are worth reading.

        Example:
            >>> Words().value(57.26, "percent"), Words().value(7.981, "cm"), Words().value(1.734, "ratio")
            ('57', '8.0', '1.73')
            >>> Words("fr").value(-18.43, "percent", "left_ventricular_global_longitudinal_strain")
            '−18,4'
        """
        return self.number(value, digits_of(unit, name), signed=signed)

    def interval(self, low: float, high: float, unit: str, name: str = "") -> str:
        """Two limits.

        Example:
            >>> Words().interval(53, 64, "percent"), Words().interval(-20, -17, "percent", "longitudinal_strain")
            ('53–64', '−20.0 to −17.0')
        """
        both = [self.value(limit, unit, name) for limit in (low, high)]
        return f" {self('language.to')} ".join(both) if min(low, high) < 0 else "–".join(both)

    def date(self, date: datetime.date) -> str:
        """A date in full."""
        day = "1er" if self.language == "fr" and date.day == 1 else str(date.day)
        month = self("language.months").split()[date.month - 1]
        return self("language.date", day=day, month=month, year=date.year)

    def decimals(self, text: str) -> str:
        """Numbers within a text, such as "0.3 x 0.3 mm", with the language's decimal mark."""
        return re.sub(r"(?<=\d)\.(?=\d)", self("language.decimal"), text)


def digits_of(unit: str, name: str = "") -> int:
    """Digits behind the point that a value is worth on a page, by its unit; a strain in percent has one."""
    return 1 if "strain" in name and unit == "percent" else _DIGITS.get(unit, 0)


def sign_of(unit: str) -> str:
    """How a unit is written on a page."""
    return UNIT_SIGNS.get(unit, unit)


ENGLISH = Words()
