import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Patient
from cardiotrace.core.terms import Phase, Structure, View
from cardiotrace.datasets.lint import lint
from tests.fake.acdc import SPACING_MM, write_acdc


def test_cases(tmp_path, make):
    write_acdc(tmp_path)
    cases = make("acdc", tmp_path).cases()
    assert [case.name for case in cases[:2]] == ["patient001_frame01", "patient001_frame12"]
    assert [case.phase for case in cases[:2]] == [Phase.ED, Phase.ES]
    assert cases[0].groups == {"patient": "patient001", "pathology": "HCM"}
    assert cases[0].view is View.SAX
    labels = cases[0].read_labels()
    assert labels.array.shape == cases[0].read_image().grid_shape == (1, 4, 40, 48)
    assert labels.spacing_mm == pytest.approx(SPACING_MM)
    assert labels.array[0, 0, 20, 29] == labels.scheme.value(Structure.LV) == 3


@pytest.mark.parametrize("below", ["database", "database/training", "database/training/patient002"])
def test_root_may_be_any_level(tmp_path, make, below):
    write_acdc(tmp_path)
    cases = make("acdc", tmp_path / below).cases()
    assert len(cases) == (2 if below.endswith("2") else 6)


def test_exam_with_the_whole_beat(tmp_path, make):
    write_acdc(tmp_path, videos=True)
    exam = make("acdc", tmp_path).exam("patient001")
    assert exam.patient == Patient(height_cm=184.0, weight_kg=95.0)
    assert [image.name for image in exam.images] == ["patient001_frame01", "patient001_frame12", "patient001_4d"]
    assert exam.images[2].image.grid_shape == (14, 4, 40, 48)
    assert exam.images[2].phases == {Phase.ED: 0, Phase.ES: 11}


def test_official_split_needs_both_folders(tmp_path, make):
    write_acdc(tmp_path, testing=2)
    split = make("acdc", tmp_path).splits()["official"]
    assert split.training == ("patient001", "patient002", "patient003")
    assert split.testing == ("patient101", "patient102")
    assert make("acdc", tmp_path / "database/training").splits() == {}


def test_frames_are_of_unknown_phase_without_settings(tmp_path, make):
    write_acdc(tmp_path, training=1)
    (tmp_path / "database/training/patient001/Info.cfg").unlink()
    assert {case.phase for case in make("acdc", tmp_path).cases()} == {Phase.OTHER}


TEXT = "ED: 1\nES: 12\nGroup: HCM\nHeight: 184.0\nNbFrame: 14\nWeight: 95.0\n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace(".0", ",0").encode(),
        TEXT.replace("ED:", "Ed :").replace("ES:", "es:").encode(),
    ],
    ids=["as published", "crlf", "bom", "bom and crlf", "decimal comma", "other case"],
)
def test_settings_that_another_program_saved(tmp_path, make, content):
    write_acdc(tmp_path, training=1)
    (tmp_path / "database/training/patient001/Info.cfg").write_bytes(content)
    acdc = make("acdc", tmp_path)
    assert [case.phase for case in acdc.cases()] == [Phase.ED, Phase.ES]
    assert acdc.exam("patient001").patient == Patient(height_cm=184.0, weight_kg=95.0)


@pytest.mark.parametrize("content", [TEXT.encode("utf-16"), (TEXT + "Note: 30\xb0 flip\n").encode("latin-1")])
def test_settings_in_another_encoding_are_one_line(tmp_path, make, content):
    write_acdc(tmp_path, training=1)
    (tmp_path / "database/training/patient001/Info.cfg").write_bytes(content)
    with pytest.raises(InputError, match=r"Info\.cfg: is not UTF-8 text"):
        make("acdc", tmp_path).cases()


def test_settings_that_say_nothing_are_a_finding(tmp_path, make):
    write_acdc(tmp_path, training=2)
    (tmp_path / "database/training/patient001/Info.cfg").write_text(TEXT.replace(": ", " = "))
    findings = [finding for finding in lint(make("acdc", tmp_path)) if finding.rule == "unnamed-phases"]
    assert [finding.where for finding in findings] == ["patient001 SAX"]
    assert "says nothing of ED and ES" in findings[0].what


def test_a_frame_that_the_video_does_not_have_is_told(tmp_path, make):
    write_acdc(tmp_path, training=1, videos=True)
    (tmp_path / "database/training/patient001/Info.cfg").write_text(TEXT.replace("ES: 12", "ES: 40"))
    video = make("acdc", tmp_path).exam("patient001").images[-1]
    assert video.phases == {Phase.ED: 0}
    assert video.image.notes == ("frame 40 is named as ES, and there are 14",)


def test_missing_root(tmp_path, make):
    with pytest.raises(InputError, match="holds no ACDC patients"):
        make("acdc", tmp_path)


@pytest.mark.data
def test_real_patients(data_root, make):
    acdc = make("acdc", data_root / "acdc")
    cases = acdc.cases()
    patients = len(list(acdc.root.rglob("patient*/Info.cfg")))
    assert len(acdc.exams()) == patients
    assert [case.phase for case in cases].count(Phase.ED) == [case.phase for case in cases].count(Phase.ES) == patients
    pathologies = [case.groups["pathology"] for case in cases]
    assert {name: pathologies.count(name) for name in ("DCM", "HCM", "MINF", "NOR", "RV")} == dict.fromkeys(
        ("DCM", "HCM", "MINF", "NOR", "RV"), 2 * patients // 5
    )
    assert cases[0].read_image().grid_shape == (1, 10, 256, 216)
