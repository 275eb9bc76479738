import pickle

import numpy as np
import pytest
import SimpleITK

from cardiotrace.clinical.measure import LabelledView, measure_labels
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.exam import Patient
from cardiotrace.core.terms import Phase, Structure, View
from cardiotrace.datasets.lint import lint
from cardiotrace.datasets.split import k_folds, patient_groups
from tests.fake.camus import LEGACY_SPACING_MM, write_camus, write_legacy_camus


def test_cases_of_both_views(tmp_path, make):
    write_camus(tmp_path)
    camus = make("camus", tmp_path)
    cases = camus.cases()
    assert [case.name for case in cases[:4]] == [
        f"patient0001_{end}" for end in ("2CH_ED", "2CH_ES", "4CH_ED", "4CH_ES")
    ]
    assert len(cases) == 16
    assert cases[2].view is View.FOUR_CHAMBER
    assert cases[2].phase is Phase.ED
    assert cases[2].groups == {"patient": "patient0001", "quality": "Good", "sex": "F", "ef_class": "45-55"}
    assert cases[2].facts == {"left_ventricular_ejection_fraction_percent": 54.0}
    assert cases[2].files[1] == "database_nifti/patient0001/patient0001_4CH_ED_gt.nii.gz"
    image, labels = cases[2].read_image(), cases[2].read_labels()
    assert image.grid_shape == labels.array.shape == (1, 1, 40, 48)
    assert image.view is View.FOUR_CHAMBER
    np.testing.assert_allclose(image.spacing_mm, (1.0, 0.308, 0.308), rtol=1e-6)
    atrium_row, cavity_row = (np.argwhere(labels.mask(name))[:, 2].mean() for name in (Structure.LA, Structure.LV))
    assert cavity_row + 10 < atrium_row  # the apex is at the top


def test_one_view(tmp_path, make):
    write_camus(tmp_path)
    camus = make("camus", tmp_path, views=["4CH"])
    assert camus.views == (View.FOUR_CHAMBER,)
    assert {case.view for case in camus.cases()} == {View.FOUR_CHAMBER}
    assert len(camus.cases()) == 8


def test_readers_can_be_sent_to_another_process(tmp_path, make):
    write_camus(tmp_path, patients=1, lists=False)
    case = make("camus", tmp_path).cases()[0]
    again = pickle.loads(pickle.dumps(case))
    assert (again.read_image().frames == case.read_image().frames).all()


@pytest.mark.parametrize("below", [".", "database_nifti", "database_nifti/patient0002"])
def test_root_may_be_any_level(tmp_path, make, below):
    write_camus(tmp_path)
    camus = make("camus", tmp_path / below)
    one = below.endswith("2")
    assert camus.exams() == (["patient0002"] if one else [f"patient000{index}" for index in (1, 2, 3, 4)])
    case = next(case for case in camus.cases() if case.name == "patient0002_4CH_ES")
    assert case.facts["left_ventricular_ejection_fraction_percent"] == 40.0
    assert all((camus.root / file).exists() for file in case.files)
    assert len(camus.splits()) == 11


def test_official_lists(tmp_path, make):
    write_camus(tmp_path)
    splits = make("camus", tmp_path).splits()
    assert list(splits) == ["official", *(f"fold{index}" for index in range(1, 11))]
    assert splits["fold1"].testing == ("patient0002",)
    assert splits["fold1"].missing == ("patient0999",)
    assert splits["fold1"].training == ("patient0001", "patient0004")


def test_a_leaking_list_is_refused(tmp_path, make):
    write_camus(tmp_path)
    path = tmp_path / "database_split/subgroups/subGroup3_testing.txt"
    path.write_text("patient0001\npatient0002\n")
    with pytest.raises(InputError, match=r"subGroup3_\*\.txt: patient 'patient0001' is in validation and testing"):
        make("camus", tmp_path).splits()


def test_a_user_list_with_an_unknown_patient_is_refused(tmp_path, make):
    write_camus(tmp_path)
    camus = make("camus", tmp_path)
    split = k_folds(patient_groups(camus.cases()), folds=4)[0]
    assert split.require(camus.exams()) is split
    with pytest.raises(InputError, match="patient0003"):
        split.require(["patient0001", "patient0002", "patient0004"])


def test_exam(tmp_path, make):
    write_camus(tmp_path, frames=5)
    exam = make("camus", tmp_path).exam("patient0002")
    assert exam.patient == Patient(sex="M", age_years=51.0)
    assert exam.frame_rate_hz == 50.0
    assert exam.facts == {"quality": "Medium", "reference_ejection_fraction_percent": "40"}
    images = {image.name: image for image in exam.images}
    assert len(images) == 6
    assert images["patient0002_4CH_ES"].phases == {Phase.ES: 0}
    sequence = images["patient0002_4CH_half_sequence"]
    assert sequence.phases == {Phase.ES: 0, Phase.ED: 4}  # ED is numbered after ES for this patient
    assert sequence.image.grid_shape == (5, 1, 40, 48)
    assert sequence.image.times_ms.tolist() == [0, 20, 40, 60, 80]


def test_half_sequence_from_end_diastole(tmp_path, make):
    write_camus(tmp_path, frames=5)
    exam = make("camus", tmp_path, views=["2CH"]).exam("patient0001")
    assert exam.images[2].phases == {Phase.ED: 0, Phase.ES: 4}


def test_sequences_are_cases_if_asked_for(tmp_path, make):
    write_camus(tmp_path, frames=5)
    cases = make("camus", tmp_path, sequences=True).cases()
    sequences = [case for case in cases if case.phase is Phase.OTHER]
    assert len(sequences) == 8
    labels = sequences[0].read_labels()
    areas = labels.mask(Structure.LV).sum(axis=(1, 2, 3))
    assert labels.array.shape == (5, 1, 40, 48)
    assert areas[0] > areas[-1]
    assert len(make("camus", tmp_path).cases()) == 16


def test_legacy_layout(tmp_path, make):
    write_legacy_camus(tmp_path)
    camus = make("camus", tmp_path)
    case = camus.cases()[0]
    assert len(camus.cases()) == 8
    assert case.facts == {"left_ventricular_ejection_fraction_percent": 63.2}
    assert case.groups["ef_class"] == ">=55"
    np.testing.assert_allclose(case.read_image().spacing_mm, LEGACY_SPACING_MM)
    assert [name.rpartition(".")[2] for name in case.files] == ["mhd", "mhd", "raw", "raw"]
    assert case.read_labels().array.shape == (1, 1, 80, 40)


def test_legacy_exam_leaves_out_sequences_without_pixels(tmp_path, make):
    write_legacy_camus(tmp_path)
    exam = make("camus", tmp_path / "patient0001").exam("patient0001")
    assert [image.name for image in exam.images] == [case.name for case in make("camus", tmp_path).cases()[:4]]


def test_unlabelled_case(tmp_path, make):
    write_camus(tmp_path, patients=1)
    (tmp_path / "database_nifti/patient0001/patient0001_2CH_ED_gt.nii.gz").unlink()
    cases = make("camus", tmp_path).cases()
    assert cases[0].read_labels is None
    assert len(cases[0].files) == 1


def test_missing_root(tmp_path, make):
    with pytest.raises(
        InputError, match=r"nowhere: there is no such folder\ngive the folder that holds database_nifti"
    ):
        make("camus", tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no CAMUS patients"):
        make("camus", tmp_path)


def test_unknown_view(tmp_path, make):
    with pytest.raises(ConfigError, match="'3CH' is not one of '2CH', '4CH'"):
        make("camus", tmp_path, views=["3CH"])
    with pytest.raises(ConfigError, match="at least one"):
        make("camus", tmp_path, views=[])


def test_unknown_exam(tmp_path, make):
    write_camus(tmp_path)
    with pytest.raises(InputError, match="camus has no exam 'patient0007'"):
        make("camus", tmp_path).exam("patient0007")


def test_table_without_patients_column(tmp_path, make):
    write_camus(tmp_path, patients=1)
    (tmp_path / "patients_info.csv").write_text("Name,EF\npatient0001,54\n")
    with pytest.raises(InputError, match=r"patients_info\.csv: has no column 'Patient'"):
        make("camus", tmp_path).cases()


@pytest.mark.data
def test_real_patients_and_reference_values(data_root, make):
    camus = make("camus", data_root / "camus")
    cases = {case.name: case for case in camus.cases()}
    assert len(camus.exams()) == 449
    assert len(cases) == 898
    assert cases["patient0001_4CH_ED"].facts["left_ventricular_ejection_fraction_percent"] == 54.0
    legacy = make("camus", data_root / "camus/legacy_mhd")
    assert legacy.cases()[0].facts["left_ventricular_ejection_fraction_percent"] == 63.2


@pytest.mark.data
def test_real_official_folds(data_root, make):
    camus = make("camus", data_root / "camus")
    splits = camus.splits()
    assert len(splits) == 11
    tested = [name for index in range(1, 11) for name in splits[f"fold{index}"].testing]
    assert sorted(tested) == camus.exams()
    assert {len(split.missing) for split in splits.values()} == {51}
    official = splits["official"]
    assert (len(official.training), len(official.validation)) == (399, 50)
    assert official.validation == splits["fold6"].testing


@pytest.mark.data
def test_real_ventricles_are_larger_at_end_diastole(data_root, make):
    cases = [case for case in make("camus", data_root / "camus").cases() if case.patient.endswith("5")]
    areas = {case.name: int(case.read_labels().mask(Structure.LV).sum()) for case in cases}
    larger = [areas[name] > areas[f"{name[:-2]}ES"] for name in areas if name.endswith("ED")]
    assert len(larger) > 40
    assert np.mean(larger) > 0.98


@pytest.mark.parametrize("kind", ["zraw", "renamed", "local"])
def test_pixels_in_other_files_than_raw(tmp_path, make, kind):
    """Headers saved again with compression, with their pixel files renamed, or with the pixels in them."""
    write_legacy_camus(tmp_path / "plain")
    write_legacy_camus(tmp_path / kind)
    for header in (tmp_path / kind).rglob("*_E?*.mhd"):
        if kind == "zraw":
            SimpleITK.WriteImage(SimpleITK.ReadImage(str(header)), str(header), useCompression=True)
        elif kind == "renamed":
            header.with_suffix(".raw").rename(header.with_name(f"{header.stem}_pixels.raw"))
            header.write_text(header.read_text().replace(f"{header.stem}.raw", f"{header.stem}_pixels.raw"))
        else:
            text = header.read_text().replace(f"{header.stem}.raw", "LOCAL")
            header.write_bytes(text.encode() + header.with_suffix(".raw").read_bytes())
        header.with_suffix(".raw").unlink(missing_ok=True)
    plain, other = make("camus", tmp_path / "plain"), make("camus", tmp_path / kind)
    expected, found = plain.exam("patient0001"), other.exam("patient0001")
    assert [image.name for image in found.images] == [image.name for image in expected.images]
    for image, same in zip(found.images, expected.images, strict=True):
        assert np.array_equal(image.image.frames, same.image.frames)
    case = other.cases()[0]
    beside = {"zraw": "_2CH_ED.zraw", "renamed": "_2CH_ED_pixels.raw"}.get(kind)
    assert (
        any(file.endswith(beside) for file in case.files) if beside else not any("raw" in file for file in case.files)
    )
    assert not [
        finding for finding in lint(other) if finding.rule == "missing-pixels" and "sequence" not in finding.where
    ]


@pytest.mark.data
@pytest.mark.parametrize("patient", ["patient0001", "patient0002"])
def test_real_volumes_of_the_labels_are_those_stated(data_root, make, patient):
    legacy = make("camus", data_root / "camus/legacy_mhd")
    both = [case for case in legacy.cases() if case.patient == patient]
    shown = {case.name: LabelledView(case.read_labels(), case.view, case.phase, case.modality) for case in both}
    measures = measure_labels(shown)
    settings = legacy.root / patient / "Info_4CH.cfg"
    stated = dict(line.split(": ") for line in settings.read_text().splitlines())
    assert measures.end_diastolic_volume_ml == pytest.approx(float(stated["LVedv"]), rel=0.015)
    assert measures.end_systolic_volume_ml == pytest.approx(float(stated["LVesv"]), rel=0.015)
    assert measures.ejection_fraction_percent == pytest.approx(float(stated["LVef"]), abs=1)
