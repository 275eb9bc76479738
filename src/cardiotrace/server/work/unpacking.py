"""Archives that are sent, opened within bounds: a damaged or hostile one costs a line, not the disk."""

import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from cardiotrace.server.security.names import harmless, told_apart
from cardiotrace.server.store.blobs import link_or_copy

_CHUNK = 1 << 20
_ZIP = b"PK\x03\x04"
_ENCRYPTED = 0x1
_LINK = 0o120000
_KIND = 0o170000


@dataclass(frozen=True)
class Bounds:
    """What one upload may hold."""

    files: int = 50_000
    byte_count: int = 32 * 2**30
    """Unpacked."""
    ratio: float = 200.0
    """Of what is unpacked to what was sent, beyond the first 64 MB: no image shrinks further, zeros do."""
    seconds: float = 900.0


_FREE_BYTES = 64 * 2**20


class TooMuchError(Exception):
    """A bound was passed."""


@dataclass
class Unpacking:
    """Puts what is sent into a folder, and counts.

    Args:
        folder: where to.
        bounds: of all that is put there.
    """

    folder: Path
    bounds: Bounds = field(default_factory=Bounds)
    left_out: list[str] = field(default_factory=list)
    """What was not taken, each with the reason."""
    _taken: set[str] = field(default_factory=set)
    _files: int = 0
    _bytes: int = 0
    _until: float = field(default_factory=lambda: float("inf"))

    def add(self, file: Path, name: str) -> None:
        """Take a file over, an archive by what it holds; what was sent stays, for who has to begin again.

        Raises:
            TooMuchError: a bound was passed.
        """
        path = harmless(name)
        if path.suffix.lower() == ".zip" and _begins(file, _ZIP):
            self._unpack(file, path)
            return
        self._count(file.stat().st_size)
        link_or_copy(file, self._place(path))

    def _unpack(self, file: Path, name: PurePosixPath) -> None:
        try:
            with zipfile.ZipFile(file) as archive:
                self._until = time.monotonic() + self.bounds.seconds
                for info in archive.infolist():
                    self._member(archive, info, name, file.stat().st_size)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError, zlib.error) as error:
            self.left_out.append(f"{name}: a damaged archive ({error})")

    def _member(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: PurePosixPath, sent: int) -> None:
        if info.is_dir():
            return
        told = harmless(info.filename)
        if reason := _refused(info, told):
            self.left_out.append(f"{name.name}/{told}: {reason}")
            return
        self._count(0)
        target = self._place(name.with_suffix("") / told)
        try:
            with archive.open(info) as source, target.open("xb") as sink:
                for chunk in _chunks(source):
                    self._grow(len(chunk), sent)
                    sink.write(chunk)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
            target.unlink(missing_ok=True)
            self.left_out.append(f"{name.name}/{told}: cannot be unpacked ({error})")

    def _place(self, path: PurePosixPath) -> Path:
        target = self.folder / told_apart(path, self._taken)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):  # a file and a folder of one name
            target = self.folder / told_apart(PurePosixPath("_".join(path.parts)), self._taken)
        return target

    def _count(self, byte_count: int) -> None:
        self._files += 1
        if self._files > self.bounds.files:
            raise TooMuchError(f"more than {self.bounds.files} files")
        self._grow(byte_count, None)

    def _grow(self, byte_count: int, sent: int | None) -> None:
        self._bytes += byte_count
        if self._bytes > self.bounds.byte_count:
            raise TooMuchError(f"more than {self.bounds.byte_count / 2**30:.0f} GiB when unpacked")
        if sent is not None and self._bytes > _FREE_BYTES + self.bounds.ratio * sent:
            raise TooMuchError(f"an archive that grows more than {self.bounds.ratio:.0f} times when unpacked")
        if time.monotonic() > self._until:
            raise TooMuchError(f"an archive that takes longer than {self.bounds.seconds:.0f} s to unpack")


def _refused(info: zipfile.ZipInfo, told: PurePosixPath) -> str:
    """Why a member is not unpacked; empty where it is."""
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted: unpack it and send what it holds"
    if (info.external_attr >> 16) & _KIND == _LINK:
        return "is a link"
    if told.suffix.lower() == ".zip":
        return "is an archive within an archive: send it by itself"
    return ""


def _begins(file: Path, head: bytes) -> bool:
    with file.open("rb") as stream:
        return stream.read(len(head)) == head


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk
