"""Images written as NIfTI: what was read comes back, and another program sees the same."""

import dataclasses
import tempfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.io import read_image, write_image
from tests.io.test_nifti import OBLIQUE, ramp, save

SPACING_MM = (8.0, 0.75, 1.5)


@pytest.mark.parametrize(
    ("grid", "size"),
    [((1, 1, 5, 7), (7, 5)), ((1, 3, 5, 7), (7, 5, 3)), ((4, 1, 5, 7), (7, 5, 1, 4)), ((4, 3, 5, 7), (7, 5, 3, 4))],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_another_program_sees_the_same_pixels_and_millimetres(tmp_path, grid, size, dtype):
    frames = (ramp(grid).astype(np.float64) * 131 - (0 if dtype in (np.uint8, np.uint16) else 9000)).astype(dtype)
    times_ms = np.arange(grid[0]) * 16.5
    write_image(Image(frames, Geometry.of_spacing(SPACING_MM), times_ms), tmp_path / "a.nii.gz")
    image = SimpleITK.ReadImage(str(tmp_path / "a.nii.gz"))
    assert image.GetSize() == size
    assert image.GetSpacing()[:2] == pytest.approx(SPACING_MM[:0:-1])
    assert np.array_equal(SimpleITK.GetArrayFromImage(image).ravel(), frames.ravel())
    assert SimpleITK.GetArrayViewFromImage(image).dtype == dtype
    if len(size) > 2 and size[2] > 1:
        assert image.GetSpacing()[2] == 8.0
    if len(size) == 4:
        assert image.GetSpacing()[3] == pytest.approx(0.0165)  # ITK counts seconds


@given(
    st.tuples(*(st.integers(1, 4) for _ in range(4))),
    st.tuples(*(st.floats(0.015625, 20, width=16) for _ in range(3))),
    st.floats(1, 100, width=16),
)
def test_what_was_written_is_read(grid, spacing_mm, interval_ms):
    cine = Image(ramp(grid), Geometry.of_spacing(spacing_mm), np.arange(grid[0]) * interval_ms)
    with tempfile.TemporaryDirectory() as folder:
        write_image(cine, Path(folder) / "a.nii")
        back = read_image(Path(folder) / "a.nii", third_axis="depth")
    assert np.array_equal(back.frames, cine.frames)
    depth = spacing_mm[0] if max(grid[:2]) > 1 else 1.0  # a plane has no thickness
    assert back.spacing_mm == pytest.approx((depth, *spacing_mm[1:]), rel=1e-6)
    if grid[0] > 1:
        assert back.times_ms == pytest.approx(cine.times_ms, rel=1e-6)


@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 1), (7, 5, 3), (7, 5, 3, 4)])
def test_an_image_from_a_file_keeps_its_axes_and_orientation(tmp_path, shape):
    source = save(tmp_path / "a.nii.gz", ramp(shape, np.int16), OBLIQUE, units=("mm", "sec"))
    write_image(read_image(source), tmp_path / "b.nii.gz")
    one, other = (SimpleITK.ReadImage(str(tmp_path / name)) for name in ("a.nii.gz", "b.nii.gz"))
    assert other.GetSize() == one.GetSize()
    assert other.GetDirection() == one.GetDirection()
    assert other.GetOrigin() == one.GetOrigin()
    assert other.GetSpacing() == one.GetSpacing()
    assert np.array_equal(SimpleITK.GetArrayFromImage(other), SimpleITK.GetArrayFromImage(one))


def test_times_of_the_cine_go_before_those_of_its_file(tmp_path):
    source = save(tmp_path / "a.nii.gz", ramp((7, 5, 1, 4)), zooms=(1, 1, 1, 2.0), units=("mm", "sec"))
    cine = dataclasses.replace(read_image(source), times_ms=np.arange(4) * 20.0)
    write_image(cine, tmp_path / "b.nii.gz")
    assert read_image(tmp_path / "b.nii.gz").times_ms.tolist() == [0, 20, 40, 60]


@pytest.mark.parametrize(
    "changes",
    [{"geometry": Geometry.of_spacing((1.0, 2.0, 2.0))}, {"frames": ramp((1, 1, 3, 4))}],
    ids=["spacing", "size"],
)
def test_an_image_that_was_changed_lies_on_its_own_grid(tmp_path, changes):
    cine = dataclasses.replace(read_image(save(tmp_path / "a.nii.gz", ramp((7, 5)))), **changes)
    write_image(cine, tmp_path / "b.nii.gz")
    back = read_image(tmp_path / "b.nii.gz")
    assert np.array_equal(back.frames, cine.frames)
    assert back.spacing_mm == cine.spacing_mm


def test_colour(tmp_path):
    frames = ramp((1, 1, 5, 7, 3))
    write_image(Image(frames, NO_GEOMETRY), tmp_path / "a.nii.gz")
    assert np.array_equal(read_image(tmp_path / "a.nii.gz").frames, frames)
    assert np.array_equal(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / "a.nii.gz"))), frames[0, 0])
    with pytest.raises(InputError, match="colour of type uint16"):
        write_image(Image(frames.astype(np.uint16), NO_GEOMETRY), tmp_path / "b.nii.gz")


def test_pixels_of_the_other_byte_order(tmp_path):
    frames = ramp((1, 1, 5, 7)).astype(">u2")
    write_image(Image(frames, NO_GEOMETRY), tmp_path / "a.nii")
    assert np.array_equal(np.asanyarray(nibabel.load(tmp_path / "a.nii").dataobj).T, frames[0, 0])


def test_refused_names(tmp_path):
    cine = read_image(save(tmp_path / "a.nii.gz", ramp((7, 5))))
    with pytest.raises(InputError, match="overwrite the image itself"):
        write_image(cine, tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match=r"must end in \.nii\.gz or \.nii"):
        write_image(cine, tmp_path / "a.png")
