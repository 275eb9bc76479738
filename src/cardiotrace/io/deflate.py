"""Bounded decompression of gzip and zlib data."""

import zlib
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from cardiotrace.core.errors import InputError

MAX_RATIO = 1032
"""Deflate cannot shrink anything further than 1032 to 1: a header that claims more than that lies."""

GZIP = b"\x1f\x8b"
"""The first bytes of gzip data."""

_EITHER = 47  # zlib's word for: largest window, gzip or zlib framing
_CHUNK = 256 * 1024  # compressed bytes taken at a time: they become 258 MiB at most
_PIECE = 1024
_BLOCK = 16 * 1024**2


def head(content: bytes, byte_count: int) -> bytes:
    """What the beginning of a file decompresses to, `byte_count` bytes at most; fewer where it is damaged."""
    member, result = zlib.decompressobj(_EITHER), b""
    for start in range(0, len(content), _PIECE):
        try:
            result += member.decompress(content[start : start + _PIECE], byte_count - len(result))
        except zlib.error:
            break
        if len(result) >= byte_count or member.eof:
            break
    return result


def inflated(path: Path, byte_count: int, *, offset: int = 0) -> bytearray:
    """Exactly `byte_count` bytes, however much more there may be; the check sum is verified where it follows them.

    Args:
        path: a file with gzip or zlib data.
        byte_count: how much is wanted; check it against a bound and `MAX_RATIO` before.
        offset: where in the file the data begin.

    Raises:
        InputError: the file ends before that many bytes, or before its check sum.
        zlib.error: the data are damaged.
    """
    result = bytearray(byte_count)
    filled = 0
    with path.open("rb") as file, memoryview(result) as view:
        file.seek(offset)
        blocks = _blocks(file, byte_count)
        try:
            while True:
                block = next(blocks)
                view[filled : filled + len(block)] = block
                filled += len(block)
        except StopIteration as end:
            is_whole: bool = end.value
    if filled < byte_count or not is_whole:
        raise InputError(
            f"ends early: {filled} of {byte_count} bytes are there{', but no check sum' * (filled == byte_count)}",
            where=path,
            remedy="the file is cut short: copy or download it again.",
        )
    return result


def is_longer(content: bytes, byte_count: int) -> bool:
    """Whether data decompress to more than `byte_count` bytes; nothing beyond them is made.

    Raises:
        zlib.error: the data are damaged.
    """
    member, done = zlib.decompressobj(_EITHER), 0
    while not member.eof and done <= byte_count:
        block = member.decompress(content, min(_BLOCK, byte_count + 1 - done))
        content = member.unconsumed_tail
        done += len(block)
        if not block and not content:
            break
    return done > byte_count


@dataclass
class _Members:
    """Compressed data as members, one after another, as a gzip file may hold."""

    file: BinaryIO
    member: Any = field(default_factory=lambda: zlib.decompressobj(_EITHER))
    pending: bytes = b""
    """What was read and is not decompressed."""
    is_read: bool = False
    """Whether the file was read to its end."""

    def refill(self) -> None:
        if not self.pending and not self.is_read:
            self.pending = self.file.read(_CHUNK)
            self.is_read = not self.pending

    def block(self, most: int) -> bytes:
        """The next bytes, of the next member where one has ended; none where more must be read."""
        if self.member.eof:
            self.member = zlib.decompressobj(_EITHER)
        block: bytes = self.member.decompress(self.pending, most)
        self.pending = self.member.unused_data if self.member.eof else self.member.unconsumed_tail
        return block

    @property
    def is_cut_short(self) -> bool:
        """Whether the file ends within a member."""
        return self.is_read and not self.member.eof


def _blocks(file: BinaryIO, missing: int) -> Generator[bytes, None, bool]:
    """What is decompressed, `missing` bytes at most; returns whether the data go on or end with their check sum."""
    members = _Members(file)
    while True:
        members.refill()
        if members.member.eof and not (missing and members.pending):
            return missing == 0
        # Once all is there one byte more is asked for: it shows whether the check sum comes, and is right.
        block = members.block(min(missing, _BLOCK) or 1)
        if block and missing == 0:
            return True
        missing -= len(block)
        if block:
            yield block
        elif members.is_cut_short:
            return False
