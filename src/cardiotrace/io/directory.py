"""The chain of directories in a TIFF file, walked before any library does: it may be a loop, or endless."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cardiotrace.core.errors import InputError

MAX_DIRECTORIES = 100_000
"""Images that one TIFF may hold: libraries need about .2 ms for each."""

_MAX_TAGS = 4096
_SUBFILE_TYPE, _SUB_DIRECTORIES = 254, 330
_KINDS = {3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
"""Numbers that an entry can hold, by its type."""


@dataclass(frozen=True)
class Directory:
    """One directory: an image, or something beside one."""

    subfile_type: int
    below: tuple[int, ...]
    """Offsets of further directories that it names."""

    @property
    def is_beside(self) -> bool:
        """Whether it is a smaller copy (a thumbnail, a level of a pyramid) or a transparency mask of another one."""
        return bool(self.subfile_type & 0b101)


def directories(path: Path) -> list[Directory]:
    """The directories of a TIFF in the order of their chain.

    Raises:
        InputError: the chain is a loop or too long.
        struct.error: it is damaged.
    """
    found: list[Directory] = []
    with path.open("rb") as file:
        form = _Form.of(file)
        seen: set[int] = set()
        offset = form.first
        while offset:
            if offset in seen:
                raise InputError("its directories form a loop", where=path, remedy="it is damaged: export it again.")
            if len(found) == MAX_DIRECTORIES:
                raise InputError(
                    f"holds more than {MAX_DIRECTORIES} images", where=path, remedy="split it, or export it again."
                )
            seen.add(offset)
            directory, offset = form.read(file, offset)
            found.append(directory)
    return found


def below(path: Path, directory: Directory) -> Iterator[Directory]:
    """The directories that one names."""
    with path.open("rb") as file:
        form = _Form.of(file)
        for offset in directory.below:
            yield form.read(file, offset)[0]


@dataclass(frozen=True)
class _Form:
    """Byte order and widths of a TIFF's or BigTIFF's numbers."""

    order: str
    count: str
    offset: str
    first: int

    @classmethod
    def of(cls, file: BinaryIO) -> "_Form":
        head = file.read(16)
        order = {b"II": "<", b"MM": ">"}.get(head[:2], "<")
        (version,) = struct.unpack_from(f"{order}H", head, 2)
        if version == 43:
            return cls(order, "Q", "Q", struct.unpack_from(f"{order}Q", head, 8)[0])
        return cls(order, "H", "I", struct.unpack_from(f"{order}I", head, 4)[0])

    def read(self, file: BinaryIO, offset: int) -> tuple[Directory, int]:
        """A directory and the offset of the next, 0 at the end; a chain that leaves the file ends there."""
        file.seek(offset)
        (tags,) = self._unpack(file, self.count)
        if tags > _MAX_TAGS:
            raise ValueError(f"a directory of {tags} entries")
        entries = file.read(tags * self._entry_bytes)
        values: dict[int, tuple[int, ...]] = {}
        for start in range(0, len(entries) - self._entry_bytes + 1, self._entry_bytes):
            (tag,) = struct.unpack_from(f"{self.order}H", entries, start)
            if tag in (_SUBFILE_TYPE, _SUB_DIRECTORIES):
                values[tag] = self._values(file, entries[start : start + self._entry_bytes])
        file.seek(offset + struct.calcsize(f"{self.order}{self.count}") + tags * self._entry_bytes)
        (following,) = self._unpack(file, self.offset)
        return Directory((values.get(_SUBFILE_TYPE) or (0,))[0], values.get(_SUB_DIRECTORIES, ())), following

    @property
    def _entry_bytes(self) -> int:
        return 12 if self.offset == "I" else 20

    def _values(self, file: BinaryIO, entry: bytes) -> tuple[int, ...]:
        _, kind, count = struct.unpack_from(f"{self.order}HH{self.offset}", entry)
        letter = _KINDS.get(kind)
        if letter is None or not 0 < count <= MAX_DIRECTORIES:
            return ()
        packed = entry[4 + struct.calcsize(f"{self.order}{self.offset}") :]
        size = count * struct.calcsize(f"{self.order}{letter}")
        if size > len(packed):
            file.seek(struct.unpack(f"{self.order}{self.offset}", packed)[0])
            packed = file.read(size)
        return struct.unpack_from(f"{self.order}{count}{letter}", packed)

    def _unpack(self, file: BinaryIO, letter: str) -> tuple[int]:
        form = f"{self.order}{letter}"
        (value,) = struct.unpack(form, file.read(struct.calcsize(form)))
        return (value,)
