"""An archive sends a study to the application and gets outlines and measures back; others are fetched from it."""

import json
from io import BytesIO

import pytest
from pydicom import dcmread

from tests.fake.dicom_exam import PATIENT_ID, write_stack, write_ultrasound
from tests.orthanc import archive
from tests.server.serving import served, wait_for

API = "/api/v1"


def files_below(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    with archive(tmp_path_factory.mktemp("pacs") / "archive") as running:
        yield running


@pytest.fixture(scope="module")
def application(tmp_path_factory, tiny_model):
    data = tmp_path_factory.mktemp("application") / "kept"
    with served(data, model=str(tiny_model), dicom_port=0, dicom_peers=("ORTHANC",)) as running:
        wait_for(lambda: running.person.get("/pacs/node"), lambda node: node["runs"])
        yield running


def destination(orthanc, **changes):
    return {"name": "pacs", "host": "127.0.0.1", "port": orthanc.dicom_port, "ae_title": "ORTHANC", **changes}


@pytest.mark.slow
def test_a_study_comes_from_an_archive_by_itself_and_results_go_back(tmp_path, orthanc, application):
    person = application.person
    web = {"name": "web", "kind": "dicomweb", "url": f"http://127.0.0.1:{orthanc.http_port}/dicom-web"}
    known = {"destinations": [destination(orthanc), web]}
    person.http.put(f"{API}/pacs/destinations", json=known).raise_for_status()
    rules = {"rules": [{"name": "echo", "origins": ["dicom"], "modalities": ["US"], "send_to": ["pacs"]}]}
    person.http.put(f"{API}/rules", json=rules).raise_for_status()
    for name in ("pacs", "web"):
        person.http.post(f"{API}/pacs/destinations/{name}/echo").raise_for_status()
    film = dcmread(write_ultrasound(tmp_path / "us"))
    film.SeriesDescription = "A4C"
    film.save_as(tmp_path / "us/film.dcm")
    (sent,) = [json.loads(orthanc.post("instances", path.read_bytes())) for path in files_below(tmp_path / "us")]
    node = person.get("/pacs/node")
    modality = json.dumps([node["ae_title"], "127.0.0.1", node["port"]])
    orthanc.post("modalities/application", modality, method="PUT")
    orthanc.post("modalities/application/store", sent["ID"])
    (study,) = wait_for(lambda: person.get("/studies?state=done")["studies"], lambda found: len(found) == 1)
    assert study["origin"] == "dicom"
    objects = wait_for(orthanc.files, lambda found: len(found) == 4)
    read = [dcmread(BytesIO(content)) for content in objects]
    assert sorted(item.Modality for item in read) == ["OT", "SEG", "SR", "US"]
    assert len({item.StudyInstanceUID for item in read}) == 1
    assert {item.PatientID for item in read} == {PATIENT_ID}


@pytest.mark.slow
@pytest.mark.parametrize("door", ["pacs", "web"])
def test_a_study_is_found_in_an_archive_fetched_and_analysed(tmp_path, orthanc, application, door):
    person = application.person
    web = {"name": "web", "kind": "dicomweb", "url": f"http://127.0.0.1:{orthanc.http_port}/dicom-web"}
    known = {"destinations": [destination(orthanc), web]}
    person.http.put(f"{API}/pacs/destinations", json=known).raise_for_status()
    number = {"pacs": "8", "web": "9"}[door]
    for path in write_stack(tmp_path / "mr", study=number):
        orthanc.post("instances", path.read_bytes())
    uid = str(dcmread(tmp_path / "mr/000.dcm").StudyInstanceUID)
    asked = {"archive": door, "study_uid": uid}
    (found,) = person.http.post(f"{API}/pacs/query", json=asked).raise_for_status().json()["studies"]
    assert found["modalities"] == ["MR"]
    job = person.job(person.http.post(f"{API}/pacs/retrieve", json=asked).raise_for_status().json()["job"])
    assert job["state"] == "done", job
    assert job["result"]["objects"] == len(files_below(tmp_path / "mr"))
    taken = person.job(job["result"]["intake"])
    assert len(taken["result"]["studies"]) == 1
    # The tiny model knows no short axis: the study says that it cannot be analysed, and is not lost.
    study = person.study(taken["result"]["studies"][0])
    assert (study["origin"], study["state"]) == ("dicom", "failed")


def test_results_of_what_was_no_dicom_are_not_sent(application, camus):
    person = application.person
    known = {"destinations": [{"name": "off", "host": "127.0.0.1", "port": 9, "ae_title": "OFF"}]}
    person.http.put(f"{API}/rules", json={"rules": []}).raise_for_status()
    person.http.put(f"{API}/pacs/destinations", json=known).raise_for_status()
    (study,) = person.analysed(camus)
    answer = person.http.post(f"{API}/studies/{study['id']}/send", json={"to": "off"}).raise_for_status()
    job = person.job(answer.json()["job"])
    assert job["state"] == "failed"
    assert "no image of it is DICOM" in job["error"]["text"]


def test_settings_that_make_no_sense_are_refused_and_change_nothing(application):
    http = application.person.http
    before = http.get(f"{API}/rules").json()
    for path, wanted in (
        (
            "pacs/destinations",
            {"destinations": [{"name": "a", "host": "h", "port": 1, "ae_title": "too long for one"}]},
        ),
        ("rules", {"rules": [{"send_to": ["nowhere"]}]}),
        ("rules", {"rules": [{"colour": "red"}]}),
    ):
        answer = http.put(f"{API}/{path}", json=wanted)
        if "too long" not in json.dumps(wanted):
            assert answer.status_code == 422, answer.text
    assert http.get(f"{API}/rules").json() == before


def test_two_people_who_save_at_once_do_not_overwrite_each_other(application):
    http = application.person.http
    for path, part, mine, others in (
        ("rules", "rules", {"name": "mine"}, {"name": "theirs"}),
        (
            "pacs/destinations",
            "destinations",
            {"name": "mine", "kind": "dicomweb", "url": "http://127.0.0.1:9/"},
            {"name": "theirs", "kind": "dicomweb", "url": "http://127.0.0.1:9/"},
        ),
    ):
        http.put(f"{API}/rules", json={"rules": []}).raise_for_status()
        seen = http.get(f"{API}/{path}").json()["version"]
        saved = http.put(f"{API}/{path}", json={part: [others], "version": seen}).raise_for_status().json()
        late = http.put(f"{API}/{path}", json={part: [mine], "version": seen})
        assert (late.status_code, "meanwhile" in late.json()["error"]["text"]) == (409, True)
        kept = http.get(f"{API}/{path}").json()
        assert ([each["name"] for each in kept[part]], kept) == (["theirs"], saved)
        http.put(f"{API}/{path}", json={part: [mine], "version": kept["version"]}).raise_for_status()
        http.put(f"{API}/{path}", json={part: [others]}).raise_for_status()  # who sends none wants it so


def test_a_secret_is_read_from_the_folder_of_secrets_alone(application, tmp_path):
    (tmp_path / "password").write_text("secret")
    web = {"name": "web", "kind": "dicomweb", "url": "http://127.0.0.1:9/", "user": "me"}
    wanted = {"destinations": [{**web, "password_file": str(tmp_path / "password")}]}
    answer = application.person.http.put(f"{API}/pacs/destinations", json=wanted)
    assert answer.status_code == 422
    assert "secrets" in answer.json()["error"]["remedy"]


def test_an_archive_that_is_off_is_said(application):
    http = application.person.http
    known = {"destinations": [{"name": "off", "kind": "dicomweb", "url": "http://127.0.0.1:9/dicom-web"}]}
    http.put(f"{API}/pacs/destinations", json=known).raise_for_status()
    answer = http.post(f"{API}/pacs/query", json={"archive": "off", "patient_id": "1"})
    assert answer.status_code == 502
    assert "does not answer" in answer.json()["error"]["text"]
    answer = http.post(f"{API}/pacs/destinations/off/echo")
    assert answer.status_code == 502
    assert "does not answer" in answer.json()["error"]["text"]
