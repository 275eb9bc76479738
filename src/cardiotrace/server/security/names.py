"""Names of files that come from outside, made harmless: nothing leads out of a folder, nothing is obeyed."""

import re
import unicodedata
from pathlib import PurePosixPath

LONGEST = 120
"""Bytes of one part of a name, of the 255 that most disks take."""
DEEPEST = 16
"""Folders within each other."""
_STRANGE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def harmless(name: str) -> PurePosixPath:
    r"""A relative path that lies where it is put, and means nothing to a shell, a page or another system.

    Args:
        name: with folders by "/" or "\".

    Example:
        >>> print(harmless("../../etc/passwd"))
        etc/passwd
        >>> print(harmless("C:\\scans\\anna<script>.dcm"))
        C_/scans/anna_script_.dcm
    """
    parts = [_part(part) for part in name.replace("\\", "/").split("/")]
    kept = [part for part in parts if part] or ["file"]
    return PurePosixPath(*kept[-DEEPEST:])


def _part(part: str) -> str:
    """One part of a path; empty where it says nothing."""
    plain = _STRANGE.sub("_", unicodedata.normalize("NFC", part)).strip().rstrip(".")
    if _DEVICES.fullmatch(plain):
        plain = f"_{plain}"
    return _cut(plain)


def _cut(part: str) -> str:
    """A part short enough; what stands behind its first dot near the end stays, since it says what the file is."""
    encoded = part.encode()
    if len(encoded) <= LONGEST:
        return part
    tail = "".join(PurePosixPath(part).suffixes[-2:])[-20:]
    return encoded[: LONGEST - len(tail.encode())].decode(errors="ignore") + tail


def told_apart(name: PurePosixPath, taken: set[str]) -> PurePosixPath:
    """The name, with a number before its suffix where it is taken, also by one that differs in case alone.

    Example:
        >>> print(told_apart(PurePosixPath("a/ED.nii.gz"), {"a/ed.nii.gz"}))
        a/ED-2.nii.gz
    """
    stem, dot, suffix = name.name.partition(".")
    number, free = 2, name
    while str(free).casefold() in taken:
        free, number = name.with_name(f"{stem}-{number}{dot}{suffix}"), number + 1
    taken.add(str(free).casefold())
    return free
