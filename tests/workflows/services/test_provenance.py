"""Where numbers came from, in `measures.json`; and that no warning is lost on the way."""

import json
from dataclasses import replace

import numpy as np
import pytest

import cardiotrace as ct
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.geometry import Geometry, Known
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality, View
from cardiotrace.datasets.exam_discovery import Reading
from cardiotrace.workflows.analyse import analyse
from cardiotrace.workflows.segment import SegmentConfig
from cardiotrace.workflows.services.analysis import Analyser
from cardiotrace.workflows.services.provenance import provenance_of, reading_flags
from cardiotrace.workflows.services.tracing import Models
from tests.fake.models import write_camus_model


def image(name: str = "a", *, doubts: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> ExamImage:
    frames = np.full((2, 1, 40, 48), 30, np.uint8)
    frames[0, 0, 8:32, 18:30] = 80
    frames[1, 0, 12:28, 18:30] = 80
    geometry = replace(Geometry.of_spacing((float("nan"), 2.0, 2.0), Known.GIVEN), doubts=doubts)
    times = np.array([0.0, 400.0])
    cine = Image(frames, geometry, times, View.FOUR_CHAMBER, modality=Modality.US, times=Known.ASSUMED, notes=notes)
    return ExamImage(name, cine)


@pytest.fixture
def model(tmp_path):
    return write_camus_model(tmp_path / "tiny.onnx")


def test_what_is_believed_of_an_image_and_why():
    exam = Exam("p", (image(doubts=("sizes differ",), notes=("seen as luma",)),))
    plain = provenance_of(exam, {"a": "a_labels.nii.gz"}, verb="measure", given={"scheme": "camus"}).to_plain()
    json.dumps(plain, allow_nan=False)
    (read,) = plain["images"]
    assert read["spacing_mm"] == [None, 2.0, 2.0]
    assert (read["pixel_size"], read["slice_distance"], read["times"]) == ("given", "unknown", "assumed")
    assert (read["view"], read["modality"], read["shape"], read["duration_ms"]) == ("A4C", "US", [2, 1, 40, 48], 400.0)
    assert (read["notes"], read["doubts"], read["labels"]) == (["seen as luma"], ["sizes differ"], "a_labels.nii.gz")
    assert (plain["verb"], plain["given"], plain["models"]) == ("measure", {"scheme": "camus"}, [])


def test_doubts_and_notes_are_flags_the_same_of_several_images_once():
    exam = Exam("p", (image("a", doubts=("sizes differ",)), image("b", notes=("luma",)), image("c", notes=("luma",))))
    assert [(flag.grade, flag.text, flag.about) for flag in reading_flags(exam)] == [
        (Grade.LOOK_TWICE, "a: sizes differ", "a"),
        (Grade.NOTE, "b, c: luma", ""),
    ]


def test_the_model_is_told_with_its_checksum(model, tmp_path):
    import hashlib

    progress = []
    analysis = Analyser(Models(str(model)), verb="analyse").analyse(
        Exam("p", (image("a"), image("b"))), lambda done, total: progress.append((done, total))
    )
    plain = analysis.to_plain()["provenance"]
    assert plain["models"] == [
        {"name": "tiny", "sha256": hashlib.sha256(model.read_bytes()).hexdigest(), "licence": "CC0"}
    ]
    assert [read["labels"] for read in plain["images"]] == ["tiny", "tiny"]
    assert progress == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_every_override_is_told(model, tmp_path):
    ct.write_image(image().image, tmp_path / "x.nii.gz")
    reading = Reading(View.TWO_CHAMBER, Modality.US, (None, 3.0, 2.0))
    config = SegmentConfig(exams=(tmp_path / "x.nii.gz",), out=tmp_path / "out", model=str(model), reading=reading)
    (done,) = analyse(replace(config, scheme="lv", test_time_augmentation=True)).done
    plain = json.loads((tmp_path / "out/x/measures.json").read_text())["provenance"]
    assert plain == done.plain["provenance"]
    assert plain["given"] == {
        "view": "2CH",
        "modality": "US",
        "spacing_mm": [None, 3.0, 2.0],
        "model": "tiny.onnx",
        "scheme": "lv",
        "test_time_augmentation": True,
    }
    assert plain["images"][0]["pixel_size"] == "given"


def test_from_python_no_warning_is_lost(model, tmp_path):
    """Of the network, of post-processing and of the reading."""
    told = image(notes=("seen as luma",))
    exam = Exam("p", (replace(told, image=replace(told.image, view=View.THREE_CHAMBER)),))
    labels = ct.segment(exam, str(model))
    assert any("was not trained on view" in flag.text for flag in labels.flags)
    measures = ct.measure(exam, labels)
    assert set(labels.flags) <= set(measures.flags)
    assert Flag(Grade.NOTE, "a: seen as luma", "reading", "a") in measures.flags
    ct.write_report(exam, labels, measures, tmp_path)
    plain = json.loads((tmp_path / "measures.json").read_text())
    assert plain["provenance"]["models"][0]["name"] == "tiny"
    assert len(plain["flags"]) == len(measures.flags)
    assert "model tiny" in (tmp_path / "report.html").read_text()
