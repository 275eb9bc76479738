"""Exams as they lie on disk: a file, a patient's folder, or a folder of those."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NoReturn

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.exam import Exam, Patient
from cardiotrace.core.file import require_regular_file
from cardiotrace.core.text import numbered, some, told_apart
from cardiotrace.datasets.grouping import Group, Series, group_files
from cardiotrace.datasets.leftover import Listing, files_left_out, look_into
from cardiotrace.datasets.reading import AS_IT_IS, Reading, as_read, read_group
from cardiotrace.datasets.recognise import Visit, visits_at
from cardiotrace.datasets.study import NO_STUDIES, Studies, is_of_studies, studies_at
from cardiotrace.io.formats import stem_of
from cardiotrace.io.results import MEASURES, REPORT_PAGE, holds_results

__all__ = ["AS_IT_IS", "FoundExam", "Reading", "find_exams", "read_exam"]

_RESULTS = (MEASURES, REPORT_PAGE)
"""Files that tell a folder of results from one of images."""
_LABEL_FOLDERS = ("labels", "label", "masks", "mask", "gt", "ground_truth", "groundtruth", "segmentations", "seg")
_REMEDY = "give a file, a patient's folder, or a folder of those."


@dataclass(frozen=True)
class FoundExam:
    """An exam that was found and not yet read."""

    name: str
    path: Path
    """The file, or the folder that the files lie in."""
    read: Callable[[], Exam]
    """Raises InputError where the exam cannot be read."""
    part: str = ""
    """Which patient of those whose files lie in the folder; empty where all are of one."""
    is_study: bool = False
    """Whether DICOM was sorted into it: all that lies in the folder may be somebody's originals."""
    files: tuple[Path, ...] = ()
    """Those that hold its images, where that is known before they are read: other exams may lie at the same path."""


def find_exams(paths: Iterable[Path], reading: Reading = AS_IT_IS, *, each: bool = False) -> list[FoundExam]:
    """All exams below the given paths, each once, names made unique.

    A file is an exam of its own. What a data set's own reader recognises is read by it. DICOM files of a folder or an
    archive are sorted by study, and each study is an exam. In other folders the image files are sorted by patient, and
    each patient's are an exam; folders within are searched too, hidden ones and those of results left out. Links are
    followed, each folder is looked into once. A path that holds nothing, or where nothing tells what belongs together,
    counts as an exam whose reading fails, so that the others are done.

    Args:
        paths: files, patients' folders, or folders of those.
        reading: what the caller knows better than the files.
        each: whether a folder or an archive may hold DICOM of several patients.

    Raises:
        UsageError: age, height or weight are given for several exams.
    """
    found: dict[tuple[Path, str], FoundExam] = {}
    for path in paths:
        for exam in _at(path, reading, each=each):
            key = (exam.path.resolve(), exam.part)
            known = found.get(key)
            found[key] = exam if known is None else _told_of_link(known, exam)
    if len(found) > 1:
        _require_no_person(reading.patient)
    return _with_unique_names(list(found.values()))


def read_exam(path: str | Path, reading: Reading = AS_IT_IS) -> Exam:
    """The one exam at a path.

    Raises:
        InputError: there is none, or several, or it cannot be read.
    """
    found = find_exams([Path(path)], reading)
    if len(found) > 1:
        names = some([exam.name for exam in found], 4)
        raise InputError(f"holds {len(found)} exams ({names})", where=path, remedy="name one of them.")
    return found[0].read()


def _require_no_person(patient: Patient) -> None:
    if any(value is not None for value in (patient.age_years, patient.height_cm, patient.weight_kg)):
        raise UsageError(
            "age, height and weight are given, and there are several exams",
            remedy="give them with one exam at a time.",
        )


def _at(path: Path, reading: Reading, *, each: bool) -> list[FoundExam]:
    """The exams at a path that was asked for; one that cannot be read where there is none."""
    try:
        if not path.exists():
            raise InputError("there is no such file or folder", where=path, remedy="check the path.")
        if not path.is_dir():
            require_regular_file(path)
        search = _Search(reading, each)
        found = search.file(path) if path.is_file() else search.place(path)
        if not found:
            beside = f" ({'; '.join(search.unused[:2])})" if search.unused else ""
            raise InputError(f"holds no image{beside}", where=path, remedy=_REMEDY)
    except OSError as error:
        return [_unreadable(path, InputError(f"cannot be read: {error.strerror}", where=path))]
    except InputError as error:
        return [_unreadable(path, error)]
    return found


def _visit(path: Path, visit: Visit, reading: Reading, count: int) -> FoundExam:
    def read() -> Exam:
        return as_read(visit.read(), reading)

    # A patient's folder keeps the name that its owner gave it.
    name = path.resolve().name if count == 1 and path.is_dir() else visit.name
    return FoundExam(name or visit.name, path, read, part=visit.name if count > 1 else "")


def _unreadable(path: Path, error: InputError) -> FoundExam:
    def fail() -> NoReturn:
        raise error

    return FoundExam(stem_of(path) or path.resolve().name or "exam", path, fail)


@dataclass
class _Search:
    """One walk through folders; each is looked into once, however many links lead to it."""

    reading: Reading
    each: bool = False
    """Whether DICOM of several patients is wanted."""
    studies: Studies = NO_STUDIES
    """Those of the folder that was asked for."""
    seen: dict[Path, Path] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    """What was found that is no image, each with the reason."""

    def file(self, path: Path) -> list[FoundExam]:
        """A file that was named: by its data set's reader, as DICOM studies, or as an image of its own."""
        if visits := visits_at(path):
            return [_visit(path, visit, self.reading, len(visits)) for visit in visits]
        if is_of_studies(path):
            return self._exams_of_studies(path)
        name = stem_of(path)
        return [FoundExam(name, path, partial(read_group, name, [Series(name, (path,))], self.reading))]

    def place(self, path: Path) -> list[FoundExam]:
        """A folder that was named: its DICOM studies, wherever in it they lie, and what else there is."""
        if visits_at(path):
            return self.folder(path)
        return [*self._exams_of_studies(path), *self.folder(path)]

    def _exams_of_studies(self, path: Path) -> list[FoundExam]:
        self.studies = studies_at(path, self.reading, each=self.each, is_foreign=_is_foreign)
        self.unused += self.studies.unused
        exams = self.studies.exams
        # A folder may hold other exams beside a study.
        parts = [exam.name if len(exams) > 1 or path.is_dir() else "" for exam in exams]
        named = zip(exams, parts, strict=True)
        return [FoundExam(exam.name, path, exam.read, part, True, exam.files) for exam, part in named]

    def folder(self, path: Path) -> list[FoundExam]:
        """The exams that lie in a folder and in those within."""
        self.seen[path.resolve()] = path
        listing = look_into(path)
        if self.studies.folder is not None:  # which told of all other files
            listing = replace(listing, images=tuple(filter(self._is_free, listing.images)), unread=())
        self.unused += listing.unread
        visits = visits_at(path)
        exams = self._visits(path, visits, listing) if visits else self._groups(path, listing)
        has_its_own_folders = len(visits) > 1
        below, told = ([], []) if has_its_own_folders else self._below(listing)
        found = [*exams, *below]
        return (
            [_with_left_out(found[0], (*told, *([] if exams else listing.without_tables().unread))), *found[1:]]
            if found
            else []
        )

    def _is_free(self, image: Path) -> bool:
        return not self.studies.speaks_for(image)

    def _below(self, listing: Listing) -> tuple[list[FoundExam], list[str]]:
        """The exams in the folders of a folder, and what is to be said of those that were not looked into."""
        found: list[FoundExam] = []
        told = []
        for folder in listing.folders:
            real = folder.resolve()
            if _holds_results(folder):
                told.append(f"{folder.name}: results of an earlier analysis")
                continue
            if folder.name.casefold() in _LABEL_FOLDERS and (listing.images or len(listing.folders) > 1):
                told.append(f"{folder.name}: a folder of labels, by its name; name it by itself if it holds images")
                continue
            if real in self.seen:
                told.append(f"{folder.name}: a link to {self.seen[real]}, which is looked into already")
                continue
            try:
                found += self.folder(folder)
            except OSError as error:
                found.append(_unreadable(folder, InputError(f"cannot be read: {error.strerror}", where=folder)))
            except InputError as error:
                found.append(_unreadable(folder, error))
        return found, told

    def _visits(self, path: Path, visits: list[Visit], listing: Listing) -> list[FoundExam]:
        """Exams by the reader of their data set; what it has no use for is listed."""
        found = [_visit(path, visit, self.reading, len(visits)) for visit in visits]
        if len(visits) > 1:
            return found
        return [replace(found[0], read=partial(_with_leftovers, found[0].read, listing, visits[0].dataset))]

    def _groups(self, path: Path, listing: Listing) -> list[FoundExam]:
        """Exams of a folder that no data set's reader knows: videos that one lists, and files by patient."""
        videos = {file: visit for file in listing.images for visit in visits_at(file)}
        if videos:
            listing = listing.without_tables()
        others = [file for file in listing.images if file not in videos]
        found = [_visit(file, visit, self.reading, 1) for file, visit in videos.items()]
        if not others:
            return _first_telling(found, listing.unread)
        told = (*listing.unread, *listing.labels_told)
        return [*found, *_first_telling(self._by_patient(path, others), told)]

    def _by_patient(self, path: Path, files: Sequence[Path]) -> list[FoundExam]:
        """The exams of the files of a folder, one that cannot be read where nothing tells what belongs together."""
        try:
            groups = group_files(files, path, self.reading.image_files)
        except InputError as error:
            return [_unreadable(path, error)]
        return [_of_group(path, group, self.reading, len(groups)) for group in groups]


def _first_telling(exams: list[FoundExam], told: Iterable[str]) -> list[FoundExam]:
    """The exams, the first telling of what was left out: it may have belonged to any of them."""
    return [_with_left_out(exams[0], told), *exams[1:]] if exams else []


def _of_group(path: Path, group: Group, reading: Reading, count: int) -> FoundExam:
    folder = path.resolve().name
    name = group.patient if count > 1 and group.patient else folder
    files = tuple(file for series in group.series for file in series.files)
    read = partial(read_group, name, group.series, reading)
    return FoundExam(name, path, read, part=name if count > 1 else "", files=files)


def _is_foreign(folder: Path) -> bool:
    """Whether DICOM in a folder is somebody else's: of results, or of a data set with its own reader."""
    try:
        return _holds_results(folder) or bool(visits_at(folder))
    except InputError:
        return True  # said when the folder is looked into


def _holds_results(folder: Path) -> bool:
    """Whether an earlier analysis wrote the folder: its figures are images, but no exam."""
    return holds_results(folder) or all((folder / name).exists() for name in _RESULTS)


def _with_leftovers(read: Callable[[], Exam], listing: Listing, dataset: str) -> Exam:
    exam = read()
    return replace(exam, left_out=(*exam.left_out, *files_left_out(exam, listing, dataset)))


def _with_left_out(exam: FoundExam, told: Iterable[str]) -> FoundExam:
    """The exam that tells of what was left out beside it."""
    lines = tuple(told)
    return replace(exam, read=partial(_telling, exam.read, lines)) if lines else exam


def _telling(read: Callable[[], Exam], lines: tuple[str, ...]) -> Exam:
    exam = read()
    return replace(exam, left_out=(*exam.left_out, *(line for line in lines if line not in exam.left_out)))


def _told_of_link(known: FoundExam, other: FoundExam) -> FoundExam:
    """The exam that was found first, telling of another path that leads to it."""
    if known.path.absolute() == other.path.absolute() or ".." in other.path.parts:
        return known
    return _with_left_out(known, [f"{other.path.name}: a link to {known.path}, which is taken already"])


def _with_unique_names(found: list[FoundExam]) -> list[FoundExam]:
    """Put as many parent folders before equal names as tell them apart, and a number where none does."""
    # Patients of one folder have the folder itself above them, others the folder that theirs lies in.
    above = [exam.path.resolve().parts[1 : None if exam.part else -1] for exam in found]
    names = numbered(told_apart([exam.name for exam in found], above))
    return [replace(exam, name=name) for exam, name in zip(found, names, strict=True)]
