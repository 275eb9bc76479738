"""The database: SQLite by default, PostgreSQL by its address. Only the server process writes into it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from cardiotrace.core.errors import UsageError, WorkError

_PRAGMAS = {"journal_mode": "wal", "busy_timeout": "5000", "synchronous": "1", "foreign_keys": "1"}
"""Each with what SQLite answers once it holds; `synchronous` 1 is NORMAL."""
_SET = {"synchronous": "NORMAL", "foreign_keys": "ON"}
_WRITES = "writes"


class Database:
    """Sessions that read, and sessions that write: these begin as writers, so that none fails half-way.

    Args:
        url: as SQLAlchemy takes it; see `ServeConfig.database_url`.

    Raises:
        UsageError: that is no address of a database that is known here, or its driver is not installed.
    """

    def __init__(self, url: str) -> None:
        try:
            self.url = make_url(url)
            self.engine = self._engine()
        except ModuleNotFoundError as error:
            remedy = "pip install 'cardiotrace[postgresql]'."
            raise UsageError(f"the database needs {error.name}", remedy=remedy) from None
        except SQLAlchemyError as error:
            remedy = "write postgresql+psycopg://USER@HOST/NAME, or leave --database out."
            raise UsageError(f"--database: {_first_line(error)}", remedy=remedy) from None
        self._one_writer = threading.Lock()
        self._writer = self.engine.execution_options(**{_WRITES: True})

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file here."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database; what it holds can be used when it is over."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are kept when the block ends well, all of them or none; one at a time."""
        # Nobody but this process writes: who waits here waits for no time-out, and meets no conflict.
        with self._one_writer, Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def check(self) -> None:
        """See whether it can be reached.

        Raises:
            WorkError: it cannot.
        """
        try:
            with self.engine.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
        except OperationalError as error:
            remedy = "is it running, and may this user read and write there?"
            raise WorkError(f"the database cannot be opened: {_first_line(error)}", remedy=remedy) from None

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _engine(self) -> Engine:
        backend = self.url.get_backend_name()
        if backend == "postgresql":
            return create_engine(self.url, pool_pre_ping=True)
        if backend != "sqlite":
            raise UsageError(f"--database: {backend} is not known", remedy="SQLite and PostgreSQL are.")
        engine = create_engine(self.url)
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
        return engine


def _set_up(connection: Any, _: Any) -> None:
    """Pragmas hold for a connection, and SQLite passes over what it cannot do: the answer is looked at."""
    connection.isolation_level = None  # the driver begins no transactions by itself; `_begin` does
    for name, expected in _PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {_SET.get(name, expected)}")
        answer = str(connection.execute(f"PRAGMA {name}").fetchone()[0])
        if answer != expected:
            raise WorkError(
                f"SQLite says {name} = {answer}, and not {expected}",
                remedy="the data folder must lie on a local disk: choose another with --data.",
            )


def _begin(connection: Any) -> None:
    # A reader that wants to write later fails at once where somebody else wrote meanwhile, whatever its time-out says.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().partition("\n")[0]
