"""The end of a reader study: its readings, and what is kept of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cardiotrace.server.store.edit_tables import EditRow, PlaneRow, ReaderStudyRow, ReadingRow
from cardiotrace.server.store.journal import KIND
from cardiotrace.server.store.studies import unused
from cardiotrace.server.store.tables import FileRow


@dataclass(frozen=True)
class DeletedReadings:
    """What is left to be removed from the disk once the rows are gone."""

    readings: Sequence[tuple[str, str]]
    """Study and reading of each."""
    digests: Sequence[str]
    """Of content that nothing refers to any more."""


def delete_reader_study(session: Session, group: ReaderStudyRow) -> DeletedReadings:
    """Delete the rows of a reader study, and the journals and drawings of its readings; its exams stay as they are."""
    rows = session.scalars(select(ReadingRow).where(ReadingRow.reader_study == group.id)).all()
    digests: set[str] = set()
    for row in rows:
        edits = set(session.scalars(select(EditRow.id).where(EditRow.document == row.id)))
        kept = session.scalars(select(FileRow).where(FileRow.study == row.study, FileRow.kind == KIND))
        for file in kept.all():
            if file.name.partition("/")[0] in edits:  # see `journal.write_entry`
                digests.add(file.sha256)
                session.delete(file)
        session.execute(delete(EditRow).where(EditRow.document == row.id))
        session.execute(delete(PlaneRow).where(PlaneRow.document == row.id))
    session.flush()
    session.execute(delete(ReadingRow).where(ReadingRow.reader_study == group.id))
    session.delete(group)
    session.flush()
    return DeletedReadings([(row.study, row.id) for row in rows], unused(session, digests))
