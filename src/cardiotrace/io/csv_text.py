"""Tables as CSV text that no spreadsheet takes for formulas."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A table as CSV with a header; missing values are empty cells.

    Args:
        columns: in order.
        rows: values by column.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(map(safe_cell, columns))
    for row in rows:
        writer.writerow(safe_cell(row.get(column)) for column in columns)
    return stream.getvalue()


def safe_cell(value: Any) -> str:
    """A value as the text of a cell; what a spreadsheet would run as a formula is marked as text by an apostrophe.

    Example:
        >>> safe_cell("=1+1"), safe_cell(-2.5), safe_cell("-2.5"), safe_cell(None)
        ("'=1+1", '-2.5', '-2.5', '')
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_DANGEROUS) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and not any(letter.isspace() for letter in text)
