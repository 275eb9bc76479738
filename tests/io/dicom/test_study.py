"""Visits of patients: told apart, with facts and without identity."""

import pytest

from cardiotrace.core.exam import Patient
from cardiotrace.core.terms import Modality, View
from cardiotrace.io.dicom.study import find_studies
from cardiotrace.io.dicom.visit import acquisition_of, date_of, patient_of
from tests.fake.ultrasound import INSTITUTION, NAME, NUMBER, ultrasound, write


def test_studies_and_patients_are_told_apart(tmp_path):
    write(tmp_path / "a", ultrasound(study="1.2.3"))
    write(tmp_path / "b", ultrasound(study="1.2.4", StudyDate="20200101"))
    write(tmp_path / "c", ultrasound(study="1.2.5", patient="other"))
    studies = find_studies(tmp_path)
    assert [study.date for study in studies] == ["2020-01-01", "2024-04-13", "2024-04-13"]
    assert len({study.patient_key for study in studies}) == 2


def test_nothing_in_a_study_says_who_it_is(tmp_path):
    write(tmp_path / "a", ultrasound())
    (study,) = find_studies(tmp_path)
    shown = repr(study)
    assert all(secret not in shown for secret in (NAME, NUMBER, INSTITUTION, "19610412", "ACC-815"))


def test_patients_without_a_number_are_told_apart_by_name_and_birth(tmp_path):
    write(tmp_path / "a", ultrasound(patient="", study="1.1"))
    write(tmp_path / "b", ultrasound(patient="", study="1.2"))
    write(tmp_path / "c", ultrasound(patient="", study="1.3", PatientName="Doe^John"))
    assert len({study.patient_key for study in find_studies(tmp_path)}) == 2


@pytest.mark.parametrize(("fact", "value"), [("PatientBirthDate", "19700101"), ("PatientSex", "M")])
def test_one_study_of_several_people_under_one_number_is_none(tmp_path, fact, value):
    write(tmp_path / "a", ultrasound())
    write(tmp_path / "b", ultrasound(**{fact: None}))
    (study,) = find_studies(tmp_path)
    assert (len(study.images), study.left_out) == (2, ())
    write(tmp_path / "c", ultrasound(**{fact: value}))
    (study,) = find_studies(tmp_path)
    assert study.images == ()
    assert study.left_out[0].startswith("3 objects of one study: they state 2 ")
    assert value not in study.left_out[0]


def test_facts_of_the_patient():
    assert patient_of([ultrasound()]) == Patient("F", 63.0, 170.0, 70.0)


@pytest.mark.parametrize(
    ("change", "patient"),
    [
        ({"PatientAge": "018M"}, Patient("F", 1.5, 170.0, 70.0)),
        ({"PatientAge": None}, Patient("F", 63.0, 170.0, 70.0)),  # from 1961-04-12 to 2024-04-13
        ({"PatientAge": None, "StudyDate": "20240411"}, Patient("F", 62.0, 170.0, 70.0)),
        ({"PatientSex": "O"}, Patient(None, 63.0, 170.0, 70.0)),
        ({"PatientSize": "170"}, Patient("F", 63.0, None, 70.0)),  # metres are asked for, and nobody is so tall
        ({"PatientWeight": "0"}, Patient("F", 63.0, 170.0, None)),
    ],
)
def test_facts_that_are_not_stated_or_cannot_be(change, patient):
    assert patient_of([ultrasound(**change)]) == patient


def test_contradicting_facts_are_not_known():
    assert patient_of([ultrasound(), ultrasound(PatientWeight="80")]).weight_kg is None


def test_facts_of_the_recording():
    acquisition = acquisition_of(ultrasound(HeartRate="0", MagneticFieldStrength="1.5"))
    assert (acquisition.heart_rate_bpm, acquisition.vendor, acquisition.scanner) == (None, "Maker", "Scanner 5")
    assert acquisition.field_strength_t == 1.5
    assert acquisition_of(ultrasound(HeartRate="64")).heart_rate_bpm == 64


def test_a_date_that_is_none():
    assert date_of(ultrasound(StudyDate="", ContentDate="20231231")) == "2023-12-31"
    assert date_of(ultrasound(StudyDate="")) == ""


def code(value, meaning):
    from pydicom import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item


@pytest.mark.parametrize(
    ("elements", "view", "name"),
    [
        ({"ViewCodeSequence": [code("399214001", "")]}, View.FOUR_CHAMBER, "A4C"),
        ({"ViewCodeSequence": [code("399232001", "Apical two chamber")]}, View.TWO_CHAMBER, "A2C"),
        ({"ViewCodeSequence": [code("X", "Parasternal long axis")]}, View.PLAX, "PLAX"),
        ({"SeriesDescription": "Apical 4 chamber"}, View.FOUR_CHAMBER, "A4C"),
        ({"ImageComments": "PSAX"}, View.SAX, "PSAX"),
        ({"SeriesDescription": "A4C and A2C"}, View.UNKNOWN, "IM1"),
        ({"SeriesDescription": "Echo"}, View.UNKNOWN, "IM1"),
        ({"PatientName": "A4C^A4C"}, View.UNKNOWN, "IM1"),
    ],
)
def test_views(tmp_path, elements, view, name):
    write(tmp_path / "IM1", ultrasound(**elements))
    (image,) = find_studies(tmp_path)[0].images
    assert (image.view, image.modality, image.name) == (view, Modality.US, name)
    assert image.read().view is view


def test_names_are_unique_and_no_identifiers(tmp_path):
    for number in (1, 2, 3):
        write(tmp_path / f"1.2.840.113619.2.5.{number}", ultrasound(InstanceNumber=str(number)))
    (study,) = find_studies(tmp_path)
    assert [image.name for image in study.images] == ["US", "US-2", "US-3"]


def test_a_capture_is_left_out_unless_it_is_of_ultrasound(tmp_path):
    kind = "1.2.840.10008.5.1.4.1.1.7"
    write(tmp_path / "IM1", ultrasound(SOPClassUID=kind))
    write(tmp_path / "IM2", ultrasound(SOPClassUID=kind, Modality="OT"))
    (study,) = find_studies(tmp_path)
    assert [image.name for image in study.images] == ["IM1"]
    assert study.left_out == ("IM2: a secondary capture: what was on a screen",)
