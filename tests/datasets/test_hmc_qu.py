import numpy as np
import pytest
from scipy.io import savemat

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Phase, Structure, View
from cardiotrace.datasets.dataset import Recognised
from cardiotrace.datasets.hmc_qu import HmcQu, read_masks
from cardiotrace.io import read_image
from tests.fake.heart import apical
from tests.fake.hmc_qu import FIRST, FRAMES, LAST, SHAPE, write_hmc_qu

MASKS = "LV Ground-truth Segmentation Masks"


@pytest.fixture
def films(tmp_path, make):
    write_hmc_qu(tmp_path)
    return make("hmc-qu", tmp_path)


def test_a_case_is_the_beat_of_a_film(films):
    cases = {case.name: case for case in films.cases()}
    assert list(cases) == ["ES0001 _4CH_1", "ES0001_2CH_1", "ES0002_4CH_1", "ES0003_4CH_1"]
    assert [case.read_labels is not None for case in cases.values()] == [True, False, True, False]
    assert {name: case.view for name, case in cases.items()}["ES0001_2CH_1"] is View.TWO_CHAMBER
    case = cases["ES0002_4CH_1"]
    assert (case.phase, case.patient) == (Phase.OTHER, "ES0002")
    image = case.read_image()
    whole = read_image(films.root / "HMC-QU/A4C/ES0002_4CH_1.avi", view=View.FOUR_CHAMBER)
    assert (image.frames == whole.frames[FIRST - 1 : LAST]).all()
    assert image.times_ms.tolist() == [40.0 * frame for frame in range(LAST - FIRST + 1)]
    assert len(whole.frames) == FRAMES


def test_masks_come_back_onto_the_film(films):
    case = films.cases()[0]
    walls = case.read_labels().mask(Structure.MYO)
    assert walls.shape == case.read_image().grid_shape == (LAST - FIRST + 1, 1, *SHAPE)
    drawn = apical(SHAPE) == 2
    # The small masks are drawn half of their own pixels off.
    assert 2 * (walls[0, 0] & drawn).sum() / (walls[0, 0].sum() + drawn.sum()) > 0.85
    moved = np.roll(drawn, 3, axis=1)
    assert (walls[0, 0] & drawn).sum() > 1.1 * (walls[0, 0] & moved).sum()  # it lies where it was drawn


def test_segments_and_beats_are_facts_of_an_exam(films):
    exam = films.exam("ES0001")
    assert [image.name for image in exam.images] == ["ES0001 _4CH_1", "ES0001_2CH_1"]
    assert exam.facts["ES0001 _4CH_1 SEG1"] == "MI"
    assert exam.facts["ES0001 _4CH_1 SEG7"] == "non-MI"
    assert exam.facts["ES0001_2CH_1 beat"] == f"frames {FIRST} to {LAST}"
    assert all(image.phases == {} for image in exam.images)
    assert {case.name: case.groups["pathology"] for case in films.cases()} == {
        "ES0001 _4CH_1": "MI",
        "ES0001_2CH_1": "MI",
        "ES0002_4CH_1": "non-MI",
        "ES0003_4CH_1": "MI",
    }


def test_films_that_are_not_there_are_left_out(films, make):
    (films.root / "HMC-QU/A4C/ES0002_4CH_1.avi").unlink()
    assert "ES0002" not in make("hmc-qu", films.root).exams()


def test_a_mask_of_another_length_than_the_beat_is_refused(films):
    path = films.root / MASKS / "Mask_ES0002_4CH_1.mat"
    savemat(path, {"predicted": np.zeros((3, 8, 8), np.uint8)})
    case = next(case for case in films.cases() if case.name == "ES0002_4CH_1")
    with pytest.raises(InputError, match="has 3 frames, and the beat that the workbook names has 8"):
        case.read_labels()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"other": np.zeros((2, 4, 4))}, "holds no masks 'predicted'"),
        ({"predicted": np.zeros((4, 4))}, "holds no masks 'predicted'"),
        ({"predicted": np.full((1, 4, 4), 2)}, "other values than 0 and 1"),
        ({"predicted": np.array([[["a"]]], object)}, "holds no masks"),
    ],
)
def test_files_without_masks_are_refused(tmp_path, values, message):
    savemat(tmp_path / "mask.mat", values)
    with pytest.raises(InputError, match=message):
        read_masks(tmp_path / "mask.mat")


def test_damaged_masks_are_refused(tmp_path):
    path = tmp_path / "mask.mat"
    savemat(path, {"predicted": np.zeros((9, 40, 40), np.uint8)}, do_compression=True)
    whole = path.read_bytes()
    for content in (b"", whole[:150], whole[:-20], b"\x89HDF\r\n\x1a\n" + bytes(600)):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"mask\.mat: "):
            read_masks(path)


def test_a_film_is_recognised_by_where_it_lies(films):
    film = films.root / "HMC-QU/A4C/ES0001 _4CH_1.avi"
    assert HmcQu.recognise(film) == Recognised(films.root, ("ES0001",))
    (films.root / "A4C.xlsx").unlink()
    assert HmcQu.recognise(film) is None
