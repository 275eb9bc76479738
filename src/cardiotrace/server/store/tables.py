"""The tables of the database, for SQLite and PostgreSQL alike."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_SERIAL = BigInteger().with_variant(Integer, "sqlite")  # only a plain INTEGER counts by itself there


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012 -- read once, by SQLAlchemy


class StudyRow(Base):
    """An exam, with what the list of exams shows of it as it is now."""

    __tablename__ = "studies"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(Text, index=True)
    created: Mapped[float] = mapped_column(Float, index=True)
    """Seconds since 1970, as all times here."""
    origin: Mapped[str] = mapped_column(String(16))
    """"upload", "inbox", "dicom" or "demo"."""
    within: Mapped[str] = mapped_column(Text, default="")
    """Where in its files the exam lies, relative to them."""
    part: Mapped[str] = mapped_column(Text, default="")
    """Which of the exams that lie there; see `FoundExam.part`."""
    state: Mapped[str] = mapped_column(String(16), index=True)
    job: Mapped[str | None] = mapped_column(String(32))
    """The last analysis."""
    error_text: Mapped[str | None] = mapped_column(Text)
    error_remedy: Mapped[str | None] = mapped_column(Text)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What was said in place of what the files say; see `AnalysisOptions`."""
    version: Mapped[int] = mapped_column(Integer, default=0)
    """Of the contours: it rises with each edit and each analysis."""
    edits: Mapped[int] = mapped_column(Integer, default=0)
    """How many stand."""
    analysis: Mapped[str | None] = mapped_column(String(32))
    """The job whose result stands: edits are of it."""
    signed: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Who signed which version, when, and the checksum; None where the present version is not signed."""
    views: Mapped[list[str]] = mapped_column(default=list)
    ef_value: Mapped[float | None] = mapped_column(Float)
    ef_low: Mapped[float | None] = mapped_column(Float)
    ef_high: Mapped[float | None] = mapped_column(Float)
    ef_method: Mapped[str | None] = mapped_column(String(64))
    grade: Mapped[int] = mapped_column(Integer, default=0)
    """The gravest flag: 0 none, 1 a note, 2 look twice, 3 not usable."""


class FileRow(Base):
    """Content that belongs to a study; a blob is removed with the last row that names it."""

    __tablename__ = "files"

    study: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    """"exam" for the files of the exam itself; others belong to whoever adds them."""
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    """Relative path in the folder of the study, or whatever tells it apart."""
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int] = mapped_column(BigInteger)


class UploadRow(Base):
    """Files that are being sent."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created: Mapped[float] = mapped_column(Float)
    job: Mapped[str | None] = mapped_column(String(32))
    """That takes the files over; None while they are still coming."""


class UploadFileRow(Base):
    """One file of an upload; how much of it is there, its size on the disk tells."""

    __tablename__ = "upload_files"

    upload: Mapped[str] = mapped_column(ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(Text)


class JobRow(Base):
    """A piece of work that takes a while."""

    __tablename__ = "jobs"

    serial: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    """The order of the queue."""
    id: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    study: Mapped[str | None] = mapped_column(String(32), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    created: Mapped[float] = mapped_column(Float)
    started: Mapped[float | None] = mapped_column(Float)
    finished: Mapped[float | None] = mapped_column(Float)
    starts: Mapped[int] = mapped_column(Integer, default=0)
    """How often it was begun: again where the server was killed meanwhile."""
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error_text: Mapped[str | None] = mapped_column(Text)
    error_remedy: Mapped[str | None] = mapped_column(Text)


class SettingRow(Base):
    """Something that is set while the application runs, such as where results are sent."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSON)
