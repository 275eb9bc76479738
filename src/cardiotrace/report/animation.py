"""A cine with its outlines as a GIF that plays anywhere."""

from pathlib import Path

import numpy as np

from cardiotrace.clinical.curve import frame_times_ms
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.io import atomic_write
from cardiotrace.report.overlay import OverlayStyle, draw_overlay

_MOST_FRAMES = 48
_PIXELS = 3_400_000  # of all frames together; speckle takes about 0.7 byte a pixel
_SHORTEST_MS = 40.0
_COLOURS = 96


def write_animation(
    image: ExamImage, labels: LabelMap, path: Path, *, frame_rate_hz: float | None = None
) -> float | None:
    """Write a GIF of a cine with its outlines; planar images, or the middle slice of a stack.

    At most 48 frames and about 3 MB: long or large cines are thinned and reduced. Frames are shown for at least
    40 ms, so a fast cine plays slower than the heart beat.

    Args:
        image: a moving image.
        labels: labels on its grid.
        path: the GIF to be.
        frame_rate_hz: gives the times where the image has none of its own.

    Returns:
        How many times slower than real it plays, 1 for real time; None where the times are unknown.
    """
    count = image.cine.grid_shape[0]
    frames = np.unique(np.linspace(0, count - 1, min(count, _MOST_FRAMES)).round().astype(int))
    times_ms = frame_times_ms(image, frame_rate_hz)
    true_ms = None
    if times_ms is not None and count > 1:
        true_ms = (times_ms[-1] - times_ms[0]) / (count - 1) * (count / len(frames))
    shown_ms = max(_SHORTEST_MS, true_ms or 60.0)
    side = max(96, int((_PIXELS / len(frames)) ** 0.5))
    style = OverlayStyle(width=min(460, round(side * 1.25)), height=min(400, side), line=1.3)
    depth = _middle_slice(labels)
    pictures = [
        draw_overlay(image.cine, labels, int(frame), depth=depth, caption=f"frame {frame}", style=style)
        for frame in frames
    ]
    # One palette for all frames: a palette of its own for each makes the grey flicker.
    palette = pictures[len(pictures) // 2].quantize(_COLOURS)
    indexed = [picture.quantize(palette=palette, dither=0) for picture in pictures]

    def save(file: Path) -> None:
        indexed[0].save(
            file, format="GIF", save_all=True, append_images=indexed[1:], duration=round(shown_ms, -1), loop=0
        )

    atomic_write(path, save)
    return shown_ms / true_ms if true_ms else None


def _middle_slice(labels: LabelMap) -> int:
    """The middle one of the slices that show a left ventricle, or anything where there is none."""
    has_ventricle = Structure.LV in labels.scheme.values
    mask = labels.mask(Structure.LV) if has_ventricle else labels.array > 0
    shown = np.flatnonzero(mask.any(axis=(0, 2, 3)))
    return int(shown[len(shown) // 2]) if len(shown) else labels.array.shape[1] // 2
