"""Exams as they lie on disk: a file, a patient's folder, or a folder of those."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from cardiotrace.core.cine import Spacing
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.terms import Phase, View
from cardiotrace.datasets.camus import Camus, CamusConfig
from cardiotrace.datasets.naming import image_name, phase_in, view_in
from cardiotrace.io import read_cine
from cardiotrace.io.formats import suffix_of

_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True)
class Reading:
    """What the caller knows better than the files."""

    view: View | None = None
    spacing_mm: Spacing | None = None


AS_IT_IS = Reading()
"""Nothing is known better."""


@dataclass(frozen=True)
class FoundExam:
    """An exam that was found and not yet read."""

    name: str
    path: Path
    read: Callable[[], Exam]


def find_exams(paths: Iterable[Path], reading: Reading = AS_IT_IS) -> list[FoundExam]:
    """All exams below the given paths, names made unique.

    A file is an exam of its own. A folder with NIfTI, MetaImage or film files is one exam; a folder with only
    pictures is one film; a folder with neither is searched one level after another.

    Raises:
        InputError: a path does not exist, or holds no image.
    """
    found = [exam for path in paths for exam in _find(path, reading)]
    return _with_unique_names(found)


def read_exam(path: str | Path, reading: Reading = AS_IT_IS) -> Exam:
    """The one exam at a path.

    Raises:
        InputError: there is none, or several.
    """
    found = find_exams([Path(path)], reading)
    if len(found) != 1:
        names = ", ".join(exam.name for exam in found[:4])
        raise InputError(f"holds {len(found)} exams ({names}, ...)", where=path, remedy="name one of them.")
    return found[0].read()


def _find(path: Path, reading: Reading) -> list[FoundExam]:
    if not path.exists():
        raise InputError("there is no such file or folder", where=path, remedy="check the path.")
    if path.is_file():
        return [FoundExam(_stem(path), path, partial(_read_file, path, reading))]
    name = path.resolve().name
    if _is_camus_patient(path):
        return [FoundExam(name, path, partial(_read_camus, path, reading))]
    images = _images_in(path)
    if images and all(image.suffix.lower() in _PICTURES for image in images):
        return [FoundExam(name, path, partial(_read_file, path, reading))]
    if images:
        return [FoundExam(name, path, partial(_read_files, name, images, reading))]
    inside = [exam for folder in sorted(filter(Path.is_dir, path.iterdir())) for exam in _inside(folder, reading)]
    if not inside:
        raise InputError("holds no image", where=path, remedy="give a file, a patient's folder, or a folder of those.")
    return inside


def _inside(folder: Path, reading: Reading) -> list[FoundExam]:
    """Exams of a folder inside a given one, where folders without images are nothing to complain about."""
    try:
        return _find(folder, reading)
    except InputError:
        return []


def _is_camus_patient(path: Path) -> bool:
    return bool(re.fullmatch(r"patient\d{4}", path.resolve().name)) and any(path.glob("patient*_?CH_*"))


def _images_in(folder: Path) -> list[Path]:
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and suffix_of(file)]
    return [file for file in files if image_name(_stem(file)) == _stem(file)]


def _stem(path: Path) -> str:
    return path.name.removesuffix(suffix_of(path) or path.suffix)


def _image(path: Path, reading: Reading) -> ExamImage:
    view = reading.view or view_in(_stem(path))
    cine = read_cine(path, view=view, spacing_mm=reading.spacing_mm)
    phase = phase_in(_stem(path))
    is_named = phase is not Phase.OTHER and len(cine.frames) == 1
    return ExamImage(_stem(path), cine, {phase: 0} if is_named else {})


def _read_file(path: Path, reading: Reading) -> Exam:
    return Exam(_stem(path), (_image(path, reading),))


def _read_files(name: str, images: list[Path], reading: Reading) -> Exam:
    return Exam(name, tuple(_image(image, reading) for image in images))


def _read_camus(path: Path, reading: Reading) -> Exam:
    exam = Camus(CamusConfig(path)).exam(path.resolve().name)
    if reading.view is None and reading.spacing_mm is None:
        return exam
    changed = [_as_read(image, reading) for image in exam.images]
    return replace(exam, images=tuple(changed))


def _as_read(image: ExamImage, reading: Reading) -> ExamImage:
    cine = replace(
        image.cine, view=reading.view or image.cine.view, spacing_mm=reading.spacing_mm or image.cine.spacing_mm
    )
    return replace(image, cine=cine)


def _with_unique_names(found: list[FoundExam]) -> list[FoundExam]:
    """Prefix the parent folder's name where two exams share a name, and count where that does not help."""
    names = [exam.name for exam in found]
    unique: list[FoundExam] = []
    taken: set[str] = set()
    for exam in found:
        name = exam.name
        if names.count(name) > 1:
            name = f"{exam.path.resolve().parent.name}_{name}"
        while name in taken:
            name += "_"
        taken.add(name)
        unique.append(replace(exam, name=name))
    return unique
