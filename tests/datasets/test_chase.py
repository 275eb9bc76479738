import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Structure
from cardiotrace.datasets.split import k_folds, patient_groups
from tests.fake.chase import write_chase


def test_cases(tmp_path, make):
    write_chase(tmp_path)
    chase = make("chase", tmp_path)
    cases = chase.cases()
    assert [case.name for case in cases[:2]] == ["Image_01L", "Image_01R"]
    assert cases[1].groups == {"patient": "01", "eye": "R"}
    assert cases[0].read_image().frames.shape == (1, 1, 40, 48, 3)
    assert chase.channels == 3
    rows, columns = np.mgrid[:40, :48]
    vessel = (np.hypot(rows - 20, columns - 24) < 19) & (np.abs(rows - 20 - 6 * np.sin(columns / 6 + 1)) < 1.5)
    assert np.array_equal(cases[0].read_labels().mask(Structure.VESSEL)[0, 0], vessel)


def test_both_eyes_stay_together(tmp_path, make):
    write_chase(tmp_path)
    groups = patient_groups(make("chase", tmp_path).cases())
    assert sorted(groups) == ["01", "02", "03", "11"]
    assert len(k_folds(groups, folds=4)) == 4


def test_observers_differ(tmp_path, make):
    write_chase(tmp_path)
    first, second = (make("chase", tmp_path, observer=observer).cases()[0].read_labels() for observer in (1, 2))
    assert second.mask(Structure.VESSEL).sum() < first.mask(Structure.VESSEL).sum()


def test_the_other_observer_stands_beside_the_reference(tmp_path, make):
    write_chase(tmp_path)
    by_first, by_second = (make("chase", tmp_path, observer=observer).cases()[0] for observer in (1, 2))
    np.testing.assert_array_equal(by_first.read_second_labels().array, by_second.read_labels().array)
    np.testing.assert_array_equal(by_second.read_second_labels().array, by_first.read_labels().array)


def test_field_of_view(tmp_path, make):
    write_chase(tmp_path)
    case = make("chase", tmp_path).cases()[0]
    inside = case.read_field_of_view()
    assert inside.shape == (1, 40, 48)
    assert case.files[-1] == "masks/mask_01L.png"
    assert inside.mean() == pytest.approx(np.pi * 19**2 / (40 * 48), rel=0.02)


def test_flat_folder(tmp_path, make):
    write_chase(tmp_path, flat=True)
    chase = make("chase", tmp_path)
    assert len(chase.cases()) == 8
    assert chase.cases()[0].read_labels is not None
    assert chase.cases()[0].read_field_of_view is None
    assert chase.cases()[0].read_second_labels is not None


def test_both_splits_in_use(tmp_path, make):
    write_chase(tmp_path)
    splits = make("chase", tmp_path).splits()
    assert splits["train20"].training == ("01", "02", "03")
    assert splits["train20"].testing == ("11",)
    assert splits["train8"].testing == ("11",)
    assert len(splits["train8"].missing) == 10


def test_exam_holds_both_eyes(tmp_path, make):
    write_chase(tmp_path)
    assert [image.name for image in make("chase", tmp_path).exam("02").images] == ["Image_02L", "Image_02R"]


def test_missing_root(tmp_path, make):
    with pytest.raises(InputError, match="holds no CHASE_DB1 images"):
        make("chase", tmp_path)


@pytest.mark.data
def test_real_photographs(data_root, make):
    chase = make("chase", data_root / "chase_db1")
    case = chase.cases()[0]
    vessels, inside = case.read_labels().mask(Structure.VESSEL)[0, 0], case.read_field_of_view()[0]
    assert len(chase.cases()) == 20
    assert vessels.shape == inside.shape == (960, 999)
    assert 0.05 < vessels.sum() / inside.sum() < 0.15
    assert vessels[~inside].sum() < 0.01 * vessels.sum()
