"""A cine with its outlines as a GIF that plays anywhere."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cardiotrace.clinical.curve import frame_times_ms
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.report.colour import STRUCTURE_COLOURS
from cardiotrace.report.framing import LabelledFrame, display_grey
from cardiotrace.report.overlay import OverlayStyle, draw_overlay
from cardiotrace.report.sheet import draw_sheet
from cardiotrace.report.words import ENGLISH, Words

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

_MOST_FRAMES = 48
_PIXELS = 3_400_000  # of all frames together; speckle takes about 0.7 byte a pixel
_SHORTEST_MS, _UNKNOWN_MS = 40.0, 60.0
"""How long a frame is shown: at least, and where the times are unknown."""
_MOSAIC = 2
"""How many times wider all slices together are than one of them alone."""
_GREYS, _TINTS, _EDGES = 56, 20, 6


@dataclass(frozen=True)
class Animation:
    """A GIF, and how its pace compares with the heart's."""

    content: bytes
    """Of the file."""
    slowdown: float | None
    """How many times slower than real it plays, 1 for real time; None where the times are unknown."""


def render_animation(
    image: ExamImage,
    labels: LabelMap,
    *,
    frame_rate_hz: float | None = None,
    share: float = 1.0,
    is_mosaic: bool = False,
    words: Words = ENGLISH,
) -> Animation:
    """A cine with its outlines as a GIF; planar images, or of a stack the middle slice, or all of them side by side.

    At most 48 frames and about 3 MB: long or large cines are thinned and reduced. Frames are shown for at least
    40 ms, so a fast cine plays slower than the heart beat.

    Args:
        image: a moving image.
        labels: labels on its grid.
        frame_rate_hz: gives the times where the image has none of its own.
        share: of the size that it may have, less than 1 where several stand on one page.
        is_mosaic: whether all slices of a stack are shown side by side, in the file's order.
        words: the language.
    """
    from PIL.Image import Dither

    count = image.image.grid_shape[0]
    frames = np.unique(np.linspace(0, count - 1, min(count, _MOST_FRAMES)).round().astype(int)).tolist()
    true_ms = _frame_ms(frame_times_ms(image, frame_rate_hz), len(frames))
    shown_ms = max(_SHORTEST_MS, true_ms or _UNKNOWN_MS)
    side = max(96, int((share * _PIXELS / len(frames)) ** 0.5))
    style = OverlayStyle(
        width=min(460, round(side * 1.25)), height=min(400, side), line=1.6, has_legend=False, words=words
    )
    # Grey values for the screen are found once: of each frame alone they would flicker.
    displayed = replace(image.image, frames=display_grey(image.image))
    shown = LabelledFrame(displayed, labels, depth=_middle_slice(labels))
    # One palette for all frames: a palette of its own for each makes the grey flicker.
    palette = _palette(labels.scheme.structures, style)
    first, *others = (
        _draw(replace(shown, frame=frame), style, is_mosaic=is_mosaic).quantize(palette=palette, dither=Dither.NONE)
        for frame in frames
    )
    stream = io.BytesIO()
    first.save(stream, format="GIF", save_all=True, append_images=others, duration=round(shown_ms, -1), loop=0)
    return Animation(stream.getvalue(), shown_ms / true_ms if true_ms else None)


def _draw(shown: LabelledFrame, style: OverlayStyle, *, is_mosaic: bool) -> "PilImage":
    """One frame: its slice, or all slices in about the same room."""
    caption = style.words("figure.frame", frame=shown.frame)
    if not is_mosaic:
        return draw_overlay(shown, caption=caption, style=style)
    return draw_sheet(shown, caption=caption, width=_MOSAIC * style.width)


def _frame_ms(times_ms: Sequence[float] | None, shown: int) -> float | None:
    """How long each of so many frames stands for, ms; longer than between the cine's own where some are left out."""
    if times_ms is None or len(times_ms) < 2:
        return None
    count = len(times_ms)
    return (times_ms[-1] - times_ms[0]) / (count - 1) * (count / shown)


def _palette(structures: Sequence[Structure], style: OverlayStyle) -> "PilImage":
    """Greys, each structure's colour over them as its fill shows it, and its line between dark and full."""
    from PIL import Image

    colours: list[tuple[int, ...]] = [(grey, grey, grey) for grey in np.linspace(0, 255, _GREYS).astype(int).tolist()]
    for structure in structures[:5]:
        own = np.array(STRUCTURE_COLOURS[structure])
        greys = np.linspace(0, 255, _TINTS)[:, None]
        colours.extend(map(tuple, (greys * (1 - style.fill) + own * style.fill).astype(int).tolist()))
        colours.extend(tuple((own * strength).astype(int).tolist()) for strength in np.linspace(0.4, 1, _EDGES))
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for colour in colours for value in colour])
    return palette


def _middle_slice(labels: LabelMap) -> int:
    """The middle one of the slices that show a left ventricle, or anything where there is none."""
    has_ventricle = Structure.LV in labels.scheme.values
    mask = labels.mask(Structure.LV) if has_ventricle else labels.array > 0
    shown = np.flatnonzero(mask.any(axis=(0, 2, 3)))
    return int(shown[len(shown) // 2]) if len(shown) else labels.array.shape[1] // 2
