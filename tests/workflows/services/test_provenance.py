"""Where numbers came from, in `measures.json`; and that no warning is lost on the way."""

import json
from dataclasses import replace

import numpy as np
import pytest

import cardiotrace as ct
from cardiotrace.cli.analyse import flag_lines, headline
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.geometry import Geometry, Known
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality, View
from cardiotrace.datasets.exam_discovery import Reading
from cardiotrace.report.cohort import CohortRow, cohort_csv, cohort_page
from cardiotrace.workflows.analyse import analyse
from cardiotrace.workflows.segment import SegmentConfig
from cardiotrace.workflows.services.analysis import Analyser
from cardiotrace.workflows.services.cohort import write_summary
from cardiotrace.workflows.services.provenance import provenance_of, reading_flags
from cardiotrace.workflows.services.record import read_record
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


def quantity(
    value: float = 96.0, *, name: str = "left_ventricular_ejection_fraction", unit: str = "percent", flags=()
) -> Quantity:
    return Quantity(name, value, unit, Method.BIPLANE_DISKS, "A4C+A2C", (), flags=tuple(flags))


BAD = Flag(Grade.NOT_USABLE, "the left ventricle was lost in one frame")
MEASURES = Measures(
    "p",
    (quantity(flags=[BAD]), quantity(120.4, name="left_ventricular_end_diastolic_volume", unit="ml")),
    (Flag(Grade.NOTE, "a note"), BAD, Flag(Grade.LOOK_TWICE, "a doubt")),
)


def test_a_value_that_is_not_usable_leads_nowhere():
    assert headline(MEASURES) == "EF not usable, EDV 120 ml"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"left_ventricular_end_diastolic_area": 18.3}, "neither volumes nor EF; sizes are in the report"),
        (
            {"left_ventricular_end_diastolic_area": 18.3, "left_ventricular_fractional_area_change": 54.9},
            "fractional area change 55 %",
        ),
        ({}, "nothing could be measured"),
    ],
)
def test_what_there_is_without_volumes_is_not_called_nothing(found, words):
    quantities = (Quantity(name, value, "cm2", Method.TRACED_SLICE, "SAX", ()) for name, value in found.items())
    assert headline(Measures("p1", tuple(quantities))) == words
    assert list(flag_lines(MEASURES.flags)) == [
        "  not usable: the left ventricle was lost in one frame",
        "  look twice: a doubt",
        "  note: a note",
    ]
    row = cohort_csv([CohortRow("p", MEASURES)]).splitlines()[1].split(",")
    assert row[2:4] == ["", "120.4"]
    assert "EF: the left ventricle was lost in one frame" in row
    page = cohort_page([CohortRow("p", MEASURES)], "out")
    assert '<td data-sort=""><s title="not usable: the left ventricle was lost in one frame">96</s></td>' in page


def test_names_are_no_formulas_and_no_markup():
    rows = [
        CohortRow("=1+1", Measures("=1+1", (quantity(-12.5),)), report="=1+1/report.html"),
        CohortRow("<b>", reason="<i>"),
    ]
    first = cohort_csv(rows).splitlines()[1].split(",")
    assert first[:3] == ["'=1+1", "done", "-12.5"]
    page = cohort_page(rows, "<u>")
    assert [tag for tag in ("<b>", "<i>", "<u>") if tag in page] == []


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_versions_are_read(tmp_path, version):
    plain = MEASURES.to_plain() | {"version": version}
    if version == "1":
        plain["flags"] = [flag["text"] for flag in plain["flags"]]
        for item in plain["quantities"]:
            item["flags"] = [flag["text"] for flag in item["flags"]]
    for name in ("p", "q"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "measures.json").write_text(json.dumps(plain))
        (tmp_path / name / "report.html").write_text("")
    read = read_record(tmp_path / "p").measures
    assert read.end_diastolic_volume_ml == 120.4
    assert [flag.text for flag in read.flags] == [flag.text for flag in MEASURES.flags]
    assert read.flags[0].grade is (Grade.LOOK_TWICE if version == "1" else Grade.NOTE)
    assert write_summary(tmp_path, {}, set()) == tmp_path / "index.html"
    assert "p,done," in (tmp_path / "summary.csv").read_text()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": "9"}', '{"version": "2", "quantities": 3}', "[" * 100000]
)
def test_a_record_that_is_none(tmp_path, text):
    (tmp_path / "measures.json").write_text(text)
    with pytest.raises(InputError, match="no record of measures"):
        read_record(tmp_path)
