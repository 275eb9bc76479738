"""Files that come in: one a request, in pieces if need be, taken up again where they broke off."""

import asyncio
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import Path as InPath
from fastapi import Query, Request, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cardiotrace.server.api.routing import Identifier, NoRoomError, Shared, error_answer, make_router
from cardiotrace.server.api.schemas import JobMade, Received, UploadFile, UploadMade, UploadSchema
from cardiotrace.server.services import Services
from cardiotrace.server.store.studies import ConflictError, MissingError, kept_bytes
from cardiotrace.server.store.tables import UploadFileRow, UploadRow
from cardiotrace.server.work.queue import queue_intake

router = make_router("uploads")
MOST_FILES = 50_000
LEAST_FREE = 512 * 2**20
"""Bytes of the disk that uploads leave free."""
_PIECE = 1 << 20
_SECONDS_TO_WAIT = 60.0
"""For the next piece: a connection that is silent so long has broken off."""
_MOST_OPEN = 200
_OPEN = "uploads_being_written"

FileNumber = Annotated[int, InPath(ge=0, lt=MOST_FILES, description="Of the file in the upload, from 0.")]
FileName = Annotated[str, Query(min_length=1, max_length=1000, description="With its folders, as the sender has it.")]
Offset = Annotated[int, Query(ge=0, le=2**50, description="Bytes that are there already.")]


@router.post("/uploads", status_code=201)
async def begin_upload(services: Shared) -> UploadMade:
    """Begin to send an exam, or several."""
    services.warm("analysis")  # while the files travel
    return UploadMade(id=await asyncio.to_thread(_begun, services))


@router.get("/uploads/{upload}")
def show_upload(upload: Identifier, services: Shared) -> UploadSchema:
    """What has come, so that the rest can follow."""
    with services.database.reading() as session:
        _row(session, upload)
        rows = session.scalars(
            select(UploadFileRow).where(UploadFileRow.upload == upload).order_by(UploadFileRow.n)
        ).all()
    folder = services.data.upload(upload)
    return UploadSchema(files=[UploadFile(n=row.n, name=row.name, received=_size(folder, row.n)) for row in rows])


@router.put(
    "/uploads/{upload}/files/{n}",
    openapi_extra={"requestBody": {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}},
    responses={408: {"description": "Nothing came for too long."}},
)
async def send_file(
    upload: Identifier, n: FileNumber, name: FileName, request: Request, services: Shared, offset: Offset = 0
) -> Received:
    """Send a file, or what of it is missing: the body is put behind what is there."""
    with _only_one(request, f"{upload}/{n}"):
        path, room = await asyncio.to_thread(_placed, services, upload, n, name)
        there = path.stat().st_size if path.exists() else 0
        if offset != there:
            return error_answer(409, f"{there} bytes are there", "go on from there.", received=there)  # type: ignore[return-value]
        try:
            async for piece in _pieces(request):
                room -= len(piece)
                if room < 0:
                    raise NoRoomError("this upload is larger than what is taken", remedy=_remedy(services))
                there += len(piece)
                await asyncio.to_thread(_append, path, piece)
        except TimeoutError:
            return error_answer(408, "nothing came for too long", "go on from there.", received=there)  # type: ignore[return-value]
    return Received(received=there)


@router.post("/uploads/{upload}/finish", status_code=202)
def finish_upload(upload: Identifier, services: Shared) -> JobMade:
    """Make studies of what was sent, and analyse them."""
    with services.database.writing() as session:
        row = _row(session, upload)
        if row.job is not None:
            return JobMade(job=row.job)
        files = session.scalars(select(UploadFileRow).where(UploadFileRow.upload == upload).order_by(UploadFileRow.n))
        names = [(file.n, file.name) for file in files]
        job = queue_intake(session, upload, names, origin="upload", byte_count=_largest(services))
    services.jobs.wake()
    services.hub.publish("job", services.job_plain(job))
    return JobMade(job=job.id)


@router.delete("/uploads/{upload}", status_code=204, response_class=Response)
def drop_upload(upload: Identifier, services: Shared) -> None:
    """Forget what was sent."""
    with services.database.writing() as session:
        row = _row(session, upload)
        if row.job is not None:
            raise ConflictError("this upload is finished", remedy="cancel its job, or delete its studies.")
        session.delete(row)
    shutil.rmtree(services.data.upload(upload), ignore_errors=True)


def _begun(services: Services) -> str:
    upload = secrets.token_hex(8)
    with services.database.writing() as session:
        unfinished = select(func.count()).select_from(UploadRow).where(UploadRow.job.is_(None))
        if (session.scalar(unfinished) or 0) >= _MOST_OPEN:
            raise ConflictError("too many uploads are not finished", remedy="finish them, or drop them.")
        session.add(UploadRow(id=upload, created=time.time()))
    services.data.upload(upload).mkdir(mode=0o700)
    return upload


def _row(session: Session, upload: str) -> UploadRow:
    row = session.get(UploadRow, upload)
    if row is None:
        raise MissingError("there is no such upload", remedy="begin another.")
    return row


def _placed(services: Services, upload: str, n: int, name: str) -> tuple[Path, int]:
    """Where a file's bytes go, and how many may still come."""
    folder = services.data.upload(upload)
    with services.database.writing() as session:
        if _row(session, upload).job is not None:
            raise ConflictError("this upload is finished", remedy="begin another.")
        known = session.get(UploadFileRow, (upload, n))
        if known is None:
            session.add(UploadFileRow(upload=upload, n=n, name=_text(name)))
        elif known.name != _text(name):
            raise ConflictError(f"file {n} has another name", remedy="send it under a number of its own.")
        kept = kept_bytes(session) if services.config.quota_gib else 0
    folder.mkdir(mode=0o700, exist_ok=True)
    sent = sum(entry.stat().st_size for entry in folder.glob("*.part"))
    room = min(_largest(services) - sent, services.data.free_bytes() - LEAST_FREE)
    if services.config.quota_gib:
        room = min(room, int(services.config.quota_gib * 2**30) - kept - sent)
    if room <= 0:
        raise NoRoomError("there is no room for this", remedy=_remedy(services))
    return folder / f"{n}.part", room


def _text(name: str) -> str:
    """A name that both databases take."""
    return name.replace("\0", "_").encode("utf-8", "replace").decode()


def _size(folder: Path, n: int) -> int:
    path = folder / f"{n}.part"
    return path.stat().st_size if path.exists() else 0


def _append(path: Path, piece: bytes) -> None:
    with path.open("ab") as file:
        file.write(piece)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The body in pieces of about a megabyte; what came before it broke off is among them."""
    stream, held = request.stream(), bytearray()
    while True:
        try:
            chunk = await asyncio.wait_for(anext(stream, None), _SECONDS_TO_WAIT)
        except TimeoutError:
            yield bytes(held)
            raise
        if chunk is None:
            break
        held += chunk
        if len(held) >= _PIECE:
            yield bytes(held)
            held.clear()
    yield bytes(held)


@contextmanager
def _only_one(request: Request, key: str) -> Iterator[None]:
    """Refuse to write a file twice at a time."""
    state: Any = request.app.state
    busy: set[str] = getattr(state, _OPEN, None) or set()
    setattr(state, _OPEN, busy)
    if key in busy:
        raise ConflictError("this file is being sent already", remedy="wait until that has ended.")
    busy.add(key)
    try:
        yield
    finally:
        busy.discard(key)


def _largest(services: Services) -> int:
    return int(services.config.upload_gib * 2**30)


def _remedy(services: Services) -> str:
    return f"send less at a time (at most {services.config.upload_gib:g} GiB), or delete exams."
