"""Whether a third axis is depth or time."""

import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.label import ACDC, LabelMap
from cardiotrace.core.terms import View
from cardiotrace.io import read_image, read_labels, write_labels
from tests.fake.heart import write_nifti

SIDE = 48
MM = 1.4


def beat(frames: int) -> np.ndarray:
    """One slice over a beat (frame, row, column): a disc that shrinks and grows, with noise."""
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    radii = 16 - 6 * np.sin(np.pi * np.arange(frames) / frames) ** 2
    discs = np.hypot(rows, columns)[np.newaxis] < radii[:, np.newaxis, np.newaxis]
    return (60 + 150 * discs + rng.integers(0, 12, discs.shape)).astype(np.int16)


def stack(slices: int) -> np.ndarray:
    """Slices from base to apex (slice, row, column)."""
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    discs = np.hypot(rows, columns)[np.newaxis] < np.linspace(18, 3, slices)[:, np.newaxis, np.newaxis]
    return (60 + 150 * discs + rng.integers(0, 12, discs.shape)).astype(np.int16)


def shape_of(path, array, spacing=(8.0, MM, MM), **given):
    write_nifti(path, array, spacing)
    return read_image(path, **{"view": View.SAX, **given}).grid_shape[:2]


@pytest.mark.parametrize("name", ["v_SAX_cine", "v_sequence", "video", "p1_4d", "v_SAX_loop"])
def test_thirty_instants_are_no_slices_where_the_name_says_they_move(tmp_path, name):
    assert shape_of(tmp_path / f"{name}.nii.gz", beat(30)) == (30, 1)


def test_the_thickness_of_a_video_of_one_slice_stays(tmp_path):
    write_nifti(tmp_path / "v_SAX_cine.nii.gz", beat(30), (8.0, MM, MM))
    assert read_image(tmp_path / "v_SAX_cine.nii.gz", view=View.SAX).spacing_mm == pytest.approx((8.0, MM, MM))


@pytest.mark.parametrize("spacing", [(8.0, MM, MM), (1.0, MM, MM), (33.0, MM, MM)])
@pytest.mark.parametrize("count", [25, 30, 60])
def test_more_planes_than_a_heart_has_slices_are_asked_about(tmp_path, count, spacing):
    with pytest.raises(InputError, match="--third-axis depth or --third-axis time"):
        shape_of(tmp_path / "v_SAX.nii.gz", stack(count), spacing)


@pytest.mark.parametrize("count", [12, 20, 24])
def test_few_planes_that_change_and_come_back_are_asked_about(tmp_path, count):
    with pytest.raises(InputError, match="come back as a beat does"):
        shape_of(tmp_path / "v_SAX.nii.gz", beat(count))


def test_few_planes_that_show_the_same_are_asked_about(tmp_path):
    with pytest.raises(InputError, match="8 planes can be slices, or instants: they all show the same"):
        shape_of(tmp_path / "v_SAX.nii.gz", beat(60)[:8])


@pytest.mark.parametrize("count", [1, 6, 10, 20])
def test_a_stack_from_base_to_apex_is_one(tmp_path, count):
    assert shape_of(tmp_path / "v_SAX.nii.gz", stack(count)) == (1, count)


def test_thin_slices_are_a_volume(tmp_path):
    assert shape_of(tmp_path / "v.nii.gz", stack(90), (1.5, 1.5, 1.5)) == (1, 90)


def test_cine_in_the_name_of_a_stack_is_asked_about(tmp_path):
    with pytest.raises(InputError, match="its name says it moves"):
        shape_of(tmp_path / "cine_SAX.nii.gz", stack(10))


@pytest.mark.parametrize("name", ["cine_SAX_ED", "cine_SAX_end-systole", "cine_frame01"])
def test_a_stack_of_one_instant_of_a_cine_is_one(tmp_path, name):
    assert shape_of(tmp_path / f"{name}.nii.gz", stack(10)) == (1, 10)


def test_the_word_of_the_caller_counts(tmp_path):
    path = tmp_path / "v_SAX.nii.gz"
    assert shape_of(path, beat(30), third_axis="time") == (30, 1)
    assert shape_of(path, beat(30), third_axis="depth") == (1, 30)
    assert shape_of(tmp_path / "v_cine.nii.gz", beat(30), third_axis="depth") == (1, 30)


def test_an_empty_fourth_axis_says_nothing(tmp_path):
    video = tmp_path / "v_SAX_cine.nii.gz"
    write_nifti(video, beat(30)[np.newaxis], (33.0, 8.0, MM, MM))  # stored (x, y, t, 1)
    image = read_image(video, view=View.SAX)
    assert image.grid_shape == (30, 1, SIDE, SIDE)
    assert image.frames[7, 0].tolist() == beat(30)[7].tolist()
    with pytest.raises(InputError, match="--third-axis"):
        shape_of(tmp_path / "v_SAX.nii.gz", beat(30)[np.newaxis], (33.0, 8.0, MM, MM))


def test_labels_of_such_a_video_lie_on_its_own_grid(tmp_path):
    video = tmp_path / "v_SAX_cine.nii.gz"
    write_nifti(video, beat(30)[np.newaxis], (33.0, 8.0, MM, MM))
    image = read_image(video, view=View.SAX)
    values = (image.frames > 150).astype(np.uint8) * 3
    write_labels(LabelMap(values, ACDC, image.geometry, image.source), tmp_path / "v_SAX_cine_labels.nii.gz")
    back = read_labels(tmp_path / "v_SAX_cine_labels.nii.gz", ACDC, third_axis="time")
    assert np.array_equal(back.array, values)


def test_five_axes_are_told_which_to_drop(tmp_path):
    with pytest.raises(InputError, match="drop its axis 4, which has length 1"):
        shape_of(tmp_path / "v.nii.gz", beat(30)[:, np.newaxis, np.newaxis], (1.0, 33.0, 8.0, MM, MM))


def test_slices_of_a_long_axis_are_asked_about(tmp_path):
    import nibabel

    oblique = np.array([[0.0, 0, 6, -30], [MM, 0, 5, 20], [0, -MM, 0, 10], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(stack(3).T, oblique), tmp_path / "p_4CH.nii.gz")
    with pytest.raises(InputError, match="a long-axis view is one plane"):
        read_image(tmp_path / "p_4CH.nii.gz", view=View.FOUR_CHAMBER)


@pytest.mark.parametrize("spacing", [(MM, MM, 8.0), (8.0, MM, MM)])
def test_slices_along_another_axis_are_neither_depth_nor_time(tmp_path, spacing):
    """A header may have gone with the exchange, or not."""
    crosswise = np.moveaxis(np.kron(stack(9), np.ones((1, 3, 3), np.int16)), 0, 2)
    write_nifti(tmp_path / "v_SAX.nii.gz", crosswise, spacing)
    with pytest.raises(InputError, match="slices seem to lie along axis 1 of 9 x 144 x 144"):
        read_image(tmp_path / "v_SAX.nii.gz", view=View.SAX)
    assert read_image(tmp_path / "v_SAX.nii.gz", view=View.SAX, third_axis="time").grid_shape[0] == 144
