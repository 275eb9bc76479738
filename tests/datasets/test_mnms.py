import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Patient
from cardiotrace.core.terms import Phase, Structure, View
from cardiotrace.datasets.split import leave_one_group_out, patient_groups
from tests.fake.mnms import ED, ES, write_mnms, write_mnms2, write_mnms_stills


def test_videos_yield_the_two_traced_frames(tmp_path, make):
    write_mnms(tmp_path)
    cases = {case.name: case for case in make("mnms", tmp_path).cases()}
    assert len(cases) == 8
    case = cases["A0S9V9_sa_ED"]
    assert case.groups == {"patient": "A0S9V9", "vendor": "A", "centre": "1", "pathology": "HCM", "sex": "M"}
    labels = case.read_labels()
    assert labels.array.shape == case.read_image().grid_shape == (1, 4, 40, 48)
    assert labels.array[0, 0, 20, 29] == labels.scheme.value(Structure.LV) == 1
    small = cases["A0S9V9_sa_ES"].read_labels()
    assert labels.mask(Structure.LV).sum() > 1.5 * small.mask(Structure.LV).sum()


def test_unlabelled_patients(tmp_path, make):
    write_mnms(tmp_path)
    mnms = make("mnms", tmp_path)
    unlabelled = [case for case in mnms.cases() if case.read_labels is None]
    assert {case.patient for case in unlabelled} == {"A3H5R1"}
    assert next(pair.labels for pair in mnms.pairs() if pair.name == "A3H5R1_sa") is None


def test_leave_one_vendor_out(tmp_path, make):
    write_mnms(tmp_path)
    splits = leave_one_group_out(patient_groups(make("mnms", tmp_path).cases()), "vendor")
    assert splits["D"].testing == ("B0H7V0",)
    assert splits["D"].training == ("A0S9V9", "A1D9Z7", "A3H5R1")


def test_official_split_is_of_labelled_patients(tmp_path, make):
    write_mnms(tmp_path)
    split = make("mnms", tmp_path).splits()["official"]
    assert split.training == ("A0S9V9", "A1D9Z7")
    assert split.testing == ("B0H7V0",)


def test_exam_of_a_video(tmp_path, make):
    write_mnms(tmp_path)
    exam = make("mnms", tmp_path).exam("A1D9Z7")
    assert exam.patient == Patient("M", 47.0, 181.0, 93.0)
    assert exam.images[0].phases == {Phase.ED: ED, Phase.ES: ES}
    assert exam.images[0].image.grid_shape == (6, 4, 40, 48)


def test_a_frame_number_beyond_the_video(tmp_path, make):
    write_mnms(tmp_path)
    table = next(tmp_path.glob("*.csv"))
    table.write_text(table.read_text().replace(f",{ED},{ES},", f",40,{ES},"))
    case = make("mnms", tmp_path).cases()[0]
    with pytest.raises(InputError, match=r"frame 40 is asked for, counted from 0, and the file has 6"):
        case.read_image()


def test_stills(tmp_path, make):
    write_mnms_stills(tmp_path)
    mnms = make("mnms", tmp_path)
    cases = mnms.cases()
    assert [(case.name, case.phase) for case in cases] == [("A0S9V9_sa_ED", Phase.ED), ("A0S9V9_sa_ES", Phase.ES)]
    assert all(case.read_labels is None for case in cases)
    assert cases[0].groups["vendor"] == "A"
    assert mnms.exam("A0S9V9").images[1].phases == {Phase.ES: 0}
    assert make("mnms", tmp_path / "unlabelled/A0S9V9").cases()[0].groups["centre"] == "1"


def test_mnms2(tmp_path, make):
    write_mnms2(tmp_path)
    mnms2 = make("mnms2", tmp_path)
    cases = {case.name: case for case in mnms2.cases()}
    assert len(cases) == 16
    case = cases["001_LA_ES"]
    assert case.view is View.FOUR_CHAMBER
    assert case.groups["vendor"] == "SIEMENS"
    assert case.read_labels().array.shape == (1, 1, 40, 48)
    assert mnms2.splits()["official"].training == ("001", "002")
    assert mnms2.splits()["official"].validation == ("161",)
    exam = mnms2.exam("001")
    assert {image.name for image in exam.images} >= {"001_SA_CINE", "001_LA_CINE", "001_SA_ED"}


def test_mnms2_short_axis_only(tmp_path, make):
    write_mnms2(tmp_path)
    mnms2 = make("mnms2", tmp_path / "dataset/001", axes=["SA"])
    assert mnms2.views == (View.SAX,)
    assert [case.name for case in mnms2.cases()] == ["001_SA_ED", "001_SA_ES"]


@pytest.mark.parametrize(("name", "what"), [("mnms", "M&Ms patients"), ("mnms2", "M&Ms-2 patients")])
def test_missing_root(tmp_path, make, name, what):
    with pytest.raises(InputError, match=f"holds no {what}"):
        make(name, tmp_path)


@pytest.mark.data
def test_real_label_order_is_not_that_of_acdc(data_root, make):
    case = make("mnms2", data_root / "mnms2").cases()[0]
    labels = case.read_labels()
    centre = np.argwhere(labels.mask(Structure.MYO)).mean(axis=0)
    distance = {
        name: np.linalg.norm(np.argwhere(labels.mask(name)).mean(axis=0) - centre)
        for name in (Structure.LV, Structure.RV)
    }
    assert distance[Structure.LV] < 0.2 * distance[Structure.RV]


def test_a_short_axis_video_of_three_axes_is_one_stack(tmp_path, make):
    write_mnms2(tmp_path, patients=(1,))
    folder = tmp_path / "dataset" / "001"
    (folder / "001_SA_CINE.nii.gz").write_bytes((folder / "001_SA_ED.nii.gz").read_bytes())
    images = {item.name: item.image for item in make("mnms2", tmp_path).exam("001").images}
    assert images["001_SA_CINE"].grid_shape == (1, 4, 40, 48)
    assert images["001_LA_CINE"].grid_shape == (3, 1, 40, 48)
