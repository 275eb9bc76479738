"""The database: pragmas that hold, writers that begin as writers, revisions that are the tables."""

import sqlite3

import pytest
from sqlalchemy import insert, select, text

from cardiotrace.core.errors import UsageError
from cardiotrace.server.store.database import Database
from cardiotrace.server.store.tables import Base, SettingRow
from cardiotrace.server.store.upgrade import newest_revision, present_revision, upgrade
from tests.server.databases import sqlite_at


@pytest.fixture
def database(tmp_path):
    found = sqlite_at(tmp_path)
    yield found
    found.close()


def test_pragmas_hold_on_every_connection(database):
    with database.reading() as session:
        told = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous")
        }
    assert told == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1}


def test_a_writer_begins_as_one_and_a_reader_does_not_wait(database, tmp_path):
    other = sqlite3.connect(tmp_path / "x.sqlite", timeout=0)
    with database.writing() as session:
        session.add(SettingRow(name="a", value={"n": 1}))
        session.flush()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM settings").fetchone() == (0,)
    assert other.execute("SELECT count(*) FROM settings").fetchone() == (1,)
    other.close()


def test_what_fails_leaves_nothing(database):
    def write():
        with database.writing() as session:
            session.add(SettingRow(name="a", value={}))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    with database.reading() as session:
        assert session.scalars(select(SettingRow)).all() == []


def test_revisions_make_the_tables(database):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_an_upgrade_makes_a_copy_before(tmp_path):
    database = sqlite_at(tmp_path)
    assert upgrade(database) is None, "nothing to do"
    with database.writing() as session:
        session.execute(insert(SettingRow).values(name="kept", value={"n": 7}))
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(Exception, match="0000"):  # there is no such revision to go on from
        upgrade(database)
    copy = tmp_path / f"x.sqlite.before-{newest_revision()}"
    assert sqlite3.connect(copy).execute("SELECT name FROM settings").fetchall() == [("kept",)]
    database.close()


def test_a_newer_database_is_left_alone(database):
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UsageError, match="revision 9999"):
        upgrade(database)
    assert present_revision(database) == "9999"


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "postgresql+nodriver://x/y"])
def test_other_databases_are_refused_in_one_line(url):
    with pytest.raises(UsageError):
        Database(url)
