"""Which part of an ultrasound picture is used, and how large its pixels are."""

import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.io import read_image
from tests.fake.ultrasound import COLUMNS, ROWS, pixels, region, ultrasound, write


def read(tmp_path, *regions, **elements):
    return read_image(write(tmp_path / "IM1", ultrasound(regions=regions, **elements)))


def test_the_region_measures_and_masks(tmp_path):
    image = read(tmp_path, region((10, 5, 49, 34), (0.05, 0.04)))
    assert image.spacing_mm == (1.0, 0.4, 0.5)  # height from y, width from x, centimetres to millimetres
    inside = np.zeros((ROWS, COLUMNS), bool)
    inside[5:35, 10:50] = True
    assert np.array_equal(image.frames[:, 0][:, inside], pixels()[:, inside])
    assert not image.frames[:, 0][:, ~inside].any()
    assert image.acquisition.region == (5, 10, 35, 50)  # for whoever measures in it
    whole = (0, 0, COLUMNS - 1, ROWS - 1)
    assert read(tmp_path, region(whole, (0.05, 0.04))).acquisition.region is None


def test_the_largest_region_of_tissue_counts_and_not_the_first(tmp_path):
    ecg = region((0, 36, 59, 39), (0.01, 0.0), units=(4, 0), spatial=4, kind=10)
    inset, whole = region((0, 0, 9, 9), (0.5, 0.5)), region((10, 5, 49, 34), (0.05, 0.05))
    assert read(tmp_path, ecg, inset, whole).spacing_mm == (1.0, 0.5, 0.5)


def test_a_box_of_colour_flow_within_the_tissue_is_no_second_picture(tmp_path):
    box = region((12, 6, 45, 33), (0.05, 0.04), kind=2)
    assert read(tmp_path, region(), box).spacing_mm == (1.0, 0.4, 0.5)


def test_two_pictures_side_by_side_are_asked_about(tmp_path):
    with pytest.raises(InputError, match=r"2 pictures side by side .*\n.*export each"):
        read(tmp_path, region((0, 0, 28, 39)), region((30, 0, 59, 39)))


def without_edges():
    made = region()
    del made.RegionLocationMaxX1
    return made


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (region(spatial=2), "shows M-mode"),
        (region(spatial=3), "shows a spectrum"),
        (region(kind=3), "shows a region of something else"),
        (region(spatial=0), "shows a region of no known kind"),
        (region((49, 34, 10, 5)), r"shows a region whose edges are reversed \(49,34 to 10,5\)"),
        (region((10, 34, 49, 5)), r"shows a region whose edges are reversed \(10,34 to 49,5\)"),
        (without_edges(), "shows a region that states no edges"),
    ],
)
def test_what_is_no_flat_picture_is_refused(tmp_path, made, words):
    with pytest.raises(InputError, match=f"{words}, no two-dimensional picture of tissue"):
        read(tmp_path, made)


@pytest.mark.parametrize("box", [(84, 31, 595, 414), (10, 5, 59, 79), (70, 5, 90, 20)])
def test_a_region_larger_than_the_picture_measures_nothing(tmp_path, box):
    image = read(tmp_path, region(box))
    assert image.spacing_mm is None
    assert "larger than the picture (60 x 40)" in image.geometry.doubts[0]
    assert np.array_equal(image.frames[:, 0], pixels())


def test_a_box_that_ends_on_the_first_pixel_outside_is_cut(tmp_path):
    assert read(tmp_path, region((10, 5, COLUMNS, ROWS))).spacing_mm == (1.0, 0.4, 0.5)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (region(units=(4, 4)), "not in centimetres"),
        (region(units=(3, 1)), "not in centimetres"),
        (region(delta=(0.0, 0.04)), "none that can be"),
        (region(delta=(0.05, 900.0)), "none that can be"),
    ],
)
def test_a_size_that_is_none_is_unknown_and_still_masks(tmp_path, made, words):
    image = read(tmp_path, made)
    assert image.spacing_mm is None
    assert words in " ".join(image.notes)
    assert "--spacing-mm" in " ".join(image.notes)
    assert not image.frames[:, 0, :5].any()


def test_deltas_that_run_upwards_are_sizes_all_the_same(tmp_path):
    assert read(tmp_path, region(delta=(0.05, -0.04))).spacing_mm == (1.0, 0.4, 0.5)


def test_regions_of_one_picture_that_contradict_each_other_measure_nothing(tmp_path):
    image = read(tmp_path, region(), region(delta=(0.1, 0.1)))
    assert image.spacing_mm is None
    assert "a pixel is 0.4 x 0.5 mm and 1 x 1 mm: its size is unknown" in image.geometry.doubts[0]
    assert not image.frames[:, 0, :5].any()


def test_a_region_deeper_than_any_body_has_another_unit(tmp_path):
    assert read(tmp_path, region(delta=(1.6, 1.6))).spacing_mm == (1.0, 16.0, 16.0)  # 480 mm
    image = read(tmp_path, region(delta=(1.7, 1.7)))  # 510 mm
    assert image.spacing_mm is None
    assert "none that can be" in " ".join(image.notes)


def test_a_pixel_spacing_that_contradicts_the_region_is_told(tmp_path):
    image = read(tmp_path, region(), PixelSpacing=["0.8", "1.0"])
    assert image.spacing_mm == (1.0, 0.4, 0.5)
    assert "PixelSpacing says 0.8 x 1 mm" in " ".join(image.notes)
    assert "PixelSpacing" not in " ".join(read(tmp_path, region(), PixelSpacing=["0.4", "0.5"]).notes)


def test_without_a_region_the_pixel_spacing_counts(tmp_path):
    image = read(tmp_path, PixelSpacing=["0.3", "0.2"])
    assert image.spacing_mm == (1.0, 0.3, 0.2)
    assert "nothing is masked" in " ".join(image.notes)


def test_without_region_and_spacing_the_size_is_unknown(tmp_path):
    image = read(tmp_path)
    assert image.spacing_mm is None
    assert "neither a region of tissue nor a pixel size" in " ".join(image.notes)


def test_pixels_of_unknown_size_that_are_no_squares_are_told(tmp_path):
    assert "no squares (1 : 2)" in read(tmp_path, PixelAspectRatio=["1", "2"]).geometry.doubts[0]
    assert not read(tmp_path, PixelAspectRatio=["3", "3"]).geometry.doubts


def test_a_given_size_counts_over_all(tmp_path):
    path = write(tmp_path / "IM1", ultrasound(regions=[region((84, 31, 595, 414))]))
    assert read_image(path, spacing_mm=(None, 0.7, 0.6)).spacing_mm == (1.0, 0.7, 0.6)
