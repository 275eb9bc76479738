import json

import numpy as np
import pytest
from PIL import Image

from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.terms import Phase, Structure, View
from cardiotrace.datasets.lint import lint
from tests.fake.chase import write_chase
from tests.fake.heart import apical, heart_image, set_spacing, write_nifti
from tests.fake.order import FLIP_X, SWAP_XY, reorder


@pytest.fixture
def images(tmp_path):
    """Grey PNGs of two patients, masks of 0 and 255 under the same names."""
    rng = np.random.default_rng(0)
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    for stem in ("ann_ED", "ann_ES", "bob_ED"):
        labels = apical()
        Image.fromarray(heart_image(labels, rng)).save(tmp_path / "images" / f"{stem}.png")
        Image.fromarray((labels == 1).astype(np.uint8) * 255).save(tmp_path / "labels" / f"{stem}.png")
    return tmp_path


def test_masks_of_255_with_a_mapping(images, make):
    folder = make(
        "folder", images, values={"LV": 255}, view="A4C", patient_pattern="([a-z]+)_", spacing_mm=[1, 0.3, 0.3]
    )
    cases = folder.cases()
    assert [case.name for case in cases] == ["ann_ED", "ann_ES", "bob_ED"]
    assert [case.phase for case in cases] == [Phase.ED, Phase.ES, Phase.ED]
    assert folder.exams() == ["ann", "bob"]
    assert folder.views == (View.FOUR_CHAMBER,)
    labels = cases[0].read_labels()
    assert labels.mask(Structure.LV).sum() == (apical() == 1).sum()
    assert labels.spacing_mm == cases[0].read_image().spacing_mm == (1.0, 0.3, 0.3)
    assert folder.exam("ann").images[1].phases == {Phase.ES: 0}


def test_wrong_scheme_is_told_by_the_reader(images, make):
    case = make("folder", images, scheme="lv").cases()[0]
    with pytest.raises(InputError, match=r"label values \[255\] are not in scheme lv"):
        case.read_labels()


def test_labels_beside_the_images(tmp_path, make):
    write_chase(tmp_path, subjects=(1, 2), flat=True)
    folder = make(
        "folder", tmp_path, images=".", labels=".", label_ending="_1stHO", scheme="vessel255", channels=3,
        patient_pattern=r"Image_(\d+)",
    )  # fmt: skip
    names = [case.name for case in folder.cases() if case.read_labels is not None]
    assert names == ["Image_01L", "Image_01R", "Image_02L", "Image_02R"]
    assert folder.cases()[0].patient == "01"


def test_nifti_files(tmp_path, make):
    labels = apical()
    write_nifti(tmp_path / "images/a.nii.gz", labels * 50, (0.3, 0.3))
    write_nifti(tmp_path / "labels/a.nii.gz", labels, (0.3, 0.3))
    case = make("folder", tmp_path, scheme="camus").cases()[0]
    assert case.name == "a"
    assert (case.read_labels().array[0, 0] == labels).all()


def test_user_split(images, make):
    options = {"values": {"LV": 255}, "patient_pattern": "([a-z]+)_", "splits": ["mine.json"]}
    (images / "mine.json").write_text(json.dumps({"training": ["ann"], "testing": ["bob"]}))
    assert make("folder", images, **options).splits()["mine"].testing == ("bob",)
    (images / "mine.json").write_text(json.dumps({"training": ["ann"], "testing": ["carl"]}))
    with pytest.raises(InputError, match=r"mine\.json: patient 'carl' of the split is not in the data set"):
        make("folder", images, **options).splits()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either `scheme` or `values`"),
        ({"scheme": "nothing"}, "there is no 'nothing'"),
        ({"scheme": "lv", "patient_pattern": "("}, "patient_pattern"),
        ({"scheme": "lv", "patient_pattern": "abc"}, "needs a group"),
    ],
)
def test_bad_options(images, make, options, message):
    with pytest.raises(ConfigError, match=message):
        make("folder", images, **options)


def test_unknown_structure(images, make):
    with pytest.raises(InputError, match="unknown structure 'HEART'"):
        _ = make("folder", images, values={"HEART": 1}).scheme


def test_missing_images(tmp_path, make):
    with pytest.raises(InputError, match="images: holds no images"):
        make("folder", tmp_path, scheme="lv")


def test_fields_of_view_and_a_second_observer(tmp_path, make):
    write_chase(tmp_path, subjects=(1,))
    (tmp_path / "masks").rename(tmp_path / "inside")
    for path in (tmp_path / "inside").iterdir():
        path.rename(path.with_name(path.name.replace("mask_", "Image_")))
    for path in (tmp_path / "labels2").iterdir():
        path.rename(path.with_name(path.name.replace("_2ndHO", "_1stHO")))
    options = {"scheme": "vessel255", "channels": 3, "label_ending": "_1stHO", "labels": "labels1"}
    case = make("folder", tmp_path, **options, fields_of_view="inside", second_labels="labels2").cases()[0]
    assert case.read_field_of_view().mean() == pytest.approx(np.pi * 19**2 / (40 * 48), rel=0.02)
    # The second observer of the fake leaves out what lies left of column 13.
    first, second = case.read_labels().array, case.read_second_labels().array
    assert np.array_equal(second, first * (np.arange(48) > 12))
    assert (first[..., :13] > 0).any()
    assert case.files[2:] == ("labels2/Image_01L_1stHO.png", "inside/Image_01L.png")
    alone = make("folder", tmp_path, **options).cases()[0]
    assert alone.read_field_of_view is None
    assert alone.read_second_labels is None


def coloured(folder, stem, box):
    """An image with a red box of so many rows."""
    frame = np.stack([heart_image(apical(), np.random.default_rng(0))] * 3, axis=-1)
    frame[:box, :24] = (230, 30, 10)
    Image.fromarray(frame).save(folder / "images" / f"{stem}.png")


@pytest.mark.parametrize(
    ("options", "channels"),
    [({}, 3), ({"view": "A4C"}, 1), ({"view": "FUNDUS"}, 3), ({"channels": 1}, 1), ({"modality": "US"}, 1)],
)
def test_channels_follow_from_the_data_or_are_said(images, make, options, channels):
    for stem in ("ann_ED", "ann_ES", "bob_ED"):
        coloured(images, stem, 20)
    folder = make("folder", images, values={"LV": 255}, **options)
    assert folder.channels == channels
    assert [case.read_image().is_colour for case in folder.cases()] == [channels == 3] * 3
    assert folder.exam("ann_ED").images[0].image.is_colour == (channels == 3)


def test_a_few_coloured_pixels_do_not_make_a_colour_data_set(images, make):
    coloured(images, "ann_ES", 1)
    folder = make("folder", images, values={"LV": 255})
    assert folder.channels == 1
    assert not any(case.read_image().is_colour for case in folder.cases())


def test_some_in_colour_and_some_not_is_said_at_the_start(images, make):
    coloured(images, "bob_ED", 20)
    folder = make("folder", images, values={"LV": 255})
    with pytest.raises(InputError, match=r"bob_ED\.png is in colour and ann_ED\.png is not"):
        _ = folder.channels
    wide = make("folder", images, values={"LV": 255}, channels=3)
    assert {case.read_image().frames.shape[-1] for case in wide.cases()} == {3}


def test_an_image_that_cannot_be_read_is_told_with_its_case(images, make):
    (images / "images" / "ann_ED.png").write_bytes(b"nothing")
    folder = make("folder", images, values={"LV": 255})
    assert folder.channels == 1
    with pytest.raises(InputError, match="not an image file"):
        folder.cases()[0].read_image()


def test_netpbm_images_are_found(images, make):
    for stem in ("ann_ED", "ann_ES", "bob_ED"):
        with Image.open(images / "images" / f"{stem}.png") as image:
            image.save(images / "images" / f"{stem}.ppm")
        (images / "images" / f"{stem}.png").unlink()
    assert len(make("folder", images, values={"LV": 255}).cases()) == 3


def test_masks_observers_and_fields_of_view_come_in_the_images_voxel_order(tmp_path, make):
    labels, inside = apical(), np.zeros((40, 48), np.uint8)
    inside[:, :20] = 255
    for folder, array in (("images", labels * 50), ("labels", labels), ("second", labels), ("fields_of_view", inside)):
        write_nifti(tmp_path / folder / "a.nii.gz", array, (0.3, 0.4))
        if folder != "images":
            reorder(tmp_path / folder / "a.nii.gz", FLIP_X if folder != "second" else SWAP_XY)
    (case,) = make("folder", tmp_path, scheme="camus", view="A4C", second_labels="second").cases()
    np.testing.assert_array_equal(case.read_labels().array[0, 0], labels)
    np.testing.assert_array_equal(case.read_second_labels().array[0, 0], labels)
    np.testing.assert_array_equal(case.read_field_of_view()[0], inside > 0)
    np.testing.assert_array_equal(case.read_stored_labels().array[0, 0], labels[:, ::-1])
    assert case.read_grid().shape == case.read_image().grid_shape


def test_sizes_that_are_given_mend_headers_of_images_and_masks(tmp_path, make):
    for folder in ("images", "labels"):
        write_nifti(tmp_path / folder / "a.nii.gz", apical(), (0.3, 0.4))
        set_spacing(tmp_path / folder / "a.nii.gz", (-0.4, 0.0))
    (case,) = make("folder", tmp_path, scheme="camus", view="A4C", spacing_mm=[1, 0.3, 0.4]).cases()
    assert case.read_labels().spacing_mm == case.read_image().spacing_mm == (1.0, 0.3, 0.4)


def test_two_files_of_one_name_are_not_told_apart_by_chance(images, make):
    (images / "labels" / "ann_ED.bmp").write_bytes(b"BM")
    with pytest.raises(InputError, match=r"ann_ED\.bmp and ann_ED\.png have one name"):
        make("folder", images, values={"LV": 255}).cases()


def test_files_that_nothing_reads_are_told(images, make):
    (images / "images" / "cat.xyz").write_bytes(b"a cat")
    (images / "images" / "more").mkdir()
    (images / "labels" / ".hidden").write_text("")
    found = [finding for finding in lint(make("folder", images, values={"LV": 255})) if finding.rule == "unused-file"]
    assert [finding.what for finding in found] == [
        "2 of its files are not read: images/cat.xyz: no format is known by its suffix, images/more: a folder"
    ]
