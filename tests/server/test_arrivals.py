"""What comes by itself is taken in once, whatever happens meanwhile."""

import os
import shutil
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from cardiotrace.server.arrivals import Arrivals
from cardiotrace.server.store.folder import DataFolder
from cardiotrace.server.store.tables import JobRow, SettingRow
from tests.server.databases import sqlite_at


@pytest.fixture
def services(tmp_path):
    database = sqlite_at(tmp_path)
    yield SimpleNamespace(
        database=database, data=DataFolder(tmp_path / "kept").make(), jobs=SimpleNamespace(wake=lambda: None)
    )
    database.close()


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"abc")
    return [(tmp_path / "a.dcm", "study/a.dcm")]


def jobs(services):
    with services.database.reading() as session:
        return session.scalar(select(func.count()).select_from(JobRow))


@pytest.mark.parametrize(("place", "links"), [(os.link, 2), (shutil.copyfile, 1)])
def test_what_came_is_queued_once(services, files, place, links):
    arrivals = Arrivals(services, "door", "inbox", place)
    job = arrivals.take("one", "1" * 16, files)
    assert arrivals.take("one", "2" * 16, files) == job
    assert jobs(services) == 1
    assert [path.name for path in services.data.uploads.iterdir()] == ["1" * 16], "nothing is left of the second"
    assert files[0][0].stat().st_nlink == links
    with services.database.reading() as session:
        row = session.scalar(select(JobRow))
    assert row.params["files"] == [[0, "study/a.dcm"]]
    assert row.params["origin"] == "inbox"
    assert Arrivals(services, "other", "dicom", place).known() == {}, "each door remembers for itself"


def test_what_cannot_be_placed_leaves_nothing_and_comes_again(services, files):
    def full(*_):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        Arrivals(services, "door", "inbox", full).take("one", "1" * 16, files)
    assert list(services.data.uploads.iterdir()) == []
    assert jobs(services) == 0
    assert Arrivals(services, "door", "inbox", os.link).take("one", "2" * 16, files)


def test_what_is_over_is_forgotten_and_all_else_is_kept(services, files):
    arrivals = Arrivals(services, "door", "inbox", os.link)
    jobs = {key: arrivals.take(key, key * 16, files) for key in "12"}
    jobs["3"] = arrivals.take("3", "3" * 16, files, is_over=lambda key: key == "1")
    assert arrivals.known() == {key: jobs[key] for key in "23"}


def test_what_an_earlier_version_took_is_known(services, files):
    with services.database.writing() as session:
        session.merge(SettingRow(name="inbox", value={"done": ["0a", "0b"]}))
    arrivals = Arrivals(services, "inbox", "inbox", os.link)
    assert arrivals.known() == {"0a": "", "0b": ""}
    job = arrivals.take("0c", "1" * 16, files)
    assert arrivals.known() == {"0a": "", "0b": "", "0c": job}
