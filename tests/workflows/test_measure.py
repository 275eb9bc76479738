"""Measures of given label maps: which file belongs to which image."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.clinical import measure
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.label import CAMUS
from cardiotrace.core.terms import View
from cardiotrace.datasets.exam_discovery import Reading, read_exam
from cardiotrace.io import read_labels
from cardiotrace.workflows.measure import MeasureConfig, labels_of, measure_exams
from tests.fake.camus import write_camus
from tests.fake.heart import set_spacing, short_axis, write_nifti
from tests.fake.order import FLIP_Z, SWAP_XY, oblique, place, reorder


@pytest.fixture
def patient(tmp_path):
    write_camus(tmp_path, patients=1, views=("4CH",), frames=3)
    return tmp_path / "database_nifti" / "patient0001"


def config(patient, labels, out=None, **options):
    """Options of the reading among those of the verb."""
    reading = Reading(**{name: options.pop(name) for name in ("view", "spacing_mm") if name in options})
    return MeasureConfig(exams=(patient,), labels=labels, out=out or patient.parent / "out", reading=reading, **options)


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


def test_images_without_labels_are_told(patient, tmp_path):
    (tmp_path / "given").mkdir()
    name = "patient0001_4CH_ED_gt.nii.gz"
    (tmp_path / "given" / name).write_bytes((patient / name).read_bytes())
    (done,) = measure_exams(config(patient, tmp_path / "given", tmp_path / "out")).done
    assert [flag.text for flag in done.measures.flags if "no labels" in flag.text] == [
        "patient0001_4CH_ES: no labels of it were given, so that it is not measured",
        "patient0001_4CH_half_sequence: no labels of it were given, so that it is not measured",
    ]


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
    with pytest.raises(InputError, match=r"the grid of patient0001_4CH_ED\.nii\.gz: 9 x 9 voxels against 48 x 40"):
        labels_of(read_exam(patient), config(patient, patient))


def test_values_are_not_guessed_where_no_convention_holds(patient):
    folder = patient.with_name("smith")
    shutil.move(patient, folder)
    labels_of(read_exam(folder), config(patient, folder))
    for file in list(folder.iterdir()):
        file.rename(folder / file.name.replace("patient0001_4CH", "smith") if "4CH" in file.name else file)
    changed = config(patient, folder, view=View.SAX)
    sax = read_exam(folder, changed.reading)
    sax = replace(sax, images=tuple(image for image in sax.images if image.image.view is View.SAX))
    with pytest.raises(UsageError, match=r"what do the label values of .* \(view SAX\) mean"):
        labels_of(sax, changed)
    given = labels_of(sax, config(patient, folder, view=View.SAX, scheme="mnms"))
    assert next(iter(given.values())).scheme.name == "mnms"


@pytest.fixture
def stacks(tmp_path):
    """A short axis, ED and ES, in ACDC's values, with the place of a real one."""
    for phase, size in (("ED", 1.0), ("ES", 0.7)):
        labels = short_axis(size=size)
        for folder, array, end in (("images", labels * 60, ""), ("labels", labels, "_gt")):
            path = tmp_path / folder / f"p_SAX_{phase}{end}.nii.gz"
            write_nifti(path, array, (8.0, 1.4, 1.4))
            place(path, oblique((1.4, 1.4, 8.0)))
    return tmp_path


def measured(root, **options):
    batch = measure_exams(config(root / "images", root / "labels", root / "out", view=View.SAX, **options))
    assert not batch.failures, batch.failures[0].error
    return batch.done[0].measures


def test_labels_in_another_voxel_order_measure_the_same(stacks):
    before = measured(stacks, scheme="acdc").to_plain()
    for path, order in zip(sorted((stacks / "labels").iterdir()), (FLIP_Z, SWAP_XY), strict=True):
        reorder(path, order)
    assert measured(stacks, scheme="acdc").to_plain() == before
    assert not any("orientation" in str(flag) for flag in before["flags"])


def test_labels_of_another_place_are_refused(stacks):
    for path in (stacks / "labels").iterdir():
        place(path, oblique((1.4, 1.4, 8.0)) @ np.diag([1, -1, 1, 1]))
    given = config(stacks / "images", stacks / "labels", stacks / "out", view=View.SAX, scheme="acdc")
    (failed,) = measure_exams(given).failures
    assert re.search(r"does not lie on the grid of p_SAX_E[DS]\.nii\.gz: axes \w{3} against \w{3}", str(failed.error))


def test_the_order_of_another_data_set_makes_every_value_unusable(stacks):
    """Measured as ACDC's the cavity shrinks by .7 in diameter: the true fraction is near 1 - .7 ** 2."""
    right, wrong = measured(stacks, scheme="acdc"), measured(stacks, scheme="mnms")
    assert right.ejection_fraction_percent == pytest.approx(51, abs=2)
    doubt = "the myocardium encloses what is labelled RV, not LV: are these acdc labels?"
    assert [str(flag) for flag in wrong.flags[:2]] == [f"p_SAX_ED: {doubt}", f"p_SAX_ES: {doubt}"]
    assert all(doubt in str(quantity.flags[0]) for quantity in wrong)
    assert not any(doubt in str(flag) for flag in right.flags)


def test_a_scheme_that_is_not_said_is_asked_for_with_what_fits(stacks):
    given = config(stacks / "images", stacks / "labels", stacks / "out", view=View.SAX)
    (failed,) = measure_exams(given).failures
    assert failed.error.remedy == "say it with --scheme; its values and the anatomy fit acdc."


def test_a_size_that_is_given_mends_bad_headers_of_labels_too(stacks):
    before = measured(stacks, scheme="acdc").end_diastolic_volume_ml
    for path in [*(stacks / "labels").iterdir(), *(stacks / "images").iterdir()]:
        set_spacing(path, (-1.4,))
        assert "must be positive" in str(
            measure_exams(config(stacks / "images", stacks / "labels", stacks / "out", view=View.SAX, scheme="acdc"))
            .failures[0]
            .error
        )
    assert measured(stacks, scheme="acdc", spacing_mm=(8.0, 1.4, 1.4)).end_diastolic_volume_ml == pytest.approx(before)


def test_a_place_that_had_to_be_assumed_is_said(stacks):
    for path in (stacks / "labels").iterdir():
        place(path, np.eye(4))
    found = measured(stacks, scheme="acdc")
    said = [str(flag) for flag in found.flags if "orientation" in str(flag)]
    assert [text.partition(" (")[0] for text in said] == [
        f"p_SAX_{phase}: the labels state no orientation: the labels were taken as they lie" for phase in ("ED", "ES")
    ]
    assert found.ejection_fraction_percent == pytest.approx(51, abs=2)
