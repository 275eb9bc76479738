"""Tables and settings files that lie beside the images of data sets."""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.file import read_text
from cardiotrace.core.plain import LARGEST_RECIPE, LARGEST_TABLE


def read_table(path: Path, *, key: str) -> dict[str, dict[str, str]]:
    """Rows of a comma-separated file by the value of one column.

    Raises:
        InputError: it cannot be read, or lacks the column.
    """
    rows = read_rows(path, columns=(key,))
    return {row[key].strip(): row for row in rows}


def read_rows(path: Path, *, columns: Sequence[str], beginning: str = "") -> list[dict[str, str]]:
    """Rows of a comma-separated file.

    Args:
        path: the file.
        columns: names that its first line must hold.
        beginning: what the lines that count begin with, for long tables of which one needs few.

    Raises:
        InputError: it cannot be read, or lacks a column.
    """
    try:
        reader = csv.DictReader(_lines(path, beginning), restval="")
        present = reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
        rows = [{name: text for name, text in row.items() if name} for row in reader]
    except csv.Error as error:
        raise InputError(f"cannot be read as a table: {error}", where=path) from None
    lacking = next((name for name in columns if name not in present), None)
    if lacking is not None:
        raise InputError(f"has no column {lacking!r}", where=path, remedy=f"its columns are: {', '.join(present)}.")
    return rows


def _lines(path: Path, beginning: str) -> list[str]:
    """The first line, and those of the others that count: passed over before half a million are taken apart."""
    lines = list(io.StringIO(read_text(path, largest=LARGEST_TABLE), newline=""))
    return [*lines[:1], *(line for line in lines[1:] if line.startswith(beginning))]


def read_settings(path: Path) -> dict[str, str]:
    """The `key: value` lines of an `Info.cfg` file, whatever program saved it as UTF-8; keys in any case.

    Raises:
        InputError: it cannot be read, or is no UTF-8 text.
    """
    lines = read_text(path, largest=LARGEST_RECIPE).splitlines()
    pairs = (line.partition(":") for line in lines if ":" in line)
    spelled = {key.casefold(): key for key in _SETTINGS}
    return {spelled.get(key.strip().casefold(), key.strip()): value.strip() for key, _, value in pairs}


_SETTINGS = ("ED", "ES", "Group", "Height", "Weight", "NbFrame", "Sex", "Age", "ImageQuality", "FrameRate")


_DECIMAL_COMMA = re.compile(r"^(-?\d+),(\d+)$")


def known(row: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, str]:
    """Values of a table's row under our names; empty cells are left out.

    Example:
        >>> known({"Vendor": " GE ", "Sex": ""}, {"vendor": "Vendor", "sex": "Sex"})
        {'vendor': 'GE'}
    """
    return {key: row[column].strip() for key, column in columns.items() if row.get(column, "").strip()}


def number(row: Mapping[str, str], key: str) -> float | None:
    """A number of a table, None where it is absent or no finite number; a comma may stand for the point.

    Example:
        >>> number({"Height": "184,5"}, "Height"), number({"Height": "1,840.5"}, "Height")
        (184.5, None)
    """
    try:
        value = float(_DECIMAL_COMMA.sub(r"\1.\2", row.get(key, "").strip()))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def whole(row: Mapping[str, str], key: str) -> int | None:
    """A whole number of a table, None where it is absent or has a fraction.

    Example:
        >>> whole({"NbFrame": "30"}, "NbFrame"), whole({"NbFrame": "30.5"}, "NbFrame"), whole({}, "NbFrame")
        (30, None, None)
    """
    value = number(row, key)
    return int(value) if value is not None and value.is_integer() else None
