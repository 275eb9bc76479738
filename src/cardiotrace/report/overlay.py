"""One frame with the outlines of its structures, drawn smooth and to scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Shaped

from cardiotrace.clinical.long_axis_trace import LongAxisTrace
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.contour import contours
from cardiotrace.report.colour import STRUCTURE_COLOURS, Colour
from cardiotrace.report.drawing import font_for
from cardiotrace.report.framing import LabelledFrame, display_grey
from cardiotrace.report.words import ENGLISH, Words

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage
    from PIL.ImageDraw import ImageDraw as Pen

_FINE = 3  # drawn this many times larger, then reduced: smooth lines without a plotting library
_DRAW_ORDER = (Structure.VESSEL, Structure.RA, Structure.LA, Structure.RV, Structure.MYO, Structure.LV)
_DASH = 3
"""Length of a dash, in widths of the line."""
_LIGHT: Colour = (255, 255, 255)
ERROR_COLOUR: Colour = (255, 60, 40)
"""Of what is probably wrong."""
_DENSEST = 0.85
"""Opacity of what is wrong beyond doubt: the image still shows."""


@dataclass(frozen=True)
class OverlayStyle:
    """What is drawn, and how large."""

    width: int = 900
    """The image is at most this wide, pixels."""
    height: int = 720
    """The image is at most this high, pixels."""
    line: float = 2.2
    """Width of the outlines, pixels."""
    fill: float = 0.10
    """Opacity of the structures' inside."""
    has_legend: bool = True
    has_scale: bool = True
    text: int | None = None
    """Height of letters, pixels; None takes a 34th of the image's height."""
    words: Words = ENGLISH
    """The language."""


@dataclass(frozen=True)
class _Canvas:
    """Where millimetres lie on the image."""

    size: tuple[int, int]
    """(width, height), pixels."""
    scale: float
    """Pixels per mm (per pixel of the image's height where there is no spacing)."""
    spacing_mm: tuple[float, float]
    corner_mm: tuple[float, float] = (0.0, 0.0)
    """(row, column) of the image's corner in the millimetres of the traces, where only a part is shown."""

    def spots(self, points_mm: Shaped[np.ndarray, "n 2"]) -> Shaped[np.ndarray, "n 2"]:
        """(row, column) in mm as (x, y) in pixels of the image."""
        middle = points_mm - np.asarray(self.corner_mm) + np.asarray(self.spacing_mm) / 2
        return np.asarray(middle[:, ::-1] * self.scale)

    def points(
        self, points_mm: Shaped[np.ndarray, "n 2"], *, corner: tuple[int, int] = (0, 0), factor: int = _FINE
    ) -> list[tuple[float, float]]:
        """(row, column) in mm as (x, y) from a `corner` of the image, `factor` times as fine."""
        return [(x, y) for x, y in ((self.spots(points_mm) - corner) * factor).tolist()]

    def line(self, points_mm: Shaped[np.ndarray, "n 2"], corner: tuple[int, int]) -> list[float]:
        """The same as x, y, x, y, ..., which a pen takes as well, and which is sooner made of a long line."""
        flat: list[float] = ((self.spots(points_mm) - corner) * _FINE).ravel().tolist()
        return flat


def draw_overlay(
    shown: LabelledFrame,
    *,
    trace: LongAxisTrace | None = None,
    caption: str = "",
    style: OverlayStyle | None = None,
) -> "PilImage":
    """Draw one slice of one frame with its outlines; pixels become square millimetres.

    Args:
        shown: image, labels, frame and slice.
        trace: what was measured there, to draw long axis and disks as they were measured; None draws neither.
        caption: words for the upper left corner, such as "A4C end-diastole".
        style: sizes and what to leave out.

    Returns:
        An RGB image (of Pillow).
    """
    from PIL import Image

    style = style or OverlayStyle()
    canvas = _canvas(shown.image, style)
    grey = display_grey(shown.image)[shown.frame, shown.depth]
    image = Image.fromarray(grey).resize(canvas.size, Image.Resampling.BICUBIC).convert("RGB")
    if shown.error is not None:
        _draw_error(image, shown.error)
    masks = _masks(shown)
    if shown.former is not None:
        _draw_former(image, canvas, masks, _masks(replace(shown, labels=shown.former)), style)
    _draw_structures(image, canvas, masks, style)
    if trace is not None:
        _draw_axis(image, replace(canvas, corner_mm=shown.corner_mm), trace)
    lettering = _Lettering(canvas, style.text or max(11, round(canvas.size[1] / 34)))
    lettering.caption(image, caption)
    if style.has_legend:
        lettering.legend(image, [item for item, mask in masks.items() if mask.any()], style.words)
    if style.has_scale and shown.image.spacing_mm is not None:
        lettering.scale(image)
    return image


def _draw_error(image: "PilImage", error: Float[np.ndarray, "height width"]) -> None:
    """Lay a colour over the image, the denser the more probable an error is, in place."""
    from PIL import Image

    density = Image.fromarray(np.rint(255 * _DENSEST * np.clip(error, 0, 1)).astype(np.uint8))
    image.paste(ERROR_COLOUR, (0, 0, *image.size), density.resize(image.size, Image.Resampling.BILINEAR))


def _draw_structures(
    image: "PilImage", canvas: _Canvas, masks: dict[Structure, Bool[np.ndarray, "height width"]], style: OverlayStyle
) -> None:
    """The outlines of all structures; where two share a border, the more important one lies on top."""
    for structure in _DRAW_ORDER:
        if structure in masks:
            rings = [ring[:-1] * np.asarray(canvas.spacing_mm) for ring in contours(masks[structure])]
            _draw_rings(image, canvas, rings, STRUCTURE_COLOURS[structure], style)


def _draw_former(
    image: "PilImage",
    canvas: _Canvas,
    masks: dict[Structure, Bool[np.ndarray, "height width"]],
    former: dict[Structure, Bool[np.ndarray, "height width"]],
    style: OverlayStyle,
) -> None:
    """Dashed outlines of what a person corrected, as it was before."""
    for structure, mask in former.items():
        if structure not in masks or np.array_equal(mask, masks[structure]):
            continue
        for ring in contours(mask):
            points = _smooth(ring[:-1] * np.asarray(canvas.spacing_mm), 1.5 / canvas.scale)
            box, fine, pen = _layer(canvas, points)
            _dash(pen, canvas.points(points, corner=box[:2]), width=style.line * _FINE)
            image.paste(STRUCTURE_COLOURS[structure], box, fine.reduce(_FINE))


def _dash(pen: "Pen", points: list[tuple[float, float]], *, width: float) -> None:
    """Draw every other stretch of a closed line."""
    dash, travelled = _DASH * width, 0.0
    for start, stop in pairwise([*points, points[0]]):
        if int(travelled / dash) % 2 == 0:
            pen.line((start, stop), fill=255, width=max(1, round(width)))
        travelled += math.dist(start, stop)


def _masks(shown: LabelledFrame) -> dict[Structure, Bool[np.ndarray, "height width"]]:
    """The mask of each structure of the scheme on the slice that is drawn."""
    plane, scheme = shown.labels.array[shown.frame, shown.depth], shown.labels.scheme
    return {structure: plane == scheme.value(structure) for structure in scheme.structures}


def _canvas(cine: Image, style: OverlayStyle) -> _Canvas:
    _, _, rows, columns = cine.grid_shape
    spacing_mm = cine.geometry.pixel_mm
    height_mm, width_mm = rows * spacing_mm[0], columns * spacing_mm[1]
    scale = min(style.width / width_mm, style.height / height_mm)
    size = (max(16, round(width_mm * scale)), max(16, round(height_mm * scale)))
    return _Canvas(size, scale, spacing_mm)


def _draw_rings(
    image: "PilImage",
    canvas: _Canvas,
    rings: list[Shaped[np.ndarray, "_ 2"]],
    colour: Colour,
    style: OverlayStyle,
) -> None:
    """Paste a faint fill and smooth outlines of one structure."""
    if not rings:
        return
    box, fine, pen = _layer(canvas, np.concatenate(rings))
    shifted = [canvas.line(_smooth(ring, 1.5 / canvas.scale), box[:2]) for ring in rings]
    # A dark seam first, so that a light line also shows on a bright wall.
    _trace(pen, shifted, width=(style.line + 2) * _FINE, strength=110)
    image.paste((0, 0, 0), box, fine.reduce(_FINE))
    pen.rectangle((0, 0, *fine.size), fill=0)
    for points in shifted:
        pen.polygon(points, fill=round(255 * style.fill))
    _trace(pen, shifted, width=style.line * _FINE, strength=255)
    image.paste(colour, box, fine.reduce(_FINE))


def _trace(pen: "Pen", rings: list[list[float]], *, width: float, strength: int) -> None:
    """Draw closed lines."""
    for points in rings:
        pen.line([*points, *points[:4]], fill=strength, width=max(1, round(width)))


def _smooth(ring: Shaped[np.ndarray, "n 2"], step: float) -> Shaped[np.ndarray, "m 2"]:
    """Even out the stairs of pixels by less than half a pixel, and thin out points that lie closer than `step`.

    Only what is drawn is smoothed, never what is measured.
    """
    if len(ring) < 12:
        return ring
    every = max(1, min(int(step / np.linalg.norm(np.diff(ring, axis=0), axis=1).mean()), len(ring) // 12))
    weights = np.array([1, 2, 3, 2, 1]) / 9
    closed = np.concatenate([ring[-2:], ring, ring[:2]])
    shifted = (closed[place : place + len(ring)] for place in range(4, -1, -1))
    even = sum(weight * each for weight, each in zip(weights, shifted, strict=True))
    return np.asarray(even)[::every]


def _layer(
    canvas: _Canvas, points_mm: Shaped[np.ndarray, "n 2"]
) -> tuple[tuple[int, int, int, int], "PilImage", "Pen"]:
    """A fine grey layer around some points: its box on the image, the layer, a pen for it."""
    from PIL import Image, ImageDraw

    spots = canvas.spots(points_mm)
    low = np.maximum(np.floor(spots.min(axis=0)).astype(int) - 8, 0)
    high = np.minimum(np.ceil(spots.max(axis=0)).astype(int) + 9, canvas.size)
    high = np.maximum(high, low + 1)
    box = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    fine = Image.new("L", (int(high[0] - low[0]) * _FINE, int(high[1] - low[1]) * _FINE), 0)
    return box, fine, ImageDraw.Draw(fine)


def _draw_axis(image: "PilImage", canvas: _Canvas, trace: LongAxisTrace) -> None:
    """The long axis with dots on annulus and apex, the disks faintly."""
    axis, disks = trace.axis, trace.disks
    if axis is None or disks is None:
        return
    landmarks = np.vstack([axis.annulus, axis.apex])
    box, fine, pen = _layer(canvas, np.vstack([trace.ring, landmarks]))

    def on_layer(points_mm: Shaped[np.ndarray, "n 2"]) -> list[tuple[float, float]]:
        return canvas.points(points_mm, corner=box[:2])

    for ends in disks.ends:
        pen.line(on_layer(ends), fill=70, width=_FINE)
    pen.line(on_layer(np.vstack([axis.base, axis.apex])), fill=190, width=_FINE)
    pen.line(on_layer(axis.annulus), fill=190, width=_FINE)
    radius = 3.0 * _FINE
    for x, y in on_layer(landmarks):
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    image.paste(_LIGHT, box, fine.reduce(_FINE))


@dataclass(frozen=True)
class _Lettering:
    """Caption, legend and scale in the corners of an image."""

    canvas: _Canvas
    unit: int
    """Height of letters, pixels; all distances follow from it."""

    def caption(self, image: "PilImage", text: str) -> None:
        """Words in the upper left corner."""
        margin = self.unit * 0.8
        if text:
            self._write(image, (margin, margin), text, size=round(self.unit * 1.25))

    def legend(self, image: "PilImage", structures: Sequence[Structure], words: Words) -> None:
        """Colours and names in the lower left corner, a line each."""
        from PIL import ImageDraw

        pen, unit = ImageDraw.Draw(image), self.unit
        margin = unit * 0.8
        for place, structure in enumerate(structures):
            y = self.canvas.size[1] - margin - unit * 1.35 * (len(structures) - place)
            stroke = (margin, y + unit * 0.6, margin + unit * 1.3, y + unit * 0.6)
            pen.line(stroke, fill=STRUCTURE_COLOURS[structure], width=max(2, unit // 5))
            self._write(image, (margin + unit * 1.7, y), words(f"structure.{structure}"), size=unit)

    def scale(self, image: "PilImage") -> None:
        """A bar of whole centimetres in the lower right corner, a tick at each."""
        from PIL import ImageDraw

        pen, unit = ImageDraw.Draw(image), self.unit
        width, height = self.canvas.size
        # A quarter of the image's width at most.
        centimetres = max(1, min(5, int(width / self.canvas.scale / 10 / 4)))
        margin, step = unit * 0.9, 10 * self.canvas.scale
        right, bottom = width - margin, height - margin
        left = right - centimetres * step
        # Dark first and wider, so that the light bar shows on bright tissue too.
        for edge, colour in ((4, (0, 0, 0)), (2, _LIGHT)):
            pen.line((left, bottom, right, bottom), fill=colour, width=edge)
            for tick in range(centimetres + 1):
                x = left + tick * step
                pen.line((x, bottom - unit * 0.4, x, bottom), fill=colour, width=edge)
        self._write(image, ((left + right) / 2, bottom - unit * 1.7), f"{centimetres} cm", size=unit, is_centred=True)

    def _write(
        self, image: "PilImage", at: tuple[float, float], text: str, *, size: int, is_centred: bool = False
    ) -> None:
        """Light letters with a dark seam, to the right of a place or about it."""
        from PIL import ImageDraw

        pen, font = ImageDraw.Draw(image), font_for(text, size)
        x = at[0] - pen.textlength(text, font=font) / 2 if is_centred else at[0]
        pen.text((x, at[1]), text, font=font, fill=_LIGHT, stroke_width=2, stroke_fill=(0, 0, 0))
