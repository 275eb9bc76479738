"""What is drawn over an image: made when somebody first looks, once, and what the measuring itself found."""

import json

import pytest

from cardiotrace.core.findings import ExamFindings
from cardiotrace.core.reporter import SilentReporter
from cardiotrace.server.desk.editing import study_params
from cardiotrace.server.desk.opened import draw_image, read_exam
from cardiotrace.server.store.journal import Document
from cardiotrace.server.store.tables import StudyRow
from cardiotrace.server.work.traces import traced_planes
from tests.server.serving import API


@pytest.fixture(scope="module")
def study(person, camus):
    return person.analysed(camus)[0]


def drawn(server, study):
    return sorted((server.services.data.study(study["id"]).root / "drawn").rglob("*.json"))


def test_an_image_is_drawn_once_when_somebody_looks(server, person, study):
    assert drawn(server, study) == [], "an analysis is done with its numbers"
    image = study["images"][0]["name"]
    url = f"{API}/studies/{study['id']}/images/{image}/traces"
    first = person.http.get(url).raise_for_status()
    (path,) = drawn(server, study)
    state = path.stat()
    assert person.http.get(f"{url}?of=automatic").content == first.content
    assert person.http.get(url, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    assert path.stat() == state
    assert json.loads(path.read_text()) == first.json()


def test_what_is_drawn_is_what_is_found_from_the_start(server, person, study, tmp_path):
    """The desk knows what it measured: with and without, traces are the same to the last digit."""
    with server.services.database.reading() as session:
        row = session.get(StudyRow, study["id"])
    params = study_params(server.services, row, Document(row.id, row.id, row.analysis))
    opened = read_exam(params)
    opened.exam.measured(opened.edits)
    for image in opened.subject.exam.images:
        labels = opened.subject.automatic[image.name]
        anew = traced_planes(image, labels, ExamFindings())
        assert anew == traced_planes(image, labels, opened.exam.known)
        target = tmp_path / "drawn" / "a" / "x.json"
        draw_image({**params, "image": image.name, "target": str(target)}, SilentReporter())
        assert json.loads(target.read_text())["planes"] == anew
        target.unlink()


def test_another_analysis_is_drawn_anew_and_the_former_goes(server, person, study):
    image = study["images"][0]["name"]
    url = f"{API}/studies/{study['id']}/images/{image}/traces"
    before = person.http.get(url).raise_for_status()
    person.http.post(f"{API}/studies/{study['id']}/analyse", json={}).raise_for_status()
    assert person.study(study["id"])["state"] == "done"
    after = person.http.get(url).raise_for_status()
    assert after.content == before.content, "the same model on the same exam"
    assert after.headers["etag"] != before.headers["etag"]
    (path,) = drawn(server, study)
    with server.services.database.reading() as session:
        assert path.parent.name == session.get(StudyRow, study["id"]).analysis
