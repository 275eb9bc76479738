"""Bounded decompression of gzip and zlib data."""

import zlib
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

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


def _blocks(file: BinaryIO, missing: int) -> Generator[bytes, None, bool]:
    """What is decompressed, `missing` bytes at most; returns whether the data go on or end with their check sum."""
    member, pending, is_read = zlib.decompressobj(_EITHER), b"", False
    while True:
        if not pending and not is_read:
            pending = file.read(_CHUNK)
            is_read = not pending
        if member.eof:
            if missing == 0 or not pending:
                return missing == 0
            member = zlib.decompressobj(_EITHER)
        block = member.decompress(pending, min(missing, _BLOCK) or 1)
        pending = member.unused_data if member.eof else member.unconsumed_tail
        if block and missing == 0:
            return True
        if block:
            missing -= len(block)
            yield block
        elif is_read and not member.eof:
            return False
