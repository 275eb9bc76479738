"""Exams as they lie on disk: a file, a patient's folder, or a folder of those."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NoReturn

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.camus import Camus, CamusConfig
from cardiotrace.datasets.naming import image_name, modality_in, phase_in, view_in
from cardiotrace.io import picture_suffixes, read_image
from cardiotrace.io.formats import suffix_of
from cardiotrace.io.frames import GivenSpacing

_RESULTS = ("measures.json", "report.html")
"""Files that tell a folder of results from one of images."""
_REMEDY = "give a file, a patient's folder, or a folder of those."


@dataclass(frozen=True)
class Reading:
    """What the caller knows better than the files."""

    view: View | None = None
    modality: Modality | None = None
    spacing_mm: GivenSpacing | None = None


AS_IT_IS = Reading()
"""Nothing is known better."""


@dataclass(frozen=True)
class FoundExam:
    """An exam that was found and not yet read."""

    name: str
    path: Path
    read: Callable[[], Exam]
    """Raises InputError where the exam cannot be read."""


def find_exams(paths: Iterable[Path], reading: Reading = AS_IT_IS) -> list[FoundExam]:
    """All exams below the given paths, each once, names made unique.

    A file is an exam of its own. A folder with NIfTI, MetaImage or film files is one exam; a folder with only
    pictures is one film; a folder with neither is searched one level after another, hidden folders and folders of
    results left out. A path that holds nothing counts as an exam whose reading fails, so that the others are done.
    """
    found: dict[Path, FoundExam] = {}
    for path in paths:
        for exam in _at(path, reading):
            found.setdefault(exam.path.resolve(), exam)
    return _with_unique_names(list(found.values()))


def read_exam(path: str | Path, reading: Reading = AS_IT_IS) -> Exam:
    """The one exam at a path.

    Raises:
        InputError: there is none, or several, or it cannot be read.
    """
    found = find_exams([Path(path)], reading)
    if len(found) > 1:
        names = ", ".join(exam.name for exam in found[:4])
        raise InputError(f"holds {len(found)} exams ({names}, ...)", where=path, remedy="name one of them.")
    return found[0].read()


def _at(path: Path, reading: Reading) -> list[FoundExam]:
    """The exams at a path that was asked for; one that cannot be read where there is none."""
    try:
        if not path.exists():
            raise InputError("there is no such file or folder", where=path, remedy="check the path.")
        found = [_file(path, reading)] if path.is_file() else _folder(path, reading)
        if not found:
            raise InputError("holds no image", where=path, remedy=_REMEDY)
    except OSError as error:
        return [_unreadable(path, InputError(f"cannot be read: {error.strerror}", where=path))]
    except InputError as error:
        return [_unreadable(path, error)]
    return found


def _file(path: Path, reading: Reading) -> FoundExam:
    return FoundExam(_stem(path), path, partial(_read_files, _stem(path), [path], reading))


def _unreadable(path: Path, error: InputError) -> FoundExam:
    def fail() -> NoReturn:
        raise error

    return FoundExam(_stem(path) or path.resolve().name or "exam", path, fail)


def _folder(path: Path, reading: Reading) -> list[FoundExam]:
    """The exam that a folder is, or those that lie in it."""
    name = path.resolve().name
    if _is_camus_patient(path):
        return [FoundExam(name, path, partial(_read_camus, path, reading))]
    images = _images_in(path)
    if images and all(image.name.lower().endswith(picture_suffixes()) for image in images):
        return [FoundExam(name, path, partial(_read_files, name, [path], reading))]
    if images:
        return [FoundExam(name, path, partial(_read_files, name, images, reading))]
    folders = [entry for entry in sorted(path.iterdir()) if entry.is_dir() and not entry.name.startswith(".")]
    return [exam for folder in folders if not _holds_results(folder) for exam in _folder(folder, reading)]


def _holds_results(folder: Path) -> bool:
    """Whether an earlier analysis wrote the folder: its figures are pictures, but no exam."""
    return all((folder / name).exists() for name in _RESULTS)


def _is_camus_patient(path: Path) -> bool:
    return bool(re.fullmatch(r"patient\d{4}", path.resolve().name)) and any(path.glob("patient*_?CH_*"))


def _images_in(folder: Path) -> list[Path]:
    """Image files of a folder; labels and hidden files are none."""
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and suffix_of(file)]
    return [file for file in files if not file.name.startswith(".") and image_name(_stem(file)) == _stem(file)]


def _stem(path: Path) -> str:
    return path.name.removesuffix(suffix_of(path) or path.suffix)


def _read_files(name: str, images: list[Path], reading: Reading) -> Exam:
    """Images named after their files, with the suffix where two files differ in that alone."""
    stems = Counter(map(_stem, images))
    names = [_stem(image) if stems[_stem(image)] == 1 else image.name.replace(".", "-") for image in images]
    return Exam(name, tuple(_image(*pair, reading) for pair in zip(names, images, strict=True)))


def _image(name: str, path: Path, reading: Reading) -> ExamImage:
    view = reading.view or view_in(_stem(path))
    modality = reading.modality or _modality(view, modality_in(_stem(path)))
    cine = read_image(path, view=view, modality=modality, spacing_mm=reading.spacing_mm)
    phase = phase_in(_stem(path))
    is_named = phase is not Phase.OTHER and len(cine.frames) == 1
    return ExamImage(name, cine, {phase: 0} if is_named else {})


def _modality(view: View, stated: Modality) -> Modality:
    """What a name states; else what most pictures of the view are made by."""
    if stated is not Modality.UNKNOWN:
        return stated
    usual = {View.SAX: Modality.MR, View.RVOT: Modality.MR, View.FUNDUS: Modality.PHOTOGRAPH}
    return usual.get(view, Modality.UNKNOWN if view is View.UNKNOWN else Modality.US)


def _read_camus(path: Path, reading: Reading) -> Exam:
    exam = Camus(CamusConfig(path)).exam(path.resolve().name)
    if reading == AS_IT_IS:
        return exam
    changed = [_as_read(image, reading) for image in exam.images]
    return replace(exam, images=tuple(changed))


def _as_read(image: ExamImage, reading: Reading) -> ExamImage:
    cine = replace(image.cine, view=reading.view or image.cine.view, modality=reading.modality or image.cine.modality)
    if reading.spacing_mm is not None:
        depth, height, width = reading.spacing_mm
        cine = replace(cine, geometry=cine.geometry.with_pixel_size(height, width, depth))
    return replace(image, cine=cine)


def _with_unique_names(found: list[FoundExam]) -> list[FoundExam]:
    """Put as many parent folders before equal names as tell them apart, and a number where none does."""
    names = [exam.name for exam in found]
    parents = [exam.path.resolve().parts[1:-1] for exam in found]
    for depth in range(1, max(map(len, parents), default=0) + 1):
        counts = Counter(names)
        if max(counts.values()) == 1:
            break
        longer = ["_".join((*above[-depth:], exam.name)) for above, exam in zip(parents, found, strict=True)]
        names = [longer[index] if counts[name] > 1 else name for index, name in enumerate(names)]
    unique: list[str] = []
    for name in names:
        numbered = (f"{name}-{number}" for number in range(2, len(names) + 2))
        unique.append(name if name not in unique else next(other for other in numbered if other not in names + unique))
    return [replace(exam, name=name) for exam, name in zip(found, unique, strict=True)]
