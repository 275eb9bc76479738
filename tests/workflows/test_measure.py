"""Measures of given label maps: which file belongs to which image."""

import shutil

import numpy as np
import pytest

from cardiotrace.clinical import measure
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.label import CAMUS
from cardiotrace.core.terms import View
from cardiotrace.datasets.found import read_exam
from cardiotrace.io import read_labels
from cardiotrace.workflows.measure import MeasureConfig, labels_of, measure_exams
from tests.fake.camus import write_camus
from tests.fake.heart import write_nifti


@pytest.fixture
def patient(tmp_path):
    write_camus(tmp_path, patients=1, views=("4CH",), frames=3)
    return tmp_path / "database_nifti" / "patient0001"


def config(patient, labels, out=None, **options):
    return MeasureConfig((patient,), labels, out or patient.parent / "out", **options)


def test_references_beside_the_images(patient, tmp_path):
    batch = measure_exams(config(patient, patient, tmp_path / "out"))
    (done,) = batch.done
    exam = read_exam(patient)
    labels = {
        image.name: read_labels(patient / f"{image.name}_gt.nii.gz", CAMUS, third_axis=axis)
        for image, axis in zip(exam.images, ("depth", "depth", "time"), strict=True)
    }
    assert done.measures.to_plain() == measure(exam, labels).to_plain()
    assert done.report.exists()


def test_images_are_no_labels_of_themselves(patient):
    for path in patient.glob("*half_sequence_gt*"):
        path.unlink()
    assert list(labels_of(read_exam(patient), config(patient, patient))) == ["patient0001_4CH_ED", "patient0001_4CH_ES"]


def test_a_folder_of_the_exams_name_goes_first(patient, tmp_path):
    for name in ("labels/patient0001", "labels/patient0002"):
        target = tmp_path / name / "patient0001_4CH_ED_labels.nii.gz"
        write_nifti(target, np.full((40, 48), 1 + ("2" in name[-1]), np.uint8), (0.308, 0.308))
    (found,) = labels_of(read_exam(patient), config(patient, tmp_path / "labels")).values()
    assert found.array.max() == 1


def test_no_labels_at_all(patient, tmp_path):
    (tmp_path / "other").mkdir()
    write_nifti(tmp_path / "other" / "somebody_gt.nii.gz", np.zeros((4, 4), np.uint8), (1.0, 1.0))
    with pytest.raises(InputError, match="holds no labels of exam patient0001\nexpected is patient0001_4CH_ED_labels"):
        labels_of(read_exam(patient), config(patient, tmp_path / "other"))
    failed = measure_exams(config(patient, tmp_path / "missing")).failures
    assert "there is no such folder" in str(failed[0].error)


def test_labels_of_another_size(patient):
    write_nifti(patient / "patient0001_4CH_ED_gt.nii.gz", np.zeros((9, 9), np.uint8), (0.3, 0.3))
    with pytest.raises(InputError, match=r"has shape \(1, 1, 9, 9\), its image patient0001_4CH_ED \(1, 1, 40, 48\)"):
        labels_of(read_exam(patient), config(patient, patient))


def test_values_are_not_guessed_where_no_convention_holds(patient):
    shutil.move(patient, patient.with_name("smith"))
    exam = read_exam(patient.with_name("smith"))
    labels_of(exam, config(patient, patient.with_name("smith")))
    changed = config(patient, patient.with_name("smith"), view=View.SAX)
    sax = read_exam(patient.with_name("smith"), changed.reading)
    with pytest.raises(UsageError, match=r"what do the label values of .* \(view PSAX\) mean"):
        labels_of(sax, changed)
    given = labels_of(sax, config(patient, patient.with_name("smith"), view=View.SAX, scheme="mnms"))
    assert next(iter(given.values())).scheme.name == "mnms"
