"""Files by what they hold: the same content lies on the disk once, however often and under whatever names it comes."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 20
_READ_ONLY = 0o400


@dataclass(frozen=True)
class Blob:
    """Content that is kept."""

    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True)
class BlobStore:
    """The folder of blobs. Whoever adds is a worker or the server; only the server removes."""

    root: Path

    def path(self, sha256: str) -> Path:
        """Where content lies.

        Raises:
            ValueError: that is no digest.
        """
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise ValueError("that is no SHA-256")
        return self.root / sha256[:2] / sha256

    def take(self, file: Path) -> Blob:
        """Take a file's content in; the file stays, and shares the content with the blob where the disk can.

        Args:
            file: from now on read-only.
        """
        blob = digest(file)
        self.ensure(blob.sha256, file)
        return blob

    def ensure(self, sha256: str, file: Path) -> None:
        """See to it that content is kept of which `file` is a copy, and that both take room once."""
        kept = self.path(sha256)
        file.chmod(_READ_ONLY)
        if kept.exists():
            os.utime(kept)
            if not kept.samefile(file):
                _replace_by_link(kept, file)
            return
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        link_or_copy(file, kept)

    def put(self, content: bytes) -> Blob:
        """Keep some bytes."""
        sha256 = hashlib.sha256(content).hexdigest()
        kept = self.path(sha256)
        if kept.exists():
            os.utime(kept)
        else:
            kept.parent.mkdir(mode=0o700, exist_ok=True)
            fresh = kept.with_name(f".{sha256}-{secrets.token_hex(4)}")
            fresh.write_bytes(content)
            fresh.chmod(_READ_ONLY)
            fresh.replace(kept)
        return Blob(sha256, len(content))

    def read(self, sha256: str) -> bytes:
        """The content of a blob."""
        return self.path(sha256).read_bytes()

    def remove(self, sha256: str) -> None:
        """Remove content that nothing refers to any more."""
        self.path(sha256).unlink(missing_ok=True)

    def untouched(self, since: float) -> list[str]:
        """Digests of content that nobody put here after a time, seconds since 1970: what refers to it is written."""
        return [sha256 for sha256 in self if self.path(sha256).stat().st_mtime <= since]

    def __iter__(self) -> Iterator[str]:
        """Digests of all that is kept."""
        for path in self.root.glob("??/*"):
            if not path.name.startswith("."):
                yield path.name


def digest(file: Path) -> Blob:
    """What a file holds, without taking it in."""
    found, size = hashlib.sha256(), 0
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            found.update(chunk)
            size += len(chunk)
    return Blob(found.hexdigest(), size)


def link_or_copy(source: Path, target: Path) -> None:
    """Make `target` another name of `source`; a copy, whole or not at all, where the disk knows no links."""
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:
        fresh = target.with_name(f".{target.name[:80]}-{secrets.token_hex(4)}")
        try:
            shutil.copyfile(source, fresh)
            fresh.chmod(_READ_ONLY)
            fresh.replace(target)
        finally:
            fresh.unlink(missing_ok=True)


def _replace_by_link(kept: Path, file: Path) -> None:
    fresh = file.with_name(f".{secrets.token_hex(8)}")
    try:
        os.link(kept, fresh)
        fresh.replace(file)
    except OSError:
        fresh.unlink(missing_ok=True)  # then it takes its room twice
