"""What is kept, for how long, and how much of it."""

import time

import pytest

from cardiotrace.server.store.tables import StudyRow, UploadRow
from tests.server.serving import API, served

DAY = 86400.0


@pytest.fixture
def server(tmp_path):
    with served(tmp_path / "kept", keep_days=10.0, keep_signed_days=100.0, quota_gib=1e-5) as running:
        yield running


def add(server, study, age_days, signed=None):
    with server.services.database.writing() as session:
        row = StudyRow(id=study, name=study, created=time.time() - age_days * DAY, origin="upload", state="done")
        row.options, row.views, row.version, row.edits, row.grade, row.signed = {}, [], 1, 0, 0, signed
        session.add(row)
    server.services.data.study(study).files.mkdir(parents=True)


def test_studies_and_uploads_whose_time_is_over_go(server):
    signature = {"by": "x", "time": "t", "checksum": "c", "version": 1}
    for study, age, signed in (
        ("1" * 16, 11, None),
        ("2" * 16, 9, None),
        ("3" * 16, 11, signature),
        ("4" * 16, 101, signature),
    ):
        add(server, study, age, signed)
    upload = server.person.send({"a": b"x"}, finish=False)
    with server.services.database.writing() as session:
        session.get(UploadRow, upload).created = time.time() - 2 * DAY
    server.services.tidy_up(time.time())
    assert {each["id"] for each in server.person.get("/studies")["studies"]} == {"2" * 16, "3" * 16}
    assert {path.name for path in server.services.data.studies.iterdir()} == {"2" * 16, "3" * 16}
    assert list(server.services.data.uploads.iterdir()) == []


def test_no_more_is_taken_than_there_is_room_for(server):
    upload = server.person.send({}, finish=False)
    answer = server.person.put(upload, 0, "a.nii", b"x" * 20_000)
    assert answer.status_code == 507
    assert answer.json()["error"]["remedy"]
    small = server.person.send({}, finish=False)
    assert server.person.put(small, 0, "a.nii", b"x" * 5_000).status_code == 200
    assert server.person.http.get(f"{API}/system/metrics").text.count("cardiotrace_free_bytes") == 3
