"""What stands in a DICOM header, asked for one thing at a time: a value that is not what it should be is none."""

import contextlib
import re
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from cardiotrace.core.errors import InputError
from cardiotrace.io.dicom.fact import number
from cardiotrace.io.stored import MAX_PIXEL_BYTES, quiet, reading

if TYPE_CHECKING:
    from pydicom import Dataset

_PREAMBLE = 128
_BARE = re.compile(rb"[\x02\x08]\x00[\x00-\x18]\x00(AE|AS|AT|CS|DA|LO|OB|PN|SH|TM|UI|UL|US|[\x00-\x80]\x00\x00\x00)")
"""A file without the preamble: the first element is of group 2 or 8, with the two letters of its type or a length."""
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_PIECE = 2**20
HEAD_BYTES = _PREAMBLE + 16
"""First bytes of a file that tell whether it is one of DICOM."""


def begins(head: bytes) -> bool:
    r"""Whether a file begins as one of DICOM does, with the preamble or, as older programs write, without.

    Example:
        >>> begins(bytes(128) + b"DICM"), begins(b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100"), begins(b"GIF89a")
        (True, True, False)
    """
    return head[_PREAMBLE : _PREAMBLE + 4] == b"DICM" or _BARE.match(head) is not None


def read_header(stream: BinaryIO, path: Path) -> "Dataset":
    """All that stands before the pixels.

    Args:
        stream: the object from its beginning.
        path: the file or archive, for messages.

    Raises:
        InputError: it is damaged.
    """
    return _read(stream, path, stop_before_pixels=True)


def read_object(stream: BinaryIO, path: Path) -> "Dataset":
    """A whole object, with its pixels as they are stored.

    Raises:
        InputError: it is damaged, or ends early.
    """
    return _read(stream, path, stop_before_pixels=False)


def _read(stream: BinaryIO, path: Path, *, stop_before_pixels: bool) -> "Dataset":
    import pydicom

    with reading(path, "a DICOM"), quiet("pydicom"):
        _check_deflated(stream, path)
        return pydicom.dcmread(stream, stop_before_pixels=stop_before_pixels, force=True)


def _check_deflated(stream: BinaryIO, path: Path) -> None:
    """Refuse a deflated object that inflates beyond what is read: the library inflates all of it at once.

    Raises:
        InputError: it does, or is damaged.
    """
    head = stream.read(2048)
    if _DEFLATED in head[:1024]:
        # Behind preamble, mark and the element that says how long the other elements of the file's own group are.
        stream.seek(_PREAMBLE + 16 + int.from_bytes(head[_PREAMBLE + 12 : _PREAMBLE + 16], "little"))
        inflater, found = zlib.decompressobj(-zlib.MAX_WBITS), 0
        while not inflater.eof and (piece := inflater.unconsumed_tail or stream.read(_PIECE)):
            found += len(inflater.decompress(piece, _PIECE))
            if found > MAX_PIXEL_BYTES:
                raise InputError(
                    f"inflates to more than {MAX_PIXEL_BYTES / 2**30:.0f} GiB", where=path, remedy="it is no image."
                )
    stream.seek(0)


@contextlib.contextmanager
def unwarned() -> Iterator[None]:
    """Keep what the library warns of, which is every value that is not quite as the standard has it, to itself."""
    with warnings.catch_warnings(), quiet("pydicom"):
        warnings.simplefilter("ignore")
        yield


def value_of(header: "Dataset", keyword: str) -> Any:
    """The value of an element as the library gives it; None where there is none, or none that can be read."""
    with unwarned():
        try:
            return header.get(keyword)
        except Exception:  # whatever a value of the wrong type makes the library raise
            return None


def is_same(header: "Dataset", other: "Dataset") -> bool:
    """Whether two headers state the same; what cannot be compared is not the same."""
    with unwarned():
        try:
            return bool(header == other)
        except Exception:  # whatever a value of the wrong type makes the library raise
            return False


def whole_of(header: "Dataset", keyword: str) -> int | None:
    """A whole number."""
    value = number(header, keyword)
    return int(value) if value is not None and value == int(value) else None
