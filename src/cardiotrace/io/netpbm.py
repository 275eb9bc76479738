"""Netpbm: `.pgm`, `.ppm`, `.pnm` and `.pbm`, also compressed with gzip, as STARE gives them.

Read here and not by Pillow, which stretches values whose largest is not 255 and cuts 16-bit colour: labels and
measurements are exact.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.io import deflate
from cardiotrace.io.content import Beginning
from cardiotrace.io.stored import Pixels, StoredImage, check_shape, check_size_on_disk, header_of

SUFFIXES = (".ppm", ".pgm", ".pnm", ".pbm", ".ppm.gz", ".pgm.gz", ".pnm.gz", ".pbm.gz")

_GAP = rb"(?:\s|#[^\n]*\n)+"
_HEADER = re.compile(rb"P([1-6])" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})")
_LARGEST = re.compile(_GAP + rb"(\d{1,5})")
_MOST_WRITTEN_OUT = 2**24
"""Pixels of the variants that write numbers as text: each needs a hundred times its memory while it is read."""


@dataclass(frozen=True)
class _NetpbmFacts:
    kind: int
    """1 to 6, as in the first two letters."""
    width: int
    height: int
    largest: int
    offset: int

    @property
    def is_text(self) -> bool:
        return self.kind <= 3

    @property
    def is_bits(self) -> bool:
        return self.kind in (1, 4)

    @property
    def channel_count(self) -> int:
        return 3 if self.kind in (3, 6) else 1

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint8 if self.largest < 256 else ">u2")

    @property
    def value_count(self) -> int:
        return self.width * self.height * self.channel_count

    @property
    def byte_count(self) -> int:
        """Of the pixels in the file, where they are not text."""
        if self.is_bits:
            return (self.width + 7) // 8 * self.height
        return self.value_count * self.dtype.itemsize


@dataclass(frozen=True)
class NetpbmHeader:
    """What is kept of an image to read its pixels."""

    facts: _NetpbmFacts
    is_gzip: bool


def begins(head: bytes) -> bool:
    """Whether a file, decompressed, begins as a Netpbm image does."""
    return _HEADER.match(head) is not None


def read_header(path: Path, suffix: str, start: Beginning) -> StoredImage:
    """Size and type of a Netpbm image.

    Raises:
        InputError: not such an image, or one of absurd size.
    """
    facts = _facts(path, start)
    image = StoredImage(
        path, "image", suffix, (facts.width, facts.height), facts.dtype,
        channel_count=facts.channel_count, third_is_time=True,
        header=NetpbmHeader(facts, start.is_gzip),
    )  # fmt: skip
    check_shape(image)
    held = path.stat().st_size - (0 if start.is_gzip else facts.offset)
    if facts.is_text and facts.value_count > _MOST_WRITTEN_OUT:
        raise InputError("is a large image written out as text", where=path, remedy="save it as binary (P5 or P6).")
    least = facts.value_count if facts.is_text else facts.byte_count
    check_size_on_disk(image, held, compressed=start.is_gzip, needed=least)
    return image


def read_pixels(image: StoredImage) -> Pixels:
    """Pixels (row, column[, 3]), as stored; of black-and-white ones, black is 0 and white 255.

    Raises:
        InputError: the image is cut short, or another one follows it.
        zlib.error: the compressed data are damaged.
    """
    facts = header_of(image, NetpbmHeader).facts
    content = _content(image, facts)
    values = _written_out(content, facts, image.path) if facts.is_text else _binary(content, facts, image.path)
    shape = (facts.height, facts.width) + ((3,) if facts.channel_count == 3 else ())
    return Pixels(values.reshape(shape))


def _facts(path: Path, start: Beginning) -> _NetpbmFacts:
    found = _HEADER.match(start.head)
    if found is None:
        raise InputError("is not a Netpbm image", where=path, remedy="check the suffix, or export it again.")
    kind, width, height = (int(group) for group in found.groups())
    largest, end = 1, found.end()
    if kind not in (1, 4):
        stated = _LARGEST.match(start.head, end)
        largest, end = (0, end) if stated is None else (int(stated[1]), stated.end())
    if not 1 <= largest <= 65535:
        raise InputError("states no largest value from 1 to 65535", where=path, remedy="export it again.")
    return _NetpbmFacts(kind, width, height, largest, end + 1)  # one blank stands before the pixels


def _content(image: StoredImage, facts: _NetpbmFacts) -> bytes | bytearray:
    """The bytes after the header, and a few more, in which a further image would begin."""
    is_gzip = header_of(image, NetpbmHeader).is_gzip
    if facts.is_text:
        most = 8 * facts.value_count + 2**16
        if is_gzip:
            raise InputError("is compressed text", where=image.path, remedy="save it as binary (P5 or P6).")
        with image.path.open("rb") as file:
            file.seek(facts.offset)
            return file.read(most)
    if is_gzip:
        return deflate.inflated(image.path, facts.offset + facts.byte_count)[facts.offset :]
    with image.path.open("rb") as file:
        file.seek(facts.offset)
        return file.read(facts.byte_count + 8)


def _binary(content: bytes | bytearray, facts: _NetpbmFacts, path: Path) -> NDArray[Any]:
    if len(content) < facts.byte_count:
        raise InputError(
            f"ends early: {len(content)} of {facts.byte_count} bytes of pixels are there",
            where=path,
            remedy="the file is cut short: copy or download it again.",
        )
    if begins_again(bytes(content[facts.byte_count :])):
        raise InputError("holds several images", where=path, remedy="save each of them as a file of its own.")
    if not facts.is_bits:
        return np.frombuffer(content, facts.dtype, facts.value_count)
    rows = np.frombuffer(content, np.uint8, facts.byte_count).reshape(facts.height, -1)
    return _white_where_clear(np.unpackbits(rows, axis=1)[:, : facts.width])


def begins_again(rest: bytes) -> bool:
    """Whether what follows the pixels is another image."""
    return re.match(rb"\s*P[1-6]\s", rest) is not None


def _written_out(content: bytes | bytearray, facts: _NetpbmFacts, path: Path) -> NDArray[Any]:
    text = re.sub(rb"#[^\n]*", b"", content)
    words: Any = bytes(text.translate(None, b" \t\r\n\v\f")) if facts.kind == 1 else text.split()
    values = [int(word) - (48 if facts.kind == 1 else 0) for word in words[: facts.value_count]]
    if len(values) < facts.value_count or not all(0 <= value <= facts.largest for value in values):
        raise InputError(
            f"does not hold {facts.value_count} numbers from 0 to {facts.largest}",
            where=path,
            remedy="export it again.",
        )
    array = np.array(values, facts.dtype)
    return _white_where_clear(array) if facts.is_bits else array


def _white_where_clear(bits: NDArray[Any]) -> NDArray[np.uint8]:
    return np.where(bits == 0, 255, 0).astype(np.uint8)
