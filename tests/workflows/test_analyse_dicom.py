"""`analyse --dicom`: DICOM objects beside the rest, by the one writer of results; and identity in nothing else."""

import shutil
from dataclasses import dataclass

import numpy as np
import pytest
from pydicom import dcmread

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.label import CAMUS
from cardiotrace.datasets.exam_discovery import FoundExam
from cardiotrace.io.dicom.segmentation_reader import read_segmentation
from cardiotrace.io.results import read_manifest
from cardiotrace.workflows.analyse import AnalyseConfig, analyse
from cardiotrace.workflows.measure import MeasureConfig, measure_exams
from tests.fake.dicom_exam import BIRTH, NAME, PATIENT_ID, film, write_ultrasound
from tests.fake.models import write_camus_model
from tests.programs import complaints

OBJECTS = ["dicom/A4C_seg.dcm", "dicom/report_sc.dcm", "dicom/report_sr.dcm"]


@dataclass(frozen=True, kw_only=True)
class FilmConfig(AnalyseConfig):
    """Exams that are read as the fake says."""

    def find(self):
        return [FoundExam("film", path, lambda path=path: film(path)[0]) for path in self.exams]


@pytest.fixture
def config(tmp_path):
    def make(**changes):
        path = tmp_path / "in/film.dcm"
        if not path.exists():
            write_ultrasound(tmp_path / "in")
        model = tmp_path / "tiny.onnx"
        if not model.exists():
            write_camus_model(model)
        return FilmConfig(exams=(path,), out=tmp_path / "out", model=str(model), **{"dicom": True} | changes)

    return make


def test_objects_are_written_with_the_rest_and_known_to_the_manifest(config, tmp_path):
    batch = analyse(config())
    assert batch.failures == ()
    folder = tmp_path / "out/film"
    assert [name for name in read_manifest(folder).files if name.startswith("dicom/")] == OBJECTS
    assert [path for name in OBJECTS for path in complaints(folder / name)] == []
    read = dcmread(folder / OBJECTS[0])
    assert (read.PatientID, read.SegmentSequence[0].SegmentAlgorithmName) == (PATIENT_ID, "tiny")
    exam, _ = film(tmp_path / "in/film.dcm")
    labels = read_segmentation(folder / OBJECTS[0], CAMUS, exam.images[0].image)
    assert np.count_nonzero(labels.array) > 100
    (report,) = (dcmread(folder / name) for name in OBJECTS if name.endswith("_sr.dcm"))
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    evidence = {
        item.ReferencedSOPInstanceUID
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    assert read.SOPInstanceUID in evidence


def test_nothing_but_the_objects_holds_an_identity(config, tmp_path):
    analyse(config())
    words = [PATIENT_ID, BIRTH, NAME.partition("^")[0], "1961-02-03", "Clinic of the test", "A-1", "House", "山田"]
    others = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.parent.name != "dicom"]
    assert len(others) > 8
    for path in others:
        content = path.read_bytes()
        if path.suffix in (".png", ".gif", ".jpg", ".gz"):
            continue
        assert [word for word in words if word.encode() in content] == [], path


def test_outlines_in_dicom_are_measured_as_label_maps_are(tmp_path, config):
    """Corrected in another program, they are labels that are given: the same outlines give the same numbers."""
    source = dcmread(write_ultrasound(tmp_path / "visit"))
    source.SeriesDescription = "A4C"
    source.save_as(tmp_path / "visit" / "film.dcm")
    visit, model, out = (tmp_path / "visit",), config().model, tmp_path / "visited"
    (traced,) = analyse(AnalyseConfig(exams=visit, out=out, model=model, dicom=True)).done
    folder = out / "visit" / "dicom"
    (back,) = measure_exams(MeasureConfig(exams=visit, labels=folder, out=tmp_path / "measured")).done
    values = [(item.key, item.value) for item in traced.measures]
    assert [(item.key, item.value) for item in back.measures] == values
    assert len(values) > 5
    assert back.plain["provenance"]["images"][0]["labels"] == "A4C_seg.dcm"
    assert not measure_exams(MeasureConfig(exams=visit, labels=folder, out=tmp_path / "measured")).done[0].is_new
    shutil.copy(out / "visit" / "A4C_labels.nii.gz", folder)
    (failure,) = measure_exams(MeasureConfig(exams=visit, labels=folder, out=tmp_path / "twice")).failures
    assert "A4C_labels.nii.gz and A4C_seg.dcm are both labels of A4C" in str(failure.error)


def test_what_is_done_is_done_with_or_without_them(config, tmp_path):
    folder = tmp_path / "out/film"
    assert analyse(config(dicom=False)).done[0].is_new
    assert not (folder / "dicom").exists()
    assert analyse(config()).done[0].is_new
    assert not analyse(config()).done[0].is_new
    assert (folder / OBJECTS[0]).exists()
    assert analyse(config(dicom=False)).done[0].is_new
    assert not (folder / "dicom").exists()


def test_an_object_that_was_changed_by_hand_is_kept(config, tmp_path):
    analyse(config())
    edited = tmp_path / "out/film" / OBJECTS[0]
    edited.write_bytes(b"corrected in another program")
    (failure,) = analyse(config()).failures
    assert isinstance(failure.error, UsageError)
    assert "changed by hand" in str(failure.error)
    assert edited.read_bytes() == b"corrected in another program"


def test_an_exam_that_is_no_dicom_is_one_line_and_leaves_nothing(tmp_path, config):
    from tests.fake.heart import apical, write_nifti

    write_nifti(tmp_path / "p1_4CH.nii.gz", apical() * 60, (0.3, 0.3))
    made = AnalyseConfig(exams=(tmp_path / "p1_4CH.nii.gz",), out=tmp_path / "plain", model=config().model, dicom=True)
    (failure,) = analyse(made).failures
    assert isinstance(failure.error, InputError)
    assert "no image of it is DICOM" in str(failure.error)
    assert not (tmp_path / "plain").exists()
