"""What the first bytes of a file say it is, whatever its name says."""

import re
from dataclasses import dataclass
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.file import require_regular_file, unreadable
from cardiotrace.io import deflate

_HEAD_BYTES = 64 * 1024
_INNER_BYTES = 4 * 1024


@dataclass(frozen=True)
class Beginning:
    """The first bytes of a file, decompressed where it is gzip data."""

    head: bytes
    is_gzip: bool = False


NOTHING = Beginning(b"")
"""Of a folder."""


@dataclass(frozen=True)
class FileSet:
    """What may be an image, as a format is asked about it: a file, a folder, or files that belong together."""

    paths: tuple[Path, ...]
    """At least one."""
    start: Beginning
    """Of the first file; `NOTHING` of a folder."""
    suffix: str = ""
    """Of the first file's name, the longest that a format has; empty of a folder."""

    @property
    def path(self) -> Path:
        """The file or the folder; of several files the first."""
        return self.paths[0]

    @property
    def is_folder(self) -> bool:
        """Whether it is one folder."""
        return self.start is NOTHING and len(self.paths) == 1

    @property
    def is_file(self) -> bool:
        """Whether it is one file."""
        return self.start is not NOTHING and len(self.paths) == 1


def beginning(path: Path) -> Beginning:
    """The first bytes of a regular file, without waiting for a pipe or a device.

    Raises:
        InputError: no regular file, empty, or unreadable.
    """
    require_regular_file(path)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise unreadable(path, error) from None
    if not head:
        raise InputError("the file is empty (0 bytes)", where=path, remedy="copy or download it again.")
    if not head.startswith(deflate.GZIP):
        return Beginning(head)
    return Beginning(deflate.head(head, _INNER_BYTES), is_gzip=True)


_AGAIN = "the download failed, or wants you to log in: fetch it again."
_CONVERT = "convert it to .nii.gz or .png."
_FOREIGN: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), what, remedy)
    for pattern, what, remedy in (
        (rb"(?i)(\xef\xbb\xbf)?\s*(<!doctype html|<html|<head)", "is a web page, no image", _AGAIN),
        (rb"(\xef\xbb\xbf)?\s*<(\?xml|Error|svg)", "is XML text, no image", _AGAIN),
        (rb"version https://git-lfs", "is a pointer of Git LFS, not the file itself", "fetch it: `git lfs pull`."),
        (rb"\x1f\x8b", "is compressed twice", "unpack it once: `gunzip`."),
        (rb"PK\x03\x04", "is a ZIP archive (or .npz, .docx, .mrb)", "unpack it first."),
        (rb"(Rar!|7z\xbc\xaf|\xfd7zXZ|BZh\d|\x28\xb5\x2f\xfd)", "is a compressed archive", "unpack it first."),
        (rb".{257}ustar", "is a tar archive", "unpack it first."),
        (rb"\x93NUMPY", "is a NumPy array, which says nothing of pixel sizes", _CONVERT),
        (rb"\x89HDF", "is an HDF5 file (or .mat)", _CONVERT),
        (rb"MATLAB 5", "is a MATLAB file", _CONVERT),
        (rb"NRRD0", "is an NRRD file, which is not read", _CONVERT),
        (rb"RIFF.{4}WEBP", "is a WebP image, which is not read", _CONVERT),
        (rb".{4}ftyp(heic|heix|mif1|avif)", "is a HEIC or AVIF image, which is not read", _CONVERT),
        (rb"(\x00\x00\x00\x0cjP|\xff\x4f\xff\x51)", "is a JPEG 2000 image, which is not read", _CONVERT),
        (rb"8BPS", "is a Photoshop file, which is not read", _CONVERT),
        (rb"%PDF", "is a PDF document, no image", "export the image itself."),
    )
)


def foreign(start: Beginning) -> tuple[str, str] | None:
    """What a file is that no format here reads, and what to do about it; None where that is not known."""
    for pattern, what, remedy in _FOREIGN:
        if pattern.match(start.head):
            return (f"{what} (compressed)" if start.is_gzip and "twice" not in what else what), remedy
    return None
