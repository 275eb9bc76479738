import numpy as np
import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.geometry.resample import AxisMap
from cardiotrace.preprocessing import STEPS, Preprocessing
from cardiotrace.preprocessing.step import CropOrPad, Resample, Resize


def axes(rows, columns):
    return AxisMap.resize(rows, rows), AxisMap.resize(columns, columns)


def test_resample_brings_pixels_to_their_size():
    rows, columns = Resample(height_mm=1.5, width_mm=1.0).place(*axes(30, 20), (1.0, 2.0))
    assert (rows.target_size, columns.target_size) == (20, 40)
    assert (rows.scale, columns.scale) == (1.5, 0.5)
    assert (rows.offset, columns.offset) == (0.0, 0.0)


def test_resample_keeps_the_middle_where_sizes_do_not_divide():
    rows, _ = Resample(height_mm=4.0, width_mm=1.0).place(*axes(10, 5), (1.0, 1.0))
    assert rows.target_size == 2
    assert rows.offset == 1.0


def test_resample_never_leaves_nothing():
    rows, columns = Resample(height_mm=50.0, width_mm=50.0).place(*axes(10, 10), (1.0, 1.0))
    assert (rows.target_size, columns.target_size) == (1, 1)


def test_resample_needs_the_size_of_pixels():
    with pytest.raises(InputError, match="pixel size is unknown"):
        Resample().place(*axes(10, 10), None)


def test_crop_or_pad_moves_by_whole_pixels():
    rows, columns = CropOrPad(height=4, width=14).place(*axes(10, 10), None)
    assert (rows.scale, rows.offset, rows.target_size) == (1.0, 3.0, 4)
    assert (columns.scale, columns.offset, columns.target_size) == (1.0, -2.0, 14)


def test_resize_stretches():
    rows, columns = Resize(height=5, width=20).place(*axes(10, 10), (3.0, 0.1))
    assert (rows.scale, columns.scale) == (2.0, 0.5)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resize", {"height": 0}, "sides must be 1 to 16384 pixels"),
        ("resample", {"height_mm": -1.0}, "pixel size must be positive"),
        ("crop-or-pad", {"width": 0}, "sides must be 1 to 16384 pixels"),
        ("pad-to-multiple", {"multiple": 0}, "multiple must be at least 1"),
        ("clahe", {"limit": 0.5}, "tiles and limit must be at least 1"),
        ("multiply", {"factor": 0.0}, "factor must not be 0"),
        ("z-score", {"epsilon": -1.0}, "epsilon must be positive"),
        ("min-max", {"low": 1.0, "high": 1.0}, "low must be below high"),
    ],
)
def test_impossible_steps_are_refused(name, options, message):
    with pytest.raises(ConfigError, match=message):
        STEPS.make(Choice(name, options), path="preprocessing[0]")


@pytest.mark.parametrize(("side", "target", "offset"), [(960, 960, 0), (999, 1024, -12), (33, 64, -15)])
def test_padding_to_a_multiple_moves_by_whole_pixels_and_is_restored(side, target, offset):
    prepare = Preprocessing([Choice("pad-to-multiple", {"multiple": 32})])
    placement = prepare.place((side, 40), None)
    assert placement.shape == (target, 64)
    assert placement.rows.offset == offset
    plane = np.random.default_rng(0).integers(0, 256, (side, 40), dtype=np.uint8)
    moved = prepare.move(plane, placement)
    assert moved.sum() == plane.sum()
    probabilities = np.stack([1 - moved[0] / 255, moved[0] / 255]).astype(np.float32)
    assert np.allclose(placement.restore(probabilities)[1], plane / 255, atol=1e-6)


def test_one_channel_is_kept():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    prepare = Preprocessing([Choice("multiply", {"factor": 255.0}), Choice("channel", {"colour": "green"})])
    assert prepare.channels(3) == 1
    seen = prepare.apply(image, prepare.place((2, 4), None))
    assert np.allclose(seen, image[None, :, :, 1], atol=1e-4)


def test_a_grey_image_has_no_green_channel():
    with pytest.raises(InputError, match="no green channel in an image of 1 channel"):
        Preprocessing([Choice("channel")]).channels(1)


def test_equalisation_sees_the_file_and_not_the_padding():
    plane = np.full((32, 32), 100, np.uint8)
    prepare = Preprocessing([Choice("crop-or-pad", {"height": 64, "width": 64}), Choice("clahe", {"tiles": 1})])
    seen = prepare.move(plane, prepare.place((32, 32), None))[0]
    assert seen.dtype == np.uint8
    assert np.unique(seen[16:48, 16:48]).tolist() == [102]
    assert [choice.name for choice in prepare.stored_choices] == ["crop-or-pad", "clahe"]


def test_a_mask_is_kept_by_halves_and_ends_with_the_image():
    prepare = Preprocessing([Choice("crop-or-pad", {"height": 2, "width": 6})])
    mask = np.ones((2, 4), bool)
    mask[1, 2:] = False
    moved = prepare.move_mask(mask, prepare.place((2, 4), None))
    assert moved.astype(int).tolist() == [[0, 1, 1, 1, 1, 0], [0, 1, 1, 0, 0, 0]]
