"""Tables of what people correct: the journal of edits, the planes that stand edited, and studies with readers."""

from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cardiotrace.server.store.tables import _SERIAL, Base


class EditRow(Base):
    """One entry of a journal: a gesture, or one that was taken back or done again. None is ever changed."""

    __tablename__ = "edits"

    serial: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    study: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    document: Mapped[str] = mapped_column(String(32), index=True)
    """What is edited: the study by its own number, or the reading of one person."""
    analysis: Mapped[str] = mapped_column(String(32))
    """Whose labels were edited."""
    version: Mapped[int] = mapped_column(Integer)
    """That the document became by it."""
    time: Mapped[float] = mapped_column(Float)
    by: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(16))
    """"do", "undo" or "redo"."""
    of: Mapped[str | None] = mapped_column(String(32))
    """The entry that was taken back or done again."""
    gesture: Mapped[dict[str, Any]] = mapped_column(JSON)
    change: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    """What was and what is at each address, labels by their digest; None where `of` tells it."""


class PlaneRow(Base):
    """A plane as it stands where it is not automatic: it follows from the journal."""

    __tablename__ = "planes"

    document: Mapped[str] = mapped_column(String(32), primary_key=True)
    image: Mapped[str] = mapped_column(Text, primary_key=True)
    frame: Mapped[int] = mapped_column(Integer, primary_key=True)
    slice: Mapped[int] = mapped_column(Integer, primary_key=True)
    study: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    labels: Mapped[str] = mapped_column(String(64))
    """Digest of the zipped labels."""
    trace: Mapped[dict[str, Any]] = mapped_column(JSON)
    """As the page takes it."""


class ReaderStudyRow(Base):
    """Exams that several people trace without seeing what was found, or what the others drew."""

    __tablename__ = "reader_studies"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    created: Mapped[float] = mapped_column(Float)


class ReadingRow(Base):
    """One exam as one person traces it."""

    __tablename__ = "readings"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    reader_study: Mapped[str] = mapped_column(ForeignKey("reader_studies.id", ondelete="CASCADE"), index=True)
    study: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    reader: Mapped[str] = mapped_column(Text)
    number: Mapped[int] = mapped_column(Integer)
    """In the order that the exams were named in."""
    version: Mapped[int] = mapped_column(Integer, default=0)
    opened: Mapped[float | None] = mapped_column(Float)
    done: Mapped[float | None] = mapped_column(Float)
