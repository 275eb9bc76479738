"""Size and place of voxels, from headers that agree with themselves and from others."""

import math
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import Geometry, Known
from cardiotrace.core.label import ACDC, LabelMap
from cardiotrace.io import read_image, read_labels, write_labels

OBLIQUE = np.array(
    [[0.561, 1.112, 5.435, -205.5], [1.229, -0.017, -5.603, -149.3], [-0.614, 0.983, -6.251, 47.2], [0, 0, 0, 1]]
)
MHA = "NDims = 3\nDimSize = 3 2 4\nElementType = MET_UCHAR\nElementSpacing = 1.5 1.5 8\n"
SIZES = nibabel.affines.voxel_sizes(OBLIQUE)


def nifti(path: Path, pixdim=None, affine=OBLIQUE, codes=(0, 2), shape=(6, 5, 4)) -> Path:
    """A NIfTI file whose pixdim and sform may contradict each other."""
    image = nibabel.Nifti1Image(np.arange(math.prod(shape), dtype=np.int16).reshape(shape), affine)
    header = image.header
    header["qform_code"], header["sform_code"] = codes
    header["pixdim"][1:4] = SIZES if pixdim is None else pixdim
    block = header.copy()
    block["vox_offset"] = 352
    path.write_bytes(block.binaryblock + bytes(4) + np.asarray(image.dataobj).tobytes(order="F"))
    return path


def test_a_header_that_agrees_with_itself(tmp_path):
    found = read_image(nifti(tmp_path / "a.nii")).geometry
    assert found.spacing_mm == pytest.approx(tuple(SIZES[::-1]), rel=1e-6)
    assert (found.pixel_size, found.slice_distance, found.orientation) == (Known.FILE,) * 3
    assert found.doubts == ()
    # Array index (depth, height, width) = (3, 2, 1) is voxel (x, y, z) = (1, 2, 3).
    expected = nibabel.affines.apply_affine(OBLIQUE, [1, 2, 3])
    assert found.point_mm((3, 2, 1)).tolist() == pytest.approx(expected.tolist(), abs=1e-4)


@pytest.mark.parametrize(
    "pixdim",
    [(1, 1, 1), (SIZES[0], SIZES[1], 1), (0, 0, SIZES[2]), (SIZES[0], SIZES[1], math.nan), (1, SIZES[1], SIZES[2])],
    ids=["all lost", "distance lost", "zero in plane", "no number", "one lost"],
)
def test_a_lost_pixdim_is_no_evidence_against_the_sform(tmp_path, pixdim):
    found = read_image(nifti(tmp_path / "a.nii", pixdim)).geometry
    assert found.spacing_mm == pytest.approx(tuple(SIZES[::-1]), rel=1e-6)
    assert found.doubts == ()


def test_unit_columns_are_no_evidence_against_pixdim(tmp_path):
    # ACDC: the sform has directions and no sizes.
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    found = read_image(nifti(tmp_path / "a.nii", (1.5625, 1.5625, 10), affine)).geometry
    assert found.spacing_mm == (10.0, 1.5625, 1.5625)
    assert found.doubts == ()
    assert not found.is_oriented


@pytest.mark.parametrize("aside", [4.0, 0.9])
@pytest.mark.parametrize("says_step", [True, False], ids=["step", "distance"])
def test_shifted_slices_have_a_distance_whichever_length_pixdim_states(tmp_path, aside, says_step):
    affine = np.diag([-1.4, -1.5, 10.0, 1.0])
    affine[0, 2] = aside
    found = read_image(
        nifti(tmp_path / "a.nii", (1.4, 1.5, math.hypot(10, aside) if says_step else 10), affine)
    ).geometry
    assert found.spacing_mm == pytest.approx((10.0, 1.5, 1.4), rel=1e-6)
    assert found.affine[0, 0] == pytest.approx(aside, rel=1e-6)
    assert found.doubts == ()


def test_shifted_labels_that_were_written_here_agree_with_themselves(tmp_path):
    affine = Geometry.of_spacing((10.0, 1.5, 1.4)).affine.copy()
    affine[0, 0] = 4.0
    labels = LabelMap(np.ones((1, 4, 5, 6), np.uint8), ACDC, Geometry(affine))
    write_labels(labels, tmp_path / "a.nii.gz")
    found = read_labels(tmp_path / "a.nii.gz", ACDC, third_axis="depth").geometry
    assert found.spacing_mm == pytest.approx((10.0, 1.5, 1.4), rel=1e-6)
    assert found.doubts == ()


def test_a_real_contradiction_is_told(tmp_path):
    # The slice thickness stands in pixdim, the distance with its gap in the sform.
    found = read_image(nifti(tmp_path / "a.nii", (SIZES[0], SIZES[1], 8.0))).geometry
    (doubt,) = found.doubts
    assert "pixdim 1.484 x 1.484 x 8 mm" in doubt
    assert f"sform 1.484 x 1.484 x {SIZES[2]:.4g} mm" in doubt


def test_sizes_that_are_given_end_the_contradiction(tmp_path):
    path = nifti(tmp_path / "a.nii", (SIZES[0], SIZES[1], 8.0))
    found = read_image(path, spacing_mm=(9.0, 1.5, 1.5)).geometry
    assert (found.spacing_mm, found.doubts) == ((9.0, 1.5, 1.5), ())
    assert (found.pixel_size, found.slice_distance) == (Known.GIVEN, Known.GIVEN)


def test_two_given_sizes_keep_the_slice_distance(tmp_path):
    found = read_image(nifti(tmp_path / "a.nii"), spacing_mm=(None, 1.2, 1.3)).geometry
    assert found.spacing_mm == pytest.approx((SIZES[2], 1.2, 1.3), rel=1e-6)
    assert (found.pixel_size, found.slice_distance) == (Known.GIVEN, Known.FILE)


@pytest.mark.parametrize("depth", [0.0, math.nan])
def test_a_stack_without_a_distance_says_so(tmp_path, depth):
    found = read_image(nifti(tmp_path / "a.nii", (1.4, 1.4, depth), codes=(0, 0))).geometry
    assert found.slice_distance is Known.UNKNOWN
    assert math.isnan(found.spacing_mm[0])
    assert found.spacing_mm[1:] == (1.4, 1.4)


def test_metres_and_micrometres(tmp_path):
    path = nifti(tmp_path / "a.nii", affine=np.diag([-2e-3, -2e-3, 8e-3, 1]), pixdim=(2e-3, 2e-3, 8e-3))
    content = bytearray(path.read_bytes())
    content[123] = 1  # xyzt_units: metres
    path.write_bytes(content)
    assert read_image(path).spacing_mm == pytest.approx((8.0, 2.0, 2.0))


@pytest.mark.parametrize("matrix", ["1 0 0 1 0 0 0 0 1", "0 0 0 0 0 0 0 0 0", "1 0 0 0 1 0 0.6 0.8 0"])
def test_directions_that_span_no_space_say_nothing(tmp_path, matrix):
    header = (
        f"NDims = 3\nDimSize = 3 2 4\nElementType = MET_UCHAR\nElementSpacing = 1.5 1.5 8\nTransformMatrix = {matrix}\n"
    )
    (tmp_path / "a.mha").write_bytes(f"{header}ElementDataFile = LOCAL\n".encode() + bytes(range(24)))
    columns = np.array(matrix.split(), float).reshape(3, 3).T @ np.diag([1.5, 1.5, 8.0])
    affine = np.eye(4)
    affine[:3, :3] = columns
    image = nibabel.Nifti1Image(np.arange(24, dtype=np.int16).reshape(3, 2, 4), np.diag([1.5, 1.5, 8.0, 1.0]))
    image.header["srow_x"], image.header["srow_y"], image.header["srow_z"] = affine[:3]
    block = image.header.copy()
    block["sform_code"], block["qform_code"], block["vox_offset"] = 2, 0, 352
    block["pixdim"][1:4] = 1.5, 1.5, 8.0
    (tmp_path / "a.nii").write_bytes(block.binaryblock + bytes(4) + bytes(48))
    for path in (tmp_path / "a.mha", tmp_path / "a.nii"):
        found = read_image(path).geometry
        assert (found.spacing_mm, found.orientation) == (pytest.approx((8.0, 1.5, 1.5)), Known.UNKNOWN)


def test_a_matrix_of_too_few_numbers_is_told(tmp_path):
    header = (
        "NDims = 3\nDimSize = 3 2 4\nElementType = MET_UCHAR\nElementSpacing = 1.5 1.5 8\nTransformMatrix = 1 0 0 1\n"
    )
    (tmp_path / "a.mha").write_bytes(f"{header}ElementDataFile = LOCAL\n".encode() + bytes(24))
    with pytest.raises(InputError, match="TransformMatrix has 4 numbers for 3 axes"):
        read_image(tmp_path / "a.mha")


@pytest.mark.parametrize("suffix", [".mha", ".mhd", ".nii.gz"])
def test_every_format_puts_a_voxel_where_itk_puts_it(tmp_path, suffix):
    image = SimpleITK.GetImageFromArray(np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    image.SetSpacing((1.2, 1.3, 8.0))
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    image.SetDirection(turn.ravel().tolist())
    image.SetOrigin((-40.0, 30.0, 12.5))
    SimpleITK.WriteImage(image, str(tmp_path / f"a{suffix}"))
    found = read_image(tmp_path / f"a{suffix}").geometry
    x, y, z = image.TransformIndexToPhysicalPoint((4, 1, 2))  # LPS+
    assert found.point_mm((2, 1, 4)).tolist() == pytest.approx([-x, -y, z], abs=1e-4)
    assert found.is_oriented
    assert found.spacing_mm == pytest.approx((8.0, 1.3, 1.2), rel=1e-6)
