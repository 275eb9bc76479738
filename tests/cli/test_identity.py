"""Whose an exam is stands in no output, unless `--keep-identity` is given."""

import gzip
import json
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image as Pillow
from pydicom import dcmread

from cardiotrace.core.identity import Identity
from cardiotrace.datasets.exam_discovery import read_exam
from cardiotrace.datasets.identity import identity_of
from tests.fake import cine_mri
from tests.fake.dicom_exam import write_ultrasound
from tests.fake.heart import apical, write_nifti
from tests.fake.models import write_camus_model
from tests.fake.ultrasound import ultrasound, write

NAME, OTHER_NAME, NUMBER = "Zwölfer^Ottilie=山田^花子", "Maiden^Mabelline", "PN-90817"
ACCESSION, CLINIC = "ACC-5512", "Clinic X"
STATED = {
    "SpecificCharacterSet": "ISO_IR 192",
    "PatientName": NAME,
    "PatientID": NUMBER,
    "PatientBirthDate": "19470809",
    "OtherPatientNames": OTHER_NAME,
    "PatientAddress": "7 Rue Morgue",
    "PatientComments": "sister of Usherwood",
    "InstitutionName": CLINIC,
    "InstitutionalDepartmentName": "Ward Nine",
    "StationName": "ECHO-ROOM-3",
    "AccessionNumber": ACCESSION,
    "StudyID": "STU-3141",
    "ReferringPhysicianName": "Legrand^William",
    "PerformingPhysicianName": "Dupinette^Auguste",
    "OperatorsName": "Pymmering^Arthur",
    "StudyDescription": "echo of Ottilie",
    "SeriesDescription": "A4C Zwoelfer Ottilie",
    "ImageComments": "Usherwood seen",
    "DeviceSerialNumber": "SN-27182",
}
WORDS = (
    *("Zwölfer", "Zwoelfer", "Ottilie", "山田", "花子", "Maiden", "Mabelline", "Morgue", "Usherwood"),
    *(NUMBER, "19470809", "1947-08-09", CLINIC, "Ward Nine", "ECHO-ROOM", ACCESSION, "STU-3141", "SN-27182"),
    *("Legrand", "Dupinette", "Auguste", "Pymmering"),
)
"""What says whose it is, in any of the forms that a program may give it."""
WHOSE = {
    "patient_name": NAME,
    "patient_id": NUMBER,
    "birth_date": "1947-08-09",
    "study_date": "2026-05-02",
    "accession_number": ACCESSION,
    "institution": CLINIC,
}


def named(path: Path, **elements) -> None:
    """Put an identity into an object."""
    made = dcmread(path)
    for keyword, value in {**STATED, **elements}.items():
        setattr(made, keyword, value)
    made.private_block(0x0011, "MAKER OF SCANNERS", create=True).add_new(1, "LO", "Ottilie")
    made.save_as(path)


@pytest.fixture
def study(tmp_path) -> Path:
    """A film of four chambers that states all that can be stated of a person."""
    named(write_ultrasound(tmp_path / "visit"))
    return tmp_path / "visit"


@pytest.fixture
def model(tmp_path) -> Path:
    write_camus_model(tmp_path / "tiny.onnx")
    return tmp_path / "tiny.onnx"


def content(path: Path) -> str:
    """All that a file holds as text: unpacked, letters that JSON writes as numbers, and what pictures say aside."""
    held = path.read_bytes()
    text = (gzip.decompress(held) if path.suffix == ".gz" else held).decode("utf-8", "ignore")
    if path.suffix in (".png", ".gif", ".jpg"):
        with Pillow.open(path) as picture:
            text += repr(picture.info) + repr(dict(picture.getexif()))
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)


def telling(folder: Path) -> dict[str, list[str]]:
    """Files that say whose the exam is, be it by their names, with the words that say it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        held = (name + (content(path) if path.is_file() else "")).casefold()
        if words := [word for word in WORDS if word.casefold() in held]:
            found[name] = words
    return found


def test_no_output_says_whose_it_is(study, model, tmp_path, command):
    out = tmp_path / "out"
    for words in (
        ("analyse", study, "--model", model, "--dicom", "--fhir", "--json", "--out", out / "a"),
        ("measure", study, "--labels", out / "a" / "visit", "--out", out / "m", "--json"),
        ("segment", study, "--model", model, "--out", out / "s"),
        ("convert", study, "--out", out / "c"),
        ("show", study, "--figures", out / "f", "--json"),
        ("anonymise", study, "--keep-screens", "--out", out / "n"),
        ("analyse", out / "c" / "visit", "--model", model, "--out", out / "again"),
    ):
        status, shown, error = command(*words)
        assert status == 0, (words, error)
        assert [word for word in WORDS if word in shown + error] == [], words
    assert len([path for path in out.rglob("*") if path.is_file()]) > 40
    objects = ("a/visit/dicom/A4C_seg.dcm", "a/visit/dicom/report_sc.dcm", "a/visit/dicom/report_sr.dcm")
    found = telling(out)
    # They go back to the archive that knows the patient already, and are filed by name and number.
    assert all(NUMBER in found.pop(name) for name in objects)
    assert found == {}


def test_folders_in_an_archive_do_not_say_it_either(study, model, tmp_path, command):
    """A disc that a clinic wrote: a folder named after the patient, and an object beside the film that is no image."""
    held = study / "Zwoelfer_Ottilie"
    (source,) = study.iterdir()
    held.mkdir()
    source.rename(held / "IM1")
    made = dcmread(held / "IM1")
    made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.66", "1.2.3"
    del made.PixelData
    made.save_as(held / "RAW1")
    other = dcmread(held / "IM1")
    other.StudyInstanceUID, other.SOPInstanceUID = "1.2.4", "1.2.4.1"
    write(held / "later" / "IM1", other)
    shutil.make_archive(str(tmp_path / "disc"), "zip", study)
    status, shown, error = command("analyse", tmp_path / "disc.zip", "--model", model, "--out", tmp_path / "out")
    assert status == 0, error
    assert "disc.zip:RAW1: Raw Data" in shown
    assert [word for word in WORDS if word in shown + error] == []
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} == {"disc_1", "disc_2"}
    assert telling(tmp_path / "out") == {}


def test_objects_for_the_archive_take_the_patient_and_the_study_and_no_more(study, model, tmp_path, command):
    command("analyse", study, "--model", model, "--dicom", "--out", tmp_path / "out")
    (source,) = study.iterdir()
    before = dcmread(source)
    for path in (tmp_path / "out/visit/dicom").iterdir():
        made = dcmread(path)
        assert (made.PatientName, made.PatientID, made.AccessionNumber) == (NAME, NUMBER, ACCESSION)
        assert (made.PatientBirthDate, made.StudyInstanceUID) == ("19470809", before.StudyInstanceUID)
        kept = content(path)
        left = ("Morgue", "Ward Nine", "ECHO-ROOM", "Dupinette", "Pymmering", "SN-27182", CLINIC)
        assert [word for word in left if word in kept] == []


def test_kept_identity_stands_on_the_page_and_in_the_values(study, model, tmp_path, command):
    status, shown, error = command(
        "analyse", study, "--model", model, "--keep-identity", "--out", tmp_path / "out", "--json"
    )
    assert status == 0, error
    folder = tmp_path / "out" / "visit"
    assert json.loads((folder / "measures.json").read_text("utf-8"))["identity"] == WHOSE
    assert json.loads(shown)[0]["identity"] == WHOSE
    page = (folder / "report.html").read_text("utf-8")
    line = (
        "Zwölfer, Ottilie (山田, 花子) · number PN-90817 · born 1947-08-09"
        " · study of 2026-05-02 · accession number ACC-5512 · Clinic X"
    )
    assert f'<p class="patient">{line}</p>' in page
    assert set(telling(folder)) == {"measures.json", "report.html"}


def test_results_change_with_the_option(study, model, tmp_path, command):
    words = ("analyse", study, "--model", model, "--out", tmp_path / "out")
    for more, is_told in (((), False), (("--keep-identity",), True), (("--keep-identity",), True), ((), False)):
        assert command(*words, *more)[0] == 0
        assert bool(telling(tmp_path / "out")) is is_told


def test_given_labels_and_converted_exams(study, model, tmp_path, command):
    out = tmp_path / "out"
    assert command("segment", study, "--model", model, "--out", out / "s")[0] == 0
    assert command("measure", study, "--labels", out / "s/visit", "--keep-identity", "--out", out / "m")[0] == 0
    assert json.loads((out / "m/visit/measures.json").read_text("utf-8"))["identity"] == WHOSE
    assert command("convert", study, "--keep-identity", "--out", out / "c")[0] == 0
    assert set(telling(out / "c")) == {"visit/exam.json"}
    converted = out / "c/visit"
    assert command("analyse", converted, "--model", model, "--out", out / "without")[0] == 0
    assert telling(out / "without") == {}
    assert command("analyse", converted, "--model", model, "--keep-identity", "--out", out / "with")[0] == 0
    assert json.loads((out / "with/visit/measures.json").read_text("utf-8"))["identity"] == WHOSE


def test_what_is_not_stated_is_said(model, tmp_path, command):
    write_nifti(tmp_path / "p1_4CH.nii.gz", apical() * 60, (0.3, 0.3))
    words = ("analyse", tmp_path / "p1_4CH.nii.gz", "--model", model, "--out", tmp_path / "out", "--keep-identity")
    status, shown, _ = command(*words)
    assert (status, "no file of the exam states any" in shown) == (0, True)
    assert "identity" not in json.loads((tmp_path / "out/p1_4CH/measures.json").read_text())


def test_no_exam_carries_it(study):
    exam = read_exam(study)
    assert [word for word in WORDS if word in repr(exam)] == []
    assert identity_of(exam) == Identity(NAME, NUMBER, "1947-08-09", "2026-05-02", ACCESSION, CLINIC)


def test_what_files_contradict_each_other_about_is_named_and_not_chosen(tmp_path):
    cine_mri.write_study(tmp_path / "visit")
    first, *_ = sorted((tmp_path / "visit").iterdir())
    made = dcmread(first)
    made.InstitutionName, made.PatientName = "Another clinic", str(made.PatientName).upper()
    made.save_as(first)
    identity = identity_of(read_exam(tmp_path / "visit"))
    assert identity is not None
    assert (identity.institution, identity.disputed) == ("", ("institution",))
    assert identity.patient_name.casefold() == "roe^jane"  # the same name in other letters is no contradiction


def test_an_object_that_states_nothing_has_no_identity(tmp_path):
    empty = dict.fromkeys(("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber", "StudyDate"), "")
    write(tmp_path / "IM1", ultrasound(InstitutionName=None, **empty))
    assert identity_of(read_exam(tmp_path / "IM1")) is None
