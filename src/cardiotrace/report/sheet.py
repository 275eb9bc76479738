"""Every slice of a stack on one image, from base to apex, cropped to the heart."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality
from cardiotrace.report.colour import STRUCTURE_COLOURS
from cardiotrace.report.overlay import OverlayStyle, display_grey, draw_overlay

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

_MARGIN_MM, _MARGIN = 12.0, 0.12
"""Around the labelled heart: at least the first, and the second as a share of its size."""
_LEAST_MM = 70.0
"""A box is at least as large, so that a few stray pixels do not fill the image."""
_MOST_COLUMNS, _MOST_SLICES = 7, 42
_WIDTH, _HEIGHT = 1600, 2000
"""Of a sheet, pixels, at most."""
_BAR = 46
"""Height of the line of text above the slices, pixels."""
_GAP = 4


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int


def heart_box(labels: Iterable[LabelMap]) -> Box | None:
    """A square around everything that is labelled in any frame and slice of several maps on grids of one shape.

    Args:
        labels: those of all images that are to show the same part.

    Returns:
        The box with a margin of 12 mm or more, within the image; None where nothing is labelled, or the grids differ.
    """
    maps = list(labels)
    shapes = {(item.array.shape[2:], item.spacing_mm and item.spacing_mm[1:]) for item in maps}
    if len(shapes) != 1:
        return None
    held = np.any([item.array.any(axis=(0, 1)) for item in maps], axis=0)
    if not held.any():
        return None
    row_mm, column_mm = maps[0].geometry.pixel_mm
    rows, columns = np.flatnonzero(held.any(axis=1)), np.flatnonzero(held.any(axis=0))
    size_mm = float(max((np.ptp(rows) + 1) * row_mm, (np.ptp(columns) + 1) * column_mm))
    margin_mm = max(_MARGIN_MM, _MARGIN * size_mm) if maps[0].spacing_mm else _MARGIN * size_mm + 4
    side_mm = size_mm + 2 * margin_mm
    if maps[0].spacing_mm:
        side_mm = max(side_mm, _LEAST_MM)
    (top, bottom), (left, right) = (
        _within((int(found[0]) + int(found[-1]) + 1) / 2, side_mm / pixel_mm, length)
        for found, pixel_mm, length in ((rows, row_mm, held.shape[0]), (columns, column_mm, held.shape[1]))
    )
    return Box(top, bottom, left, right)


def box_to_show(cine: Image, labels: Iterable[LabelMap]) -> Box | None:
    """The part of an image that a report shows: of MRI what lies around the heart; None for all of it.

    Args:
        cine: the image; a stack of unknown modality is taken for MRI, whose images show the whole chest.
        labels: see `heart_box`.
    """
    is_chest = cine.modality is Modality.MR or (cine.modality is Modality.UNKNOWN and cine.grid_shape[1] > 1)
    return heart_box(labels) if is_chest else None


def cropped(cine: Image, labels: LabelMap, box: Box | None) -> tuple[Image, LabelMap]:
    """An image and its labels within a box, with the grey values of the whole; as they are without a box."""
    if box is None:
        return cine, labels
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    geometry = cine.geometry.moved((0, box.top, box.left))
    grey = display_grey(cine)[:, :, rows, columns]
    return (
        replace(cine, frames=grey, geometry=geometry, source=None),
        replace(labels, array=labels.array[:, :, rows, columns], geometry=geometry, source=None),
    )


def base_to_apex(labels: Sequence[LabelMap]) -> list[int]:
    """Slices of a stack from the base to the apex: the heart is larger towards its base.

    Args:
        labels: of one stack in one or several frames or maps, all of one shape.

    Example:
        >>> from cardiotrace.core.geometry import NO_GEOMETRY
        >>> from cardiotrace.core.label import ACDC
        >>> array = np.zeros((1, 3, 4, 4), np.uint8)
        >>> array[0, 1, 0, 0], array[0, 2] = 3, 3
        >>> base_to_apex([LabelMap(array, ACDC, NO_GEOMETRY)])
        [2, 1, 0]
    """
    sizes = np.sum([np.count_nonzero(item.array, axis=(0, 2, 3)) for item in labels], axis=0)
    shown = np.flatnonzero(sizes)
    order = list(range(len(sizes)))
    if len(shown) < 2:
        return order
    centre = float(np.average(shown, weights=sizes[shown]))
    return order[::-1] if centre > (shown[0] + shown[-1]) / 2 else order


def draw_sheet(
    cine: Image,
    labels: LabelMap,
    frame: int,
    *,
    caption: str = "",
    box: Box | None = None,
    order: Sequence[int] = (),
    width: int = _WIDTH,
) -> "PilImage":
    """Draw all slices of one frame side by side with their outlines, under a line that tells what they are.

    Args:
        cine: a stack.
        labels: labels on its grid.
        frame: which frame, from 0.
        caption: words for the line above.
        box: what to show of each slice; None shows all of it.
        order: the slices in the order to show them; the file's by default. Of more than 42 every second, third, ...
        width: of the image, at most, pixels.

    Returns:
        An RGB image (of Pillow).
    """
    from PIL import Image as Images

    slices = list(order) or list(range(cine.grid_shape[1]))
    step = math.ceil(len(slices) / _MOST_SLICES)
    slices = slices[::step]
    rows = max(math.ceil(len(slices) / _MOST_COLUMNS), round(len(slices) / 5.5), 1)
    columns = math.ceil(len(slices) / rows)
    side = min(420, (width + _GAP) // columns - _GAP, (_HEIGHT - _BAR) // rows - _GAP)
    shown = replace(cine, frames=display_grey(cine)[frame : frame + 1], times_ms=None)
    held = replace(labels, array=labels.array[frame : frame + 1])
    small, marked = cropped(shown, held, box)
    tiles = [_tile(small, marked, depth, side, has_scale=depth == slices[-1]) for depth in slices]
    wide, high = max(tile.width for tile in tiles), max(tile.height for tile in tiles)
    sheet = Images.new("RGB", (columns * (wide + _GAP) - _GAP, _BAR + rows * (high + _GAP)))
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        sheet.paste(tile, (column * (wide + _GAP), _BAR + row * (high + _GAP)))
    skipped = "" if step == 1 else f", one slice in {step}"
    words = f"{caption}, slices from base to apex{skipped}" if order else f"{caption}{skipped}"
    _head(sheet, words.strip(", "), labels)
    return sheet


def _within(centre: float, length: float, end: int) -> tuple[int, int]:
    """An interval of a length about a centre, moved into 0..end, and cut where it is longer."""
    first = min(max(round(centre - length / 2), 0), max(end - math.ceil(length), 0))
    return first, min(first + math.ceil(length), end)


def _tile(cine: Image, labels: LabelMap, depth: int, side: int, *, has_scale: bool) -> "PilImage":
    style = OverlayStyle(width=side, height=side, line=1.6, has_legend=False, has_scale=has_scale, text=20)
    return draw_overlay(cine, labels, 0, caption=f"{depth}", depth=depth, style=style)


def _head(sheet: "PilImage", words: str, labels: LabelMap) -> None:
    """The line above: what is shown on the left, whose colours on the right."""
    from PIL import ImageDraw, ImageFont

    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(25 if sheet.width > 900 else 18)
    pen.text((10, _BAR / 2), words, font=font, fill=(255, 255, 255), anchor="lm")
    right = sheet.width - 10.0
    for structure in reversed([item for item in labels.scheme.structures if labels.mask(item).any()]):
        pen.text((right, _BAR / 2), structure.value, font=font, fill=(255, 255, 255), anchor="rm")
        right -= pen.textlength(structure.value, font=font) + 8
        pen.line((right - 26, _BAR / 2, right, _BAR / 2), fill=STRUCTURE_COLOURS[structure], width=5)
        right -= 26 + 22
