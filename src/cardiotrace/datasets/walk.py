"""Files below a folder, links followed."""

from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path) -> list[Path]:
    """The regular files below a folder in order of their paths, links to files and folders followed.

    Each folder is walked through once, however many links lead to it, so that loops end.

    Raises:
        OSError: a folder cannot be read.
    """
    return sorted(_below(folder, set()))


def _below(folder: Path, seen: set[Path]) -> Iterator[Path]:
    seen.add(folder.resolve())
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            if entry.resolve() not in seen:
                yield from _below(entry, seen)
        elif entry.is_file():
            yield entry
