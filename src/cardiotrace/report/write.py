"""The report of one exam: page, values, figures, all in one folder."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardiotrace.clinical.key_frames import KeyFrame
from cardiotrace.clinical.quantity import COLUMNS, Measures
from cardiotrace.core.errors import WorkError
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase, View
from cardiotrace.core.text import csv_text
from cardiotrace.io import atomic_write, write_json, write_text
from cardiotrace.io.results import FIGURES, MEASURES, MEASURES_TABLE, REPORT_PAGE, THUMBNAIL
from cardiotrace.report.animation import write_animation
from cardiotrace.report.facts import view_words
from cardiotrace.report.figure import draw_exam_curve
from cardiotrace.report.overlay import OverlayStyle, display_grey, draw_overlay
from cardiotrace.report.page import ReportContext, ReportFigure, render_page
from cardiotrace.report.sheet import Box, base_to_apex, box_to_show, cropped, draw_sheet

PHASE_WORDS = {Phase.ED: "end-diastole", Phase.ES: "end-systole"}
_MOST_ANIMATIONS = 3
_THUMBNAIL = (120, 88)
"""Width and height of the little image at most, pixels."""
_FRAME_STYLE = OverlayStyle(width=640, height=520)
_FRAME_SHEET = 1000
"""Width of the images of all slices of a frame, pixels."""

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage


def write_report(
    exam: Exam,
    labels: Mapping[str, LabelMap],
    measures: Measures,
    folder: Path,
    *,
    model: Mapping[str, str] | None = None,
    truth: Mapping[str, float] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Path:
    """Write `report.html`, `measures.json`, `measures.csv` and `figures/` of one exam.

    `figures/frames/` holds every frame of the moving images with its outlines, `<image>_000.png` and on;
    `figures/thumbnail.jpg` is for pages over several exams. The page holds its images and needs no other file, script
    or network. Nothing that identifies the patient is written but the exam's name.

    Args:
        exam: the exam; its name heads the page.
        labels: labels by image name.
        measures: what was measured in them.
        folder: where to; made if it is not there.
        model: what made the labels, such as {"name": ..., "licence": ...}; None where a person drew them.
        truth: true values by name and unit, such as {"left_ventricular_ejection_fraction_percent": 58.0}.
        provenance: where labels and images came from, as plain data for `measures.json`.

    Returns:
        Path of the page.

    Raises:
        WorkError: the disk is full, or the folder cannot be written to.
    """
    figures = _made(folder / FIGURES)
    write_json(folder / MEASURES, measures.to_plain() | {"provenance": dict(provenance or {})})
    write_text(folder / MEASURES_TABLE, measures_csv(measures))
    exam = replace(exam, images=tuple(_as_displayed(image) for image in exam.images))
    stills = _stills(exam, labels, measures, figures)
    shown = [*stills, *_moving(exam, labels, measures, figures)]
    if stills:
        _write_thumbnail(stills[0].path, folder / THUMBNAIL)
    for image in exam.images:
        if image.name in labels and image.cine.grid_shape[0] > 1:
            write_frames(image, labels[image.name], _made(figures / "frames"))
    page = render_page(exam, measures, shown, ReportContext(model, truth, left_out=_unlabelled(exam, labels, measures)))
    write_text(folder / REPORT_PAGE, page)
    return folder / REPORT_PAGE


def write_frames(image: ExamImage, labels: LabelMap, folder: Path) -> None:
    """Write every frame of an image with its outlines, as `<image>_000.png` and on; of stacks, all slices.

    Raises:
        WorkError: the disk is full, or the folder cannot be written to.
    """
    box = box_to_show(image.cine, [labels])
    order = base_to_apex([labels])
    cine, held = cropped(image.cine, labels, box)
    for frame in range(image.cine.grid_shape[0]):
        words = f"frame {frame}"
        if image.cine.grid_shape[1] > 1:
            raster = draw_sheet(cine, held, frame, caption=words, order=order, width=_FRAME_SHEET)
        else:
            raster = draw_overlay(cine, held, frame, caption=words, style=_FRAME_STYLE)
        _save(raster, folder / f"{_safe(image.name)}_{frame:03d}.png", effort=1)


def measures_csv(measures: Measures) -> str:
    """The quantities as CSV, one row each, with a header."""
    return csv_text(COLUMNS, measures.rows())


def _write_thumbnail(image: Path, path: Path) -> None:
    from PIL import Image as Pillow

    with Pillow.open(image) as opened:
        small = opened.convert("RGB")
    small.thumbnail(_THUMBNAIL)
    atomic_write(path, lambda file: small.save(file, format="JPEG", quality=70))


def _stills(exam: Exam, labels: Mapping[str, LabelMap], measures: Measures, figures: Path) -> list[ReportFigure]:
    """An overlay of each measured instant; of each image's first frame where nothing was measured."""
    images = {image.name: image for image in exam.images}
    instants = measures.key_frames or [
        KeyFrame(images[name].cine.view, images[name].cine.view_name, Phase.OTHER, name, 0, is_named=False)
        for name in labels
        if name in images
    ]
    return [
        _still(images[item.image], labels, item, figures, [other.image for other in instants if _alike(item, other)])
        for item in instants
    ]


def _alike(first: KeyFrame, second: KeyFrame) -> bool:
    """Whether two instants are of one view, so that both are shown in one frame of reference."""
    return first.view_name == second.view_name


def _still(
    image: ExamImage, all_labels: Mapping[str, LabelMap], instant: KeyFrame, figures: Path, beside: Sequence[str]
) -> ReportFigure:
    """An overlay of one instant, of stacks all slices; of MRI what lies around the heart in all images `beside`."""
    labels = all_labels[image.name]
    together = [all_labels[name] for name in beside]
    box = box_to_show(image.cine, together) or box_to_show(image.cine, [labels])
    caption = _caption(image, instant)
    is_stack = image.cine.grid_shape[1] > 1
    if is_stack:
        same = [item for item in together if item.array.shape[1] == image.cine.grid_shape[1]]
        raster = draw_sheet(
            image.cine, labels, instant.frame, caption=caption, box=box, order=base_to_apex(same or [labels])
        )
    else:
        cine, held = cropped(image.cine, labels, box)
        corner_mm = _corner_mm(labels, box)
        raster = draw_overlay(cine, held, instant.frame, trace=instant.trace, caption=caption, corner_mm=corner_mm)
    path = figures / f"{_safe(image.name)}_{instant.phase.value}.png"
    _save(raster, path, effort=6)
    how = "named in the exam" if instant.is_named else "found from the size of the left ventricle"
    where = f", frame {instant.frame}" if image.cine.grid_shape[0] > 1 else ""
    note = f"{image.name}{where}" + ("" if instant.phase is Phase.OTHER else f", {how}")
    return ReportFigure("sheet" if is_stack else "still", path, caption, note)


def _caption(image: ExamImage, instant: KeyFrame) -> str:
    """View and phase in words; of an instant without a phase the frame, where there are several."""
    words = [] if instant.view is View.UNKNOWN else [view_words(instant.view_name)]
    if instant.phase is not Phase.OTHER:
        words.append(PHASE_WORDS[instant.phase])
    elif image.cine.grid_shape[0] > 1:
        words.append(f"frame {instant.frame}")
    return " ".join(words)


def _corner_mm(labels: LabelMap, box: Box | None) -> tuple[float, float]:
    """(row, column) of a box's corner, mm; pixels where there is no spacing."""
    if box is None:
        return 0.0, 0.0
    height_mm, width_mm = labels.geometry.pixel_mm
    return box.top * height_mm, box.left * width_mm


def _moving(exam: Exam, labels: Mapping[str, LabelMap], measures: Measures, figures: Path) -> list[ReportFigure]:
    """Animations and curves of the moving images, those that were measured first."""
    measured = {instant.image for instant in measures.key_frames}
    moving = [image for image in exam.images if image.name in labels and image.cine.grid_shape[0] > 1]
    moving.sort(key=lambda image: image.name not in measured)
    shown = []
    moving = moving[:_MOST_ANIMATIONS]
    for image in moving:
        path = figures / f"{_safe(image.name)}.gif"
        cine, held = cropped(image.cine, labels[image.name], box_to_show(image.cine, [labels[image.name]]))
        slower = write_animation(
            replace(image, cine=cine), held, path, frame_rate_hz=exam.frame_rate_hz, share=1 / len(moving)
        )
        speed = "" if slower is None or slower < 1.2 else f", played {slower:.1f} times slower than the heart beat"
        shown.append(
            ReportFigure("animation", path, f"{view_words(image.cine.view_name)} cine", f"{image.name}{speed}")
        )
    for curve in measures.curves[:_MOST_ANIMATIONS]:
        path = figures / f"{_safe(curve.image)}_curve.png"
        draw_exam_curve(curve, measures.key_frames, path)
        shown.append(ReportFigure("curve", path, f"{view_words(curve.view)} over time", curve.image))
    return shown


def _unlabelled(exam: Exam, labels: Mapping[str, LabelMap], measures: Measures) -> tuple[str, ...]:
    """Images without labels, in words; those that a flag tells of are left to it."""
    told = {flag.about for flag in measures.flags if flag.rule == "left-out"}
    names = [image.name for image in exam.images if image.name not in labels and image.name not in told]
    return tuple(f"{name} has no labels: it is not measured and not shown" for name in names)


def _as_displayed(image: ExamImage) -> ExamImage:
    """Grey values for the screen, found once for all that is drawn."""
    return replace(image, cine=replace(image.cine, frames=display_grey(image.cine)))


def _save(image: "PilImage", path: Path, *, effort: int) -> None:
    atomic_write(path, lambda file: image.save(file, format="PNG", compress_level=effort))


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkError(f"cannot make the folder: {error.strerror}", where=folder) from None
    return folder


def _safe(name: str) -> str:
    """A name that cannot leave the folder."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name).lstrip(".") or "image"
