"""Headers against nibabel's, an independent reader and writer of the same standard."""

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from cardiotrace.io import nifti_header

KINDS = {1: nibabel.Nifti1Header, 2: nibabel.Nifti2Header}
rotations = st.tuples(*[st.floats(-180, 180)] * 3).map(
    lambda angles: Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
)
sizes = st.tuples(*[st.floats(0.1, 20)] * 3)
offsets = st.tuples(*[st.floats(-300, 300)] * 3)


def affine_of(rotation, size, offset, hand):
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = rotation * (np.array(size) * (1, 1, hand)), offset
    return affine


@settings(deadline=None)
@given(rotations, sizes, offsets, st.sampled_from([1, -1]), st.sampled_from([1, 2]), st.booleans())
def test_a_rotation_is_read_as_nibabel_reads_it(rotation, size, offset, hand, version, is_swapped):
    reference = KINDS[version]()
    reference.set_data_shape((5, 4, 3))
    reference.set_qform(affine_of(rotation, size, offset, hand), 1)
    reference.set_sform(affine_of(rotation, size, offset, hand) * 1.01, 2)
    reference = reference.as_byteswapped(">" if is_swapped else "<")
    own = nifti_header.decode(reference.binaryblock, version)
    assert np.array_equal(nifti_header.sform(own), reference.get_sform())
    assert np.allclose(nifti_header.qform(own), reference.get_qform(), rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("version", [1, 2])
@settings(deadline=None)
@given(rotations, sizes, offsets, st.sampled_from([1, -1]))
def test_a_place_is_written_as_nibabel_writes_it(version, rotation, size, offset, hand):
    affine = affine_of(rotation, size, offset, hand)
    own = nifti_header.empty(version, (7, 6, 5, 4), np.dtype(np.int16))
    nifti_header.set_place(own, affine)
    nifti_header.set_interval(own, 33.5)
    reference = KINDS[version](own.tobytes())  # checks all that it can
    assert np.allclose(reference.get_sform(), affine, rtol=1e-6)
    assert np.allclose(reference.get_qform(), affine, rtol=1e-4, atol=1e-4 * max(size))
    assert np.allclose(nifti_header.qform(own), reference.get_qform(), atol=1e-9)
    assert reference.get_data_shape() == (7, 6, 5, 4)
    assert reference.get_zooms()[3] == 33.5
    assert reference.get_xyzt_units() == ("unknown", "msec")


@pytest.mark.parametrize("version", [1, 2])
def test_every_field_of_a_plain_header_is_nibabels(version):
    affine = np.diag([-0.5, 0.75, 8.0, 1.0])
    affine[:3, 3] = 1, 2, 3
    reference = KINDS[version]()
    reference.set_data_shape((7, 6, 5))
    reference.set_data_dtype(np.uint8)
    reference.set_qform(affine, 1)
    reference.set_sform(affine, 1)
    reference.set_slope_inter(1.0, 0.0)
    reference["vox_offset"] = reference.sizeof_hdr + 4
    own = nifti_header.empty(version, (7, 6, 5), np.dtype(np.uint8))
    nifti_header.set_place(own, affine)
    assert own.tobytes() == reference.binaryblock


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "c8", "c16"])
def test_types_are_nibabels(version, dtype):
    for order in "<>":
        reference = KINDS[version](endianness=order)
        reference.set_data_dtype(dtype)
        own = nifti_header.decode(reference.binaryblock, version)
        assert nifti_header.pixel_type(own) == reference.get_data_dtype()
    nifti_header.set_type(changed := nifti_header.empty(version, (3, 3), np.dtype(np.uint8)), np.dtype(dtype))
    assert KINDS[version](changed.tobytes()).get_data_dtype() == np.dtype(dtype)
    assert int(changed["bitpix"]) == 8 * np.dtype(dtype).itemsize


def test_a_handedness_that_was_left_out_is_the_usual_one():
    header = nifti_header.empty(1, (3, 3, 3), np.dtype(np.uint8))
    nifti_header.set_place(header, np.diag([2.0, 3.0, 4.0, 1.0]))
    header["pixdim"][0] = 0
    assert np.allclose(nifti_header.qform(header), np.diag([2.0, 3.0, 4.0, 1.0]))


def test_what_cannot_be_is_refused():
    header = nifti_header.empty(1, (3, 3, 3), np.dtype(np.uint8))
    nifti_header.set_place(header, np.eye(4))
    for field, value in (("quatern_b", 1.5), ("quatern_b", np.nan)):
        wrong = header.copy()
        wrong[field] = value
        if np.isnan(value):
            assert np.isnan(nifti_header.qform(wrong)).any()  # no number: whoever reads it sees that
        else:
            with pytest.raises(ValueError, match="rotation"):
                nifti_header.qform(wrong)
    for place, value in ((0, 0.5), (2, -1.0)):
        wrong = header.copy()
        wrong["pixdim"][place] = value
        with pytest.raises(ValueError, match="handedness"):
            nifti_header.qform(wrong)
    wrong = header.copy()
    wrong["datatype"] = 77
    with pytest.raises(ValueError, match="77"):
        nifti_header.pixel_type(wrong)
    with pytest.raises(ValueError, match="float16"):
        nifti_header.set_type(header, np.dtype(np.float16))
    with pytest.raises(OverflowError):
        nifti_header.empty(1, (2**15, 3), np.dtype(np.uint8))
