"""DICOM studies as exams: names, several patients, and what lies beside them."""

import shutil

import nibabel
import numpy as np
import pytest
from PIL import Image as Pillow

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.exam_discovery import Reading, find_exams, read_exam
from tests.fake.ultrasound import INSTITUTION, NAME, NUMBER, pixels, region, ultrasound, write


def test_a_study_is_an_exam_with_the_name_of_its_folder(tmp_path):
    write(tmp_path / "visit" / "A" / "IM1", ultrasound(SeriesDescription="A4C"))
    write(tmp_path / "visit" / "B" / "IM1", ultrasound(SeriesDescription="A2C"))
    (found,) = find_exams([tmp_path / "visit"])
    exam = found.read()
    assert exam.name == "visit"
    assert [(image.name, image.image.view_name) for image in exam.images] == [("A4C", "A4C"), ("A2C", "A2C")]
    assert exam.facts == {"date": "2024-04-13", "vendor": "Maker", "scanner": "Scanner 5"}
    assert exam.patient.age_years == 63


def test_two_patients_are_refused_unless_asked_for(tmp_path):
    write(tmp_path / "in" / "a", ultrasound(study="1.2"))
    write(tmp_path / "in" / "b", ultrasound(study="1.3", patient="other"))
    with pytest.raises(InputError, match=r"studies of 2 patients\n--each"):
        read_exam(tmp_path / "in")
    assert [exam.name for exam in find_exams([tmp_path / "in"], each=True)] == ["in_1", "in_2"]


def test_several_studies_of_one_patient_are_several_exams(tmp_path):
    write(tmp_path / "in" / "2023" / "a", ultrasound(study="1.2", StudyDate="20230101"))
    write(tmp_path / "in" / "2024" / "a", ultrasound(study="1.3"))
    found = find_exams([tmp_path / "in"])
    assert [(exam.name, exam.read().facts["date"]) for exam in found] == [
        ("2023", "2023-01-01"),
        ("2024", "2024-04-13"),
    ]


def names_of(path):
    return [exam.name for exam in find_exams([path], each=True)]


def test_studies_are_named_after_the_folders_that_tell_them_apart_and_not_after_those_of_series(tmp_path):
    for visit, study in (("anna/2023", "1.2"), ("anna/2024", "1.3"), ("ben", "1.4")):
        write(tmp_path / "in" / visit / "S0001" / "IM1", ultrasound(study=study, StudyDate=f"20240{study[-1]}01"))
    assert names_of(tmp_path / "in") == ["2023", "2024", "ben"]
    for visit, study in (("ben/2023", "1.5"), ("ben/2024", "1.6")):
        write(tmp_path / "in" / visit / "S0001" / "IM1", ultrasound(study=study, StudyDate=f"20240{study[-1]}01"))
    # One lies in the folder of another two, so that its folder tells nothing, until it has one of its own.
    assert names_of(tmp_path / "in") == ["anna_2023", "anna_2024", "S0001", "ben_2023", "ben_2024"]


def test_studies_in_one_folder_are_named_after_their_dates_where_those_differ(tmp_path):
    for study, date in (("1.2", "20230101"), ("1.3", "20240607")):
        write(tmp_path / "in" / study, ultrasound(study=study, StudyDate=date))
    assert names_of(tmp_path / "in") == ["in_2023-01-01", "in_2024-06-07"]
    write(tmp_path / "in" / "third", ultrasound(study="1.4", StudyDate="20240607"))
    assert names_of(tmp_path / "in") == ["in_1", "in_2", "in_3"]
    write(tmp_path / "in" / "third", ultrasound(study="1.4", StudyDate=None))
    assert names_of(tmp_path / "in") == ["in_1", "in_2", "in_3"]


def test_folders_in_an_archive_name_nobody(tmp_path):
    for visit, study in (("first", "1.2"), ("second", "1.3")):
        write(tmp_path / "in" / visit / "S1" / "IM1", ultrasound(study=study))
    shutil.make_archive(str(tmp_path / "packed.v2"), "zip", tmp_path / "in")
    shutil.make_archive(str(tmp_path / "packed"), "gztar", tmp_path / "in")
    assert names_of(tmp_path / "packed.v2.zip") == ["packed.v2_1", "packed.v2_2"]
    assert names_of(tmp_path / "packed.tar.gz") == ["packed_1", "packed_2"]
    for visit in ("first", "second"):
        shutil.make_archive(str(tmp_path / "several" / visit), "zip", tmp_path / "in" / visit)
    assert names_of(tmp_path / "several") == ["first", "second"]


def test_no_exam_says_who_it_is(tmp_path):
    write(tmp_path / "in" / "IM1", ultrasound())
    shown = repr(read_exam(tmp_path / "in"))
    assert all(secret not in shown for secret in (NAME, NUMBER, INSTITUTION, "19610412", "ACC-815"))


def test_a_file_of_its_own_is_named_after_itself_and_its_name_may_tell_the_view(tmp_path):
    exam = read_exam(write(tmp_path / "p7_A4C_ED.dcm", ultrasound(pixels(1), regions=[region()])))
    (image,) = exam.images
    assert (exam.name, image.name, image.phases) == ("p7_A4C_ED", "p7_A4C_ED", {Phase.ED: 0})
    assert (image.image.view, image.image.modality) == (View.FOUR_CHAMBER, Modality.US)
    assert "view from the name of its file" in image.image.notes[-1]


def test_what_a_caller_knows_better(tmp_path):
    path = write(tmp_path / "IM1", ultrasound())
    (image,) = read_exam(path, Reading(view=View.TWO_CHAMBER, spacing_mm=(None, 0.4, 0.3))).images
    assert (image.image.view, image.image.spacing_mm) == (View.TWO_CHAMBER, (1.0, 0.4, 0.3))


def test_pictures_beside_dicom_are_told_of_and_volumes_are_exams(tmp_path):
    write(tmp_path / "in" / "D" / "IM1", ultrasound())
    write(tmp_path / "in" / "E" / "IM1", ultrasound())
    (tmp_path / "in" / "autorun.inf").write_text("x")
    Pillow.fromarray(pixels(1)[0]).save(tmp_path / "in" / "logo.png")
    nibabel.save(
        nibabel.Nifti1Image(np.zeros((9, 9, 3), np.uint8), np.diag([1.4, 1.4, 8, 1])), tmp_path / "in" / "p_SAX.nii"
    )
    Pillow.fromarray(pixels(1)[0]).save(tmp_path / "in" / "D" / "shot.png")
    found = find_exams([tmp_path / "in"])
    assert len(found) == 2
    left_out = found[0].read().left_out
    assert "autorun.inf: no DICOM" in left_out
    assert any(line.startswith("logo.png, shot.png: an image beside DICOM") for line in left_out) or any(
        line.startswith("shot.png, logo.png: an image beside DICOM") for line in left_out
    )
    assert [image.name for image in found[1].read().images] == ["p_SAX"]


def test_one_bad_image_stops_no_other(tmp_path):
    write(tmp_path / "in" / "IM1", ultrasound())
    write(tmp_path / "in" / "IM2", ultrasound(regions=[region(spatial=3)]))
    exam = read_exam(tmp_path / "in")
    assert [image.name for image in exam.images] == ["IM1"]
    assert exam.left_out == ("IM2: shows a spectrum, no two-dimensional picture of tissue",)


def test_a_study_without_images(tmp_path):
    write(tmp_path / "in" / "SR1", ultrasound(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", PixelData=None))
    with pytest.raises(InputError, match=r"no image of the heart\nSR1: Comprehensive SR"):
        read_exam(tmp_path / "in")


def test_results_beside_are_no_part_of_the_study(tmp_path):
    write(tmp_path / "in" / "IM1", ultrasound())
    write(tmp_path / "in" / "out" / "seg.dcm", ultrasound())
    for name in ("measures.json", "report.html"):
        (tmp_path / "in" / "out" / name).write_text("{}")
    assert [image.name for image in read_exam(tmp_path / "in").images] == ["IM1"]


def test_a_study_larger_than_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("cardiotrace.datasets.study._MOST_BYTES", 20_000)
    for number in (1, 2, 3):
        write(tmp_path / "in" / f"IM{number}", ultrasound())  # of 12,000 bytes each
    with pytest.raises(InputError, match="take more than"):
        read_exam(tmp_path / "in")
