"""A folder that is watched: what is put there is copied and taken in as if it were sent; it is never changed."""

import asyncio
import hashlib
import logging
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardiotrace.core.errors import WorkError
from cardiotrace.server.store.tables import SettingRow
from cardiotrace.server.work.queue import LEAST_BYTES, queue_intake

if TYPE_CHECKING:
    from cardiotrace.server.services import Services

_LOG = logging.getLogger(__name__)
_SECONDS_BETWEEN_LOOKS = 3.0
_MOST_FILES = 50_000
_SETTING = "inbox"
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
        done = self._done()
        steady = [entry for name, entry in present.items() if self._before.get(name) == entry.state]
        self._before = {name: entry.state for name, entry in present.items()}
        return [self._take(entry) for entry in steady if entry.files and entry.state not in done]

    def _take(self, entry: Entry) -> str:
        """Copy an entry, and queue its intake."""
        services, upload = self._services, secrets.token_hex(8)
        folder = services.data.upload(upload)
        folder.mkdir(mode=0o700)
        size = sum(size for _, size, _ in entry.files)
        if size > services.data.free_bytes() - (1 << 29):
            raise WorkError("there is no room for what lies in the inbox")
        for number, (name, _, _) in enumerate(entry.files):
            # Copied, not linked: what the application keeps is read-only, and the original is not its own.
            shutil.copyfile(self._folder / name, folder / f"{number}.part")
        files = [(number, name) for number, (name, _, _) in enumerate(entry.files)]
        with services.database.writing() as session:
            job = queue_intake(session, upload, files, origin="inbox", byte_count=max(size, LEAST_BYTES))
            row = session.get(SettingRow, _SETTING)
            known = [] if row is None else list(row.value["done"])
            session.merge(SettingRow(name=_SETTING, value={"done": [*known, entry.state]}))
        services.jobs.wake()
        _LOG.info("%d files of the inbox are taken in by job %s", len(files), job.id)
        return job.id

    def _done(self) -> set[str]:
        with self._services.database.reading() as session:
            row = session.get(SettingRow, _SETTING)
        value: Mapping[str, Any] = {} if row is None else row.value
        return set(value.get("done", ()))


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
