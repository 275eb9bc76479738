"""The report of one exam as a value: a page, tables, figures; who holds it may write it to disk or serve it."""

import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cardiotrace.clinical.comparison import Comparison
from cardiotrace.clinical.correction import Correction
from cardiotrace.clinical.key_frames import KeyFrame
from cardiotrace.clinical.quantity import COLUMNS, Measures
from cardiotrace.clinical.record import record_of
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase, View
from cardiotrace.core.text import csv_text
from cardiotrace.core.trust import ErrorMaps
from cardiotrace.report.animation import render_animation
from cardiotrace.report.bullseye import draw_bullseye, to_be_shown
from cardiotrace.report.correction import correction_pictures
from cardiotrace.report.curves import draw_exam_curves
from cardiotrace.report.drawing import Drawing
from cardiotrace.report.error_map import error_picture
from cardiotrace.report.framing import LabelledFrame, box_to_show, display_grey
from cardiotrace.report.overlay import OverlayStyle, draw_overlay
from cardiotrace.report.page import ReportContext, ReportFigure, render_page
from cardiotrace.report.sheet import base_to_apex, draw_sheet
from cardiotrace.report.words import Words

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

LOG = logging.getLogger(__name__)
_MOST_ANIMATIONS = 3
_LEAST_SLOWDOWN = 1.2
"""A pace that nobody notices is not told of."""
_THUMBNAIL = (120, 88)
"""Width and height of the little image at most, pixels."""
_FRAME_STYLE = OverlayStyle(width=640, height=520)
_FRAME_SHEET = 1000
"""Width of the images of all slices of a frame, pixels."""


@dataclass(frozen=True)
class FrameSeries:
    """Every frame of a moving image with its outlines; of stacks, all slices. Each is drawn when it is asked for."""

    image: ExamImage
    labels: LabelMap

    def __len__(self) -> int:
        """How many frames there are."""
        return self.image.image.grid_shape[0]

    def name(self, frame: int) -> str:
        """Name of a frame's file, `<image>_000.png` and on."""
        return f"{safe_name(self.image.name)}_{frame:03d}.png"

    def png(self, frame: int) -> bytes:
        """One frame as a PNG file."""
        shown, caption = LabelledFrame(self.image.image, self.labels, frame), f"frame {frame}"
        box = box_to_show(self.image.image, [self.labels])
        if self.image.image.grid_shape[1] > 1:
            order = base_to_apex([self.labels])
            raster = draw_sheet(shown, caption=caption, box=box, order=order, width=_FRAME_SHEET)
        else:
            raster = draw_overlay(shown.cropped(box), caption=caption, style=_FRAME_STYLE)
        return _png(raster, effort=1)


@dataclass(frozen=True)
class ExamReport:
    """A report in memory: nothing of it has been on disk."""

    page: str
    """HTML that holds its images and needs no other file, script or network."""
    measures: Mapping[str, Any]
    """Plain data of `measures.json`."""
    table: str
    """The quantities as CSV."""
    figures: Mapping[str, bytes] = field(repr=False)
    """Contents of image files by name, those of the page and `thumbnail.jpg`."""
    frames: tuple[FrameSeries, ...] = ()
    """Of the moving images."""
    drawings: tuple[Drawing, ...] = field(default=(), repr=False)
    """Curves and bull's eyes, for what shows no SVG."""


@dataclass(frozen=True)
class _Findings:
    """What is reported: an exam, its grey values as the screen shows them, and what was found in it."""

    exam: Exam
    labels: Mapping[str, LabelMap]
    measures: Measures
    words: Words
    former: Mapping[str, LabelMap] = field(default_factory=dict)
    """Labels before a person corrected them, by name of the image."""

    def moving(self) -> list[ExamImage]:
        """Labelled images of several frames, in the exam's order."""
        return [image for image in self.exam.images if image.name in self.labels and image.image.grid_shape[0] > 1]


def render_report(
    exam: Exam, labels: Mapping[str, LabelMap], measures: Measures, context: ReportContext | None = None
) -> ExamReport:
    """Build the report of an exam without touching the disk.

    Args:
        exam: the exam; its name heads the page.
        labels: labels by image name.
        measures: what was measured in them.
        context: model, true values, provenance and date.
    """
    context = context or ReportContext()
    # Grey values for the screen are found once for all that is drawn: figures agree, and no frame flickers.
    shown = replace(exam, images=tuple(map(_as_displayed, exam.images)))
    found = _Findings(shown, labels, measures, context.words, context.automatic)
    stills = list(_stills(found))
    drawn = list(_drawings(measures, found.words))
    mended = () if context.correction is None else _corrections(found, context.correction)
    figures = [*stills, *_animations(found), *(figure for figure, _ in drawn), *mended, *_errors(found, context.errors)]
    contents = {figure.name: figure.content for figure in figures}
    if stills:
        contents["thumbnail.jpg"] = _thumbnail(stills[0].content)
    LOG.debug("report of %s: %d figures, %d kB", exam.name, len(contents), sum(map(len, contents.values())) // 1000)
    columns, rows = _table(measures, context.comparison)
    return ExamReport(
        page=render_page(shown, measures, figures, context, left_out=_unlabelled(found)),
        measures=record_of(
            measures,
            provenance=context.provenance or {},
            trust=context.trust,
            identity=context.identity,
            comparison=context.comparison,
            groups=context.groups,
            correction=context.correction,
            adaptation=context.adaptation,
        ),
        table=csv_text(columns, rows),
        figures=contents,
        frames=tuple(FrameSeries(image, labels[image.name]) for image in found.moving()),
        drawings=tuple(drawing for _, drawing in drawn),
    )


def _table(measures: Measures, comparison: Comparison | None) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    """Columns and rows of the CSV file; what was before and the change stand there where an exam was compared."""
    rows = measures.rows()
    if comparison is None:
        return COLUMNS, rows
    for row, quantity in zip(rows, measures.quantities, strict=True):
        change = comparison.of(quantity)
        if change is not None and change.difference is not None:
            row |= {"before": f"{change.before.value:.6g}", "change": f"{change.difference:.6g}"}
    return (*COLUMNS, "before", "change"), rows


def safe_name(name: str) -> str:
    """A name that cannot leave its folder.

    Example:
        >>> safe_name("../a b"), safe_name("...")
        ('_a_b', 'image')
    """
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name).lstrip(".") or "image"


def _stills(found: _Findings) -> Iterator[ReportFigure]:
    """An overlay of each key frame; of each image's first frame where nothing was measured."""
    images = {image.name: image for image in found.exam.images}
    key_frames = found.measures.key_frames or [_first_frame(images[name]) for name in found.labels if name in images]
    for key_frame in key_frames:
        # Key frames of one view are shown in one frame of reference.
        alike = [found.labels[item.image] for item in key_frames if item.view_name == key_frame.view_name]
        yield _still(images[key_frame.image], found, key_frame, alike)


def _first_frame(image: ExamImage) -> KeyFrame:
    return KeyFrame(image.image.view, image.image.view_name, Phase.OTHER, image.name, 0, is_named=False)


def _still(image: ExamImage, found: _Findings, key_frame: KeyFrame, alike: Sequence[LabelMap]) -> ReportFigure:
    """An overlay of one key frame, of stacks all slices; of MRI what lies around the heart in all labels `alike`."""
    labels, former, words = found.labels[image.name], found.former.get(image.name), found.words
    box = box_to_show(image.image, alike) or box_to_show(image.image, [labels])
    caption, frame = _caption(image, key_frame, words), key_frame.frame
    if former is not None and np.array_equal(former.array[frame], labels.array[frame]):
        former = None
    shown = LabelledFrame(image.image, labels, frame, former=former)
    is_stack = image.image.grid_shape[1] > 1
    if is_stack:
        same = [item for item in alike if item.array.shape[1] == image.image.grid_shape[1]]
        raster = draw_sheet(shown, caption=caption, box=box, order=base_to_apex(same or [labels]), words=words)
    else:
        style = OverlayStyle(words=words)
        raster = draw_overlay(shown.cropped(box), trace=key_frame.trace, caption=caption, style=style)
    return ReportFigure(
        "sheet" if is_stack else "still",
        f"{safe_name(image.name)}_{key_frame.phase.value}.png",
        _png(raster, effort=3),
        caption,
        _origin(image, key_frame, words, is_corrected=former is not None),
    )


def _origin(image: ExamImage, key_frame: KeyFrame, words: Words, *, is_corrected: bool) -> str:
    """Which frame of which image it is, how that is known, and what dashes mean there."""
    told = [image.name]
    if image.image.grid_shape[0] > 1:
        told.append(words("figure.frame", frame=key_frame.frame))
    if key_frame.phase is not Phase.OTHER:
        told.append(words("figure.named" if key_frame.is_named else "figure.found"))
    if is_corrected:
        told.append(words("figure.former"))
    return ", ".join(told)


def _caption(image: ExamImage, key_frame: KeyFrame, words: Words) -> str:
    """View and phase in words; of a frame without a phase its number, where there are several."""
    told = [] if key_frame.view is View.UNKNOWN else [words.view(key_frame.view_name)]
    if key_frame.phase is not Phase.OTHER:
        told.append(words(f"phase.{key_frame.phase}"))
    elif image.image.grid_shape[0] > 1:
        told.append(words("figure.frame", frame=key_frame.frame))
    return " ".join(told)


def _animations(found: _Findings) -> Iterator[ReportFigure]:
    """Animations of the moving images, those that were measured first; they share the size that one may have."""
    measured = {key_frame.image for key_frame in found.measures.key_frames}
    moving = sorted(found.moving(), key=lambda image: image.name not in measured)[:_MOST_ANIMATIONS]
    for image in moving:
        labels = found.labels[image.name]
        shown = LabelledFrame(image.image, labels).cropped(box_to_show(image.image, [labels]))
        rate = found.exam.frame_rate_hz
        made = render_animation(
            replace(image, image=shown.image),
            shown.labels,
            frame_rate_hz=rate,
            share=1 / len(moving),
            words=found.words,
        )
        slow = made.slowdown if made.slowdown is not None and made.slowdown >= _LEAST_SLOWDOWN else None
        words, note = found.words, image.name
        if slow is not None:
            note = f"{note}, {words('figure.slower', times=words.number(slow, 1))}"
        title = words("figure.cine", view=words.view(image.image.view_name))
        yield ReportFigure("animation", f"{safe_name(image.name)}.gif", made.content, title, note)


def _drawings(measures: Measures, words: Words) -> Iterator[tuple[ReportFigure, Drawing]]:
    """How sizes run through the moving images, and what was measured along the wall."""
    if measures.curves:
        drawing = draw_exam_curves(measures.curves, measures.key_frames, measures.beats, words)
        yield ReportFigure("curve", "curves.svg", drawing.svg(), words("page.curves"), words("curve.note")), drawing
    for values in to_be_shown(measures.segments):
        drawing, name = draw_bullseye(values, words), f"{safe_name(values.name)}.svg"
        note = f"{words.method(values.method)}, {words.view(values.view)}"
        yield ReportFigure("bullseye", name, drawing.svg(), words.segments(values), note), drawing


def _corrections(found: _Findings, correction: Correction) -> Iterator[ReportFigure]:
    """Labels before and after beside each other, of the planes that a corrector changed."""
    images = {image.name: image for image in found.exam.images}
    for name, done in correction.images.items():
        pictures = correction_pictures(images[name], found.labels[name], done, found.words)
        for number, (title, raster) in enumerate(pictures):
            file = f"{safe_name(name)}_corrected_{number}.png"
            yield ReportFigure("other", file, _png(raster, effort=3), title, found.words("correction.note"))


def _errors(found: _Findings, errors: ErrorMaps) -> Iterator[ReportFigure]:
    """Where labels of key frames are probably wrong."""
    images = {image.name: image for image in found.exam.images}
    for key_frame in found.measures.key_frames:
        error = errors.get((key_frame.image, key_frame.frame))
        if error is None:
            continue
        image, labels = images[key_frame.image], found.labels[key_frame.image]
        caption = _caption(image, key_frame, found.words)
        raster, note = error_picture(image, labels, key_frame.frame, error, caption=caption, words=found.words)
        name = f"{safe_name(image.name)}_{key_frame.phase.value}_error.png"
        yield ReportFigure("other", name, _png(raster, effort=3), f"{found.words('error.title')}, {caption}", note)


def _unlabelled(found: _Findings) -> tuple[str, ...]:
    """Images without labels, in words; those that a flag tells of are left to it."""
    told = {flag.about for flag in found.measures.flags if flag.rule == "left-out"}
    names = [image.name for image in found.exam.images if image.name not in {*found.labels, *told}]
    return tuple(found.words("figure.no_labels", image=name) for name in names)


def _as_displayed(image: ExamImage) -> ExamImage:
    """The image with grey values for the screen."""
    return replace(image, image=replace(image.image, frames=display_grey(image.image)))


def _thumbnail(png: bytes) -> bytes:
    """An image as a little JPEG, for pages over several exams."""
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(png)) as opened:
        small = opened.convert("RGB")
    small.thumbnail(_THUMBNAIL)
    stream = io.BytesIO()
    small.save(stream, format="JPEG", quality=70)
    return stream.getvalue()


def _png(image: "PilImage", *, effort: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format="PNG", compress_level=effort)
    return stream.getvalue()
