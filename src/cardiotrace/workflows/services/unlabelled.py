"""Images of an exam as it is, before anything is traced in it."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.label import LV_ONLY, LabelMap
from cardiotrace.core.terms import Phase
from cardiotrace.io import write_bytes
from cardiotrace.report.animation import render_animation
from cardiotrace.report.exam_report import safe_name
from cardiotrace.report.framing import LabelledFrame, display_grey
from cardiotrace.report.overlay import draw_overlay
from cardiotrace.report.sheet import draw_sheet

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage


def write_images(exam: Exam, folder: Path) -> tuple[Path, ...]:
    """Write each image at its named instants, at its first frame where none is named; each cine also as a GIF.

    Of stacks every slice is shown, side by side. Without labels nothing tells where the heart is: images are whole.

    Args:
        exam: the exam; its name begins the files' names.
        folder: where they go; it must be there.

    Returns:
        The files.

    Raises:
        WorkError: nothing can be written.
    """
    written = []
    for image in exam.images:
        shown = replace(image, image=replace(image.image, frames=display_grey(image.image)))
        stem = safe_name(image.name if image.name.startswith(exam.name) else f"{exam.name}_{image.name}")
        for ending, content in (*_stills(shown), *_cine(shown, exam.frame_rate_hz)):
            written.append(folder / f"{stem}{ending}")
            write_bytes(written[-1], content)
    return tuple(written)


def _stills(image: ExamImage) -> Iterator[tuple[str, bytes]]:
    """Ending and content of a PNG of each named instant."""
    for phase, frame in (image.phases or {Phase.OTHER: 0}).items():
        words = f"{image.name}, {phase if phase is not Phase.OTHER else f'frame {frame}'}"
        is_named = phase is not Phase.OTHER and not image.name.endswith(f"_{phase}")
        yield (f"_{phase}.png" if is_named else ".png"), _png(_drawn(image, frame, words))


def _drawn(image: ExamImage, frame: int, caption: str) -> "PilImage":
    shown = LabelledFrame(image.image, _no_labels(image), frame)
    return draw_sheet(shown, caption=caption) if image.image.grid_shape[1] > 1 else draw_overlay(shown, caption=caption)


def _cine(image: ExamImage, frame_rate_hz: float | None) -> Iterator[tuple[str, bytes]]:
    """Ending and content of a GIF of a moving image."""
    time, depth = image.image.grid_shape[:2]
    if time > 1:
        labels = _no_labels(image)
        yield ".gif", render_animation(image, labels, frame_rate_hz=frame_rate_hz, is_mosaic=depth > 1).content


def _no_labels(image: ExamImage) -> LabelMap:
    return LabelMap(np.zeros(image.image.grid_shape, np.uint8), LV_ONLY, image.image.geometry)


def _png(image: "PilImage") -> bytes:
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()
