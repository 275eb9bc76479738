"""From files of one patient to an exam, with what the caller knows better than the files."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields, replace
from itertools import takewhile

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.grouping import ImageFilesAs, Series
from cardiotrace.datasets.naming import FileName, read_name
from cardiotrace.datasets.stack import are_parallel, in_time, piled, stacked
from cardiotrace.io import read_image
from cardiotrace.io.formats import FORMATS, stem_of
from cardiotrace.io.frames import GivenSpacing
from cardiotrace.io.stored import ThirdAxis
from cardiotrace.io.vocabulary import Counting


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
    cine = image.image
    if _states_another_view(cine.view, reading):
        note = f"its view stays {cine.view_name}, as its name or its data set says: --view is for images that say none"
        cine = replace(cine, notes=(*cine.notes, note))
    else:
        cine = replace(cine, view=reading.view or cine.view, modality=reading.modality or cine.modality)
    if reading.spacing_mm is not None:
        depth, height, width = reading.spacing_mm
        if depth is None and cine.spacing_mm is None and cine.grid_shape[1] == 1:
            depth = 1.0  # the thickness of a single plane, on which nothing depends
        cine = replace(cine, geometry=cine.geometry.with_pixel_size(height, width, depth))
    return replace(image, image=cine)


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
        image = read_image(series.files, view=view, modality=stated, spacing_mm=reading.spacing_mm)
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
    is_file_of_mr = image.source is not None and image.source.format in _SLICE_FORMATS
    return is_oblique or is_deep_stack or (told.modality is Modality.MR and is_file_of_mr)


_ALONG_AN_AXIS = 0.999


def _together(images: Sequence[tuple[FileName, ExamImage]], reading: Reading) -> Iterator[ExamImage]:
    """The images, with slices that are stored one per file as one stack, and frames so stored as one video."""
    sets: dict[tuple[View, Phase, str], list[tuple[FileName, ExamImage]]] = {}
    for told, image in images:
        sets.setdefault((image.image.view, told.phase, _plane_format(image) or image.name), []).append((told, image))
    for members in sets.values():
        members.sort(key=lambda member: (member[0].index or 0, member[1].name))
        names, planes = zip(*members, strict=True)
        are_planes = len(planes) > 1 and _plane_format(planes[0]) in _SLICE_FORMATS
        joined = _joined(names, planes, reading) if are_planes else None
        yield from planes if joined is None else [joined]


_SLICE_FORMATS = frozenset(each.name for each in FORMATS if each.holds_slices)


def _plane_format(image: ExamImage) -> str | None:
    """The format of a file that holds one plane; None where it holds several, or is no file."""
    source = image.image.source
    return source.format if source is not None and image.image.grid_shape[1] == 1 else None


def _joined(told: Sequence[FileName], images: Sequence[ExamImage], reading: Reading) -> ExamImage | None:
    """Single planes of one view and phase as the one image that they are; None where they are images of their own.

    What they are together is decided by the first that says it: the caller, the headers, the words of the names.

    Raises:
        InputError: nothing tells whether they are slices or instants.
    """
    planes = _Planes([image.image for image in images], {each.counting for each in told}, images[0].phases)
    name = _common(images)
    if reading.third_axis == "time":
        return ExamImage(name, in_time(planes.images))
    if are_parallel(planes.images):
        return ExamImage(name, stacked(planes.images), planes.phases)
    if reading.third_axis == "depth" or planes.countings == {Counting.SLICE}:
        distance = None if reading.spacing_mm is None else reading.spacing_mm[0]
        return ExamImage(name, piled(planes.images, distance), planes.phases)
    if planes.are_frames:
        return ExamImage(name, in_time(planes.images))
    if planes.may_be_one:
        raise _slices_or_instants(images)
    return None


def _slices_or_instants(images: Sequence[ExamImage]) -> InputError:
    source = images[0].image.source
    return InputError(
        f"its {len(images)} files {images[0].name} ... {images[-1].name} of one plane each can be slices or instants",
        where=None if source is None else source.path.parent,
        remedy="say which with --third-axis depth or --third-axis time.",
    )


@dataclass(frozen=True)
class _Planes:
    """Files of one plane each, which may be one image together."""

    images: Sequence[Image]
    countings: Set[Counting]
    """What the numbers in their names count."""
    phases: Mapping[Phase, int]
    """The instant that all of them are named after."""

    @property
    def are_stills(self) -> bool:
        return all(len(image.frames) == 1 for image in self.images)

    @property
    def are_frames(self) -> bool:
        """Whether their names say that they are frames, and of no one instant."""
        return self.are_stills and self.countings == {Counting.FRAME} and not self.phases

    @property
    def may_be_one(self) -> bool:
        """Whether they can be slices or instants, for all that grids, view and number say.

        Of a long axis two may be two recordings; one instant of it is but one plane.
        """
        view = self.images[0].view
        enough = 3 if view.is_long_axis else 2
        have_one_grid = len({image.frames.shape for image in self.images}) == 1
        is_instant_of_one_plane = bool(self.phases) and view is not View.SAX
        return self.are_stills and have_one_grid and len(self.images) >= enough and not is_instant_of_one_plane


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
        if len(still.image.frames) != 1 or not still.phases:
            continue
        for at, video in enumerate(changed):
            frame = _frame_of(still.image, video.image)
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
