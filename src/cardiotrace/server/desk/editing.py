"""An edit on its way: checked, done by the desk, written into the journal before anybody is told."""

import asyncio
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from cardiotrace.core.errors import CardioTraceError
from cardiotrace.server.desk.signing import outputs_file
from cardiotrace.server.store.edit_tables import EditRow, ReadingRow
from cardiotrace.server.store.journal import (
    Document,
    Standing,
    accepted_flags,
    changes,
    new_entry,
    reading_document,
    standing,
    wanted,
    write_entry,
)
from cardiotrace.server.store.studies import ConflictError, MissingError, get_study, iso, set_findings
from cardiotrace.server.store.tables import StudyRow
from cardiotrace.server.store.written import read_json_file
from cardiotrace.server.work.pool import WorkerLostError
from cardiotrace.server.work.task import Order, SlotKind

if TYPE_CHECKING:
    from cardiotrace.server.services import Services


class OtherVersionError(ConflictError):
    """Somebody edited it meanwhile."""

    def __init__(self, version: int) -> None:
        super().__init__("this is no longer the present version", remedy="load it again.")
        self.version = version


@dataclass(frozen=True)
class Target:
    """What is edited, by whom."""

    study: str
    reading: str | None = None
    """Of a reader; None for the study itself."""

    @property
    def document(self) -> str:
        """What its lease is of."""
        return self.reading or self.study

    def of(self, session: Session) -> tuple[StudyRow, Document, int]:
        """The study, what is edited, and its version.

        Raises:
            MissingError: there is no such study or reading.
            ConflictError: it is not analysed.
        """
        row = get_study(session, self.study)
        if row.analysis is None or row.state != "done":
            raise ConflictError("this study is not analysed", remedy="wait until it is.")
        if self.reading is None:
            return row, Document(self.study, self.study, row.analysis), row.version
        document = reading_document(self.reading, self.study)
        reading = session.get(ReadingRow, self.reading)
        if reading is None:
            raise MissingError("there is no such reading")
        if reading.done is not None:
            raise ConflictError("this reading is done", remedy="what was read stays as it is.")
        return row, document, reading.version


async def edit(
    services: "Services", target: Target, base_version: int, gesture: Mapping[str, Any], by: str
) -> dict[str, Any]:
    """Do one gesture; it stands in the journal when this returns.

    Args:
        services: what the routes share.
        target: what is edited.
        base_version: that its maker saw.
        gesture: checked already.
        by: who made it.

    Returns:
        What the page is told.

    Raises:
        OtherVersionError: another version is the present one.
        WorkError: the gesture cannot be.
    """
    # One at a time for each document: the desk and the journal go on together.
    async with services.edit_lock(target.document):
        begun = await asyncio.to_thread(_begun, services, target, base_version, gesture, by)
        result = await asked_of(services, "desk", "edit", begun.params, begun.document, begun.found)
        kept = await asyncio.to_thread(_kept, services, target, base_version, begun, result)
    if target.reading is None:
        services.tell_of(target.study)
    return {**kept, "changed": result["changed"], "phases": result["phases"]}


async def prepare(services: "Services", target: Target) -> None:
    """Have an exam opened and measured at the desk before its first gesture comes.

    What cannot be opened is said when somebody edits it.
    """
    async with services.edit_lock(target.document):
        with suppress(CardioTraceError, WorkerLostError):
            row, document, found = await asyncio.to_thread(_standing, services, target)
            params = {**study_params(services, row, document), "at": found.last, "held": None}
            await asked_of(services, "desk", "prepare", params, document, found)


def _standing(services: "Services", target: Target) -> tuple[StudyRow, Document, Standing]:
    with services.database.reading() as session:
        row, document, _ = target.of(session)
        return row, document, standing(session, document)


@dataclass(frozen=True)
class _Begun:
    """An edit that the desk is asked for."""

    document: Document
    found: Standing
    entry: EditRow
    """Not written yet."""
    params: Mapping[str, Any]


def _begun(services: "Services", target: Target, base_version: int, gesture: Mapping[str, Any], by: str) -> _Begun:
    """What a gesture asks for, on the version that its maker saw.

    Raises:
        OtherVersionError: another version is the present one.
        InputError: there is nothing to take back, or to do again.
    """
    with services.database.reading() as session:
        row, document, version = target.of(session)
        if version != base_version:
            raise OtherVersionError(version)
        found = standing(session, document)
        asked = wanted(session, document, gesture, found)
    entry = new_entry(document, secrets.token_hex(8), asked, version + 1)
    entry.by, entry.gesture = by, {key: value for key, value in gesture.items() if key != "labels"}
    params = {
        **study_params(services, row, document),
        "at": found.last,
        "becomes": entry.id,
        "version": entry.version,
        "held": None,
        "gesture": gesture,
        "change": asked.change,
        "by": by,
        "time": iso(entry.time),
    }
    return _Begun(document, found, entry, params)


def _kept(
    services: "Services", target: Target, base_version: int, begun: _Begun, result: Mapping[str, Any]
) -> dict[str, Any]:
    """Write an edit that the desk has done; from now on it stands.

    Raises:
        OtherVersionError: the study was analysed anew meanwhile.
    """
    entry = begun.entry
    entry.change = result["change"] if entry.of is None else None
    with services.database.writing() as session:
        row, document, version = target.of(session)
        if version != base_version or document != begun.document:
            raise OtherVersionError(version)
        was_signed = row.signed is not None and not document.is_reading
        write_entry(session, document, entry, result)
        session.flush()
        after = standing(session, document)
        _set_version(session, target, row, entry.version, result, len(after.done))
        accepted = accepted_flags(session, document, after)
    measures = read_json_file(outputs_file(services, document, entry.version))
    if not was_signed:  # what was made of a version that nobody signed can be made again
        shutil.rmtree(outputs_file(services, document, base_version).parent, ignore_errors=True)
    return {
        "version": entry.version,
        "measures": measures,
        "study": services.summary(row) if target.reading is None else None,
        "undo": len(after.done),
        "redo": len(after.undone),
        "accepted": accepted,
    }


async def asked_of(
    services: "Services", kind: SlotKind, task: str, params: Mapping[str, Any], document: Document, found: Standing
) -> Any:
    """Ask a process that keeps exams open; where it does not know what stands it is told."""
    order = Order(task, params, str(services.data.study(document.study).files))
    result = await services.pool.ask(kind, order, key=document.id)
    if isinstance(result, dict) and result.get("needs") == "held":
        with services.database.reading() as session:
            held = changes(session, document, found.done)
        result = await services.pool.ask(kind, Order(task, {**params, "held": held}, order.root), key=document.id)
    return result


def study_params(services: "Services", row: StudyRow, document: Document) -> dict[str, Any]:
    """What a process needs to open an exam."""
    return {
        "data": str(services.data.root),
        "study": row.id,
        "name": row.name,
        "within": row.within,
        "part": row.part,
        "options": row.options,
        "document": document.id,
        "analysis": row.analysis,
        "is_blank": document.is_reading,
        "folder": document.id if document.is_reading else "study",
    }


def _set_version(
    session: Session, target: Target, row: StudyRow, version: int, result: Mapping[str, Any], count: int
) -> None:
    if target.reading is not None:
        reading = session.get(ReadingRow, target.reading)
        assert reading is not None
        reading.version = version
        return
    set_findings(row, result["findings"])
    row.version, row.signed, row.edits = version, None, count
