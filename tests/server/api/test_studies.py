"""Studies as the page asks for them: the list, pixels, labels, traces, another analysis, the end."""

import gzip
import json
import struct

import numpy as np
import pytest

from tests.server.serving import API, served


@pytest.fixture(scope="module")
def study(person, camus):
    """A study that is analysed."""
    return person.analysed(camus)[0]


def container(content):
    assert content[:4] == b"CTA1"
    (length,) = struct.unpack("<I", content[4:8])
    facts = json.loads(content[8 : 8 + length])
    return facts, np.frombuffer(content[8 + length :], facts["dtype"]).reshape(facts["shape"])


def test_pixels_labels_and_traces_fit_together(person, study):
    assert study["images"]
    for image in study["images"]:
        base = f"{API}/studies/{study['id']}/images/{image['name']}"
        facts, pixels = container(person.http.get(f"{base}/frames").content)
        scheme, labels = container(person.http.get(f"{base}/labels").content)
        assert pixels.shape == labels.shape == (image["frames"], image["slices"], image["height"], image["width"])
        assert facts["spacing_mm"] == image["spacing_mm"]
        assert facts["window"] == [0, 255]
        assert set(scheme["scheme"]) == set(image["structures"])
        planes = person.get(f"/studies/{study['id']}/images/{image['name']}/traces")["planes"]
        assert len(planes) == image["frames"]
        for frame, (plane,) in enumerate(planes):
            has = (labels[frame, 0] == scheme["scheme"]["LV"]).any()
            assert ("lv" in plane["contours"]) == has
            if has:
                points = np.array(plane["contours"]["lv"])
                rows, columns = np.nonzero(labels[frame, 0] == scheme["scheme"]["LV"])
                assert abs(points[:, 0].mean() - rows.mean()) < 8
                assert abs(points[:, 1].mean() - columns.mean()) < 8


def test_what_a_browser_has_is_not_sent_again(person, study):
    url = f"{API}/studies/{study['id']}/images/{study['images'][0]['name']}/labels"
    first = person.http.get(url)
    assert first.headers["content-encoding"] == "gzip"
    again = person.http.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = person.http.get(url, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == first.content
    with person.http.stream("GET", url) as raw:
        assert gzip.decompress(b"".join(raw.iter_raw())) == first.content


def test_a_study_tells_what_was_measured(person, study):
    names = {quantity["name"] for quantity in study["measures"]["quantities"]}
    assert "left_ventricular_ejection_fraction" in names
    assert study["automatic"] == study["measures"]
    assert study["version"] == 1
    assert study["progress"] is None
    phases = {phase for image in study["images"] for phase in image["phases"]}
    assert phases == {"ED", "ES"}
    picture = person.http.get(f"{API}/studies/{study['id']}/thumbnail")
    assert picture.content[:4] == b"\x89PNG"


def test_what_somebody_knows_better_counts(person, study):
    options = {"options": {"spacing_mm": [0.5, 0.5], "heart_rate": 61, "sex": "F", "height_cm": 170, "weight_kg": 60}}
    job = person.http.post(f"{API}/studies/{study['id']}/analyse", json=options).raise_for_status().json()["job"]
    assert person.job(job)["state"] == "done"
    found = person.get(f"/studies/{study['id']}")
    assert found["version"] == study["version"] + 1
    assert {tuple(image["spacing_mm"]) for image in found["images"]} == {(0.5, 0.5)}
    assert found["options"]["heart_rate"] == 61


def test_an_image_that_is_not_there_is_a_sentence(person, study):
    options = {"options": {"views": {"nobody": "A4C"}}}
    job = person.http.post(f"{API}/studies/{study['id']}/analyse", json=options).json()["job"]
    found = person.job(job)
    assert found["state"] == "failed"
    assert "nobody" in found["error"]["text"]
    assert person.get(f"/studies/{study['id']}")["images"], "what was found before stays"


@pytest.mark.parametrize(
    "options", [{"sex": "X"}, {"spacing_mm": [0]}, {"height_cm": 1}, {"model": "../../x.onnx"}, {"unknown": 1}]
)
def test_what_cannot_be_is_refused(person, study, options):
    answer = person.http.post(f"{API}/studies/{study['id']}/analyse", json={"options": options})
    assert answer.status_code == 422
    assert answer.json()["error"]["text"]


def test_the_list_is_searched_sorted_and_cut(person, study):
    everything = person.get("/studies")
    assert everything["total"] == len(everything["studies"])
    assert person.get("/studies?search=%25")["total"] == 0, "a sign of the database's is a sign here"
    assert person.get("/studies?state=running&limit=1")["studies"] == []
    values = [each["ejection_fraction"] for each in person.get("/studies?sort=ejection_fraction&order=asc")["studies"]]
    numbers = [each["value"] for each in values if each]
    assert numbers == sorted(numbers)
    assert person.http.get(f"{API}/studies?sort=password").status_code == 422


@pytest.mark.parametrize("path", ["/studies/0000000000000000", "/jobs/0000000000000000", "/uploads/0000000000000000"])
def test_what_is_not_there_is_said_so(person, path):
    answer = person.http.get(f"{API}{path}")
    assert answer.status_code == 404
    assert set(answer.json()["error"]) == {"text", "remedy"}


@pytest.mark.parametrize("name", ["../exam", "..%2F..%2Fexam", "%00", "exam.json"])
def test_a_name_of_an_image_is_no_path(person, study, name):
    assert person.http.get(f"{API}/studies/{study['id']}/images/{name}/frames").status_code in (404, 422)


def test_the_model_that_the_server_was_started_with_is_the_one_that_traces(tmp_path, camus):
    with served(tmp_path / "data", model=str(tmp_path / "missing.onnx")) as server:
        (study,) = server.person.analysed(camus)
        assert study["state"] == "failed"
        assert "there is no model" in study["error"]["text"]
        assert study["options"] == {}  # nobody said it of this study


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_what_was_found_and_corrected_outlives_another_analysis_that_comes_to_nothing(person, camus, end):
    (before,) = person.analysed(camus)
    url = f"{API}/studies/{before['id']}"
    lease = {"X-Lease": person.http.post(f"{url}/lease").json()["lease"]}
    judged = {"kind": "verdict", "image": before["images"][0]["name"], "frame": 0, "slice": 0, "verdict": "rejected"}
    edit = {"base_version": before["version"], "gesture": {**judged, "reason": "image"}}
    assert person.http.post(f"{url}/edits", json=edit, headers=lease).status_code == 200
    options = {"spacing_mm": [3.0, 3.0]} if end == "cancelled" else {"model": "missing"}
    job = person.http.post(f"{url}/analyse", json={"options": options}).json()["job"]
    if end == "cancelled":
        person.http.delete(f"{API}/jobs/{job}").raise_for_status()
    assert person.job(job)["state"] == end
    after = person.study(before["id"])
    assert (after["state"], after["version"], after["edits"]) == ("done", before["version"] + 1, 1)
    assert after["options"] == {}  # the labels are not of the size that was asked for
    assert (after["error"] is not None) == (end == "failed")
    undo = {"base_version": after["version"], "gesture": {"kind": "undo"}}
    assert person.http.post(f"{url}/edits", json=undo, headers=lease).json()["measures"] == before["measures"]


def test_nobody_deletes_or_analyses_what_somebody_else_is_editing(person, camus):
    (study,) = person.analysed(camus)
    url = f"{API}/studies/{study['id']}"
    lease = person.http.post(f"{url}/lease", headers={"X-Person": "Roy"}).json()["lease"]
    for refused in (person.http.delete(url), person.http.post(f"{url}/analyse", headers={"X-Person": "Lee"})):
        assert refused.status_code == 409
        assert "Roy" in refused.json()["error"]["text"]
    assert person.get(f"/studies/{study['id']}")["version"] == study["version"]
    person.http.delete(f"{url}/lease", headers={"X-Lease": lease})
    assert person.http.delete(url).status_code == 204
