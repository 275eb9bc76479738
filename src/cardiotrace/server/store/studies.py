"""Studies in the database, and in words for the page."""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from cardiotrace.core.errors import InputError
from cardiotrace.server.store.tables import FileRow, JobRow, StudyRow

GRADES = (None, "note", "look twice", "not usable")
"""By the number that stands in the table."""
SortKey = Literal["created", "name", "ejection_fraction", "grade"]
_COLUMNS: Mapping[SortKey, Any] = {
    "created": StudyRow.created,
    "name": func.lower(StudyRow.name),
    "ejection_fraction": StudyRow.ef_value,
    "grade": StudyRow.grade,
}


@dataclass(frozen=True, kw_only=True)
class StudyQuery:
    """Which studies are asked for, and in which order."""

    search: str = ""
    """A part of the name."""
    state: str = ""
    sort: SortKey = "created"
    descending: bool = True
    limit: int = 100
    offset: int = 0

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """Of the rows that are asked for."""
        found: list[ColumnElement[bool]] = []
        if self.search:
            found.append(StudyRow.name.icontains(self.search, autoescape=True))
        if self.state:
            found.append(StudyRow.state == self.state)
        return found

    def rows(self) -> Select[Any]:
        """The statement that gives the rows; those without a value come last."""
        column = _COLUMNS[self.sort]
        ordered = column.desc() if self.descending else column.asc()
        chosen = select(StudyRow).where(*self.conditions).order_by(ordered.nulls_last(), StudyRow.id)
        return chosen.limit(self.limit).offset(self.offset)


def find_studies(session: Session, query: StudyQuery) -> tuple[int, Sequence[StudyRow]]:
    """How many there are, and those that are asked for."""
    total = session.scalar(select(func.count()).select_from(StudyRow).where(*query.conditions)) or 0
    return total, session.scalars(query.rows()).all()


def get_study(session: Session, study: str) -> StudyRow:
    """One study.

    Raises:
        InputError: there is none.
    """
    row = session.get(StudyRow, study)
    if row is None:
        raise MissingError("there is no such study", remedy="it may have been deleted.")
    return row


class MissingError(InputError):
    """What was asked for is not there."""


class ConflictError(InputError):
    """Something else was done meanwhile."""


def delete_study(session: Session, study: str) -> list[str]:
    """Delete the rows of a study and of its jobs.

    Returns:
        Digests of content that nothing refers to any more.

    Raises:
        MissingError: there is none.
    """
    row = get_study(session, study)
    mine = set(session.scalars(select(FileRow.sha256).where(FileRow.study == study)))
    for job in session.scalars(select(JobRow).where(JobRow.study == study)):
        session.delete(job)
    session.delete(row)
    session.flush()
    return unused(session, mine)


def unused(session: Session, digests: Iterable[str]) -> list[str]:
    """Those of some digests that no study refers to."""
    asked = list(digests)
    used: set[str] = set()
    for start in range(0, len(asked), 500):  # what one statement may hold is bounded
        used.update(session.scalars(select(FileRow.sha256).where(FileRow.sha256.in_(asked[start : start + 500]))))
    return [digest for digest in asked if digest not in used]


def kept_bytes(session: Session) -> int:
    """What all content takes on the disk, each once."""
    each = select(func.max(FileRow.size).label("size")).group_by(FileRow.sha256).subquery()
    return int(session.scalar(select(func.coalesce(func.sum(each.c.size), 0))) or 0)


def expired(session: Session, now: float, keep_days: float, keep_signed_days: float) -> list[str]:
    """Identifiers of studies whose time is over.

    Args:
        session: to look with.
        now: seconds since 1970.
        keep_days: of those that are not signed; 0 keeps them.
        keep_signed_days: of those that are.
    """
    rules = []
    if keep_days:
        rules.append(StudyRow.signed.is_(None) & (StudyRow.created < now - 86400 * keep_days))
    if keep_signed_days:
        rules.append(StudyRow.signed.is_not(None) & (StudyRow.created < now - 86400 * keep_signed_days))
    return list(session.scalars(select(StudyRow.id).where(or_(*rules)))) if rules else []


def summary(row: StudyRow, progress_of: Callable[[str | None], Mapping[str, Any] | None]) -> dict[str, Any]:
    """What the list of studies shows of one.

    Args:
        row: of the study.
        progress_of: how far a job is, by its identifier; None of one that does not run.
    """
    fraction = None
    if row.ef_value is not None:
        fraction = {
            "value": row.ef_value,
            "unit": "percent",
            "low": row.ef_low,
            "high": row.ef_high,
            "method": row.ef_method,
        }
    return {
        "id": row.id,
        "name": row.name,
        "created": iso(row.created),
        "state": row.state,
        "progress": progress_of(row.job) if row.state == "running" else None,
        "error": error_of(row),
        "job": row.job,
        "version": row.version,
        "signed": row.signed,
        "ejection_fraction": fraction,
        "grade": GRADES[row.grade],
        "views": row.views,
        "origin": row.origin,
    }


def set_findings(row: StudyRow, found: Mapping[str, Any]) -> None:
    """Write what was measured into the row; see `work.analysis.summary_of`."""
    fraction = found["ejection_fraction"] or {}
    row.views, row.grade = list(found["views"]), int(found["grade"])
    row.ef_value, row.ef_low, row.ef_high = (fraction.get(name) for name in ("value", "low", "high"))
    row.ef_method = fraction.get("method")


def error_of(row: StudyRow | JobRow) -> dict[str, str | None] | None:
    """Why it failed, in words."""
    return None if row.error_text is None else {"text": row.error_text, "remedy": row.error_remedy}


def iso(seconds: float) -> str:
    """An instant as JSON holds it."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds")
