"""Every slice of a stack on one image, from base to apex, cropped to the heart."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cardiotrace.clinical.base import base_of
from cardiotrace.core.label import LabelMap
from cardiotrace.report.colour import STRUCTURE_COLOURS
from cardiotrace.report.drawing import font_for
from cardiotrace.report.framing import Box, LabelledFrame, display_grey
from cardiotrace.report.overlay import OverlayStyle, draw_overlay
from cardiotrace.report.words import ENGLISH, Words

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

_MOST_COLUMNS, _MOST_SLICES = 7, 42
_WIDTH, _HEIGHT = 1600, 2000
"""Of a sheet, pixels, at most."""
_BAR = 46
"""Height of the line of text above the slices, pixels."""
_GAP = 4


def base_to_apex(labels: Sequence[LabelMap]) -> list[int]:
    """Slices of a stack from the base to the apex, by the rule of `base_is_first`.

    Args:
        labels: of one stack in one or several frames or maps, all of one shape.

    Example:
        >>> import numpy as np
        >>> from cardiotrace.core.geometry import NO_GEOMETRY
        >>> from cardiotrace.core.label import ACDC
        >>> array = np.zeros((1, 3, 4, 4), np.uint8)
        >>> array[0, 1, 0, 0], array[0, 2] = 3, 3
        >>> base_to_apex([LabelMap(array, ACDC, NO_GEOMETRY)])
        [2, 1, 0]
    """
    order = list(range(labels[0].array.shape[1]))
    return order if base_of(labels) else order[::-1]


def draw_sheet(
    shown: LabelledFrame,
    *,
    caption: str = "",
    box: Box | None = None,
    order: Sequence[int] = (),
    width: int = _WIDTH,
    words: Words = ENGLISH,
) -> "PilImage":
    """Draw all slices of one frame side by side with their outlines, under a line that tells what they are.

    Args:
        shown: a stack with its labels, and the frame.
        caption: words for the line above.
        box: what to show of each slice; None shows all of it.
        order: the slices in the order to show them; the file's by default. Of more than 42 every second, third, ...
        width: of the image, at most, pixels.
        words: the language.

    Returns:
        An RGB image (of Pillow).
    """
    slices = list(order) or list(range(shown.image.grid_shape[1]))
    step = math.ceil(len(slices) / _MOST_SLICES)
    slices = slices[::step]
    rows = max(math.ceil(len(slices) / _MOST_COLUMNS), round(len(slices) / 5.5), 1)
    columns = math.ceil(len(slices) / rows)
    side = min(420, (width + _GAP) // columns - _GAP, (_HEIGHT - _BAR) // rows - _GAP)
    small = _alone(shown).cropped(box)
    sheet = _tiled([_tile(small, depth, side, has_scale=depth == slices[-1]) for depth in slices], columns)
    told = [caption] + [words("figure.slices")] * bool(order) + [words("figure.one_in", step=step)] * (step > 1)
    _head(
        sheet,
        ", ".join(filter(None, told)),
        replace(shown.labels, array=shown.labels.array[shown.frame : shown.frame + 1]),
        words,
    )
    return sheet


def put_together(parts: Sequence["PilImage"], *, title: str, columns: int) -> "PilImage":
    """Images in rows under a title.

    Args:
        parts: the images, row by row.
        title: one line above all of them.
        columns: how many stand side by side.
    """
    whole = _tiled(parts, columns)
    _head(whole, title)
    return whole


def _alone(shown: LabelledFrame) -> LabelledFrame:
    """The frame without the others, with grey values of the whole: they would be found anew for each slice."""
    here = slice(shown.frame, shown.frame + 1)
    cine = replace(shown.image, frames=display_grey(shown.image)[here], times_ms=None)
    labels = replace(shown.labels, array=shown.labels.array[here])
    former = None if shown.former is None else replace(shown.former, array=shown.former.array[here])
    return replace(shown, image=cine, labels=labels, former=former, frame=0)


def _tiled(tiles: Sequence["PilImage"], columns: int) -> "PilImage":
    """Images row by row below an empty line."""
    from PIL import Image as Images

    rows = math.ceil(len(tiles) / columns)
    wide, high = max(tile.width for tile in tiles), max(tile.height for tile in tiles)
    sheet = Images.new("RGB", (columns * (wide + _GAP) - _GAP, _BAR + rows * (high + _GAP)))
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        sheet.paste(tile, (column * (wide + _GAP), _BAR + row * (high + _GAP)))
    return sheet


def _tile(stack: LabelledFrame, depth: int, side: int, *, has_scale: bool) -> "PilImage":
    text = min(20, max(9, side // 11))
    style = OverlayStyle(width=side, height=side, line=1.6, has_legend=False, has_scale=has_scale, text=text)
    return draw_overlay(replace(stack, depth=depth), caption=f"{depth}", style=style)


def _head(sheet: "PilImage", told: str, labels: LabelMap | None = None, words: Words = ENGLISH) -> None:
    """The line above: what is shown on the left, whose colours on the right."""
    from PIL import ImageDraw

    pen, size = ImageDraw.Draw(sheet), 25 if sheet.width > 900 else 18
    font = font_for(told, size)
    pen.text((10, _BAR / 2), told, font=font, fill=(255, 255, 255), anchor="lm")
    if labels is None:
        return
    right = sheet.width - 10.0
    for structure in reversed([item for item in labels.scheme.structures if labels.mask(item).any()]):
        name = words(f"structure.{structure}")
        pen.text((right, _BAR / 2), name, font=font, fill=(255, 255, 255), anchor="rm")
        right -= pen.textlength(name, font=font) + 8
        pen.line((right - 26, _BAR / 2, right, _BAR / 2), fill=STRUCTURE_COLOURS[structure], width=5)
        right -= 26 + 22
