"""The report of one exam as a value: a page, tables, figures; who holds it may write it to disk or serve it."""

import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cardiotrace.clinical.key_frames import KeyFrame
from cardiotrace.clinical.quantity import COLUMNS, Measures
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase, View
from cardiotrace.core.text import csv_text
from cardiotrace.report.animation import render_animation
from cardiotrace.report.canvas import png_of
from cardiotrace.report.facts import view_words
from cardiotrace.report.figure import draw_exam_curve
from cardiotrace.report.framing import LabelledFrame, box_to_show, display_grey
from cardiotrace.report.overlay import OverlayStyle, draw_overlay
from cardiotrace.report.page import ReportContext, ReportFigure, render_page
from cardiotrace.report.sheet import base_to_apex, draw_sheet

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

LOG = logging.getLogger(__name__)
PHASE_WORDS = {Phase.ED: "end-diastole", Phase.ES: "end-systole"}
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


@dataclass(frozen=True)
class _Findings:
    """What is reported: an exam, its grey values as the screen shows them, and what was found in it."""

    exam: Exam
    labels: Mapping[str, LabelMap]
    measures: Measures

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
    found = _Findings(shown, labels, measures)
    stills = list(_stills(found))
    figures = [*stills, *_animations(found), *_curves(measures)]
    contents = {figure.name: figure.content for figure in figures}
    if stills:
        contents["thumbnail.jpg"] = _thumbnail(stills[0].content)
    LOG.debug("report of %s: %d figures, %d kB", exam.name, len(contents), sum(map(len, contents.values())) // 1000)
    return ExamReport(
        page=render_page(shown, measures, figures, context, left_out=_unlabelled(found)),
        measures=measures.to_plain() | _whose(context) | {"provenance": dict(context.provenance or {})},
        table=csv_text(COLUMNS, measures.rows()),
        figures=contents,
        frames=tuple(FrameSeries(image, labels[image.name]) for image in found.moving()),
    )


def _whose(context: ReportContext) -> dict[str, Any]:
    return {} if context.identity is None else {"identity": context.identity.to_plain()}


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
        yield _still(images[key_frame.image], found.labels[key_frame.image], key_frame, alike)


def _first_frame(image: ExamImage) -> KeyFrame:
    return KeyFrame(image.image.view, image.image.view_name, Phase.OTHER, image.name, 0, is_named=False)


def _still(image: ExamImage, labels: LabelMap, key_frame: KeyFrame, alike: Sequence[LabelMap]) -> ReportFigure:
    """An overlay of one key frame, of stacks all slices; of MRI what lies around the heart in all labels `alike`."""
    box = box_to_show(image.image, alike) or box_to_show(image.image, [labels])
    caption = _caption(image, key_frame)
    shown = LabelledFrame(image.image, labels, key_frame.frame)
    is_stack = image.image.grid_shape[1] > 1
    if is_stack:
        same = [item for item in alike if item.array.shape[1] == image.image.grid_shape[1]]
        raster = draw_sheet(shown, caption=caption, box=box, order=base_to_apex(same or [labels]))
    else:
        raster = draw_overlay(shown.cropped(box), trace=key_frame.trace, caption=caption)
    return ReportFigure(
        "sheet" if is_stack else "still",
        f"{safe_name(image.name)}_{key_frame.phase.value}.png",
        _png(raster, effort=3),
        caption,
        _origin(image, key_frame),
    )


def _origin(image: ExamImage, key_frame: KeyFrame) -> str:
    """Which frame of which image it is, and how that is known."""
    words = [image.name]
    if image.image.grid_shape[0] > 1:
        words.append(f"frame {key_frame.frame}")
    if key_frame.phase is not Phase.OTHER:
        words.append("named in the exam" if key_frame.is_named else "found from the size of the left ventricle")
    return ", ".join(words)


def _caption(image: ExamImage, key_frame: KeyFrame) -> str:
    """View and phase in words; of a frame without a phase its number, where there are several."""
    words = [] if key_frame.view is View.UNKNOWN else [view_words(key_frame.view_name)]
    if key_frame.phase is not Phase.OTHER:
        words.append(PHASE_WORDS[key_frame.phase])
    elif image.image.grid_shape[0] > 1:
        words.append(f"frame {key_frame.frame}")
    return " ".join(words)


def _animations(found: _Findings) -> Iterator[ReportFigure]:
    """Animations of the moving images, those that were measured first; they share the size that one may have."""
    measured = {key_frame.image for key_frame in found.measures.key_frames}
    moving = sorted(found.moving(), key=lambda image: image.name not in measured)[:_MOST_ANIMATIONS]
    for image in moving:
        labels = found.labels[image.name]
        shown = LabelledFrame(image.image, labels).cropped(box_to_show(image.image, [labels]))
        rate = found.exam.frame_rate_hz
        made = render_animation(
            replace(image, image=shown.image), shown.labels, frame_rate_hz=rate, share=1 / len(moving)
        )
        slow = made.slowdown if made.slowdown is not None and made.slowdown >= _LEAST_SLOWDOWN else None
        speed = "" if slow is None else f", played {slow:.1f} times slower than the heart beat"
        title, note = f"{view_words(image.image.view_name)} cine", f"{image.name}{speed}"
        yield ReportFigure("animation", f"{safe_name(image.name)}.gif", made.content, title, note)


def _curves(measures: Measures) -> Iterator[ReportFigure]:
    """How sizes run through the moving images."""
    for curve in measures.curves[:_MOST_ANIMATIONS]:
        content = png_of(draw_exam_curve(curve, measures.key_frames))
        title = f"{view_words(curve.view)} over time"
        yield ReportFigure("curve", f"{safe_name(curve.image)}_curve.png", content, title, curve.image)


def _unlabelled(found: _Findings) -> tuple[str, ...]:
    """Images without labels, in words; those that a flag tells of are left to it."""
    told = {flag.about for flag in found.measures.flags if flag.rule == "left-out"}
    names = [image.name for image in found.exam.images if image.name not in {*found.labels, *told}]
    return tuple(f"{name} has no labels: it is not measured and not shown" for name in names)


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
