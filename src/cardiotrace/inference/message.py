"""Protocol-buffers messages, as far as model files need them: walk over fields, append some. No library is loaded.

Every field is a number, a type of wire and a content. What is not understood is refused, never skipped: another
reader might take it for something else.
"""

import io
from collections.abc import Iterator
from typing import NamedTuple, Protocol, runtime_checkable

from cardiotrace.core.errors import ModelFileError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
RE_EXPORT = "copy the file again, or export the model again with `cardiotrace export`."
_HIGHEST_NUMBER = 2**29 - 1
"""Of a field. Readers cut longer tags down to 32 bits, each in its own way."""


@runtime_checkable
class SeekableBytes(Protocol):
    """As much of an open binary file as is needed; bytes in memory are one too."""

    def read(self, size: int = -1, /) -> bytes:
        """As `io.RawIOBase.read`."""
        ...

    def seek(self, position: int, whence: int = 0, /) -> int:
        """As `io.IOBase.seek`."""
        ...

    def tell(self) -> int:
        """As `io.IOBase.tell`."""
        ...


class Field(NamedTuple):
    """One field of a message: its number and type, where its tag and its content begin, and where it ends."""

    number: int
    wire: int
    start: int
    content: int
    end: int


def fields(file: SeekableBytes, start: int = 0, end: int | None = None) -> Iterator[Field]:
    """Walk over the fields of the message between two places of a file; long contents are skipped, not read.

    Raises:
        ModelFileError: there is no such message.
    """
    end = file.seek(0, io.SEEK_END) if end is None else end
    position = start
    while position < end:
        file.seek(position)
        # A tag is the field's number and, in its three lowest bits, how its content is written.
        tag = read_varint(file)
        if not 1 <= tag >> 3 <= _HIGHEST_NUMBER:
            raise not_onnx()
        content, after = _extent(file, tag & 7)
        # Before the field is handed out: whoever reads it would get fewer bytes than it claims, and no error.
        if after > end:
            raise ModelFileError(
                f"not an ONNX model, or cut off: a part of it should end at byte {after}, the file or part has {end}",
                remedy=RE_EXPORT,
            )
        yield Field(tag >> 3, tag & 7, position, content, after)
        position = after


def _extent(file: SeekableBytes, wire: int) -> tuple[int, int]:
    """Where the content of a field begins and ends; the file stands just after its tag."""
    start = file.tell()
    if wire == BYTES:
        length = read_varint(file)
        return file.tell(), file.tell() + length
    if wire == VARINT:
        read_varint(file)
        return start, file.tell()
    if wire in (FIXED64, FIXED32):
        return start, start + (8 if wire == FIXED64 else 4)
    raise not_onnx()


def read_varint(file: SeekableBytes) -> int:
    """Read a base-128 number, low groups first.

    Raises:
        ModelFileError: the file ends in its middle, or it is longer than a number can be.
    """
    value = 0
    # Seven bits a byte, the eighth says that more follow; ten bytes hold the 64 bits of the longest number.
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise ModelFileError("not an ONNX model, or cut off in the middle of a number", remedy=RE_EXPORT)
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise not_onnx()


def not_onnx() -> ModelFileError:
    """What to say of a file of something else."""
    return ModelFileError("not an ONNX model", remedy="a model is one .onnx file; see `cardiotrace models list`.")


def delimited(number: int, content: bytes) -> bytes:
    """A field of bytes, to be appended to a message.

    Example:
        >>> delimited(14, b"x").hex()
        '720178'
    """
    return _varint(number << 3 | BYTES) + _varint(len(content)) + content


def whole(number: int, value: int) -> bytes:
    """A field of one whole number, not below 0, to be appended to a message.

    Example:
        >>> whole(2, 300).hex()
        '10ac02'
    """
    return _varint(number << 3 | VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    groups = bytearray()
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
