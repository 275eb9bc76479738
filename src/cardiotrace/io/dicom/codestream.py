"""What a compressed frame says of its own size, read before anything is decoded: a small file may claim a huge one."""

from dataclasses import dataclass

_JPEG, _J2K = b"\xff\xd8", b"\xff\x4f\xff\x51"
_SIZED = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG and JPEG-LS that a size stands behind."""
_BARE = {0x01, *range(0xD0, 0xD9)}
"""Markers that nothing belongs to."""


@dataclass(frozen=True)
class CodedSize:
    """Size of a frame as its own code states it."""

    rows: int
    columns: int
    bits: int
    """Of one sample."""
    is_signed: bool | None = None
    """Whether samples are signed; None where the code does not tell, as in JPEG."""


def coded_size(frame: bytes) -> CodedSize | None:
    r"""The size of a frame of JPEG, JPEG-LS or JPEG 2000; None where it does not begin as one, or ends before.

    Source:
        ITU-T T.81 B.2.2 (frame header), T.87 C.2.2, T.800 A.5.1 (SIZ).

    Example:
        >>> coded_size(b"\xff\xd8\xff\xc0\x00\x0b\x08\x01\xe0\x02\x80\x01")
        CodedSize(rows=480, columns=640, bits=8, is_signed=None)
    """
    if frame.startswith(_JPEG):
        return _of_jpeg(frame)
    at = frame[:4096].find(_J2K)  # behind the boxes of a JP2 file, where it is one
    if at < 0 or len(frame) < at + 43:
        return None
    right, bottom, left, top = (int.from_bytes(frame[at + 8 + 4 * n : at + 12 + 4 * n], "big") for n in range(4))
    return CodedSize(bottom - top, right - left, (frame[at + 42] & 0x7F) + 1, bool(frame[at + 42] & 0x80))


def _of_jpeg(frame: bytes) -> CodedSize | None:
    place = 2
    while place + 9 <= len(frame):
        if frame[place] != 0xFF:
            return None
        marker = frame[place + 1]
        if marker in _SIZED:
            rows, columns = (int.from_bytes(frame[place + n : place + n + 2], "big") for n in (5, 7))
            return CodedSize(rows, columns, frame[place + 4])
        if marker == 0xFF:
            place += 1
        elif marker in _BARE:
            place += 2
        else:
            place += 2 + int.from_bytes(frame[place + 2 : place + 4], "big")
    return None
