import numpy as np
import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.geometry.resample import AxisMap
from cardiotrace.preprocessing import STEPS, Preprocessing
from cardiotrace.preprocessing.step import CropOrPad, PadToMultiple, Resample, Resize


def axes(rows, columns):
    return AxisMap.resize(rows, rows), AxisMap.resize(columns, columns)


def test_resample_brings_pixels_to_their_size():
    rows, columns = Resample(height_mm=1.5, width_mm=1.0).extend(axes(30, 20), (1.0, 2.0))
    assert (rows.target_size, columns.target_size) == (20, 40)
    assert (rows.scale, columns.scale) == (1.5, 0.5)
    assert (rows.offset, columns.offset) == (0.0, 0.0)


def test_resample_keeps_the_middle_where_sizes_do_not_divide():
    rows, _ = Resample(height_mm=4.0, width_mm=1.0).extend(axes(10, 5), (1.0, 1.0))
    assert rows.target_size == 2
    assert rows.offset == 1.0


def test_resample_never_leaves_nothing():
    rows, columns = Resample(height_mm=50.0, width_mm=50.0).extend(axes(10, 10), (1.0, 1.0))
    assert (rows.target_size, columns.target_size) == (1, 1)


def test_resample_needs_the_size_of_pixels():
    with pytest.raises(InputError, match="pixel size is unknown"):
        Resample().extend(axes(10, 10), None)


def test_crop_or_pad_moves_by_whole_pixels():
    rows, columns = CropOrPad(height=4, width=14).extend(axes(10, 10), None)
    assert (rows.scale, rows.offset, rows.target_size) == (1.0, 3.0, 4)
    assert (columns.scale, columns.offset, columns.target_size) == (1.0, -2.0, 14)


def test_resize_stretches():
    rows, columns = Resize(height=5, width=20).extend(axes(10, 10), (3.0, 0.1))
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
    transform = prepare.transform_for((side, 40), None)
    assert transform.shape == (target, 64)
    assert transform.axes[0].offset == offset
    plane = np.random.default_rng(0).integers(0, 256, (side, 40), dtype=np.uint8)
    moved = prepare.resample(plane, transform)
    assert moved.sum() == plane.sum()
    probabilities = np.stack([1 - moved[0] / 255, moved[0] / 255]).astype(np.float32)
    assert np.allclose(transform.invert(probabilities)[1], plane / 255, atol=1e-6)


def test_one_channel_is_kept():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    prepare = Preprocessing([Choice("multiply", {"factor": 255.0}), Choice("channel", {"colour": "green"})])
    assert prepare.channels(3) == 1
    seen = prepare.apply(image, prepare.transform_for((2, 4), None))
    assert np.allclose(seen, image[None, :, :, 1], atol=1e-4)


def test_a_grey_image_has_no_green_channel():
    with pytest.raises(InputError, match="no green channel in an image of 1 channel"):
        Preprocessing([Choice("channel")]).channels(1)


def test_equalisation_sees_the_file_and_not_the_padding():
    plane = np.full((32, 32), 100, np.uint8)
    prepare = Preprocessing([Choice("crop-or-pad", {"height": 64, "width": 64}), Choice("clahe", {"tiles": 1})])
    seen = prepare.resample(plane, prepare.transform_for((32, 32), None))[0]
    assert seen.dtype == np.uint8
    assert np.unique(seen[16:48, 16:48]).tolist() == [102]
    assert [choice.name for choice in prepare.stored_choices] == ["crop-or-pad", "clahe"]


def test_a_mask_is_kept_by_halves_and_ends_with_the_image():
    prepare = Preprocessing([Choice("crop-or-pad", {"height": 2, "width": 6})])
    mask = np.ones((2, 4), bool)
    mask[1, 2:] = False
    moved = prepare.resample_mask(mask, prepare.transform_for((2, 4), None))
    assert moved.astype(int).tolist() == [[0, 1, 1, 1, 1, 0], [0, 1, 1, 0, 0, 0]]


VOLUME = tuple(AxisMap.resize(size, size) for size in (6, 20, 10))


@pytest.mark.parametrize(
    ("step", "shape"),
    [
        (Resize(height=5, width=7), (6, 5, 7)),
        (Resize(height=5, width=7, depth=12), (12, 5, 7)),
        (CropOrPad(height=30, width=4), (6, 30, 4)),
        (CropOrPad(height=30, width=4, depth=2), (2, 30, 4)),
        (PadToMultiple(16), (6, 32, 16)),
        (PadToMultiple(16, depth=4), (8, 32, 16)),
    ],
)
def test_steps_leave_the_depth_alone_unless_it_is_named(step, shape):
    assert tuple(axis.target_size for axis in step.extend(VOLUME, None)) == shape


def test_the_longest_axis_of_a_volume_decides_how_it_fits_in():
    """6 x 20 x 10 voxels of 8, 1, 1 mm are 48 x 20 x 10 mm: 48 mm into 12 voxels make all of them 4 mm."""
    depth, rows, columns = Resize(height=12, width=12, depth=12, keep_aspect=True).extend(VOLUME, (8.0, 1.0, 1.0))
    assert (depth.scale, rows.scale, columns.scale) == (0.5, 4.0, 4.0)
    # In the middle: 20 mm are 5 of 12 voxels, so that 3.5 are empty before them.
    assert rows.offset == -3.5 * 4
    # A depth that stays as it is has no say, even where its distance is not known.
    _, rows, _ = Resize(height=12, width=12, keep_aspect=True).extend(VOLUME, (float("nan"), 1.0, 1.0))
    assert rows.scale == 20 / 12
    with pytest.raises(InputError, match="distance between slices is unknown"):
        Resize(height=12, width=12, depth=4, keep_aspect=True).extend(VOLUME, (float("nan"), 1.0, 1.0))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resize", {"depth": 0}),
        ("crop-or-pad", {"depth": -1}),
        ("resample", {"depth_mm": 0.0}),
        ("pad-to-multiple", {"depth": 0}),
    ],
)
def test_depths_that_no_volume_has_are_refused(name, options):
    with pytest.raises(ConfigError, match="must be"):
        Preprocessing([Choice(name, options)])


def test_a_depth_is_written_only_where_there_is_one():
    """Or every packed cache and every recipe's digest would change."""
    assert Preprocessing([Choice("resize")]).__to_plain__() == [
        {"name": "resize", "height": 256, "width": 256, "keep_aspect": False}
    ]


def test_histograms_of_wide_values_are_those_of_the_same_picture_in_bytes():
    levels = np.random.default_rng(2).permutation(np.arange(1024) % 256).reshape(1, 32, 32)
    step = STEPS.make(Choice("clahe", {"tiles": 2}))
    np.testing.assert_array_equal(
        step.change((100 + 7 * levels).astype(np.uint16)), step.change(levels.astype(np.uint8))
    )


def test_histograms_of_a_volume_are_equalised_slice_by_slice():
    volume = np.random.default_rng(0).integers(0, 256, (1, 3, 32, 32), np.uint8)
    step = STEPS.make(Choice("clahe", {"tiles": 2}))
    together = step.change(volume)
    for index in range(3):
        assert np.array_equal(together[:, index], step.change(volume[:, index]))
