"""Tables that lie in Excel workbooks: the text of the first sheet, and a sheet of text.

A workbook (.xlsx) is a zip archive of XML (ECMA-376). What a data set's list of films needs of it is little: rows of
cells that hold texts or numbers. Formulas give the value that was saved with them; formats, merged cells and further
sheets are passed over. No part is unpacked beyond a bound, and XML that declares entities is refused unread.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from cardiotrace.core.errors import InputError
from cardiotrace.core.file import read_limited
from cardiotrace.io import write_bytes

LARGEST_WORKBOOK = 16 * 2**20
"""Bytes, also of each part when it is unpacked: a list of some thousand films is a few hundred thousand."""
MOST_COLUMNS = 16_384
"""What the program itself has."""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PLACE = re.compile(r"([A-Z]{1,3})\d+")
_TEXTS, _SHEET = "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"


def read_workbook(path: Path) -> list[list[str]]:
    """Cells of the first sheet as text, row by row, as far as each row is filled; empty cells are "".

    Raises:
        InputError: no workbook, damaged, or larger than such a table is.
    """
    content = read_limited(path, largest=LARGEST_WORKBOOK)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name: _part(archive, name, path) for name in (_SHEET, _TEXTS) if name in archive.namelist()}
        if _SHEET not in parts:
            raise InputError("holds no sheet", where=path, remedy="save it as an Excel workbook (.xlsx).")
        texts = [_text(entry) for entry in parts[_TEXTS].iter(_tag("si"))] if _TEXTS in parts else []
        return [_cells(row, texts) for row in parts[_SHEET].iter(_tag("row"))]
    except (zipfile.BadZipFile, ElementTree.ParseError, RuntimeError, NotImplementedError, EOFError) as error:
        raise InputError(
            f"cannot be read as a workbook: {error}", where=path, remedy="save it again as .xlsx."
        ) from None
    except (IndexError, ValueError) as error:
        raise InputError(f"has a cell that cannot be read: {error}", where=path) from None


def write_workbook(path: Path, rows: Sequence[Sequence[str | int]]) -> None:
    """Write rows of texts and numbers as a workbook of one sheet; the same rows give the same bytes.

    Raises:
        WorkError: the file cannot be written.
    """
    parts = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _relations("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": _BOOK,
        "xl/_rels/workbook.xml.rels": _relations("worksheet", "worksheets/sheet1.xml"),
        _SHEET: f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(map(_row, rows))}</sheetData></worksheet>',
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), f'<?xml version="1.0" encoding="UTF-8"?>\n{text}')
    write_bytes(path, content.getvalue())


def _part(archive: zipfile.ZipFile, name: str, path: Path) -> ElementTree.Element:
    with archive.open(name) as file:
        content = file.read(LARGEST_WORKBOOK + 1)
    if len(content) > LARGEST_WORKBOOK:
        raise InputError(f"{name} is larger than {LARGEST_WORKBOOK / 2**20:.0f} MB, which no such table is", where=path)
    # Entities may name files, or each other until memory is full; no spreadsheet program writes any. In another
    # encoding than ASCII's kin the word would not be seen.
    if b"<!DOCTYPE" in content or b"\0" in content:
        raise InputError(f"{name} declares entities or is no UTF-8 text, which no workbook needs", where=path)
    return ElementTree.fromstring(content)


def _cells(row: ElementTree.Element, texts: Sequence[str]) -> list[str]:
    values: dict[int, str] = {}
    for cell in row.iter(_tag("c")):
        column = _column(cell.get("r", ""), default=len(values))
        values[column] = _value(cell, texts).strip()
    return [values.get(column, "") for column in range(max(values, default=-1) + 1)]


def _column(place: str, *, default: int) -> int:
    """Number of a column from 0: "A1" is 0, "AB7" is 27."""
    match = _PLACE.fullmatch(place)
    if match is None:
        return default
    number = 0
    for letter in match[1]:
        number = 26 * number + ord(letter) - ord("A") + 1
    if number > MOST_COLUMNS:
        raise ValueError(f"{place} lies beyond the last column")
    return number - 1


def _value(cell: ElementTree.Element, texts: Sequence[str]) -> str:
    """The text of a cell: one of the shared texts, one of its own, or a number; whole numbers without a fraction."""
    if cell.get("t") == "inlineStr":
        return _text(cell)
    value = cell.findtext(_tag("v")) or ""
    if cell.get("t") == "s":
        index = int(value)
        if index < 0:
            raise IndexError(f"there is no text {index}")
        return texts[index]
    return value.removesuffix(".0")


def _text(entry: ElementTree.Element) -> str:
    return "".join(_runs(entry))


def _runs(entry: ElementTree.Element) -> Iterator[str]:
    """The runs of a text that is formatted differently in parts; readings of Japanese words (rPh) are no part of it."""
    for child in entry:
        if child.tag == _tag("t"):
            yield child.text or ""
        elif child.tag in (_tag("r"), _tag("is")):
            yield from _runs(child)


def _tag(name: str) -> str:
    return f"{{{_MAIN}}}{name}"


def _row(cells: Sequence[str | int]) -> str:
    return f"<row>{''.join(map(_cell, cells))}</row>"


def _cell(value: str | int) -> str:
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'


_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TYPES = (
    f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/{_SHEET}" ContentType="{_KIND}.worksheet+xml"/></Types>'
)
_BOOK = (
    f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
)


def _relations(kind: str, target: str) -> str:
    relation = f'<Relationship Id="rId1" Type="{_OFFICE}/{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{relation}</Relationships>'
