import shutil

import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Structure
from cardiotrace.datasets.drive import Drive
from cardiotrace.datasets.split import patient_groups
from tests.fake.chase import write_chase
from tests.fake.drive import write_drive


@pytest.mark.parametrize("labels", ["gif", "png"])
def test_cases(tmp_path, make, labels):
    write_drive(tmp_path, labels=labels)
    drive = make("drive", tmp_path)
    first, *_, last = drive.cases()
    assert [case.name for case in drive.cases()] == ["21_training", "22_training", "23_training", "01_test", "02_test"]
    assert first.groups == {"patient": "21_training"}
    assert first.read_image().frames.shape == (1, 1, 44, 40, 3)
    rows, columns = np.mgrid[:44, :40]
    inside = np.hypot(rows - 22, columns - 20) < 18
    vessel = inside & (np.abs(columns - 20 - 5 * np.sin(rows / 6 + 2)) < 1.5)
    np.testing.assert_array_equal(last.read_labels().mask(Structure.VESSEL)[0, 0], vessel)
    np.testing.assert_array_equal(last.read_field_of_view()[0], inside)
    assert last.files == (
        "test/images/02_test.tif",
        f"test/1st_manual/02_manual1.{labels}",
        f"test/2nd_manual/02_manual2.{labels}",
        "test/mask/02_test_mask.gif",
    )


def test_two_observers_traced_the_test_half_alone(tmp_path, make):
    write_drive(tmp_path)
    training, *_, testing = make("drive", tmp_path).cases()
    assert training.read_second_labels is None
    second = testing.read_second_labels().mask(Structure.VESSEL)
    assert 0 < second.sum() < testing.read_labels().mask(Structure.VESSEL).sum()


def test_the_halves_are_the_split(tmp_path, make):
    write_drive(tmp_path)
    split = make("drive", tmp_path).splits()["official"]
    assert split.training == ("21_training", "22_training", "23_training")
    assert split.testing == ("01_test", "02_test")
    assert len(split.missing) == 35


@pytest.mark.parametrize("half", ["training", "test"])
def test_one_half_alone(tmp_path, make, half):
    write_drive(tmp_path)
    names = [name for name in make("drive", tmp_path).exams() if name.endswith(half)]
    assert make("drive", tmp_path / half).exams() == names
    assert Drive.recognise(tmp_path / half).root == tmp_path / half
    shutil.rmtree(tmp_path / ("test" if half == "training" else "training"))
    assert make("drive", tmp_path).exams() == names
    assert Drive.recognise(tmp_path).root == tmp_path


def test_a_photograph_without_its_tracing_and_the_reverse(tmp_path, make):
    write_drive(tmp_path)
    (tmp_path / "test/1st_manual/01_manual1.gif").unlink()
    (tmp_path / "test/images/02_test.tif").unlink()
    drive = make("drive", tmp_path)
    untraced = drive.cases()[-1]
    assert (untraced.name, untraced.read_labels) == ("01_test", None)
    assert [pair.name for pair in drive.pairs()][-2:] == ["01_test", "02_test"]
    assert drive.exam("02_test").images == ()


def test_exam(tmp_path, make):
    write_drive(tmp_path)
    (image,) = make("drive", tmp_path).exam("22_training").images
    assert image.image.frames.shape == (1, 1, 44, 40, 3)


def test_its_people_are_not_those_of_chase(tmp_path, make):
    write_chase(tmp_path / "chase")
    write_drive(tmp_path / "drive")
    joined = make("joined", tmp_path, parts=[{"name": "chase"}, {"name": "drive"}])
    assert len(patient_groups(joined.cases())) == 4 + 5  # both number people from 01


def test_other_folders_are_refused(tmp_path, make):
    write_chase(tmp_path)
    assert Drive.recognise(tmp_path) is None
    with pytest.raises(InputError, match="holds no DRIVE images"):
        make("drive", tmp_path)


@pytest.mark.data
def test_real_photographs(data_root, make):
    cases = make("drive", data_root / "drive").cases()
    vessels, inside = cases[0].read_labels().mask(Structure.VESSEL)[0, 0], cases[0].read_field_of_view()[0]
    assert len(cases) == 20
    assert vessels.shape == inside.shape == (584, 565)
    assert np.sqrt(inside.sum() * 4 / np.pi) == pytest.approx(540, abs=5)  # diameter as published
    assert 0.08 < vessels.sum() / inside.sum() < 0.18
    assert vessels[~inside].sum() < 0.01 * vessels.sum()
