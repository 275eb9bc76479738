"""Everything in one file and back, from one kind of database to the other."""

import json
import tarfile

import pytest
from sqlalchemy import select

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.server.store.backup import back_up, restore
from cardiotrace.server.store.blobs import BlobStore
from cardiotrace.server.store.folder import DataFolder
from cardiotrace.server.store.tables import FileRow, JobRow, StudyRow
from tests.server.databases import sqlite_at

STUDY = "0123456789abcdef"


def filled(folder):
    """A data folder and a database with one study in them."""
    data = DataFolder(folder / "data").make()
    database = sqlite_at(data.root)
    files = data.study(STUDY).files / "patient"
    files.mkdir(parents=True)
    (files / "a.nii").write_bytes(b"pixels")
    blob = BlobStore(data.blobs).take(files / "a.nii")
    data.study(STUDY).automatic.mkdir()
    (data.study(STUDY).automatic / "exam.json").write_text("{}")
    with database.writing() as session:
        row = StudyRow(id=STUDY, name="Zoë ♥", created=5.0, origin="upload", state="done", views=["A4C"], ef_value=55.5)
        row.options, row.within, row.part, row.version, row.edits, row.grade = {"sex": "F"}, "", "", 1, 0, 2
        session.add(row)
        session.flush()
        session.add(FileRow(study=STUDY, kind="exam", name="patient/a.nii", sha256=blob.sha256, size=blob.size))
        session.add(JobRow(id="1" * 16, kind="analyse", study=STUDY, state="done", created=1.0, starts=1, params={}))
    return data, database


@pytest.fixture
def kept(tmp_path):
    data, database = filled(tmp_path)
    yield data, database
    database.close()


def test_all_comes_back(kept, tmp_path):
    data, database = kept
    assert back_up(database, data, tmp_path / "backup.tar") == 1
    other = DataFolder(tmp_path / "other").make()
    empty = sqlite_at(other.root)
    assert restore(empty, other, tmp_path / "backup.tar") == 1
    with empty.reading() as session:
        row = session.scalars(select(StudyRow)).one()
        assert (row.name, row.ef_value, row.options, row.views) == ("Zoë ♥", 55.5, {"sex": "F"}, ["A4C"])
        assert session.scalars(select(JobRow.id)).all() == ["1" * 16]
    file = other.study(STUDY).files / "patient" / "a.nii"
    assert file.read_bytes() == b"pixels"
    assert file.samefile(next(path for path in other.blobs.glob("*/*")))
    assert (other.study(STUDY).automatic / "exam.json").read_text() == "{}"
    with pytest.raises(UsageError, match="studies already"):
        restore(empty, other, tmp_path / "backup.tar")
    empty.close()


def test_a_backup_gives_no_access(kept, tmp_path):
    data, database = kept
    secret = data.token()
    back_up(database, data, tmp_path / "backup.tar")
    assert secret.encode() not in (tmp_path / "backup.tar").read_bytes()
    assert (data.root / "token").stat().st_mode & 0o777 == 0o600


def test_damage_is_found_and_nothing_is_half_restored(kept, tmp_path):
    data, database = kept
    path = tmp_path / "backup.tar"
    back_up(database, data, path)
    path.write_bytes(path.read_bytes().replace(b"pixels", b"pixelz"))
    other = DataFolder(tmp_path / "other").make()
    empty = sqlite_at(other.root)
    with pytest.raises(InputError, match="damaged"):
        restore(empty, other, path)
    with empty.reading() as session:
        assert session.scalars(select(StudyRow)).all() == []
    empty.close()


@pytest.mark.parametrize("content", [b"", b"no archive", b"\0" * 10240])
def test_what_is_no_backup_is_refused(tmp_path, content):
    (tmp_path / "b").write_bytes(content)
    data = DataFolder(tmp_path / "data").make()
    database = sqlite_at(data.root)
    with pytest.raises(InputError, match="no backup"):
        restore(database, data, tmp_path / "b")
    database.close()


def test_names_in_a_backup_lead_nowhere(kept, tmp_path):
    data, database = kept
    back_up(database, data, tmp_path / "good.tar")
    with tarfile.open(tmp_path / "good.tar") as good, tarfile.open(tmp_path / "bad.tar", "w") as bad:
        for member in good:
            if member.name.startswith("studies/"):
                member.name = f"studies/{STUDY}/automatic/../../../evil"
            bad.addfile(member, good.extractfile(member))
    other = DataFolder(tmp_path / "other").make()
    empty = sqlite_at(other.root)
    with pytest.raises(InputError, match="which no backup does"):
        restore(empty, other, tmp_path / "bad.tar")
    assert not list(tmp_path.rglob("evil"))
    empty.close()


def test_the_head_states_the_version(kept, tmp_path):
    data, database = kept
    back_up(database, data, tmp_path / "backup.tar")
    with tarfile.open(tmp_path / "backup.tar") as archive:
        assert json.load(archive.extractfile("backup.json"))["version"] == 1
