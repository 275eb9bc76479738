"""Bounded decompression of gzip and zlib data."""

import zlib
from pathlib import Path

from cardiotrace.core.errors import InputError

MAX_RATIO = 1032
"""Deflate cannot shrink anything further than 1032 to 1: a header that claims more than that lies."""

_EITHER = 47  # zlib's word for: largest window, gzip or zlib framing


def head(content: bytes, byte_count: int) -> bytes:
    """At most the first `byte_count` bytes of what the beginning of a file decompresses to."""
    return zlib.decompressobj(_EITHER).decompress(content, byte_count)


def inflated(path: Path, byte_count: int, *, offset: int = 0) -> bytes:
    """Exactly `byte_count` bytes, however much more there may be; the check sum is verified where it follows them.

    Args:
        path: a file with gzip or zlib data.
        byte_count: how much is wanted; check it against a bound and `MAX_RATIO` before.
        offset: where in the file the data begin.

    Raises:
        InputError: the file ends before that many bytes, or before its check sum.
        zlib.error: the data are damaged.
    """
    with path.open("rb") as file:
        file.seek(offset)
        # What deflate cannot shrink it makes longer by less than a thousandth.
        compressed = file.read(byte_count + byte_count // 1000 + 2**20)
    parts: list[bytes] = []
    missing, is_cut = byte_count, False
    while missing > 0 and compressed and not is_cut:  # once for each member, and nearly all files have one
        member = zlib.decompressobj(_EITHER)
        part = member.decompress(compressed, missing)
        surplus = b"" if member.eof else member.decompress(member.unconsumed_tail, 1)
        is_cut = not surplus and not member.eof
        parts.append(part)
        missing -= len(part)
        compressed = member.unused_data
    if is_cut or missing > 0:
        raise InputError(
            f"ends early: {byte_count - missing} of {byte_count} bytes are there{', but no check sum' * (not missing)}",
            where=path,
            remedy="the file is cut short: copy or download it again.",
        )
    return parts[0] if len(parts) == 1 else b"".join(parts)
