"""Exams of a clinic: DICOM studies in a file, a folder or an archive, each with the name that its exam gets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from os.path import commonpath
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.terms import Phase, View
from cardiotrace.core.text import numbered, told_apart
from cardiotrace.datasets.leftover import is_system
from cardiotrace.datasets.naming import read_name
from cardiotrace.datasets.reading import Reading, as_read
from cardiotrace.io.dicom.files import LeftOut, find_files, holds_dicom
from cardiotrace.io.dicom.header import unwarned
from cardiotrace.io.dicom.source import DicomFile, DicomImage, Study
from cardiotrace.io.dicom.study import studies_in
from cardiotrace.io.formats import FORMATS, format_of, stem_of, suffix_of
from cardiotrace.io.results import REMOVED
from cardiotrace.io.stored import MAX_PIXEL_BYTES

_DICOM = next(form for form in FORMATS if form.holds_studies)
_VOLUMES = tuple(suffix for form in FORMATS if form.holds_slices for suffix in form.suffixes)
_MOST_BYTES = 4 * MAX_PIXEL_BYTES
"""Of all images of a study together, decoded: a long stress echo has 3 GiB."""
_BESIDE = "an image beside DICOM: name it by itself to have it analysed"
_SEVERAL = "--each takes each of their studies for an exam of its own; or name the folder of one."


@dataclass(frozen=True)
class StudyExam:
    """A study as an exam, not yet read."""

    name: str
    read: Callable[[], Exam]
    files: tuple[Path, ...] = ()
    """That hold its images; an archive may hold several studies."""


@dataclass(frozen=True)
class Studies:
    """The studies at a place, and which of the files there are spoken for."""

    exams: tuple[StudyExam, ...] = ()
    folder: Path | None = None
    """The innermost folder that all DICOM files lie in; None where there are none."""
    unused: tuple[str, ...] = ()
    """Files of DICOM that cannot be used, where there is no study to tell of them."""

    def speaks_for(self, image: Path) -> bool:
        """Whether an image file is none of the other exams': a DICOM file, or a picture or film beside some."""
        if self.folder is None:
            return False
        suffix = (suffix_of(image) or "").lower()
        return suffix in _DICOM.suffixes or (self.folder in image.parents and suffix not in _VOLUMES)


NO_STUDIES = Studies()
"""Nothing of DICOM is there."""


def is_of_studies(path: Path) -> bool:
    """Whether a file is DICOM or an archive, and no image of another format."""
    form = format_of(path)
    return (form is None or form is _DICOM) and holds_dicom(path)


def studies_at(
    path: Path, reading: Reading, *, each: bool, is_foreign: Callable[[Path], bool] = lambda folder: False
) -> Studies:
    """The studies at a path as exams.

    Args:
        path: a file or a folder.
        reading: what the caller knows better.
        each: whether several patients are wanted.
        is_foreign: whether a folder is left alone.

    Raises:
        InputError: they are of several patients, and that is not wanted; or none holds an image.
    """
    found = find_files(path, is_foreign)
    if not found.files:
        return Studies(unused=found.left_out)
    studies = studies_in(found)
    shown = [study for study in studies if study.images]
    told = (*found.left_out, *(line for study in studies if not study.images for line in study.left_out))
    if not shown:
        raise InputError("holds DICOM, and no image of the heart", where=path, remedy="; ".join(told[:3]))
    patients = {study.patient_key for study in shown}
    if len(patients) > 1 and not each:
        raise InputError(f"holds DICOM studies of {len(patients)} patients", where=path, remedy=_SEVERAL)
    folder = _common([file.path for file in found.files])
    studies_told = Studies(folder=folder)
    others = _told([other for other in found.others if suffix_of(other) is None or studies_told.speaks_for(other)])
    shown[0] = replace(shown[0], left_out=(*shown[0].left_out, *told, *others))
    names = _names(path, shown)
    named = zip(names, shown, strict=True)
    exams = tuple(StudyExam(name, partial(read_study, name, study, reading), _files(study)) for name, study in named)
    return Studies(exams, folder)


def read_study(name: str, study: Study, reading: Reading) -> Exam:
    """The exam that a study is; images that cannot be read are told of.

    Raises:
        InputError: none can be read.
    """
    images: list[ExamImage] = []
    left_out = list(study.left_out)
    for item in study.images:
        try:
            images.append(_image(item))
        except InputError as error:
            if len(study.images) == 1:
                raise
            left_out.append(f"{item.name}: {error.what}")
        if sum(image.image.frames.nbytes for image in images) > _MOST_BYTES:
            raise InputError(
                f"its images take more than {_MOST_BYTES / 2**30:.0f} GiB", remedy="name the files of some of them."
            )
    if not images:
        raise InputError(f"none of its {len(study.images)} images can be read", remedy="; ".join(left_out[:3]))
    exam = Exam(name, tuple(images), study.patient, facts=_facts(study, images), left_out=tuple(left_out))
    return as_read(exam, reading)


def _files(study: Study) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(file.path for image in study.images for file in image.files))


def _facts(study: Study, images: Sequence[ExamImage]) -> dict[str, str]:
    """The day of the visit, and what all images that state it say of scanner and heart rate."""
    facts = {"date": study.date}
    for fact in ("vendor", "scanner", "field_strength_t", "heart_rate_bpm"):
        stated = {value for image in images if (value := getattr(image.image.acquisition, fact)) is not None}
        facts[fact] = f"{stated.pop():{'' if fact in ('vendor', 'scanner') else 'g'}}" if len(stated) == 1 else ""
    return {fact: value for fact, value in facts.items() if value}


def _image(item: DicomImage) -> ExamImage:
    """An image, with what its name tells where its header tells nothing: it is named after its file then."""
    with unwarned():
        image = item.read()
    told = read_name(item.name)
    if image.view is View.UNKNOWN and told.view is not View.UNKNOWN:
        note = f"its view from the name of its file, {item.name}"
        image = replace(image, view=told.view, notes=(*image.notes, note))
    is_named = told.phase is not Phase.OTHER and len(image.frames) == 1
    return ExamImage(item.name, image, {told.phase: 0} if is_named else {})


def _names(path: Path, studies: Sequence[Study]) -> list[str]:
    """Names of the exams, each another.

    A single study is named after what was asked for. Several are named after the outermost folders, or archives, that
    tell them apart: folders within may be those of series. Where none does, they are named after what was asked for and
    their dates, or by number in order of their dates.
    """
    place = path.parent if path.name == "DICOMDIR" else _as_folder(path)
    own = place.resolve().name or "exam"
    if len(studies) == 1:
        return [own]
    if all(ways := _ways_apart([_way(place, study) for study in studies])):
        return numbered(told_apart([way[-1] for way in ways], [way[:-1] for way in ways]))
    dates = [study.date for study in studies]
    if all(dates) and len(set(dates)) == len(dates):
        return [f"{own}_{date}" for date in dates]
    return [f"{own}_{number}" for number in range(1, len(studies) + 1)]


def _way(place: Path, study: Study) -> tuple[str, ...]:
    """The folders that lead from a place to the innermost one that holds all of a study; the last may be an archive.

    Folders in archives are not asked: a clinic's are named after people as often as not, and nobody chose them.
    """
    folder = _common([_spot(file) for image in study.images for file in image.files])
    return folder.relative_to(place).parts if folder.is_relative_to(place) else ()


def _spot(file: DicomFile) -> Path:
    """Where an object lies, as if archives were folders without any within."""
    return _as_folder(file.path) / "object" if file.member else file.path


def _as_folder(path: Path) -> Path:
    """The folder that an archive would be unpacked to; a folder as it is."""
    return path if path.is_dir() else path.with_name(stem_of(path).removesuffix(".tar"))


def _ways_apart(ways: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The beginning of each way that no other has, as short as it can be; nothing where there is none.

    Example:
        >>> _ways_apart([("anna", "2023", "series 3"), ("anna", "2024", "series 3"), ("ben", "series 3")])
        [('anna', '2023'), ('anna', '2024'), ('ben',)]
        >>> _ways_apart([("anna",), ("anna", "2024")])
        [(), ('anna', '2024')]
    """
    found = []
    for number, way in enumerate(ways):
        others = [*ways[:number], *ways[number + 1 :]]
        lengths = (
            length for length in range(1, len(way) + 1) if all(other[:length] != way[:length] for other in others)
        )
        found.append(way[: next(lengths, 0)])
    return found


def _common(paths: Sequence[Path]) -> Path:
    """The innermost folder that all files lie in."""
    return Path(commonpath([path.parent for path in paths])) if paths else Path()


def _told(others: Sequence[Path]) -> tuple[str, ...]:
    """Files beside DICOM, a line for each reason; those of operating systems are none."""
    left_out = LeftOut()
    for path in others:
        if not is_system(path) and path.name != REMOVED and path.with_suffix(".mhd") not in others:
            is_image = (suffix_of(path) or ".dcm").lower() not in _DICOM.suffixes
            left_out.add(path.name, _BESIDE if is_image else "no DICOM")
    return left_out.lines()
