"""What lies in a folder beside the images of an exam, so that no file is dropped without a word."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam
from cardiotrace.core.text import some
from cardiotrace.datasets.naming import read_name
from cardiotrace.io import pixel_files
from cardiotrace.io.formats import stem_of, suffix_of

_SYSTEM = ("thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r", "__macosx")
"""Files and folders that operating systems leave behind; so are all whose names begin with a dot."""
LABELS = "labels, which measure and evaluate read"
"""Reason why label files are no images."""
_TABLES = (".cfg", ".csv")
"""Of data sets, whose readers know them."""
_RECORDS = ("exam.json",)
"""Files of whole names, known to readers as well."""


@dataclass(frozen=True)
class Listing:
    """A folder's entries, sorted by what they are."""

    images: tuple[Path, ...]
    labels: tuple[Path, ...]
    folders: tuple[Path, ...]
    unread: tuple[str, ...]
    """Everything else, each with the reason why it is no image."""

    @property
    def labels_told(self) -> tuple[str, ...]:
        """The label files in one line; none where there is none."""
        if not self.labels:
            return ()
        names = some([path.name for path in self.labels], 2)
        return (f"{names}: {LABELS}",)

    def without_tables(self) -> "Listing":
        """The listing without tables and settings files, where a data set's reader has used them."""
        return replace(self, unread=tuple(line for line in self.unread if not _is_table(line.partition(": ")[0])))


def _is_table(name: str) -> bool:
    return name.lower().endswith(_TABLES) or name in _RECORDS


def look_into(folder: Path) -> Listing:
    """Sort the entries of a folder; hidden and system files are none.

    Raises:
        OSError: the folder cannot be read.
    """
    entries = [entry for entry in sorted(folder.iterdir()) if not is_system(entry)]
    folders, files = _parted(entries, Path.is_dir)
    problems = {file: why for file in files if (why := _problem(file)) is not None}
    readable, _ = _parted(files, lambda file: file not in problems)
    labels, others = _parted(readable, _is_labels)
    images, repeated = _once(others)
    return Listing(images, labels, folders, (*_unread(problems, images + labels), *repeated))


def _parted(paths: Iterable[Path], is_first: Callable[[Path], bool]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Those that are of a kind, and the others, in order."""
    kinds = {path: is_first(path) for path in paths}
    return tuple(path for path in kinds if kinds[path]), tuple(path for path in kinds if not kinds[path])


def _is_labels(file: Path) -> bool:
    return read_name(stem_of(file)).is_labels


def _unread(problems: Mapping[Path, str], readable: Iterable[Path]) -> Iterator[str]:
    """Files with the reasons why they are no images, without those that hold the pixels of one."""
    pixels = {file.name for path in readable for file in _pixel_files(path)}
    return (f"{file.name}: {why}" for file, why in problems.items() if file.name not in pixels)


def files_left_out(exam: Exam, listing: Listing, dataset: str) -> tuple[str, ...]:
    """The files of a folder that the exam of a data set's own reader does not hold, with the reason."""
    sources = [image.image.source for image in exam.images]
    told = {line.partition(": ")[0] for line in exam.left_out}
    told |= {source.path.name for source in sources if source is not None}
    strange = f"not one of the files that {dataset} is made of: name it by itself to have it analysed"
    extra = (f"{path.name}: {strange}" for path in listing.images if path.name not in told)
    return (*extra, *listing.without_tables().unread, *listing.labels_told)


def _pixel_files(path: Path) -> tuple[Path, ...]:
    """Files that hold an image's pixels; reading the image tells what is wrong with one that has none."""
    try:
        return pixel_files(path)
    except InputError:
        return ()


def is_system(path: Path) -> bool:
    """Whether a file or folder is hidden, or one that operating systems leave behind."""
    return path.name.startswith(".") or path.name.lower() in _SYSTEM


def _problem(file: Path) -> str | None:
    """Why a file is no image; None where it may be one."""
    if not file.exists():
        return "a link to nothing" if file.is_symlink() else "gone while the folder was read"
    if not file.is_file():
        return "not a regular file"
    if suffix_of(file) is None:
        return "no image, by its suffix"
    return None if os.access(file, os.R_OK) else "may not be read"


def _once(files: Iterable[Path]) -> tuple[tuple[Path, ...], list[str]]:
    """The files without those that links make another of, and what to say of these."""
    kept: dict[Path, Path] = {}
    repeated = []
    for file in files:
        first = kept.setdefault(file.resolve(), file)
        if first is not file:
            repeated.append(f"{file.name}: the same file as {first.name}")
    return tuple(kept.values()), repeated
