"""Damaged files are read rightly or refused in one sentence, whatever byte is wrong."""

import gzip
import zlib

import nibabel
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from scipy.spatial.transform import Rotation

from cardiotrace.core.errors import CardioTraceError
from cardiotrace.io import deflate, read_image, read_metadata

PIXELS = (np.arange(6 * 5 * 4) % 251).astype(np.uint8).reshape(6, 5, 4)


def nifti(path):
    nibabel.save(nibabel.Nifti1Image(PIXELS, np.diag([1.5, 1.5, 8.0, 1.0])), path)


def metaimage(path):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(PIXELS), str(path))


def raster(path):
    Pillow.fromarray(PIXELS[..., 0]).save(path)


def netpbm(path):
    path.write_bytes(b"P5 5 6 255\n" + PIXELS[..., 0].tobytes())


WRITERS = {"a.nii": nifti, "a.nii.gz": nifti, "a.mha": metaimage, "a.png": raster, "a.tif": raster, "a.bmp": raster}
WRITERS |= {"a.pgm": netpbm}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("damage")


def attempt(path):
    """The image, or the error that refuses it."""
    try:
        return read_image(path, third_axis="depth"), None
    except CardioTraceError as error:
        return None, error


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_wrong_byte_of_a_header(folder, name, data):
    path = folder / name
    WRITERS[name](path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, min(len(content), 400) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    image, error = attempt(path)
    if image is None:
        assert (error.where, "\n" in error.what) == (str(path), False)
        return
    assert image.frames.size <= 2**20
    assert np.isfinite(image.frames).all()
    assert np.isfinite(image.geometry.affine[:3, 1:]).all()


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=25, deadline=None)
@given(share=st.floats(0, 0.95))
def test_any_length_that_a_broken_copy_leaves(folder, name, share):
    path = folder / name
    WRITERS[name](path)
    whole, _ = attempt(path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    cut, _ = attempt(path)
    # What a PNG ends with says nothing of its pixels.
    assert cut is None or (name == "a.png" and np.array_equal(cut.frames, whole.frames))


members = st.lists(st.binary(max_size=3000), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(parts=members, more=st.integers(1, 100))
def test_members_of_gzip_data_follow_each_other(folder, parts, more):
    path, content = folder / "members.gz", b"".join(parts)
    path.write_bytes(b"".join(gzip.compress(part) for part in parts))
    assert deflate.inflated(path, len(content)) == content == gzip.GzipFile(path).read()
    assert deflate.inflated(path, len(content) // 2) == content[: len(content) // 2]
    with pytest.raises(CardioTraceError, match=f"ends early: {len(content)} of {len(content) + more} bytes are there"):
        deflate.inflated(path, len(content) + more)


@settings(max_examples=40, deadline=None)
@given(content=st.binary(min_size=1, max_size=5000), place=st.integers(1, 8))
def test_a_wrong_check_sum_is_never_passed_over(folder, content, place):
    path = folder / "sum.gz"
    packed = bytearray(gzip.compress(content))
    packed[-place] ^= 0x55
    path.write_bytes(packed)
    with pytest.raises((CardioTraceError, zlib.error)):
        deflate.inflated(path, len(content))


def test_zlib_data_behind_an_offset(folder):
    path = folder / "offset.zraw"
    path.write_bytes(b"header" + zlib.compress(PIXELS.tobytes()))
    assert deflate.inflated(path, PIXELS.size, offset=6) == PIXELS.tobytes()
    assert deflate.head(path.read_bytes()[6:], 10) == PIXELS.tobytes()[:10]


@settings(max_examples=50, deadline=None)
@given(
    axes=st.integers(2, 4),
    angles=st.tuples(*[st.floats(-3.0, 3.0)] * 3),
    offset=st.tuples(*[st.floats(-500, 500)] * 3),
)
def test_metaimage_lies_where_itk_puts_it(folder, axes, angles, offset):
    path, count = folder / "place.mha", min(axes, 3)
    turn = (
        Rotation.from_euler("xyz", angles).as_matrix() if axes > 2 else Rotation.from_euler("z", angles[2]).as_matrix()
    )
    direction = np.eye(axes)
    direction[:count, :count] = turn[:count, :count]
    image = SimpleITK.Image([5, 4, 3, 2][:axes], SimpleITK.sitkUInt8)
    image.SetSpacing([0.5, 0.75, 8.0, 1.0][:axes])
    image.SetDirection(direction.ravel().tolist())
    image.SetOrigin([*offset, 0.0][:axes])
    SimpleITK.WriteImage(image, str(path))
    read = read_image(path, third_axis="depth").geometry
    index = [2, 1, 2, 0][:axes]
    expected = np.zeros(3)
    expected[:count] = image.TransformIndexToPhysicalPoint(index)[:count]
    place = read.point_mm((index[2] if axes > 2 else 0, index[1], index[0]))
    # The header counts x and y the other way; it states six digits.
    assert place.tolist() == pytest.approx((expected * [-1, -1, 1]).tolist(), abs=2e-2)


@pytest.mark.parametrize("lines", ["TransformMatrix = 1 0 0 0 1 0 0 0", "Offset = 1 2", "Offset = x y z"])
def test_lines_of_a_place_that_are_none(folder, lines):
    path = folder / "lines.mha"
    header = f"NDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\nElementSpacing = 1 1 8\n{lines}\n"
    if "Transform" not in lines:
        header += "TransformMatrix = 1 0 0 0 1 0 0 0 1\n"
    path.write_bytes(header.encode() + b"ElementDataFile = LOCAL\n" + bytes(8))
    with pytest.raises(CardioTraceError, match="is not a MetaImage file that can be read"):
        read_metadata(path)


@pytest.mark.parametrize(
    ("metadata", "shape", "message"),
    [
        ({"axes": "TYX"}, (3, 5, 6), (3, 1)),
        ({"axes": "ZYX"}, (3, 5, 6), (1, 3)),
        ({"axes": "TZYX"}, (2, 3, 5, 6), (2, 3)),
        ({"axes": "ZTYX"}, (3, 2, 5, 6), (2, 3)),
        ({"axes": "TCYX"}, (2, 3, 5, 6), "other axes than time and depth: 2 along T, 3 along C"),
        ({"axes": "CYX"}, (3, 5, 6), (3, 1)),  # tifffile's word for pages of no name
        ({}, (2, 3, 5, 6), (2, 3)),
    ],
)
def test_pages_of_a_tiff_lie_along_the_axes_that_it_names(folder, metadata, shape, message):
    import tifffile

    path, array = folder / "pages.tif", np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    tifffile.imwrite(path, array, photometric="minisblack", metadata=metadata)
    if isinstance(message, str):
        with pytest.raises(CardioTraceError, match=message):
            read_image(path)
        return
    image = read_image(path)
    assert image.grid_shape[:2] == message
    expected = array.swapaxes(0, 1) if metadata.get("axes") == "ZTYX" else array
    assert np.array_equal(image.frames.reshape(expected.shape), expected)


def test_a_buffer_of_nothing():
    assert deflate.head(b"", 10) == b""
    assert not deflate.is_longer(zlib.compress(b"abc"), 3)
    assert deflate.is_longer(zlib.compress(b"abcd"), 3)
