"""Members of zip and tar archives, read where they lie: nothing is unpacked to a place, and no path is followed.

A compressed tar would have to be read from its beginning for each member; it is unpacked once into a file without a
name, which the system removes with its last reader.
"""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import tempfile
import weakref
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from cardiotrace.core.errors import InputError
from cardiotrace.io.stored import MAX_PIXEL_BYTES, reading

MOST_ENTRIES = 100_000
"""Entries of the largest archive or folder that is looked through: a study has thousands."""
MAX_MEMBER_BYTES = MAX_PIXEL_BYTES + 2**24
"""Largest member that is read: the largest image, and a header."""
MAX_ARCHIVE_BYTES = 8 * 2**30
"""That a compressed tar is unpacked to."""
_TABLE_BYTES = 1000 * MOST_ENTRIES
"""Of the table of contents of a zip, a kilobyte for each entry."""
_IN_SECOND_RECORD = 0xFFFFFFFF
_PIECE = 2**20
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_TAR = slice(257, 262)
_PACKED: tuple[tuple[bytes, Callable[[BinaryIO], BinaryIO]], ...] = (
    (b"\x1f\x8b", lambda file: cast(BinaryIO, gzip.GzipFile(fileobj=file))),
    (b"BZh", lambda file: cast(BinaryIO, bz2.BZ2File(file))),
    (b"\xfd7zXZ", lambda file: cast(BinaryIO, lzma.LZMAFile(file))),  # noqa: SIM115
)


@dataclass(frozen=True)
class Member:
    """A file in an archive."""

    name: str
    open: Callable[[], BinaryIO] = field(repr=False)
    """From its beginning, to be read forwards and back."""
    problem: str = ""
    """Why it is not opened; empty where it may be."""


def kind_of(head: bytes) -> str:
    """What kind of archive begins so: "zip", "tar", "packed" for what may be a compressed tar, empty for none."""
    if head.startswith(_ZIP):
        return "zip"
    if head[_TAR] == b"ustar":
        return "tar"
    return "packed" if any(head.startswith(magic) for magic, _ in _PACKED) else ""


def members_of(path: Path, kind: str) -> list[Member]:
    """The files in an archive, none of them opened yet.

    Raises:
        InputError: it is damaged, or holds more than is looked through.
    """
    with reading(path, "an archive"):
        return list(_counted(_of_zip(path) if kind == "zip" else _of_tar(path, kind), path))


def _counted(members: Iterator[Member], path: Path) -> Iterator[Member]:
    for number, member in enumerate(members):
        if number >= MOST_ENTRIES:
            raise too_many(path)
        yield member


def too_many(path: Path) -> InputError:
    """That nobody looks through so much."""
    return InputError(f"holds more than {MOST_ENTRIES} files", where=path, remedy="name the folder of one study.")


def _of_zip(path: Path) -> Iterator[Member]:
    _check_table(path)
    file = path.open("rb")
    try:
        archive = zipfile.ZipFile(file)
    except BaseException:
        file.close()
        raise
    _close_with(archive, file)
    for info in archive.infolist():
        if not info.is_dir():
            yield Member(info.filename, partial(_open_zipped, archive, info), _problem_of_zipped(info))


def _close_with(owner: object, file: BinaryIO) -> None:
    """Close a file when nobody refers to its owner any more.

    Members are read long after they were listed, and headers refer to each other in circles: whatever is collected as a
    part of one is finalised in any order, its file perhaps first, which warns. This comes before all finalisers.
    """
    weakref.finalize(owner, file.close)


def _open_zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> BinaryIO:
    return cast(BinaryIO, Growing(cast(BinaryIO, archive.open(info)), info.file_size))


def _check_table(path: Path) -> None:
    """Refuse a zip with a table of contents larger than that of any study, before it is read.

    Raises:
        InputError: it has one.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2**16 - 128))
        end = file.read()
    at = end.rfind(b"PK\x05\x06")
    size = int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0
    # Archives of more than 4 GiB state their sizes in a second record before the last one.
    large = end.rfind(b"PK\x06\x06", 0, at) if size == _IN_SECOND_RECORD else -1
    if large >= 0:
        size = int.from_bytes(end[large + 40 : large + 48], "little")
    if size > _TABLE_BYTES:
        raise too_many(path)


def _problem_of_zipped(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & 1:
        return "encrypted: unpack it with its password"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link, which is not followed"
    return _problem_of(info.filename, info.file_size)


def _problem_of(name: str, size: int) -> str:
    if _leads_out(name):
        return "its path leads out of the archive"
    return "larger than any image that is read" if size > MAX_MEMBER_BYTES else ""


def _leads_out(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/"))
    return parts.is_absolute() or ".." in parts.parts or name[1:2] == ":"


def _of_tar(path: Path, kind: str) -> Iterator[Member]:
    holder = _Holder(path.open("rb") if kind == "tar" else _unpacked(path))
    _close_with(holder, holder.file)
    with tarfile.open(fileobj=holder.file, mode="r:") as archive:
        for info in archive:
            if not info.isdir():
                yield Member(info.name, partial(holder.part, info.offset_data, info.size), _problem_of_tarred(info))


def _problem_of_tarred(info: tarfile.TarInfo) -> str:
    if info.issparse():
        return "stored without its zeros, which is not read: pack it without --sparse"
    return _problem_of(info.name, info.size) if info.isreg() else "a link or device, which is not followed"


@dataclass(eq=False)
class _Holder:
    """The file of a tar."""

    file: BinaryIO

    def part(self, start: int, size: int) -> BinaryIO:
        """A member from its beginning."""
        self.file.seek(start)
        return io.BytesIO(self.file.read(size))


def _unpacked(path: Path) -> BinaryIO:
    """A compressed tar unpacked into a file without a name.

    Raises:
        InputError: it grows beyond what is read, or is no tar.
    """
    target = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 (closed by its holder)
    try:
        with path.open("rb") as packed:
            _unpack(packed, target, path)
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return target


def _unpack(packed: BinaryIO, target: BinaryIO, path: Path) -> None:
    head = packed.read(8)
    packed.seek(0)
    source = next(unpack for magic, unpack in _PACKED if head.startswith(magic))(packed)
    size = 0
    while piece := source.read(_PIECE):
        size += len(piece)
        if size == len(piece) and piece[_TAR] != b"ustar":
            raise InputError("is compressed, and no tar archive", where=path, remedy="unpack it first.")
        if size > MAX_ARCHIVE_BYTES:
            most = f"{MAX_ARCHIVE_BYTES / 2**30:.0f} GiB"
            raise InputError(f"unpacks to more than {most}", where=path, remedy="unpack it first.")
        target.write(piece)


class Growing(io.RawIOBase):
    """A stream that can only be read forwards, kept as far as it was read, so that one can go back in it.

    Example:
        >>> stream = Growing(io.BytesIO(b"header and pixels"), 17)
        >>> stream.read(6), stream.seek(0), stream.read(3)
        (b'header', 0, b'hea')
    """

    def __init__(self, source: BinaryIO, size: int) -> None:
        self._source, self._size = source, size
        self._kept, self._place = bytearray(), 0

    def _grow_to(self, end: int) -> None:
        end = min(end, self._size)
        while len(self._kept) < end and (piece := self._source.read(max(2**16, end - len(self._kept)))):
            self._kept += piece[: self._size - len(self._kept)]

    def read(self, size: int | None = -1) -> bytes:
        """Bytes from the present place on; all where no number is given."""
        end = self._size if size is None or size < 0 else self._place + size
        self._grow_to(end)
        found = bytes(self._kept[self._place : end])
        self._place += len(found)
        return found

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, counted from the beginning, from here or from the end."""
        self._place = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence])
        return self._place

    def tell(self) -> int:
        """The present place."""
        return self._place

    def readable(self) -> bool:
        """That it can be read."""
        return True

    def seekable(self) -> bool:
        """That one can go back in it."""
        return True
