"""Results of a study as files, as it is now and as it was found; readers who agree or do not."""

import csv
import datetime
import io
import json
import zipfile

import numpy as np
import pytest
from sqlalchemy import func, select

from cardiotrace.core.errors import UsageError
from cardiotrace.report.pdf import find_browser
from cardiotrace.server.store.edit_tables import EditRow, PlaneRow, ReadingRow
from cardiotrace.server.store.tables import FileRow
from tests.server.desk.test_editing import Editor
from tests.server.serving import API


@pytest.fixture(scope="module")
def person(office):
    """Who uses it."""
    return office


@pytest.fixture(scope="module")
def study(person):
    """A study that is analysed, and corrected in one frame."""
    found = person.study
    editor = Editor(person, found, "Roy")
    editor.lease()
    key = found["measures"]["key_frames"][0]
    editor.image = next(image for image in found["images"] if image["name"] == key["image"])
    editor.do(editor.pulled(key["frame"], 0.85))
    editor.http.delete(editor.url("/lease"), headers={"X-Lease": editor.token})
    return found


def export(person, study, form, **asked):
    return person.http.get(f"{API}/studies/{study['id']}/export/{form}", params=asked)


def test_values_as_they_are_and_as_they_were_found(person, study):
    now = export(person, study, "measures.json").json()
    before = export(person, study, "measures.json", of="automatic").json()
    assert now["provenance"]["edited"][0]["by"] == ["Roy"]
    assert "edited" not in before["provenance"]
    assert now["quantities"] != before["quantities"]
    table = list(csv.DictReader(io.StringIO(export(person, study, "measures.csv").text)))
    assert [row["name"] for row in table] == [item["name"] for item in now["quantities"]]


def test_the_report_says_what_was_corrected_in_both_languages(person, study):
    english = export(person, study, "report.html").text
    french = export(person, study, "report.html", language="fr").text
    assert "labels were corrected by Roy" in english
    assert "contours corrigés par Roy" in french
    assert "labels were corrected" not in export(person, study, "report.html", of="automatic").text


def test_an_accepted_flag_stands_in_the_report_with_who_when_and_why(person, study):
    editor = Editor(person, study, "M. Roy")
    editor.lease()
    flag = person.study["measures"]["flags"][0]
    wanted = {"kind": "flag", **{key: flag[key] for key in ("rule", "about", "text")}}
    editor.do({**wanted, "accepted": True, "reason": "seen <b>twice</b>"})
    (kept,) = export(person, study, "measures.json").json()["provenance"]["accepted"]
    assert (kept["by"], kept["reason"], kept["text"]) == ("M. Roy", "seen <b>twice</b>", flag["text"])
    day = datetime.datetime.fromisoformat(kept["time"])
    english, french = (export(person, study, "report.html", language=word).text for word in ("en", "fr"))
    assert f"accepted by M. Roy, {day.day} {day:%B %Y}, {day:%H:%M} UTC: seen &lt;b&gt;twice&lt;/b&gt;" in english
    assert "accepté par M. Roy, " in french
    editor.do({"kind": "undo"})
    assert "accepted by" not in export(person, study, "report.html").text
    editor.http.delete(editor.url("/lease"), headers={"X-Lease": editor.token})


def test_label_maps_differ_where_somebody_drew(person, study):
    def files(of):
        content = export(person, study, "labels.zip", of=of).content
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    now, before = files("current"), files("automatic")
    assert now.keys() == before.keys()
    assert now
    assert sum(now[name] != before[name] for name in now) == 1
    assert files("current") == now


def test_fhir_and_what_is_no_dicom(person, study):
    bundle = export(person, study, "fhir.json").json()
    assert bundle["resourceType"] == "Bundle"
    refused = export(person, study, "structured-report.dcm")
    assert refused.status_code == 422
    assert "DICOM" in refused.json()["error"]["text"]


def test_a_pdf_where_a_browser_is(person, study):
    try:
        find_browser()
    except UsageError:
        pytest.skip("no browser is installed")
    assert export(person, study, "report.pdf").content[:5] == b"%PDF-"


def test_one_table_of_several_studies(person, study):
    answer = person.http.get(f"{API}/export/measures.csv", params={"studies": study["id"]})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["study"] for row in rows} == {study["id"]}
    assert rows[0]["name"] == "left_ventricular_ejection_fraction"
    assert person.http.get(f"{API}/export/measures.csv", params={"studies": "0" * 16}).status_code == 404
    assert person.http.get(f"{API}/export/measures.csv", params={"studies": "../x"}).status_code == 422


class Reader(Editor):
    """A person who reads an exam without seeing what was found."""

    def __init__(self, person, study, name, group):
        super().__init__(person, study, name)
        self.base = f"{API}/reader-studies/{group}/readings/{self.id}"
        self.headers = {"X-Person": name}

    def url(self, rest=""):
        return f"{self.base}{rest}"

    def study(self):
        return self.http.get(self.base, headers=self.headers).raise_for_status().json()

    def drawn(self, points, contour, frame=0):
        return {
            "kind": "contour",
            "image": self.image["name"],
            "frame": frame,
            "slice": 0,
            "contour": contour,
            "points": points,
        }

    def labels(self, of="current"):
        url = self.url(f"/images/{self.image['name']}/labels")
        return self.http.get(url, headers=self.headers, params={"of": of}).raise_for_status().content


def test_readers_draw_by_themselves_and_are_compared(person, study):
    wanted = {"name": "Agreement", "studies": [study["id"]], "readers": ["A", "B"]}
    group = person.http.post(f"{API}/reader-studies", json=wanted).raise_for_status().json()
    assert len(group["readings"]) == 2
    automatic = Editor(person, study, "A").traces("automatic")[0][0]["contours"]["lv"]
    for name, shift in (("A", 0.0), ("B", 1.0)):
        reader = Reader(person, study, name, group["id"])
        opened = reader.study()
        assert opened["measures"] is None
        assert "automatic" not in opened
        assert not any(reader.labels()[400:])
        assert reader.lease().status_code == 200
        points = (np.array(automatic) + np.array([0, shift])).tolist()
        answer = reader.do(reader.drawn(points, "lv"))
        assert answer["measures"]["provenance"]["models"] == []
        assert any(reader.labels()[400:])
        assert not any(reader.labels("automatic")[400:])
        phases = {image["name"]: image["phases"] for image in reader.study()["images"]}
        assert phases[reader.image["name"]] == answer["phases"][reader.image["name"]]
        if name == "B":
            reader.do(reader.drawn(points, "epi"))
            reader.do({"kind": "undo"})
        done = person.http.post(reader.url("/done"), headers=reader.headers).raise_for_status().json()
        assert done["seconds"] >= 0
        assert reader.post({"kind": "undo"}, answer["version"]).status_code == 409
    stranger = Reader(person, study, "C", group["id"])
    assert person.http.get(stranger.base, headers=stranger.headers).status_code == 404
    rows = person.get(f"/reader-studies/{group['id']}/agreement.json")["rows"]
    outline = next(row for row in rows if row["what"] == "outline" and row["name"] == "LV")
    assert (outline["first"], outline["second"], outline["frames"]) == ("A", "B", 1)
    assert 0.8 < outline["dice"] < 1
    value = next((row for row in rows if row["what"] == "quantity"), None)
    assert value is None or [len(pair) for pair in value["pairs"]] == [3] * value["exams"]
    text = person.http.get(f"{API}/reader-studies/{group['id']}/agreement.csv").text
    assert len(list(csv.DictReader(io.StringIO(text)))) == len(rows)
    main = person.get(f"/studies/{study['id']}")
    assert main["undo"] == 1
    assert json.dumps(main["measures"]) == json.dumps(export(person, study, "measures.json").json())


def test_segments_lie_where_the_wall_now_is(person, study):
    now, before = (export(person, study, "segments.json", of=of).json()["images"] for of in ("current", "automatic"))
    assert now.keys() == before.keys()
    key = study["measures"]["key_frames"][0]
    name, frame = key["image"], key["frame"]
    (drawn,), (found,) = now[name][frame], before[name][frame]
    assert [each["number"] for each in drawn] == [3, 9, 14, 16, 12, 6]
    inner, former = (np.array([each["points"][:7] for each in plane]) for plane in (drawn, found))
    assert np.abs(inner - former).max() > 0.5  # the cavity was drawn in


def test_a_reader_study_is_deleted_with_all_that_was_drawn_and_nothing_else(person, study):
    def kept():
        with person.services.database.reading() as session:
            tables = (EditRow, PlaneRow, ReadingRow, FileRow)
            count = tuple(session.scalar(select(func.count()).select_from(table)) for table in tables)
        folder = person.services.data.root
        return count, sorted(path for path in folder.rglob("*") if path.is_file() and "cardiotrace.db" not in path.name)

    points = Editor(person, study, "A").traces("automatic")[0][0]["contours"]["lv"]
    before, exam = kept(), person.get(f"/studies/{study['id']}")
    wanted = {"name": "Short", "studies": [study["id"]], "readers": ["A", "B"]}
    group = person.http.post(f"{API}/reader-studies", json=wanted).raise_for_status().json()["id"]
    for name in ("A", "B"):  # both draw the same, which is kept once
        reader = Reader(person, study, name, group)
        assert reader.lease().status_code == 200
        reader.do(reader.drawn(points, "lv"))
    during = kept()
    assert all(more > less for more, less in zip(during[0], before[0], strict=True))
    assert len(during[1]) > len(before[1])
    assert person.http.delete(f"{API}/reader-studies/{group}").status_code == 204
    assert person.http.delete(f"{API}/reader-studies/{group}").status_code == 404
    assert person.http.get(reader.base, headers=reader.headers).status_code == 404
    assert kept() == before
    assert person.get(f"/studies/{study['id']}") == exam


def test_an_exam_that_an_earlier_version_analysed_is_read(person, study):
    path = person.services.data.study(study["id"]).automatic / "exam.json"
    exam = json.loads(path.read_text())
    images = [{key: image[key] for key in image if key not in ("region", "named_phases")} for image in exam["images"]]
    fresh = path.with_name("fresh.json")
    fresh.write_text(json.dumps({**exam, "images": images}))
    fresh.replace(path)
    wanted = {"name": "Former", "studies": [study["id"]], "readers": ["A"]}
    group = person.http.post(f"{API}/reader-studies", json=wanted).raise_for_status().json()["id"]
    images = Reader(person, study, "A", group).study()["images"]
    assert {(image["region"], len(image["phases"])) for image in images} == {(None, 0)}
