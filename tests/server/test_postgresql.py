"""The same application on a real PostgreSQL: an exam from its files to its end, and a backup from the other kind."""

import pytest

from cardiotrace.server.store.backup import back_up, restore
from cardiotrace.server.store.database import Database
from cardiotrace.server.store.folder import DataFolder
from cardiotrace.server.store.upgrade import present_revision, upgrade
from tests.server.databases import postgresql, sqlite_at
from tests.server.serving import API, served


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with postgresql(tmp_path_factory.mktemp("postgresql")) as url:
        yield url


def test_an_exam_goes_through_and_travels_to_sqlite(address, tmp_path, tiny_model, camus):
    with served(tmp_path / "kept", model=str(tiny_model), database=address) as server:
        assert not (tmp_path / "kept" / "cardiotrace.sqlite").exists()
        (study,) = server.person.analysed(camus)
        assert study["state"] == "done", study["error"]
        assert server.person.get("/studies?search=PATIENT&sort=name&order=asc")["total"] == 1
        assert server.person.get("/studies?sort=ejection_fraction")["studies"][0]["id"] == study["id"]
        back_up(server.services.database, server.services.data, tmp_path / "backup.tar")
        assert server.person.http.delete(f"{API}/studies/{study['id']}").status_code == 204
        assert server.person.get("/studies")["total"] == 0
        assert list(server.services.blobs) == []
    data = DataFolder(tmp_path / "other").make()
    database = sqlite_at(data.root)
    assert restore(database, data, tmp_path / "backup.tar") == 1
    database.close()
    back = DataFolder(tmp_path / "back").make()
    database = Database(address)
    assert restore(database, back, tmp_path / "backup.tar") == 1
    database.close()
    with served(tmp_path / "back", model=str(tiny_model), database=address) as server:
        assert server.person.get(f"/studies/{study['id']}")["measures"] == study["measures"]
        job = server.person.http.post(f"{API}/studies/{study['id']}/analyse").raise_for_status().json()["job"]
        assert server.person.job(job)["state"] == "done", "it goes on counting behind what was restored"


def test_it_is_brought_up_to_date_once(address):
    database = Database(address)
    upgrade(database)
    assert upgrade(database) is None
    assert present_revision(database)
    database.close()
