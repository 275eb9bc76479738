"""From files of one patient to an exam, with what the caller knows better than the files."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import takewhile

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.grouping import ImageFilesAs, Series, stem_of
from cardiotrace.datasets.naming import FileName, read_name
from cardiotrace.datasets.stack import are_parallel, in_time, piled, stacked
from cardiotrace.datasets.vocabulary import Counting
from cardiotrace.io import read_image
from cardiotrace.io.frames import GivenSpacing
from cardiotrace.io.stored import ThirdAxis


@dataclass(frozen=True)
class Reading:
    """What the caller knows better than the files."""

    view: View | None = None
    """View of images whose names, or data sets, do not state it: A4C, 4CH, A2C, SAX, ..."""
    modality: Modality | None = None
    """How all images were made, but for those that state another view: US, MR or photograph."""
    spacing_mm: GivenSpacing | None = None
    """Height and width of a pixel, mm, in place of what the files say; a third number is the distance of slices."""
    third_axis: ThirdAxis = "auto"
    """What the third of three axes is where files do not tell: slices in depth, or instants in time; also what files
    of one plane each are together."""
    image_files: ImageFilesAs = "auto"
    """What numbered images in one folder are where names do not tell: frames of a video, or stills."""
    patient: Patient = field(default_factory=Patient)
    """What is known of the person; it counts over what files say."""


AS_IT_IS = Reading()
"""Nothing is known better."""


def read_group(name: str, group: Sequence[Series], reading: Reading) -> Exam:
    """The exam of files of one patient; images are named after their files, with the suffix where that alone differs.

    Raises:
        InputError: a file cannot be read, or nothing tells what several of them are together.
    """
    stems = Counter(series.name for series in group)
    images = []
    for series in group:
        is_single = stems[series.name] == 1
        called = series.name if is_single else series.files[0].name.replace(".", "-")
        images.append((read_name(stem_of(series.files[0])), _image(called, series, reading)))
    return as_read(Exam(name, tuple(_together(images, reading))), reading)


def as_read(exam: Exam, reading: Reading) -> Exam:
    """An exam with what the caller knows better, and stills that are frames of its videos marked as such."""
    given = {item.name: value for item in fields(Patient) if (value := getattr(reading.patient, item.name)) is not None}
    images = tuple(_overridden(image, reading) for image in exam.images)
    return replace(exam, images=_with_repeats(images), patient=replace(exam.patient, **given))


def _overridden(image: ExamImage, reading: Reading) -> ExamImage:
    cine = image.cine
    if _states_another_view(cine.view, reading):
        note = f"its view stays {cine.view_name}, as its name or its data set says: --view is for images that say none"
        cine = replace(cine, notes=(*cine.notes, note))
    else:
        cine = replace(cine, view=reading.view or cine.view, modality=reading.modality or cine.modality)
    if reading.spacing_mm is not None:
        depth, height, width = reading.spacing_mm
        cine = replace(cine, geometry=cine.geometry.with_pixel_size(height, width, depth))
    return replace(image, cine=cine)


def _states_another_view(own: View, reading: Reading) -> bool:
    return reading.view is not None and own not in (View.UNKNOWN, reading.view)


def _image(name: str, series: Series, reading: Reading) -> ExamImage:
    """One image of an exam: what its file's name tells, and what the caller knows where it tells nothing."""
    told = read_name(stem_of(series.files[0]))
    view = told.view if told.view is not View.UNKNOWN else reading.view or View.UNKNOWN
    given = None if _states_another_view(told.view, reading) else reading.modality
    stated = given or (told.modality if told.is_modality_sure else Modality.UNKNOWN)
    if len(series.files) == 1:
        image = read_image(
            series.files[0], third_axis=reading.third_axis, view=view, modality=stated, spacing_mm=reading.spacing_mm
        )
    else:
        folder, names = series.files[0].parent, [file.name for file in series.files]
        image = read_image(folder, view=view, modality=stated, spacing_mm=reading.spacing_mm, images=names)
    image = _with_modality(image, told)
    is_named = told.phase is not Phase.OTHER and len(image.frames) == 1
    return ExamImage(name, image, {told.phase: 0} if is_named else {})


_USUAL = {View.SAX: Modality.MR, View.RVOT: Modality.MR, View.FUNDUS: Modality.PHOTOGRAPH, View.PLAX: Modality.US}
_WORDS = {Modality.MR: "MRI", Modality.US: "ultrasound", Modality.PHOTOGRAPH: "a photograph"}


def _with_modality(image: Image, told: FileName) -> Image:
    """The image with the modality that its file shows or that its view usually has, and a note of what was assumed."""
    doubts = tuple(f"not taken from the file's name: {doubt}" for doubt in told.doubts)
    image = replace(image, notes=(*image.notes, *doubts))
    if image.modality is not Modality.UNKNOWN:
        return image
    if _is_mr(image, told):
        return replace(image, modality=Modality.MR)
    if image.view is View.UNKNOWN:
        return image
    usual = _USUAL.get(image.view, Modality.US)
    note = f"nothing says how it was made: taken for {_WORDS[usual]}, as {image.view} is as a rule"
    return replace(image, modality=usual, notes=(*image.notes, note))


def _is_mr(image: Image, told: FileName) -> bool:
    """Whether the file shows MRI: planes oblique in the patient, a stack of more than bytes, or cine in its name."""
    directions = image.geometry.affine[:3, 1:3] / np.linalg.norm(image.geometry.affine[:3, 1:3], axis=0)
    is_oblique = image.geometry.is_oriented and bool(np.abs(directions).max(axis=0).min() < _ALONG_AN_AXIS)
    is_deep_stack = image.grid_shape[1] > 1 and image.frames.dtype != np.uint8
    is_file_of_mr = image.source is not None and image.source.format in ("nifti", "metaimage")
    return is_oblique or is_deep_stack or (told.modality is Modality.MR and is_file_of_mr)


_ALONG_AN_AXIS = 0.999


def _together(images: Sequence[tuple[FileName, ExamImage]], reading: Reading) -> Iterator[ExamImage]:
    """The images, with slices that are stored one per file as one stack, and frames so stored as one video."""
    sets: dict[tuple[View, Phase, str], list[tuple[FileName, ExamImage]]] = {}
    for told, image in images:
        source = image.cine.source
        kind = source.format if source is not None and image.cine.grid_shape[1] == 1 else image.name
        sets.setdefault((image.cine.view, told.phase, kind), []).append((told, image))
    for (_, _, kind), members in sets.items():
        members.sort(key=lambda member: (member[0].index or 0, member[1].name))
        joined = None
        if kind in ("nifti", "metaimage") and len(members) > 1:
            joined = _joined([told for told, _ in members], [image for _, image in members], reading)
        yield from [image for _, image in members] if joined is None else [joined]


def _joined(told: Sequence[FileName], images: Sequence[ExamImage], reading: Reading) -> ExamImage | None:
    """Single planes of one view and phase as the one image that they are; None where they are images of their own.

    Raises:
        InputError: nothing tells whether they are slices or instants.
    """
    cines = [image.cine for image in images]
    name = _common(images)
    phases = images[0].phases
    if reading.third_axis == "time":
        return ExamImage(name, in_time(cines))
    if are_parallel(cines):
        return ExamImage(name, stacked(cines), phases)
    if reading.third_axis == "depth" or all(each.counting is Counting.SLICE for each in told):
        distance = None if reading.spacing_mm is None else reading.spacing_mm[0]
        return ExamImage(name, piled(cines, distance), phases)
    are_stills = all(len(cine.frames) == 1 for cine in cines)
    if are_stills and all(each.counting is Counting.FRAME for each in told) and not phases:
        return ExamImage(name, in_time(cines))
    have_one_grid = len({cine.frames.shape for cine in cines}) == 1
    many = 2 if not cines[0].view.is_long_axis else 3
    if not are_stills or not have_one_grid or len(images) < many or (phases and cines[0].view is not View.SAX):
        return None
    where = None if cines[0].source is None else cines[0].source.path.parent
    raise InputError(
        f"its {len(images)} files {images[0].name} ... {images[-1].name} of one plane each can be slices or instants",
        where=where,
        remedy="say which with --third-axis depth or --third-axis time.",
    )


def _common(images: Sequence[ExamImage]) -> str:
    """What the names begin and end with, without the number that tells them apart."""
    names = [image.name for image in images]
    begin = _shared(names)
    end = _shared([name[len(begin) :][::-1] for name in names])[::-1]
    return f"{begin.rstrip(_DIGITS + _BETWEEN)}{end.lstrip(_DIGITS)}".strip(_BETWEEN) or names[0]


_DIGITS, _BETWEEN = "0123456789", "_-. "


def _shared(words: Sequence[str]) -> str:
    """What all of them begin with."""
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*words, strict=False))
    return "".join(letters[0] for letters in same)


def _with_repeats(images: tuple[ExamImage, ...]) -> tuple[ExamImage, ...]:
    """The images, each still that is a frame of a video marked so, and the video with the still's phase."""
    changed = list(images)
    for place, still in enumerate(images):
        if len(still.cine.frames) != 1 or not still.phases:
            continue
        for at, video in enumerate(changed):
            frame = _frame_of(still.cine, video.cine)
            if frame is not None:
                phases = {**dict.fromkeys(still.phases, frame), **video.phases}
                changed[at] = replace(video, phases=phases)
                changed[place] = replace(still, shown_in=video.name)
                break
    return tuple(changed)


def _frame_of(still: Image, video: Image) -> int | None:
    """The frame of a video of the same view that has exactly the pixels of a still."""
    if len(video.frames) < 2 or still.view is not video.view or still.frames.shape[1:] != video.frames.shape[1:]:
        return None
    return next((index for index, frame in enumerate(video.frames) if np.array_equal(frame, still.frames[0])), None)
