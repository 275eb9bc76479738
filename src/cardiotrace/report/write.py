"""The report of one exam: page, values, figures, all in one folder."""

import csv
import io as text_io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cardiotrace.clinical.cycle import Instant
from cardiotrace.clinical.quantity import COLUMNS, Measures
from cardiotrace.core.errors import WorkError
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase
from cardiotrace.io import atomic_write, write_json, write_text
from cardiotrace.report.animation import write_animation
from cardiotrace.report.figure import draw_exam_curve
from cardiotrace.report.overlay import OverlayStyle, display_grey, draw_montage, draw_overlay
from cardiotrace.report.page import Beside, Shown, render_page

PHASE_WORDS = {Phase.ED: "end-diastole", Phase.ES: "end-systole", Phase.OTHER: "frame"}
_MOST_ANIMATIONS = 3
_FRAME_STYLE = OverlayStyle(width=640, height=520)

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


def write_report(
    exam: Exam,
    labels: Mapping[str, LabelMap],
    measures: Measures,
    folder: Path,
    *,
    model: Mapping[str, str] | None = None,
    truth: Mapping[str, float] | None = None,
) -> Path:
    """Write `report.html`, `measures.json`, `measures.csv` and `figures/` of one exam.

    `figures/frames/` holds every frame of the moving images with its outlines, `<image>_000.png` and on. The page
    holds its pictures and needs no other file, script or network. Nothing that identifies the patient is written but
    the exam's name.

    Args:
        exam: the exam; its name heads the page.
        labels: labels by image name.
        measures: what was measured in them.
        folder: where to; made if it is not there.
        model: what made the labels, such as {"name": ..., "licence": ...}; None where a person drew them.
        truth: true values by name and unit, such as {"ejection_fraction_percent": 58.0}.

    Returns:
        Path of the page.

    Raises:
        WorkError: the disk is full, or the folder cannot be written to.
    """
    figures = _made(folder / "figures")
    write_json(folder / "measures.json", measures.to_plain())
    write_text(folder / "measures.csv", measures_csv(measures))
    exam = replace(exam, images=tuple(_as_displayed(image) for image in exam.images))
    shown = [*_stills(exam, labels, measures, figures), *_moving(exam, labels, measures, figures)]
    for image in exam.images:
        if image.name in labels and image.cine.grid_shape[0] > 1:
            write_frames(image, labels[image.name], _made(figures / "frames"))
    page = render_page(exam, measures, shown, Beside(model, truth))
    write_text(folder / "report.html", page)
    return folder / "report.html"


def write_frames(image: ExamImage, labels: LabelMap, folder: Path) -> None:
    """Write every frame of an image with its outlines, as `<image>_000.png` and on; of stacks, three slices each.

    Raises:
        WorkError: the disk is full, or the folder cannot be written to.
    """
    for frame in range(image.cine.grid_shape[0]):
        if image.cine.grid_shape[1] > 1:
            picture = draw_montage(image.cine, labels, frame, caption=f"frame {frame}")
        else:
            picture = draw_overlay(image.cine, labels, frame, caption=f"frame {frame}", style=_FRAME_STYLE)
        _save(picture, folder / f"{_safe(image.name)}_{frame:03d}.png", effort=1)


def measures_csv(measures: Measures) -> str:
    """The quantities as CSV, one row each, with a header."""
    stream = text_io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(measures.rows())
    return stream.getvalue()


def _stills(exam: Exam, labels: Mapping[str, LabelMap], measures: Measures, figures: Path) -> list[Shown]:
    """An overlay of each measured instant; of each image's first frame where nothing was measured."""
    images = {image.name: image for image in exam.images}
    if measures.instants:
        return [_still(images[item.image], labels[item.image], item, figures) for item in measures.instants]
    return [
        _still(
            images[name],
            labels[name],
            Instant(images[name].cine.view, images[name].cine.view_name, Phase.OTHER, name, 0, is_named=False),
            figures,
        )
        for name in labels
        if name in images
    ]


def _still(image: ExamImage, labels: LabelMap, instant: Instant, figures: Path) -> Shown:
    words = f"{instant.view_name} {PHASE_WORDS[instant.phase]}"
    caption = words if instant.view.value != "unknown" else PHASE_WORDS[instant.phase]
    if image.cine.grid_shape[1] > 1:
        picture = draw_montage(image.cine, labels, instant.frame, caption=caption)
    else:
        picture = draw_overlay(image.cine, labels, instant.frame, section=instant.section, caption=caption)
    path = figures / f"{_safe(image.name)}_{instant.phase.value}.png"
    _save(picture, path, effort=6)
    how = "named in the exam" if instant.is_named else "found from the size of the left ventricle"
    note = f"{image.name}, frame {instant.frame}" + ("" if instant.phase is Phase.OTHER else f", {how}")
    return Shown("still", path, caption, note)


def _moving(exam: Exam, labels: Mapping[str, LabelMap], measures: Measures, figures: Path) -> list[Shown]:
    """Animations and curves of the moving images, those that were measured first."""
    measured = {instant.image for instant in measures.instants}
    moving = [image for image in exam.images if image.name in labels and image.cine.grid_shape[0] > 1]
    moving.sort(key=lambda image: image.name not in measured)
    shown = []
    moving = moving[:_MOST_ANIMATIONS]
    for image in moving:
        path = figures / f"{_safe(image.name)}.gif"
        slower = write_animation(
            image, labels[image.name], path, frame_rate_hz=exam.frame_rate_hz, share=1 / len(moving)
        )
        speed = "" if slower is None or slower < 1.2 else f", played {slower:.1f} times slower than the heart beat"
        shown.append(Shown("animation", path, f"{image.cine.view_name} cine", f"{image.name}{speed}"))
    for curve in measures.curves[:_MOST_ANIMATIONS]:
        path = figures / f"{_safe(curve.image)}_curve.png"
        draw_exam_curve(curve, measures.instants, path)
        shown.append(Shown("curve", path, f"{curve.view} over time", curve.image))
    return shown


def _as_displayed(image: ExamImage) -> ExamImage:
    """Grey values for the screen, found once for all that is drawn."""
    return replace(image, cine=replace(image.cine, frames=display_grey(image.cine)))


def _save(picture: "Picture", path: Path, *, effort: int) -> None:
    atomic_write(path, lambda file: picture.save(file, format="PNG", compress_level=effort))


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkError(f"cannot make the folder: {error.strerror}", where=folder) from None
    return folder


def _safe(name: str) -> str:
    """A name that cannot leave the folder."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name).lstrip(".") or "image"
