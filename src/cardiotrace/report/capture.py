"""The report as pages of pictures, for archives that show nothing else: values and flags, then the figures.

No name is drawn, not even that of the exam, which may be a person's: what the pages belong to says the object that
holds them.
"""

import datetime
import io
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from cardiotrace import __version__
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.report.drawing import Drawing, font_file
from cardiotrace.report.words import ENGLISH, sign_of

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

_WIDTH, _HEIGHT = 1240, 1754
"""Of a page, pixels: A4 at 150 dots per inch."""
_MARGIN = 70
_INK, _PALE, _ALARM = (32, 42, 54), (108, 120, 134), (176, 32, 32)
_COLUMNS = (0, 470, 640, 800)
"""Where name, value, unit and method begin, from the margin, pixels."""
_LETTERS = 100
"""In a line of a flag."""
_HIGHEST = 1100
"""Of a figure, pixels, so that two small ones share a page and a large one has its own."""


@dataclass
class _Book:
    """Pages that fill from the top."""

    pages: list["PilImage"] = field(default_factory=list)
    top: int = _HEIGHT

    def room(self, height: int) -> int:
        """Where the next piece begins: on a new page where this one has too little left."""
        from PIL import Image as Images

        if self.top + height > _HEIGHT - _MARGIN:
            self.pages.append(Images.new("RGB", (_WIDTH, _HEIGHT), "white"))
            self.top = _MARGIN
        top, self.top = self.top, self.top + height
        return top

    def write(self, cells: Iterable[tuple[int, str]], *, size: int = 21, colour: tuple[int, int, int] = _INK) -> None:
        """One line, its cells at their distances from the margin."""
        from PIL import ImageDraw, ImageFont

        top = self.room(size + 13)
        pen, font = ImageDraw.Draw(self.pages[-1]), ImageFont.truetype(font_file(), size)
        for left, words in cells:
            pen.text((_MARGIN + left, top), words, font=font, fill=colour)

    def place(self, picture: "PilImage") -> None:
        """A picture across the page, no larger than it is."""
        share = min((_WIDTH - 2 * _MARGIN) / picture.width, _HIGHEST / picture.height, 1.0)
        small = picture.resize((round(picture.width * share), round(picture.height * share)))
        top = self.room(small.height + 24)
        self.pages[-1].paste(small, ((_WIDTH - small.width) // 2, top))


def draw_pages(
    measures: Measures,
    figures: Mapping[str, bytes],
    drawings: Iterable[Drawing] = (),
    *,
    date: datetime.date,
    model: str = "",
) -> UInt8[np.ndarray, "pages height width 3"]:
    """Draw the pages of a report.

    Args:
        measures: what was measured.
        figures: contents of image files by name; PNG ones are shown, moving and little ones are not.
        drawings: curves and the like, which stand below the figures.
        date: of the report.
        model: name of what traced; empty where a person drew the outlines.
    """
    book = _Book()
    book.write([(0, "Outlines and measures of the heart")], size=38)
    traced = f"traced by {model}" if model else "outlines given, not made by a model"
    book.write([(0, f"CardioTrace {__version__}, {date.isoformat()}, {traced}")], colour=_PALE)
    book.write([(0, "Made by a program: not verified by a physician.")], colour=_PALE)
    book.write([])
    for quantity in measures.quantities:
        book.write(_cells(quantity), colour=_INK if quantity.is_usable else _ALARM)
    if not measures.quantities:
        book.write([(0, "Nothing was measured.")])
    book.write([])
    for flag_line, colour in _flag_lines(measures.flags):
        book.write([(0, flag_line)], size=19, colour=colour)
    book.write([])
    for picture in (*_pictures(figures), *(drawing.picture() for drawing in drawings)):
        book.place(picture)
    return np.stack([np.asarray(page) for page in book.pages])


def _cells(quantity: Quantity) -> list[tuple[int, str]]:
    """Name, value, unit and how it was found; words in place of a number that is not usable."""
    words, unit, name = ENGLISH, quantity.unit, quantity.name
    value = words.value(quantity.value, unit, name) if quantity.is_usable else words("page.not_usable")
    if quantity.is_usable and quantity.interval is not None:
        value += f" ({words.interval(*quantity.interval, unit, name)})"
    method = ", ".join(word for word in (words.method(quantity.method), words.view(quantity.view)) if word)
    sign = sign_of(unit) if quantity.is_usable else ""
    return list(zip(_COLUMNS, (words.term(name), value, sign, method), strict=True))


def _flag_lines(flags: Iterable[Flag]) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Flags by grade, the gravest first, in lines that fit the page."""
    told = list(dict.fromkeys((flag.grade, flag.text) for flag in flags))
    for grade in Grade:
        for text in (text for found, text in told if found is grade):
            for line in textwrap.wrap(f"{grade.value}: {text}", _LETTERS, subsequent_indent="    "):
                yield line, _ALARM if grade is Grade.NOT_USABLE else _INK


def _pictures(figures: Mapping[str, bytes]) -> Iterator["PilImage"]:
    from PIL import Image as Images

    for name, content in figures.items():
        if name.endswith(".png"):
            with Images.open(io.BytesIO(content)) as opened:
                yield opened.convert("RGB")
