"""All DICOM objects in a file, a folder, a DICOMDIR or an archive, and what is none of them with the reason."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from cardiotrace.core.errors import InputError
from cardiotrace.core.text import natural_order, some
from cardiotrace.io.dicom.archive import MOST_ENTRIES, Member, kind_of, members_of, too_many
from cardiotrace.io.dicom.fact import text
from cardiotrace.io.dicom.header import HEAD_BYTES, begins, is_same, read_header, read_object, unwarned, value_of
from cardiotrace.io.dicom.object_file import DIRECTORY, class_of, open_file
from cardiotrace.io.dicom.source import DicomFile

if TYPE_CHECKING:
    from pydicom import Dataset

_HEAD = max(HEAD_BYTES, 512)
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
"""Suffixes of archives in a folder; one that was named by itself is known by its content."""
_NEVER = (
    *(".nii", ".nii.gz", ".mhd", ".mha", ".raw", ".zraw", ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".ppm.gz", ".avi", ".mp4", ".csv", ".txt", ".json", ".xml", ".html", ".pdf", ".npz"),
    *(".exe", ".dll", ".inf", ".ini", ".py", ".toml", ".md"),
)
"""Suffixes of files that are not opened: a data set of thousands of images is not looked through for DICOM."""
_MOST_NAMED = 3


@dataclass
class LeftOut:
    """Files that are not used, by reason: many of one reason are one line."""

    reasons: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, why: str) -> None:
        """One more file."""
        self.reasons.setdefault(why, []).append(name)

    def lines(self) -> tuple[str, ...]:
        """In words, a line for each reason.

        Example:
            >>> left_out = LeftOut({"no image": ["a", "b", "c", "d"], "a link": ["e"]})
            >>> left_out.lines()
            ('4 files (a, b, c, ...): no image', 'e: a link')
        """
        return tuple(
            f"{', '.join(names)}: {why}"
            if len(names) <= _MOST_NAMED
            else f"{len(names)} files ({some(names, _MOST_NAMED)}): {why}"
            for why, names in self.reasons.items()
        )


@dataclass(frozen=True)
class Found:
    """What was found at a place."""

    files: tuple[DicomFile, ...] = ()
    others: tuple[Path, ...] = ()
    """Files of a folder that are not DICOM."""
    left_out: tuple[str, ...] = ()
    """DICOM files and members of archives that cannot be used, with the reasons."""


def find_files(path: Path, is_foreign: Callable[[Path], bool] = lambda folder: False) -> Found:
    """The DICOM objects at a path, headers read, in natural order of their names; no object twice.

    Args:
        path: a file, a folder, a DICOMDIR or an archive. Hidden files and folders are not looked into.
        is_foreign: whether a folder is left alone, such as one of results.

    Raises:
        InputError: there are too many files, or the archive or the file is damaged.
    """
    search = _Search(is_foreign)
    with unwarned():
        if path.is_dir():
            search.folder(path)
        else:
            search.named(path)
    return Found(tuple(search.files.values()), tuple(search.others), search.left_out.lines())


def holds_dicom(path: Path) -> bool:
    """Whether a file is DICOM or an archive, by its first bytes."""
    head = _head_of(path)
    return begins(head) or bool(kind_of(head))


def _head_of(path: Path) -> bytes:
    """The first bytes of a regular file; none of anything else."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""


@dataclass
class _Search:
    """One walk; an object that lies there twice is taken once."""

    is_foreign: Callable[[Path], bool]
    files: dict[str, DicomFile] = field(default_factory=dict)
    """By instance."""
    others: list[Path] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=LeftOut)

    def named(self, path: Path) -> None:
        """A file that was asked for."""
        head = _head_of(path)
        if kind := kind_of(head):
            self.archive(path, kind)
        elif begins(head):
            self.object(path)

    def folder(self, path: Path) -> None:
        """All files of a folder and of those within."""
        for number, file in enumerate(_walk(path, self.is_foreign)):
            if number >= MOST_ENTRIES * 10:
                raise too_many(path)
            name = file.name.lower()
            head = b"" if name.endswith(_NEVER) else _head_of(file)
            kind = kind_of(head) if name.endswith(_ARCHIVES) else ""
            if kind:
                self.within(file, kind)
            elif begins(head):
                self.attempt(file)
            else:
                self.others.append(file)
            if len(self.files) > MOST_ENTRIES:
                raise too_many(path)

    def within(self, path: Path, kind: str) -> None:
        """An archive in a folder: one that holds no DICOM is another file."""
        before, told = len(self.files), dict(self.left_out.reasons)
        try:
            self.archive(path, kind)
        except InputError as error:
            self.left_out.add(path.name, error.what)
            return
        if len(self.files) == before:
            self.left_out.reasons = told
            self.others.append(path)

    def archive(self, path: Path, kind: str) -> None:
        """All members of an archive."""
        for member in members_of(path, kind):
            name = PurePosixPath(member.name).name
            if name.startswith(".") or "__MACOSX" in member.name:
                continue
            if member.problem:
                self.left_out.add(name, member.problem)
            elif name.lower().endswith(_NEVER):
                self.left_out.add(name, "no DICOM")
            else:
                self.member(path, member, name)

    def member(self, path: Path, member: Member, name: str) -> None:
        """One member, if it is DICOM."""
        try:
            stream = member.open()
            head = stream.read(_HEAD)
            stream.seek(0)
            if begins(head):
                self.take(DicomFile(path, read_header(stream, path), partial(_read_member, path, member), member.name))
            else:
                self.left_out.add(name, "an archive in an archive" if kind_of(head) else "no DICOM")
        except InputError as error:
            self.left_out.add(name, error.what)
        except Exception as error:  # whatever an archive that is damaged here makes its library raise
            self.left_out.add(name, f"damaged in the archive ({type(error).__name__})")

    def attempt(self, path: Path) -> None:
        """A file of a folder, which does not stop the others."""
        try:
            self.object(path)
        except InputError as error:
            self.left_out.add(path.name, error.what)

    def object(self, path: Path) -> None:
        """One file of DICOM; of a DICOMDIR what it lists.

        Raises:
            InputError: it is damaged.
        """
        file = open_file(path)
        if class_of(file.header) == DIRECTORY:
            self.directory(path, file)
        else:
            self.take(file)

    def directory(self, path: Path, file: DicomFile) -> None:
        """A table of contents: what it lists is taken, and told of where it is missing."""
        for listed in _listed(file.header):
            if ".." in listed or any(Path(part).is_absolute() for part in listed):
                self.left_out.add("/".join(listed), "listed in the DICOMDIR, and leads out of its folder")
            elif (target := _on_disk(path.parent, listed)) is None:
                self.left_out.add("/".join(listed), "listed in the DICOMDIR, and missing")
            else:
                self.attempt(target)

    def take(self, file: DicomFile) -> None:
        """An object that was read; one that lies here under another name is taken once.

        Programs that change an object may leave it its identifier: what has another header is another object.
        """
        place = f"{file.path}:{file.member}"
        key = text(file.header, "SOPInstanceUID") or place
        first = self.files.setdefault(key, file)
        if first is file or (first.path, first.member) == (file.path, file.member):
            return
        if is_same(first.header, file.header):
            self.left_out.add(file.name, f"the same object as {first.name}")
        else:
            self.files.setdefault(place, file)


def _read_member(path: Path, member: Member) -> "Dataset":
    return read_object(member.open(), path)


def _listed(header: "Dataset") -> Iterator[list[str]]:
    """The paths that a DICOMDIR lists, in their parts."""
    from pydicom.sequence import Sequence

    records = value_of(header, "DirectoryRecordSequence")
    for record in records if isinstance(records, Sequence) else ():
        named = value_of(record, "ReferencedFileID")
        parts = [named] if isinstance(named, str) else list(named or ())
        if parts:
            yield [str(part) for part in parts]


def _on_disk(folder: Path, parts: Sequence[str]) -> Path | None:
    """The file that a DICOMDIR lists, in whichever case its name is shown here; None where it is missing."""
    place = folder
    for part in parts:
        if not (place / part).exists():
            beside = sorted(place.iterdir()) if place.is_dir() else []
            part = next((found.name for found in beside if found.name.casefold() == part.casefold()), part)
        place /= part
    return place if place.is_file() else None


def _walk(folder: Path, is_foreign: Callable[[Path], bool]) -> Iterator[Path]:
    """All files below a folder in natural order; links are followed, each folder is looked into once."""
    seen: set[Path] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = Path(place).resolve()
        if real in seen or (Path(place) != folder and is_foreign(Path(place))):
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural_order)
        yield from (Path(place, name) for name in sorted(names, key=natural_order) if not name.startswith("."))
