"""Where the pixels of a MetaImage header lie, also when files were renamed or moved after it was written."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from cardiotrace.core.errors import InputError


class MissingPixelsError(InputError):
    """A header stands without the file of its pixels."""


_SUFFIXES = (".raw", ".zraw")
_DATA_FILE = re.compile(rb"(?:^|\n)\s*ElementDataFile\s*=\s*([^\r\n]+)")
_HEADER_BYTES = 64 * 1024


def named_file(name: str) -> str:
    r"""The bare name in an `ElementDataFile` line, which may hold folders of another machine.

    Example:
        >>> named_file(r"C:\\export\\heart.raw")
        'heart.raw'
    """
    return re.split(r"[/\\]", name.strip())[-1]


def find_pixel_file(path: Path, name: str, *, byte_count: int | None) -> Path:
    """The file that holds the pixels of a header; only in the header's own folder, or one below it that it names.

    Where the named file is not there: one of the header's own name, as after both were renamed; then the only file of
    pixels in the folder that has exactly the right size and belongs to no other header.

    Args:
        path: the header.
        name: what its `ElementDataFile` line says.
        byte_count: size of the file; None where the header does not tell it.

    Raises:
        MissingPixelsError: it is not there.
        InputError: the header spreads its pixels over several files, or points outside its folder.
    """
    if name.upper().startswith("LIST") or "%" in name:
        raise InputError(
            f"spreads its pixels over several files ({name})", where=path, remedy="convert it to one .mha file."
        )
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise InputError(
            f"points outside its own folder, to {name}",
            where=path,
            remedy="move the pixel file beside the header, and correct ElementDataFile.",
        )
    # One after another, as hardly any header needs more than the first.
    candidates = itertools.chain(_named(path, name), _of_same_name(path), _of_same_size(path, byte_count))
    found = next((file for file in candidates if file.is_file() and file != path), None)
    if found is None:
        bare = named_file(name)
        raise MissingPixelsError(
            f"its pixel file {bare} is missing",
            where=path,
            remedy=f"put {bare} into {path.parent}, or leave this header out.",
        )
    return found


def _named(path: Path, name: str) -> Iterator[Path]:
    """The named file beside the header, or beside the file that the header is a link to; then in other cases."""
    for folder in dict.fromkeys((path.parent, path.resolve().parent)):
        yield folder / name
        yield folder / named_file(name)
        yield from (file for file in _pixel_files_in(folder) if file.name.lower() == named_file(name).lower())


def _of_same_name(path: Path) -> Iterator[Path]:
    for file in _pixel_files_in(path.parent):
        if file.stem == path.stem and path.suffix.lower() == ".mhd":
            yield file


def _of_same_size(path: Path, byte_count: int | None) -> Iterator[Path]:
    if byte_count is None:
        return
    sized = [file for file in _pixel_files_in(path.parent) if file.stat().st_size == byte_count]
    others = _claimed(path) if sized else set()
    free = [file for file in sized if file.name.lower() not in others]
    if len(free) == 1:
        yield free[0]


def _claimed(path: Path) -> set[str]:
    """Names of pixel files that belong to other headers of the folder, in lower case."""
    names: set[str] = set()
    for header in path.parent.iterdir():
        if header.suffix.lower() in (".mhd", ".mha") and header.name != path.name and header.is_file():
            names.update(f"{header.stem}{suffix}".lower() for suffix in _SUFFIXES)
            with header.open("rb") as file:
                said = _DATA_FILE.search(file.read(_HEADER_BYTES))
            if said is not None:
                names.add(named_file(said[1].decode("latin-1")).lower())
    return names


def _pixel_files_in(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES and file.is_file())
