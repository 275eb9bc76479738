"""Simple drawings of lines, areas and words, as SVG for pages and as a picture for what shows no SVG.

A page draws its few lines itself: a plotting library takes longer to load than to measure a film.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage
    from PIL.ImageDraw import ImageDraw as Pen
    from PIL.ImageFont import FreeTypeFont, ImageFont

Point = tuple[float, float]
"""(x, y) from the upper left corner; y grows downwards."""
Anchor = Literal["start", "middle", "end"]
_FINE = 2
"""A picture is drawn so many times larger, then reduced."""
_PILLOW_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
_FONTS = "'Segoe UI','Helvetica Neue',Arial,'Liberation Sans','DejaVu Sans',sans-serif"


@dataclass(frozen=True)
class Stroke:
    """An open line through some points."""

    points: Sequence[Point]
    colour: str
    width: float = 1.0
    dash: float = 0.0
    """Length of dashes and gaps; 0 for none."""


@dataclass(frozen=True)
class Area:
    """A filled outline."""

    points: Sequence[Point]
    fill: str
    edge: str = ""


@dataclass(frozen=True)
class Lettering:
    """A line of words whose baseline begins, or is centred, or ends at a point."""

    at: Point
    text: str
    size: float
    colour: str
    anchor: Anchor = "start"
    is_bold: bool = False


@dataclass
class Drawing:
    """Parts on a white ground, those that are added later on top."""

    width: int
    height: int
    parts: list[Stroke | Area | Lettering] = field(default_factory=list)

    def add(self, *parts: Stroke | Area | Lettering) -> None:
        """Put parts on top."""
        self.parts.extend(parts)

    def svg(self) -> bytes:
        """The drawing as an SVG file.

        Example:
            >>> drawing = Drawing(20, 10)
            >>> drawing.add(Stroke([(0, 0), (20, 10)], "#000"))
            >>> b"<path d='M0,0 20,10'" in drawing.svg()
            True
        """
        head = (
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {self.width} {self.height}' width='{self.width}' "
            f"height='{self.height}' font-family=\"{_FONTS}\"><rect width='100%' height='100%' fill='#fff'/>"
        )
        return (head + "".join(map(_svg_part, self.parts)) + "</svg>").encode()

    def picture(self, scale: float = 2.0) -> "PilImage":
        """The drawing as an RGB image (of Pillow), `scale` pixels for each of its units."""
        from PIL import Image, ImageDraw

        size = (round(self.width * scale * _FINE), round(self.height * scale * _FINE))
        image = Image.new("RGB", size, "white")
        pen = ImageDraw.Draw(image)
        for part in self.parts:
            _paint(pen, part, scale * _FINE)
        return image.reduce(_FINE)


def _svg_part(part: Stroke | Area | Lettering) -> str:
    if isinstance(part, Lettering):
        weight = " font-weight='600'" if part.is_bold else ""
        x, y = map(_short, part.at)
        return (
            f"<text x='{x}' y='{y}' font-size='{_short(part.size)}' fill='{part.colour}' "
            f"text-anchor='{part.anchor}'{weight}>{html.escape(part.text)}</text>"
        )
    way = "M" + " ".join(f"{_short(x)},{_short(y)}" for x, y in part.points)
    if isinstance(part, Area):
        edge = f" stroke='{part.edge}'" if part.edge else ""
        return f"<path d='{way}Z' fill='{part.fill}'{edge}/>"
    dash = f" stroke-dasharray='{_short(part.dash)}'" if part.dash else ""
    return (
        f"<path d='{way}' fill='none' stroke='{part.colour}' stroke-width='{_short(part.width)}' "
        f"stroke-linejoin='round'{dash}/>"
    )


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _paint(pen: "Pen", part: Stroke | Area | Lettering, scale: float) -> None:
    from PIL import ImageFont

    if isinstance(part, Lettering):
        font = ImageFont.truetype(font_file(bold=part.is_bold), max(1, round(part.size * scale * 0.92)))
        at = (part.at[0] * scale, part.at[1] * scale)
        pen.text(at, part.text, font=font, fill=part.colour, anchor=_PILLOW_ANCHORS[part.anchor])
        return
    points = [(x * scale, y * scale) for x, y in part.points]
    if isinstance(part, Area):
        pen.polygon(points, fill=part.fill, outline=part.edge or None)
        return
    width = max(1, round(part.width * scale))
    for piece in _dashes(points, part.dash * scale) if part.dash else [points]:
        pen.line(piece, fill=part.colour, width=width, joint="curve")


def _dashes(points: Sequence[Point], length: float) -> list[list[Point]]:
    """The dashes of a line, each within one of its straight pieces."""
    found: list[list[Point]] = []
    for (x0, y0), (x1, y1) in pairwise(points):
        whole = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        for number in range(int(whole / (2 * length)) + 1):
            first, last = (min(1.0, (2 * number + end) * length / whole) if whole else 0.0 for end in (0, 1))
            if last > first:
                found.append([(x0 + share * (x1 - x0), y0 + share * (y1 - y0)) for share in (first, last)])
    return found


@cache
def font_file(*, bold: bool = False) -> str:
    """A font that has letters with accents and all signs of units: it comes with matplotlib, which is not loaded."""
    spec = find_spec("matplotlib")
    folder = Path("" if spec is None or spec.origin is None else spec.origin).parent / "mpl-data/fonts/ttf"
    return str(folder / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"))


def font_for(text: str, size: int) -> "FreeTypeFont | ImageFont":
    """A font for words on a picture: Pillow's own, or where that lacks the letters, one that has them."""
    from PIL import ImageFont

    if text.isascii():
        return ImageFont.load_default(size)
    return ImageFont.truetype(font_file(), max(1, round(size * 0.9)))
