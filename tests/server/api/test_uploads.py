"""What is sent: resumed, bounded, made harmless, named where it is left out."""

import io
import zipfile

import pytest

from tests.server.serving import API


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_an_exam_is_sent_analysed_and_listed(person, camus):
    (study,) = person.analysed(camus)
    assert study["state"] == "done"
    assert study["views"] == ["A4C"]
    assert 0 < study["ejection_fraction"]["value"] < 100
    assert study["name"] == "patient0001"
    listed = person.get("/studies?search=PATIENT0001")
    assert study["id"] in [each["id"] for each in listed["studies"]]


def test_a_file_goes_on_where_it_broke_off(person, camus):
    upload = person.send({}, finish=False)
    name, content = next(iter(camus.items()))
    assert person.put(upload, 0, name, content[:100]).json() == {"received": 100}
    wrong = person.put(upload, 0, name, content[50:], offset=50)
    assert wrong.status_code == 409
    assert wrong.json()["received"] == 100
    assert person.get(f"/uploads/{upload}") == {"files": [{"n": 0, "name": name, "received": 100}]}
    assert person.put(upload, 0, name, content[100:], offset=100).json() == {"received": len(content)}
    assert person.http.delete(f"{API}/uploads/{upload}").status_code == 204
    assert person.http.get(f"{API}/uploads/{upload}").status_code == 404


def test_a_file_keeps_its_name(person):
    upload = person.send({}, finish=False)
    assert person.put(upload, 0, "a.nii", b"x").status_code == 200
    assert person.put(upload, 0, "b.nii", b"x", offset=1).status_code == 409


def test_what_is_no_image_is_named(person, camus):
    job = person.job(person.send({**camus, "patient0001/notes.pdf": b"%PDF-1.4 nothing"}))
    (study,) = job["result"]["studies"]
    assert any("notes.pdf" in line for line in job["result"]["left_out"])
    assert any("notes.pdf" in line for line in person.study(study)["left_out"])
    only = person.job(person.send({"notes.pdf": b"%PDF-1.4 nothing"}))
    assert only["result"]["studies"] == []
    assert "notes.pdf" in only["result"]["left_out"][0]


def test_a_hidden_folder_of_a_zip_is_named(person, camus):
    hidden = {f"patient0001/.trash/{name}": b"x" for name in ("a.nii", "b.nii")}
    job = person.job(person.send({"exam.zip": zipped({**camus, **hidden})}))
    assert len(job["result"]["studies"]) == 1
    assert [line for line in job["result"]["left_out"] if "hidden" in line] == [
        "exam/patient0001/.trash: a hidden folder, files in it: 2"
    ]


def test_an_image_that_cannot_be_read_is_a_study_that_failed(person):
    job = person.job(person.send({"broken_4CH_ED.nii.gz": b"\x1f\x8bno gzip"}))
    (study,) = job["result"]["studies"]
    found = person.study(study)
    assert found["state"] == "failed"
    assert found["error"]["text"]
    assert "/tmp" not in found["error"]["text"]


def test_the_same_file_twice_is_kept_once(person, server, camus):
    first, second = person.analysed(camus)[0], person.analysed(camus)[0]
    name = next(iter(camus))
    places = [server.services.data.study(each["id"]).files / name for each in (first, second)]
    assert places[0].samefile(places[1])
    assert places[0].stat().st_mode & 0o777 == 0o400
    assert person.http.delete(f"{API}/studies/{first['id']}").status_code == 204
    assert not places[0].exists()
    assert places[1].read_bytes() == camus[name]
    digests = set(server.services.blobs)
    assert person.http.delete(f"{API}/studies/{second['id']}").status_code == 204
    assert len(set(server.services.blobs)) <= len(digests)
    assert person.http.get(f"{API}/studies/{second['id']}").status_code == 404


def test_two_patients_of_one_folder_are_two_studies_of_their_own_files(person, server, camus):
    flat = {name.rpartition("/")[2]: content for name, content in camus.items() if name.endswith(".gz")}
    other = {name.replace("patient0001", "patient0002"): content[:-8] + content[-8:] for name, content in flat.items()}
    studies = person.analysed({**flat, **other})
    assert sorted(each["name"] for each in studies) == ["patient0001", "patient0002"]
    for study in studies:
        assert study["state"] == "done", study["error"]
        names = [path.name for path in server.services.data.study(study["id"]).files.rglob("*.gz")]
        assert names
        assert all(name.startswith(study["name"]) for name in names)


def test_an_archive_is_opened(person, camus):
    (study,) = person.analysed({"exam.zip": zipped(camus)})
    assert study["state"] == "done"
    assert study["name"] == "patient0001"


@pytest.mark.parametrize(
    "name", ["../../../evil_4CH_ED.nii.gz", "C:\\evil\\..\\x.nii", "a\x00b/<script>.nii", "con/nul.txt"]
)
def test_a_hostile_name_stays_in_its_folder(person, server, name):
    before = {path for path in server.services.data.root.parent.rglob("*") if "evil" in path.name}
    job = person.job(person.send({name: b"nothing"}))
    assert job["state"] == "done"
    data = server.services.data
    outside = [path for path in data.root.parent.rglob("*") if "evil" in path.name and data.studies not in path.parents]
    assert set(outside) <= before


def test_a_finished_upload_is_finished(person, camus):
    upload = person.send(camus, finish=False)
    first = person.http.post(f"{API}/uploads/{upload}/finish").json()
    assert person.job(first["job"])["state"] == "done"
    assert person.http.post(f"{API}/uploads/{upload}/finish").status_code == 404


def test_more_than_a_route_takes_is_refused_by_the_application_as_it_runs(person, camus):
    def pieces():
        for _ in range(34):
            yield b" " * 2**20

    answer = person.http.post(f"{API}/studies/{'0' * 16}/analyse", content=pieces())
    assert answer.status_code == 413
    assert answer.json()["error"]["remedy"]
