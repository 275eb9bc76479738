"""The form of the database is brought up to date when the server starts, a copy made before."""

import logging
import sqlite3
from pathlib import Path

from sqlalchemy import inspect, text

from cardiotrace.core.errors import UsageError
from cardiotrace.server.store.database import Database

_LOG = logging.getLogger(__name__)
_MIGRATIONS = Path(__file__).parent / "migrations"
_TABLE = "alembic_version"


def newest_revision() -> str:
    """The last revision that this program knows: revisions are numbered, and so are their files."""
    return max(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def present_revision(database: Database) -> str | None:
    """The revision that the database has; None where it is empty."""
    with database.engine.connect() as connection:
        if not inspect(connection).has_table(_TABLE):
            return None
        return connection.execute(text(f"SELECT version_num FROM {_TABLE}")).scalar()


def upgrade(database: Database) -> Path | None:
    """Bring the database to the newest revision.

    Returns:
        The copy that was made before, of an SQLite database that held something; None where nothing was changed.

    Raises:
        UsageError: a newer CardioTrace made it.
    """
    present, newest = present_revision(database), newest_revision()
    if present == newest:
        return None
    if present is not None and present > newest:
        raise UsageError(
            f"the database is of revision {present}, and this program knows {newest}",
            remedy="update CardioTrace, or choose another folder with --data.",
        )
    copy = _copied(database, present)
    _run_alembic(database)
    _LOG.info("database brought from revision %s to %s", present, newest)
    return copy


def _copied(database: Database, present: str | None) -> Path | None:
    """A copy beside the database; whoever runs PostgreSQL has backups of their own."""
    if present is None or not database.is_sqlite or database.url.database is None:
        return None
    copy = Path(f"{database.url.database}.before-{newest_revision()}")
    source, target = sqlite3.connect(database.url.database), sqlite3.connect(copy)
    with source, target:
        source.backup(target)
    source.close()
    target.close()
    return copy


def _run_alembic(database: Database) -> None:
    from alembic import command  # loaded where there is something to upgrade
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with database.engine.execution_options(writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
