import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Phase, Structure, View
from cardiotrace.datasets.dataset import Recognised
from cardiotrace.datasets.echonet import Echonet
from tests.fake.echonet import ED, ES, HALF_WIDTH, write_echonet


def test_tracings_become_masks(tmp_path, make):
    write_echonet(tmp_path)
    cases = make("echonet", tmp_path).cases()
    assert [case.name for case in cases[:2]] == ["0X1A_ED", "0X1A_ES"]
    for case, frame in zip(cases[:2], (ED, ES), strict=True):
        mask = case.read_labels().mask(Structure.LV)
        assert mask.shape == case.read_image().grid_shape == (1, 1, 112, 112)
        assert mask.sum() == 60 * 2 * HALF_WIDTH[frame]
        assert case.read_image().frames.mean() == pytest.approx(20 * frame + 11.5, abs=3)


def test_the_larger_cavity_is_end_diastole(tmp_path, make):
    write_echonet(tmp_path)
    exam = make("echonet", tmp_path).exam("0X2B")
    assert exam.images[0].phases == {Phase.ED: ED, Phase.ES: ES}
    assert exam.frame_rate_hz == 50.0
    assert exam.facts == {"reference_ejection_fraction_percent": "50"}
    assert exam.images[0].image.grid_shape == (8, 1, 112, 112)


def test_official_split(tmp_path, make):
    write_echonet(tmp_path)
    (tmp_path / "Videos/0X3C.avi").unlink()
    echonet = make("echonet", tmp_path)
    split = echonet.splits()["official"]
    assert (split.training, split.validation, split.testing, split.missing) == (("0X1A",), ("0X2B",), (), ("0X3C",))
    assert len(echonet.cases()) == 4


def test_damaged_tracings(tmp_path, make):
    write_echonet(tmp_path)
    path = tmp_path / "VolumeTracings.csv"
    path.write_text(path.read_text() + "0X1A.avi,1,2,x,4,5\n")
    with pytest.raises(InputError, match=r"VolumeTracings\.csv: line 128 lacks a number"):
        make("echonet", tmp_path).cases()


def test_missing_root(tmp_path, make):
    with pytest.raises(InputError, match=r"holds no FileList\.csv"):
        make("echonet", tmp_path)


def test_pediatric_outlines_are_points_of_either_view(tmp_path, make):
    root = tmp_path / "PSAX"
    write_echonet(root, names=("CR1", "CR2"))
    corners = {ED: ((36, 20), (76, 20), (76, 80), (36, 80)), ES: ((44, 30), (68, 30), (68, 70), (44, 70))}
    rows = [f"CR1.avi,{x},{y},{frame}" for frame, points in corners.items() for x, y in points]
    rows += ["CR2.avi,40,40,No Systolic", *(f"CR2.avi,{x},{y},{ED}" for x, y in corners[ED])]
    (root / "VolumeTracings.csv").write_text("\n".join(["FileName,X,Y,Frame", *rows]) + "\n")
    echonet = make("echonet", root)
    cases = echonet.cases()
    assert [case.name for case in cases] == ["CR1_ED", "CR1_ES"]  # a single instant is neither ED nor ES
    assert {case.view for case in cases} == set(echonet.views) == {View.SAX}
    assert [int(case.read_labels().array.sum()) for case in cases] == [40 * 60, 24 * 40]
    assert echonet.exam("CR2").images[0].phases == {}


def test_a_video_is_recognised_by_its_list_alone(tmp_path):
    write_echonet(tmp_path / "echonet", names=("0X1A",))
    video = tmp_path / "echonet" / "Videos" / "0X1A.avi"
    assert Echonet.recognise(video) == Recognised(tmp_path / "echonet", ("0X1A",))
    other = video.rename(video.with_name("mine.avi"))
    assert Echonet.recognise(other) is None
    assert Echonet.recognise(video) is None
    assert Echonet.recognise(tmp_path / "echonet") is None
