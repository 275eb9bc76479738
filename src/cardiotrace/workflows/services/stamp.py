"""What tells whether files are the same as at an earlier run, without reading them."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cardiotrace.io.results import holds_results

Stamps = dict[str, list[int]]
"""Size in bytes and time of the last change in ns of files, by their path from the exam."""

_HEADERS = (".mhd", ".hdr")
"""Suffixes of files whose pixels lie beside them."""
_TABLES = ("FileList.csv", "../FileList.csv")
"""What tells of single files of a data set."""


def stamps_of(path: Path) -> Stamps:
    """Stamps of all that an exam may be read from: its folder; of a file, also what stands beside it for it.

    Folders of results and hidden files are none of an exam's.

    Example:
        >>> import tempfile
        >>> image = Path(tempfile.mkdtemp()) / "p_4CH.mhd"
        >>> _ = image.write_text("header"), image.with_suffix(".raw").write_text("pixels")
        >>> [(name, stamp[0]) for name, stamp in stamps_of(image).items()]
        [('p_4CH.mhd', 6), ('p_4CH.raw', 6)]
    """
    names = _names_below(path) if path.is_dir() else _names_beside(path)
    folder = folder_of(path)
    stamps = {name: stamp for name in names if (stamp := stamp_of(folder / name))}
    return dict(sorted(stamps.items()))


def folder_of(path: Path) -> Path:
    """The folder that the names of `stamps_of` start from."""
    return path if path.is_dir() else path.parent


def stamp_of(path: Path) -> list[int]:
    """Stamp of one file, or of all files of a folder together; empty where there is none."""
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        found = [file.stat() for file in files]
    except OSError:
        return []
    return [sum(item.st_size for item in found), max((item.st_mtime_ns for item in found), default=0)]


def _names_below(folder: Path) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        if Path(place) != folder and holds_results(Path(place)):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name).relative_to(folder).as_posix() for name in names if not name.startswith("."))


def _names_beside(path: Path) -> Iterable[str]:
    if path.suffix.lower() not in _HEADERS:
        return (path.name, *_TABLES)
    try:
        return [file.name for file in path.parent.iterdir() if file.name.startswith(f"{path.stem}.")]
    except OSError:
        return (path.name,)
