"""Everything in one file, and back: rows as lines of JSON, so that it fits SQLite and PostgreSQL alike.

The form is a tar archive: `backup.json` first, then `tables/NAME.jsonl`, then `blobs/` and `studies/`. What is only on
its way (uploads) and what gives access (the token) is not in it.
"""

import io
import json
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Table, insert, select, text
from sqlalchemy.orm import Session

from cardiotrace import __version__
from cardiotrace.core.contract import BACKUP
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.io.atomic import as_work_error, atomic_write
from cardiotrace.server.store.blobs import BlobStore, digest, link_or_copy
from cardiotrace.server.store.database import Database
from cardiotrace.server.store.folder import DataFolder
from cardiotrace.server.store.tables import Base, FileRow, StudyRow
from cardiotrace.server.store.upgrade import newest_revision

_HEAD = "backup.json"
_PASSED_OVER = ("uploads", "upload_files")
_WRITTEN = ("automatic", "outputs", "edits")
"""Folders of a study that were made here; its own files are among the blobs."""
_ROWS = 500


def back_up(database: Database, data: DataFolder, target: Path) -> int:
    """Write a backup, also while a server works: the rows are of one instant, and content never changes.

    Args:
        database: that is read.
        data: its folder.
        target: the file to be; one that is there is replaced when the new one is whole.

    Returns:
        How many studies are in it.

    Raises:
        WorkError: nothing can be written there.
    """
    count = 0

    def write(file: Path) -> None:
        nonlocal count
        with tarfile.open(file, "w") as archive, database.reading() as session:
            tables = [table for table in Base.metadata.sorted_tables if table.name not in _PASSED_OVER]
            head = {"program": __version__, "revision": newest_revision(), "time": time.time()}
            _add(archive, _HEAD, json.dumps(BACKUP.stamp({**head, "tables": [table.name for table in tables]})))
            for table in tables:
                _add(archive, f"tables/{table.name}.jsonl", "".join(_lines(session, table)))
            studies = list(session.scalars(select(StudyRow.id)))
            digests = set(session.scalars(select(FileRow.sha256)))
            for sha256 in sorted(digests):
                archive.add(BlobStore(data.blobs).path(sha256), f"blobs/{sha256}")
            for study in studies:
                _add_study(archive, data, study)
            count = len(studies)

    atomic_write(target, write)
    return count


def restore(database: Database, data: DataFolder, source: Path) -> int:
    """Fill an empty database and an empty folder from a backup.

    Args:
        database: of the newest revision, without a study.
        data: its folder.
        source: the backup.

    Returns:
        How many studies came back.

    Raises:
        UsageError: something is there already.
        InputError: that is no backup, or it is damaged.
    """
    with database.reading() as session:
        if session.scalar(select(StudyRow.id).limit(1)) is not None:
            raise UsageError("there are studies already", where=data.root, remedy="restore into another --data.")
    try:
        with tarfile.open(source, "r:") as archive, as_work_error(data.root):
            return _restored(database, data, archive, source)
    except (tarfile.TarError, EOFError, FileNotFoundError, KeyError, ValueError) as error:
        raise InputError(f"is no backup of this program ({error})", where=source) from None


def _restored(database: Database, data: DataFolder, archive: tarfile.TarFile, source: Path) -> int:
    head = BACKUP.read(_read_json(archive, archive.getmember(_HEAD)))
    if head["revision"] > newest_revision():
        raise InputError("was written by a newer CardioTrace", where=source, remedy="update CardioTrace.")
    with database.writing() as session:  # rows last: a restore that was interrupted leaves an empty database
        _extract(data, archive, source)
        for name in head["tables"]:
            _insert(session, Base.metadata.tables[name], archive)
        if not database.is_sqlite:  # which goes on counting from the largest by itself
            session.execute(text("SELECT setval(pg_get_serial_sequence('jobs', 'serial'), max(serial)) FROM jobs"))
        files = session.scalars(select(FileRow).where(FileRow.kind == "exam")).all()
        for file in files:
            _put_back(data, file)
        return len(session.scalars(select(StudyRow.id)).all())


def _extract(data: DataFolder, archive: tarfile.TarFile, source: Path) -> None:
    """Content and folders of studies; content is what its name says, or the backup is damaged."""
    blobs = BlobStore(data.blobs)
    for member in archive:
        kind, _, name = member.name.partition("/")
        if kind == "blobs" and member.isfile():
            place = blobs.path(name)
            place.parent.mkdir(mode=0o700, exist_ok=True)
            _write(archive, member, place)
            if digest(place).sha256 != name:
                raise InputError("is damaged", where=source, remedy="take another backup.")
        elif kind == "studies" and member.isfile():
            study, folder, *rest = name.split("/")
            if folder not in _WRITTEN or not rest or ".." in rest:
                raise InputError(f"holds {member.name!r}, which no backup does", where=source)
            place = data.study(study).root.joinpath(folder, *rest)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(archive, member, place)


def _put_back(data: DataFolder, file: FileRow) -> None:
    """A file of an exam under its name."""
    folder = data.study(file.study).files
    place = folder / file.name
    if not place.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{file.name!r} leads out of its folder")
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    link_or_copy(BlobStore(data.blobs).path(file.sha256), place)


def _insert(session: Session, table: Table, archive: tarfile.TarFile) -> None:
    stream = archive.extractfile(f"tables/{table.name}.jsonl")
    if stream is None:
        raise KeyError(table.name)
    rows = [json.loads(line) for line in stream]
    for start in range(0, len(rows), _ROWS):
        session.execute(insert(table), rows[start : start + _ROWS])


def _lines(session: Session, table: Table) -> Iterator[str]:
    for row in session.execute(select(table)).mappings():
        yield json.dumps(dict(row), ensure_ascii=True) + "\n"


def _add_study(archive: tarfile.TarFile, data: DataFolder, study: str) -> None:
    root = data.study(study).root
    for folder in _WRITTEN:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file():
                archive.add(path, f"studies/{study}/{path.relative_to(root).as_posix()}", recursive=False)


def _add(archive: tarfile.TarFile, name: str, told: str) -> None:
    content = told.encode()
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(content), 0o600, int(time.time())
    archive.addfile(info, io.BytesIO(content))


def _read_json(archive: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, Any]:
    stream = archive.extractfile(member)
    if stream is None:
        raise KeyError(member.name)
    found: dict[str, Any] = json.load(stream)
    return found


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    stream = archive.extractfile(member)
    if stream is None:
        raise KeyError(member.name)
    with place.open("wb") as file:
        _copy(stream, file)
    place.chmod(0o400 if member.name.startswith("blobs/") else 0o600)


def _copy(source: "BinaryIO | Any", target: BinaryIO) -> None:
    while chunk := source.read(1 << 20):
        target.write(chunk)
