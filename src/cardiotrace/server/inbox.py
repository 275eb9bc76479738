"""A folder that is watched: what is put there is copied and taken in as if it were sent; it is never changed."""

import asyncio
import hashlib
import logging
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cardiotrace.core.errors import WorkError
from cardiotrace.server.arrivals import Arrivals

if TYPE_CHECKING:
    from cardiotrace.server.services import Services

_LOG = logging.getLogger(__name__)
_SECONDS_BETWEEN_LOOKS = 3.0
_MOST_FILES = 50_000
_LEAST_FREE = 1 << 29
"""Bytes."""
_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart")


@dataclass(frozen=True)
class Entry:
    """What lies in the inbox under one name: a file, or a folder with all that is in it."""

    path: Path
    files: tuple[tuple[str, int, int], ...]
    """Name from the inbox on, bytes and time of the last change of each."""

    @property
    def state(self) -> str:
        """What changes when anything of it does; no name is in it, for it is kept."""
        return hashlib.sha256(repr(self.files).encode("utf-8", "surrogateescape")).hexdigest()


class Inbox:
    """Watches a folder; an entry is taken once it stayed the same from one look to the next.

    Args:
        services: that take exams in.
        folder: to be watched.
    """

    def __init__(self, services: "Services", folder: Path) -> None:
        self._services = services
        self._folder = folder
        # Copied, not linked: what the application keeps is read-only, and the original is not its own.
        self._arrivals = Arrivals(services, "inbox", "inbox", shutil.copyfile)
        self._before: dict[str, str] = {}

    async def watch(self) -> None:
        """Look, again and again; runs while the server does."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except Exception:
                _LOG.exception("the inbox could not be looked into")
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)

    def look(self) -> list[str]:
        """Take in what has come and stays the same.

        Returns:
            The jobs that do so.
        """
        present = {entry.path.name: entry for entry in _entries(self._folder)}
        done = self._arrivals.known()
        steady = [entry for name, entry in present.items() if self._before.get(name) == entry.state]
        self._before = {name: entry.state for name, entry in present.items()}
        return [self._take(entry) for entry in steady if entry.files and entry.state not in done]

    def _take(self, entry: Entry) -> str:
        """Copy an entry, and queue its intake."""
        if sum(size for _, size, _ in entry.files) > self._services.data.free_bytes() - _LEAST_FREE:
            raise WorkError("there is no room for what lies in the inbox")
        files = [(self._folder / name, name) for name, _, _ in entry.files]
        job = self._arrivals.take(entry.state, secrets.token_hex(8), files)
        _LOG.info("%d files of the inbox are taken in by job %s", len(files), job)
        return job


def _entries(folder: Path) -> Iterator[Entry]:
    """What lies in a folder; nothing hidden, nothing that is still being written, no links."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(".") or path.is_symlink():
            continue
        names = [path] if path.is_file() else sorted(_within(path))
        if len(names) <= _MOST_FILES and not any(name.suffix in _UNFINISHED for name in names):
            states = [(name, name.stat()) for name in names]
            files = tuple(
                (name.relative_to(folder).as_posix(), found.st_size, found.st_mtime_ns) for name, found in states
            )
            yield Entry(path, files)


def _within(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (path for name in names if (path := Path(place, name)).is_file() and not path.is_symlink())
