"""The journal of edits: every gesture with who, when, before and after; what stands follows from it."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cardiotrace.core.errors import InputError
from cardiotrace.server.store.edit_tables import EditRow, PlaneRow
from cardiotrace.server.store.studies import iso
from cardiotrace.server.store.tables import FileRow

_AT_ONCE = 500
"""What one statement may name is bounded."""
KIND = "edit"
"""Of content that edits keep."""


@dataclass(frozen=True)
class Document:
    """What is edited: a study, or the reading of one person."""

    id: str
    study: str
    analysis: str
    """Whose labels are edited."""

    @property
    def is_reading(self) -> bool:
        """Whether it is a person's own, who does not see what was found."""
        return self.id != self.study


def reading_document(reading: str, study: str) -> Document:
    """What one person reads: they begin with nothing, so that it is of no analysis."""
    return Document(reading, study, "reading")


@dataclass(frozen=True)
class Entry:
    """An entry without what it changed."""

    id: str
    kind: str
    of: str | None


@dataclass(frozen=True)
class Standing:
    """Which entries stand, in the order that they were made in, and which can be done again."""

    done: tuple[str, ...]
    undone: tuple[str, ...]
    """The one that was taken back last stands last."""
    last: str = ""
    """The last entry of all."""

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Standing":
        """Go through a journal.

        Example:
            >>> entries = [Entry("a", "do", None), Entry("b", "do", None), Entry("c", "undo", "b")]
            >>> Standing.of(entries)
            Standing(done=('a',), undone=('b',), last='c')
        """
        done: list[str] = []
        undone: list[str] = []
        last = ""
        for entry in entries:
            last = entry.id
            if entry.kind == "undo":
                undone.append(done.pop())
            elif entry.kind == "redo":
                done.append(undone.pop())
            else:
                done.append(entry.id)
                undone.clear()
        return cls(tuple(done), tuple(undone), last)


def standing(session: Session, document: Document) -> Standing:
    """Which edits of a document stand."""
    wanted = select(EditRow.id, EditRow.kind, EditRow.of).where(*_mine(document)).order_by(EditRow.serial)
    return Standing.of(Entry(*row) for row in session.execute(wanted))


def changes(session: Session, document: Document, entries: Sequence[str]) -> list[Any]:
    """What some entries changed, in their order."""
    found: dict[str, Any] = {}
    for start in range(0, len(entries), _AT_ONCE):
        some = list(entries[start : start + _AT_ONCE])
        rows = session.execute(select(EditRow.id, EditRow.change).where(EditRow.id.in_(some)))
        found.update((row.id, row.change) for row in rows)
    return [found[entry] for entry in entries]


def accepted_flags(session: Session, document: Document, found_standing: Standing) -> list[dict[str, str]]:
    """Flags that somebody looked at and let stand."""
    rows = session.execute(select(EditRow.id, EditRow.gesture).where(*_mine(document)))
    # Changes of planes are large, and tell nothing of flags.
    telling = {row.id for row in rows if row.gesture["kind"] in ("flag", "restore")}
    entries = [each for each in found_standing.done if each in telling]
    found: dict[str, Mapping[str, Any] | None] = {}
    for change in changes(session, document, entries):
        found.update({item["address"]["name"]: item["after"] for item in change if item["address"]["kind"] == "flag"})
    return [
        {
            **dict(zip(("rule", "about", "text"), name.split("\n"), strict=True)),
            "by": edit["by"],
            "time": edit["time"],
            "reason": edit["value"]["reason"],
        }
        for name, edit in found.items()
        if edit is not None
    ]


def reversed_change(change: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What takes a change back."""
    return [{**item, "before": item["after"], "after": item["before"]} for item in change]


@dataclass(frozen=True)
class Wanted:
    """A gesture, or going back or on by one."""

    kind: str
    of: str | None = None
    change: list[dict[str, Any]] | None = None
    """Known already where a gesture is taken back or done again."""


def wanted(session: Session, document: Document, gesture: Mapping[str, Any], found: Standing) -> Wanted:
    """What a gesture asks of the journal.

    Raises:
        InputError: there is nothing to take back, or to do again.
    """
    if gesture["kind"] not in ("undo", "redo"):
        return Wanted("do")
    entries = found.done if gesture["kind"] == "undo" else found.undone
    if not entries:
        what = "take back" if gesture["kind"] == "undo" else "do again"
        raise InputError(f"there is nothing to {what}")
    (change,) = changes(session, document, entries[-1:])
    return Wanted(gesture["kind"], entries[-1], reversed_change(change) if gesture["kind"] == "undo" else change)


def write_entry(session: Session, document: Document, row: EditRow, result: Mapping[str, Any]) -> None:
    """Write an entry, the content that it keeps, and how its planes stand.

    Args:
        session: that writes.
        document: that was edited.
        row: the entry.
        result: of `desk.opened.edit_exam`.
    """
    session.add(row)
    for blob in result["blobs"]:
        name = f"{row.id}/{blob['sha256']}"
        session.add(FileRow(study=document.study, kind=KIND, name=name, sha256=blob["sha256"], size=blob["size"]))
    kept = {
        (item["address"]["image"], item["address"]["frame"], item["address"]["slice"]): item["after"]
        for item in result["change"]
        if item["address"]["kind"] == "plane"
    }
    for plane in result["changed"]:
        place = plane["image"], plane["frame"], plane["slice"]
        _write_plane(session, document, place, plane["plane"], kept.get(place, ...))


def _write_plane(
    session: Session, document: Document, place: tuple[str, int, int], trace: Mapping[str, Any], kept: Any
) -> None:
    """How a plane stands: labels as they were where only its axis or its verdict changed."""
    row = session.get(PlaneRow, (document.id, *place))
    labels = kept["value"]["labels"] if isinstance(kept, Mapping) else ""
    if kept is ...:
        labels = "" if row is None else row.labels
    if not labels and not trace["edited"] and trace["verdict"] is None:
        if row is not None:
            session.delete(row)
        return
    image, frame, slice_ = place
    new = PlaneRow(document=document.id, image=image, frame=frame, slice=slice_, study=document.study)
    new.labels, new.trace = labels, dict(trace)
    session.merge(new)


def forget_planes(session: Session, document: str) -> None:
    """Let no plane stand edited: those of another analysis are no planes of this one."""
    session.execute(delete(PlaneRow).where(PlaneRow.document == document))


def planes_of(session: Session, document: str, image: str) -> Sequence[PlaneRow]:
    """Planes of an image that stand edited."""
    found = select(PlaneRow).where(PlaneRow.document == document, PlaneRow.image == image)
    return session.scalars(found.order_by(PlaneRow.frame, PlaneRow.slice)).all()


def journal_plain(session: Session, document: Document) -> list[dict[str, Any]]:
    """The journal in words, the first entry first; of all analyses."""
    undone = set(standing(session, document).undone)
    rows = session.scalars(select(EditRow).where(EditRow.document == document.id).order_by(EditRow.serial))
    return [
        {
            "version": row.version,
            "time": iso(row.time),
            "by": row.by,
            "gesture": row.gesture,
            "undone": row.id in undone or row.analysis != document.analysis,
            "change": row.change,
        }
        for row in rows
    ]


def new_entry(document: Document, identifier: str, asked: Wanted, version: int) -> EditRow:
    """An entry that is not written yet."""
    return EditRow(
        id=identifier,
        study=document.study,
        document=document.id,
        analysis=document.analysis,
        version=version,
        time=time.time(),
        kind=asked.kind,
        of=asked.of,
    )


def _mine(document: Document) -> tuple[Any, ...]:
    return EditRow.document == document.id, EditRow.analysis == document.analysis
