"""Flags about label maps themselves: values that mean something else, a place that had to be assumed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cardiotrace.clinical.frame_ref import FrameRef
from cardiotrace.clinical.quantity import Measures
from cardiotrace.clinical.rule import flag
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam
from cardiotrace.core.findings import ImageFindings
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.label import LabelMap
from cardiotrace.geometry.alignment import aligned
from cardiotrace.geometry.enclosure import order_doubt


def labels_in_place(exam: Exam, labels: Mapping[str, LabelMap]) -> dict[str, LabelMap]:
    """The label maps in the voxel order of their images.

    Raises:
        InputError: labels that belong to no image, or lie elsewhere than theirs, or have other frames.
    """
    images = {image.name: image.image for image in exam.images}
    placed = {}
    for name, found in labels.items():
        if name not in images:
            listed = f"its images: {', '.join(images)}."
            raise InputError(f"labels for {name!r}, which is no image of exam {exam.name!r}", remedy=listed)
        placed[name] = aligned(found, images[name].grid)
        frames = len(images[name].frames)
        if len(found.array) != frames:
            raise InputError(
                f"labels of {name!r} have {len(found.array)} frames, the image {frames}",
                where=None if found.source is None else found.source.path,
                remedy="labels must hold every frame of their image.",
            )
    return placed


def label_flags(
    exam: Exam, labels: Mapping[str, LabelMap], findings: Mapping[str, ImageFindings] | None = None
) -> dict[str, tuple[Flag, ...]]:
    """Flags of each labelled image, by its name; images without any are left out.

    Args:
        exam: the images.
        labels: in their images' voxel order.
        findings: what is known of each already.
    """
    findings = {} if findings is None else findings
    found: dict[str, tuple[Flag, ...]] = {}
    for image in exam.images:
        if image.name not in labels:
            continue
        flags = [flag("no-orientation", f"{image.name}: {note}", about=image.name) for note in labels[image.name].notes]
        doubt = order_doubt(labels[image.name], image.image.view, findings.get(image.name))
        if doubt is not None:
            flags.insert(0, flag("label-order", f"{image.name}: {doubt}", about=image.name))
        if flags:
            found[image.name] = tuple(flags)
    return found


def with_label_flags(
    measures: Measures, exam: Exam, labels: Mapping[str, LabelMap], findings: Mapping[str, ImageFindings]
) -> Measures:
    """The measures with the flags of the labels: on the exam, and on each value that unusable labels went into."""
    flags = label_flags(exam, labels, findings)
    if not flags:
        return measures
    unusable = {
        name: grave for name, found in flags.items() if (grave := [f for f in found if f.grade is Grade.NOT_USABLE])
    }
    ordered = sorted(
        (item for found in flags.values() for item in found), key=lambda item: list(Grade).index(item.grade)
    )
    return replace(
        measures,
        quantities=tuple(
            replace(item, flags=(*_grave(item.frames, unusable), *item.flags)) for item in measures.quantities
        ),
        segments=tuple(
            replace(item, flags=(*_grave(item.frames, unusable), *item.flags)) for item in measures.segments
        ),
        flags=tuple(dict.fromkeys((*ordered, *measures.flags))),
    )


def _grave(frames: Sequence[FrameRef], unusable: Mapping[str, Sequence[Flag]]) -> tuple[Flag, ...]:
    """The flags of the images that a value was measured in."""
    images = dict.fromkeys(frame.image for frame in frames)
    return tuple(item for name in images for item in unusable.get(name, ()))
