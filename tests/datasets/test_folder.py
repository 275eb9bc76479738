import json
import shutil

import numpy as np
import pytest
from PIL import Image

from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.label import ACDC, LV_ONLY, LabelMap
from cardiotrace.core.terms import Modality, Phase, Structure, View
from cardiotrace.datasets.lint import lint
from cardiotrace.datasets.packed import Packing, packed
from cardiotrace.datasets.sunnybrook_dicom import read_outline
from cardiotrace.geometry.polygon import fill_polygon
from cardiotrace.io import read_image
from cardiotrace.io.dicom.derived import write_object
from cardiotrace.io.dicom.header import unwarned
from cardiotrace.io.dicom.segmentation import Author, segmentation_of
from cardiotrace.preprocessing import Preprocessing
from tests.fake.chase import write_chase
from tests.fake.dicom_exam import MADE, film, without_frame, write_stack, write_ultrasound
from tests.fake.heart import apical, heart_image, set_spacing, short_axis, write_nifti
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


def outlined(image, labels, path):
    """Label values of an image as a segmentation in DICOM."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with unwarned():  # of identifiers that begin a part with a zero, as some anonymisers make them
        made = segmentation_of(labels, image.source.header, author=Author("somebody"), made=MADE, name="outlines")
        write_object(made, path)


def into(folder, path, name):
    """The file in a folder, under another name."""
    folder.mkdir(parents=True, exist_ok=True)
    return path.rename(folder / name)


@pytest.fixture
def films(tmp_path):
    """A film of four instants in DICOM of each of two patients, with the outlines of all instants in DICOM."""
    for name in ("ann_A4C", "bob_A4C"):
        path = into(tmp_path / "images", write_ultrasound(tmp_path, study=name), f"{name}.dcm")
        exam, labels = film(path)
        outlined(exam.images[0].image, labels["A4C"], tmp_path / "labels" / f"{name}_gt.dcm")
    return tmp_path


OF_FILMS = {"scheme": "camus", "label_ending": "_gt", "view": "A4C", "patient_pattern": "([a-z]+)_"}


def test_dicom_films_with_dicom_segmentations(films, make):
    folder = make("folder", films, **OF_FILMS)
    ann, bob = folder.cases()
    image, labels = bob.read_image(), bob.read_labels()
    _, expected = film(films / "images" / "bob_A4C.dcm")
    np.testing.assert_array_equal(labels.array, expected["A4C"].array)
    assert (ann.patient, image.modality, labels.spacing_mm) == ("ann", Modality.US, image.spacing_mm)
    assert image.spacing_mm == (1.0, 2.5, 2.5)
    assert bob.files == ("images/bob_A4C.dcm", "labels/bob_A4C_gt.dcm")
    assert bob.read_stored_labels().array.shape == image.grid_shape
    assert {finding.rule for finding in lint(folder)} == {"duplicate-image"}  # both show the same heart
    assert [image.name for image in folder.exam("ann").images] == ["ann_A4C"]


def test_a_training_reads_them(films, make, tmp_path):
    """The packed cache, which a recipe trains on, holds each instant with its labels."""
    folder = make("folder", films, **OF_FILMS)
    data = packed(folder.cases(), Packing(films, folder.scheme, Preprocessing([])), cache=tmp_path / "cache")
    assert len(data) == 8


def test_outlines_of_another_image_are_refused_and_belong_to_no_data_set_by_chance(films, make):
    (films / "labels" / "ann_A4C_gt.dcm").replace(films / "labels" / "bob_A4C_gt.dcm")
    (_, bob) = make("folder", films, **OF_FILMS).cases()
    with pytest.raises(InputError, match="is a segmentation of another image"):
        bob.read_labels()
    with pytest.raises(InputError, match="segmentation of an image, and none itself"):
        read_image(films / "labels" / "bob_A4C_gt.dcm")


def test_instants_that_nobody_outlined_are_not_taken_for_empty_ones(films, make):
    exam, labels = film(films / "images" / "ann_A4C.dcm")
    some = without_frame(exam, labels, 2)["A4C"]
    outlined(exam.images[0].image, some, films / "labels" / "ann_A4C_gt.dcm")
    with pytest.raises(InputError, match="outlines 3 of the 4 instants of its image"):
        make("folder", films, **OF_FILMS).cases()[0].read_labels()


def test_structures_that_the_scheme_lacks_are_said(films, make):
    case = make("folder", films, **OF_FILMS | {"scheme": "lv"}).cases()[0]
    assert {*np.unique(case.read_labels().array)} == {0, 1}
    assert len(case.read_labels().notes) == 2


def test_a_second_observer_may_outline_in_dicom(films, make):
    shutil.copytree(films / "labels", films / "second")
    case = make("folder", films, second_labels="second", **OF_FILMS).cases()[0]
    np.testing.assert_array_equal(case.read_second_labels().array, case.read_labels().array)


@pytest.mark.parametrize("suffix", [".dcm", ".png", ".nii.gz"])
def test_planes_of_mri_in_dicom_with_masks_of_three_formats(tmp_path, make, suffix):
    paths = write_stack(tmp_path / "study", depth=4)
    path = into(tmp_path / "images", paths[1], "ann.dcm")
    mask = tmp_path / "labels" / f"ann{suffix}"
    expected = short_axis(4, (40, 48))[1]
    if suffix == ".dcm":
        image = read_image(path, view=View.SAX)
        outlined(image, LabelMap(expected[None, None], ACDC, image.geometry, image.source), mask)
    elif suffix == ".png":
        mask.parent.mkdir()
        Image.fromarray(expected).save(mask)
    else:
        write_nifti(mask, expected, (1.5, 1.5))
    (case,) = make("folder", tmp_path, scheme="acdc", view="SAX", modality="MR").cases()
    image, labels = case.read_image(), case.read_labels()
    np.testing.assert_array_equal(labels.array[0, 0], expected)
    assert image.grid_shape == labels.array.shape == (1, 1, 40, 48)
    assert image.spacing_mm[1:] == labels.spacing_mm[1:] == (1.5, 1.5)


@pytest.mark.data
def test_a_plane_of_a_real_stack_with_outlines_in_dicom(data_root, tmp_path, make):
    """A plane of Sunnybrook, whose outline in pixels becomes a segmentation, and a mask again."""
    root = data_root / "sunnybrook_dicom"
    (tmp_path / "images").mkdir()
    shutil.copy(root / "SCD0000101" / "59.dcm", tmp_path / "images" / "patient.dcm")
    image = read_image(tmp_path / "images" / "patient.dcm", view=View.SAX)
    outline = root / "contours/SC-HF-I-1/i-contours/IM-0001-0059-icontour-manual.txt"
    inside = fill_polygon(read_outline(outline)[:, ::-1] - 0.5, image.grid_shape[2:])
    labels = LabelMap(inside[None, None].astype(np.uint8), LV_ONLY, image.geometry, image.source)
    outlined(image, labels, tmp_path / "labels" / "patient.dcm")
    (case,) = make("folder", tmp_path, scheme="lv", view="SAX", modality="MR").cases()
    np.testing.assert_array_equal(case.read_labels().array, labels.array)
    # The cavity of this patient, whose heart is failing, is some 40 to 70 mm across.
    across_mm = 2 * np.sqrt(labels.array.sum() * image.spacing_mm[1] * image.spacing_mm[2] / np.pi)
    assert 40 < across_mm < 70
