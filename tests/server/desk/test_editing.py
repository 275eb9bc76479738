"""Two people, one exam: nothing is overwritten, nothing is lost, everything can be taken back."""

import base64
import json
import struct
import zlib

import numpy as np
import pytest

from cardiotrace.server.desk import opened
from cardiotrace.server.desk.opened import Desk
from tests.server.serving import API


class Editor:
    """A person who edits a study."""

    def __init__(self, person, study, name):
        self.http, self.id, self.name = person.http, study["id"], name
        self.image = max(study["images"], key=lambda image: image["frames"])
        self.token = ""

    def url(self, rest=""):
        return f"{API}/studies/{self.id}{rest}"

    def lease(self):
        answer = self.http.post(self.url("/lease"), headers={"X-Person": self.name})
        if answer.status_code == 200:
            self.token = answer.json()["lease"]
        return answer

    def study(self):
        return self.http.get(self.url()).raise_for_status().json()

    def post(self, gesture, version=None):
        version = self.study()["version"] if version is None else version
        return self.http.post(
            self.url("/edits"),
            json={"base_version": version, "gesture": gesture},
            headers={"X-Person": self.name, "X-Lease": self.token},
        )

    def do(self, gesture):
        answer = self.post(gesture)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def labels(self, of="current"):
        content = self.http.get(self.url(f"/images/{self.image['name']}/labels?of={of}")).content
        (length,) = struct.unpack("<I", content[4:8])
        facts = json.loads(content[8 : 8 + length])
        return np.frombuffer(content[8 + length :], np.uint8).reshape(facts["shape"])

    def traces(self, of="current"):
        answer = self.http.get(self.url(f"/images/{self.image['name']}/traces?of={of}"))
        return answer.raise_for_status().json()["planes"]

    def pulled(self, frame=0, by=0.8):
        points = np.array(self.traces()[frame][0]["contours"]["lv"])
        middle = points.mean(axis=0)
        return {
            "kind": "contour",
            "image": self.image["name"],
            "frame": frame,
            "slice": 0,
            "contour": "lv",
            "points": (middle + (points - middle) * by).tolist(),
        }


@pytest.fixture
def editor(office):
    found = Editor(office, office.study, "M.%20R%C3%B6y")
    assert found.lease().status_code == 200
    yield found
    found.http.delete(found.url("/lease"), headers={"X-Lease": found.token})


def test_a_gesture_changes_labels_traces_and_measures(editor):
    before, labels = editor.study(), editor.labels()
    gesture = editor.pulled()
    answer = editor.do(gesture)
    assert answer["version"] == before["version"] + 1
    assert answer["study"]["version"] == answer["version"]
    assert answer["undo"] == before["undo"] + 1
    (changed,) = answer["changed"]
    plane = np.frombuffer(zlib.decompress(base64.b64decode(changed["labels"])), np.uint8)
    now = editor.labels()
    assert np.array_equal(now[0, 0].ravel(), plane)
    assert not np.array_equal(now[0, 0], labels[0, 0])
    assert np.array_equal(now[1:], labels[1:])
    assert np.allclose(changed["plane"]["contours"]["lv"], gesture["points"], atol=1e-3)
    assert editor.traces()[0][0] == changed["plane"]
    assert changed["plane"]["edited"]
    study = editor.study()
    assert study["measures"] == answer["measures"]
    assert study["measures"] != study["automatic"]
    assert study["measures"]["provenance"]["edited"][0]["by"] == ["M. Röy"]
    assert np.array_equal(editor.labels("automatic"), editor.labels("automatic"))
    entry = editor.http.get(editor.url("/edits")).json()[-1]
    assert entry["by"] == "M. Röy"
    assert entry["change"][0]["after"]["value"]["labels"] != (entry["change"][0]["before"] or {}).get("labels")


def test_undo_returns_to_the_byte_and_redo_again(editor):
    states = [(editor.labels().tobytes(), editor.traces(), editor.study()["measures"])]
    name = editor.image["name"]
    for gesture in (
        editor.pulled(0, 0.9),
        editor.pulled(1, 1.05),
        {"kind": "verdict", "image": name, "frame": 2, "slice": 0, "verdict": "rejected", "reason": "dark"},
        {"kind": "flag", "rule": "jump", "about": "", "text": "the area jumps", "accepted": True, "reason": ""},
        {"kind": "restore"},
    ):
        editor.do(gesture)
        states.append((editor.labels().tobytes(), editor.traces(), editor.study()["measures"]))
    assert states[-1][0] == editor.labels("automatic").tobytes()
    assert states[-1][1] == editor.traces("automatic")
    for labels, traces, measures in reversed(states[:-1]):
        editor.do({"kind": "undo"})
        assert editor.labels().tobytes() == labels
        assert editor.traces() == traces
        assert editor.study()["measures"] == measures
    for labels, traces, measures in states[1:]:
        editor.do({"kind": "redo"})
        assert editor.labels().tobytes() == labels
        assert editor.traces() == traces
        assert editor.study()["measures"] == measures
    assert editor.post({"kind": "redo"}).status_code == 422


def test_two_people_cannot_overwrite_each_other(office, editor):
    other = Editor(office, office.study, "Lee")
    refused = other.lease()
    assert refused.status_code == 409
    assert refused.json()["lease"]["holder"] == "M. Röy"
    assert other.post(other.pulled()).status_code == 423
    version = editor.study()["version"]
    editor.do(editor.pulled(2))
    stale = editor.post(editor.pulled(2, 0.7), version)
    assert stale.status_code == 409
    assert stale.json()["version"] == version + 1
    assert editor.http.put(editor.url("/lease"), headers={"X-Lease": "wrong"}).status_code == 423
    renewed = editor.http.put(editor.url("/lease"), headers={"X-Lease": editor.token})
    assert renewed.json()["lease"] == editor.token
    assert editor.study()["lease"]["holder"] == "M. Röy"
    assert editor.http.delete(editor.url("/lease"), headers={"X-Lease": editor.token}).status_code == 204
    assert other.lease().status_code == 200
    assert editor.post(editor.pulled()).status_code == 423
    other.http.delete(other.url("/lease"), headers={"X-Lease": other.token})


def hostile(editor):
    contour = editor.pulled()
    plane = {"kind": "plane", "image": contour["image"], "frame": 0, "slice": 0}
    bomb = base64.b64encode(zlib.compress(bytes(50_000_000), 9)).decode()
    return [
        {**contour, "points": [[1, 1], [2, 2]]},
        {**contour, "points": [[1, 1]] * 10_000},
        {**contour, "points": [[1, 1], [1, 5], [9999, 5]]},
        {**contour, "points": [[5, 5], [25, 25], [5, 25], [25, 5]]},
        {**contour, "points": [["nan", 1], [1, 5], [5, 5]]},
        {**contour, "points": [[1, 1, 1], [1, 5, 1], [5, 5, 1]]},
        {**contour, "contour": "rv"},
        {**contour, "contour": "../../etc"},
        {**contour, "frame": 77},
        {**contour, "frame": -1},
        {**contour, "frame": 10**30},
        {**contour, "slice": 3},
        {**contour, "image": "../../nobody"},
        {**contour, "image": "<script>"},
        {**plane, "labels": "no base64!"},
        {**plane, "labels": base64.b64encode(b"no zlib").decode()},
        {**plane, "labels": base64.b64encode(zlib.compress(b"short")).decode()},
        {**plane, "labels": bomb},
        {"kind": "key-frame", "image": contour["image"], "phase": "ED", "frame": 99},
        {"kind": "propagate", "image": contour["image"], "frame": 0, "slice": 0, "to": "slice-up"},
        {"kind": "propagate", "image": contour["image"], "frame": 0, "slice": 0, "to": "moon"},
        {"kind": "drop table edits"},
        {"kind": "undo", "more": 1},
    ]


def test_hostile_gestures_are_one_line_and_change_nothing(editor):
    labels, study = editor.labels().tobytes(), editor.study()
    entries = len(editor.http.get(editor.url("/edits")).json())
    for gesture in hostile(editor):
        answer = editor.post(gesture, study["version"])
        assert answer.status_code == 422, (gesture["kind"], answer.text)
        text = answer.json()["error"]["text"]
        assert text
        assert "\n" not in text
    raw = editor.http.post(
        editor.url("/edits"),
        content=b'{"base_version": %d, "gesture": {"kind": "landmarks", "image": "%s", "frame": 0, "apex": [NaN, 1]}}'
        % (study["version"], editor.image["name"].encode()),
        headers={"X-Lease": editor.token, "content-type": "application/json"},
    )
    assert raw.status_code == 422
    assert editor.labels().tobytes() == labels
    assert editor.study()["version"] == study["version"]
    assert len(editor.http.get(editor.url("/edits")).json()) == entries


def test_a_signature_is_over_one_version(editor):
    def sign(version, name="Dr. Lee"):
        return editor.http.post(editor.url("/sign"), json={"name": name, "version": version})

    seen = editor.study()["version"]
    signed = sign(seen).json()
    study = editor.study()
    assert study["signed"]["checksum"] == signed["checksum"]
    assert study["signed"]["by"] == "Dr. Lee"
    again = sign(seen).json()
    assert again["checksum"] == signed["checksum"]
    editor.do(editor.pulled(1, 0.93))
    assert editor.study()["signed"] is None
    late = sign(seen)  # of what was on the screen, not of what somebody has drawn since
    assert (late.status_code, late.json()["version"]) == (409, seen + 1)
    assert editor.study()["signed"] is None
    other = sign(seen + 1).json()
    assert other["checksum"] != signed["checksum"]
    editor.do({"kind": "undo"})
    assert sign(seen + 2).json()["checksum"] == signed["checksum"]
    assert sign(seen + 2, " ").status_code == 422


def test_who_takes_the_lease_finds_the_exam_open_and_measured_as_it_stands(office):
    asked = []

    class Recorded(type(office.services.pool)):
        async def ask(self, kind, order, **how):
            asked.append((order.task, order.params["at"], len(order.params["held"] or ())))
            return await super().ask(kind, order, **how)

    first = Editor(office, office.study, "Roy")
    assert first.lease().status_code == 200
    first.do(first.pulled())
    first.http.delete(first.url("/lease"), headers={"X-Lease": first.token})
    usual, office.services.pool = office.services.pool, Recorded()
    try:
        read_anew = Desk()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(opened, "DESK", read_anew)  # as after a process that ended
            assert first.lease().status_code == 200
            (last,) = {at for _, at, _ in asked}
            assert [(task, bool(held)) for task, _, held in asked] == [("prepare", False), ("prepare", True)]
            first.do({"kind": "undo"})
        assert asked[2:] == [("edit", last, 0)], "it knew what stands"
    finally:
        office.services.pool = usual
        first.http.delete(first.url("/lease"), headers={"X-Lease": first.token})


def test_another_analysis_begins_a_journal_of_its_own(office, editor):
    entries = editor.http.get(editor.url("/edits")).json()
    office.analyse()
    study = editor.study()
    assert (study["undo"], study["redo"], study["edits"]) == (0, 0, 0)
    assert study["measures"] == study["automatic"]
    assert np.array_equal(editor.labels(), editor.labels("automatic"))
    journal = editor.http.get(editor.url("/edits")).json()
    assert len(journal) == len(entries)
    assert all(entry["undone"] for entry in journal)
    editor.do(editor.pulled())
