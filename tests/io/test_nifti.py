import gzip
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.label import ACDC, CAMUS, MNMS, LabelMap, LabelScheme
from cardiotrace.core.terms import Structure, View
from cardiotrace.io import labels_path, read_image, read_labels, read_metadata, write_labels

# A rotated short-axis stack of 0.75 x 1.5 x 8 mm.
OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = Rotation.from_euler("xyz", [30, -20, 100], degrees=True).as_matrix() * [0.75, 1.5, 8.0]
OBLIQUE[:3, 3] = 12.5, -40.25, 3.0


def save(path: Path, array: np.ndarray, affine=None, zooms=None, units=None, kind=nibabel.Nifti1Image) -> Path:
    image = kind(array, np.eye(4) if affine is None else affine)
    if zooms is not None:
        image.header.set_zooms(zooms)
    if units is not None:
        image.header.set_xyzt_units(*units)
    nibabel.save(image, path)
    return path


def patch(path: Path, offset: int, layout: str, *values: float) -> Path:
    """Overwrite header bytes of an uncompressed file."""
    content = bytearray(path.read_bytes())
    struct.pack_into(f"<{layout}", content, offset, *values)
    path.write_bytes(content)
    return path


def ramp(shape, dtype=np.uint8):
    return (np.arange(np.prod(shape)) % 251).astype(dtype).reshape(shape)


@pytest.mark.parametrize(
    ("shape", "frames"),
    [
        ((7, 5), (1, 1, 5, 7)),
        ((7, 5, 1), (1, 1, 5, 7)),
        ((7, 5, 3), (1, 3, 5, 7)),
        ((7, 5, 3, 4), (4, 3, 5, 7)),
        ((7, 5, 1, 4), (4, 1, 5, 7)),
    ],
)
def test_axes(tmp_path, shape, frames):
    array = ramp(shape)
    cine = read_image(save(tmp_path / "a.nii.gz", array))
    assert cine.frames.shape == frames
    assert cine.frames.flags.writeable
    padded = array.reshape(shape + (1,) * (4 - len(shape)))
    assert np.array_equal(cine.frames, padded.transpose(3, 2, 1, 0))


@pytest.mark.parametrize(
    ("name", "third_axis", "view", "frames"),
    [
        ("a.nii", "auto", View.UNKNOWN, (1, 3, 5, 7)),
        ("a.nii", "auto", View.SAX, (1, 3, 5, 7)),
        ("a.nii", "auto", View.FOUR_CHAMBER, (3, 1, 5, 7)),
        ("patient0001_4CH_half_sequence.nii", "auto", View.UNKNOWN, (3, 1, 5, 7)),
        ("patient0001_4CH_half_sequence.nii", "depth", View.FOUR_CHAMBER, (1, 3, 5, 7)),
        ("a.nii", "time", View.UNKNOWN, (3, 1, 5, 7)),
    ],
)
def test_third_axis(tmp_path, name, third_axis, view, frames):
    # ITK writes seconds into every volume: units must not turn slices into frames.
    path = save(tmp_path / name, ramp((7, 5, 3)), zooms=(0.5, 0.25, 8.0), units=("mm", "sec"))
    cine = read_image(path, third_axis=third_axis, view=view)
    assert cine.frames.shape == frames
    assert cine.spacing_mm == (8.0, 0.25, 0.5)  # of a video of one slice it is the thickness
    assert cine.times_ms is None
    assert cine.view is view


@pytest.mark.parametrize(("unit", "interval_ms"), [("sec", 40.0), ("msec", 0.04), ("unknown", None)])
def test_times(tmp_path, unit, interval_ms):
    path = save(tmp_path / "a.nii", ramp((4, 3, 1, 5)), zooms=(1, 1, 1, 0.04), units=("mm", unit))
    times = read_image(path).times_ms
    assert read_metadata(path)["frame_interval_ms"] == pytest.approx(interval_ms)
    if interval_ms is None:
        assert times is None
    else:
        assert times == pytest.approx(np.arange(5) * interval_ms)


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1), ("micron", 0.001), ("meter", 1000)])
def test_spacing_is_the_number_that_was_meant(tmp_path, unit, factor):
    path = save(tmp_path / "a.nii", ramp((4, 3)), zooms=(0.308, 0.154), units=(unit, "unknown"))
    assert read_image(path).spacing_mm == (1.0, 0.154 * factor, 0.308 * factor)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("u1", "u1"), ("u2", "u2"), ("i2", "i2"), ("f4", "f4"), ("f8", "f4"), ("i1", "u1"),
        ("i4", "u1"), ("u4", "u1"), ("i8", "u1"), (">i2", "i2"), (">f4", "f4"),
    ],
)  # fmt: skip
def test_types(tmp_path, stored, expected):
    array = (ramp((6, 4)) % 100).astype(stored)
    image = nibabel.Nifti1Image(array, np.eye(4), dtype=np.dtype(stored))
    if stored.startswith(">"):
        image = nibabel.Nifti1Image(array, np.eye(4), nibabel.Nifti1Header(endianness=">"), dtype=np.dtype(stored))
    nibabel.save(image, tmp_path / "a.nii.gz")
    frames = read_image(tmp_path / "a.nii.gz").frames
    assert frames.dtype == np.dtype(expected)
    assert frames.dtype.isnative
    assert np.array_equal(frames[0, 0], array.T)


@pytest.mark.parametrize(("lowest", "highest", "expected"), [(-5, 300, "i2"), (0, 60000, "u2"), (-100, -1, "i2")])
def test_integers_are_narrowed_without_loss(tmp_path, lowest, highest, expected):
    array = np.linspace(lowest, highest, 12).astype(np.int32).reshape(4, 3)
    frames = read_image(save(tmp_path / "a.nii", array)).frames
    assert frames.dtype == np.dtype(expected)
    assert np.array_equal(frames[0, 0], array.T)


def test_integers_that_do_not_fit(tmp_path):
    path = save(tmp_path / "a.nii", np.array([[-1, 40000]], np.int32))
    with pytest.raises(InputError, match="from -1 to 40000 fit neither"):
        read_image(path)


@pytest.mark.parametrize(("slope", "intercept", "expected"), [(2.0, -1.5, 2.5), (0.0, 7.0, 2.0), (np.nan, 1.0, 2.0)])
def test_scaling(tmp_path, slope, intercept, expected):
    path = patch(save(tmp_path / "a.nii", np.full((3, 2), 2, np.int16)), 112, "ff", slope, intercept)
    frames = read_image(path).frames
    assert frames.dtype == (np.float32 if slope == 2.0 else np.int16)
    assert float(frames[0, 0, 0, 0]) == expected


def test_colour(tmp_path):
    colour = np.zeros((4, 3), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    colour["R"], colour["G"], colour["B"] = ramp((4, 3)), 7, 9
    nibabel.save(nibabel.Nifti1Image(colour, np.eye(4)), tmp_path / "a.nii.gz")
    frames = read_image(tmp_path / "a.nii.gz").frames
    assert frames.shape == (1, 1, 3, 4, 3)
    assert np.array_equal(frames[0, 0, ..., 0], ramp((4, 3)).T)
    assert frames[0, 0, 1, 1].tolist()[1:] == [7, 9]


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".NII.GZ"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_labels_lie_on_the_image(tmp_path, blob, same_grid, suffix, kind):
    path = save(tmp_path / "a.nii", ramp((9, 7, 4), np.int16), OBLIQUE, units=("mm", "sec"), kind=kind)
    if suffix != ".nii":
        (tmp_path / f"a{suffix}").write_bytes(gzip.compress(path.read_bytes()))
        path = tmp_path / f"a{suffix}"
    cine = read_image(path)
    labels = blob(cine)
    target = labels_path(cine.source, tmp_path)
    assert target.name == f"a_labels{suffix}"
    write_labels(labels, target)
    if suffix.islower():
        if kind is nibabel.Nifti1Image:  # SimpleITK does not read NIfTI-2
            same_grid(path, target, labels)
        image, written = nibabel.load(path), nibabel.load(target)
        assert type(written) is kind
        assert np.array_equal(written.affine, image.affine)
        for name in ("qform_code", "sform_code", "xyzt_units", "pixdim", "dim"):
            assert np.array_equal(written.header[name], image.header[name]), name
    again = read_labels(target, CAMUS)
    assert np.array_equal(again.array, labels.array)
    assert again.spacing_mm == cine.spacing_mm


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 1), (9, 7, 1, 3), (9, 7, 2, 3)])
def test_labels_keep_the_axes_of_the_file(tmp_path, blob, shape):
    path = save(tmp_path / "a.nii.gz", ramp(shape))
    labels = blob(read_image(path))
    write_labels(labels, tmp_path / "b.nii.gz")
    assert nibabel.load(tmp_path / "b.nii.gz").shape == shape
    assert np.array_equal(read_labels(tmp_path / "b.nii.gz", CAMUS).array, labels.array)


def test_labels_of_one_frame_of_a_sequence(tmp_path):
    path = save(tmp_path / "sequence.nii", ramp((6, 5, 4)))
    cine = read_image(path)
    write_labels(LabelMap(np.ones((1, 1, 5, 6), np.uint8), CAMUS, cine.geometry, cine.source), tmp_path / "l.nii")
    assert nibabel.load(tmp_path / "l.nii").shape == (6, 5, 1)


def test_labels_name_nobody(tmp_path, blob):
    image = nibabel.Nifti1Image(ramp((6, 5)), np.eye(4))
    image.header["descrip"] = b"Jane Doe 1960"
    image.header["db_name"] = b"Doe"
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"Jane Doe"))
    nibabel.save(image, tmp_path / "a.nii")
    write_labels(blob(read_image(tmp_path / "a.nii")), tmp_path / "b.nii")
    assert b"Doe" in (tmp_path / "a.nii").read_bytes()
    assert b"Doe" not in (tmp_path / "b.nii").read_bytes()


def test_same_labels_same_bytes(tmp_path, blob):
    labels = blob(read_image(save(tmp_path / "a.nii", ramp((6, 5)))))
    write_labels(labels, tmp_path / "b.nii.gz")
    write_labels(labels, tmp_path / "c.nii.gz")
    assert (tmp_path / "b.nii.gz").read_bytes() == (tmp_path / "c.nii.gz").read_bytes()


def test_labels_without_an_image(tmp_path):
    array = np.zeros((2, 3, 5, 6), np.uint8)
    array[1, 2, 4, 0] = 3
    write_labels(LabelMap(array, CAMUS, Geometry.of_spacing((8.0, 0.5, 0.25))), tmp_path / "a.nii.gz")
    viewer = SimpleITK.ReadImage(str(tmp_path / "a.nii.gz"))
    assert viewer.GetSize() == (6, 5, 3, 2)
    assert viewer.GetSpacing()[:3] == (0.25, 0.5, 8.0)
    assert viewer.GetDirection() == tuple(np.eye(4).ravel())
    again = read_labels(tmp_path / "a.nii.gz", CAMUS)
    assert np.array_equal(again.array, array)
    assert again.spacing_mm == (8.0, 0.5, 0.25)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    zooms=st.lists(st.floats(0.0625, 50, width=32), min_size=4, max_size=4),
    suffix=st.sampled_from([".nii", ".nii.gz"]),
)
def test_labels_come_back(shape, zooms, suffix):
    with tempfile.TemporaryDirectory() as folder:
        path = save(Path(folder) / f"a{suffix}", ramp(shape), zooms=zooms[: len(shape)])
        cine = read_image(path)
        array = (cine.frames % 4).astype(np.uint8)
        target = labels_path(cine.source, folder)
        write_labels(LabelMap(array, CAMUS, cine.geometry, cine.source), target)
        again = read_labels(target, CAMUS)
        assert np.array_equal(again.array, array)
        assert again.spacing_mm == cine.spacing_mm
        assert np.allclose(again.spacing_mm[1:], zooms[1::-1], rtol=1e-6)
        assert SimpleITK.ReadImage(str(target)).GetSize() == SimpleITK.ReadImage(str(path)).GetSize()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8])
def test_whole_numbers_are_labels(tmp_path, dtype):
    path = save(tmp_path / "a.nii", (ramp((6, 5)) % 4).astype(dtype))
    assert np.array_equal(read_labels(path, ACDC).array[0, 0], ramp((6, 5)).T % 4)


@pytest.mark.parametrize(
    ("value", "shown"), [(1.5, "1.5"), (-1.0, "-1"), (256.0, "256"), (np.nan, "nan"), (1.0011, "1.0011")]
)
def test_other_numbers_are_not(tmp_path, value, shown):
    array = np.ones((6, 5), np.float64)
    array[2, 3] = value
    with pytest.raises(InputError, match=rf"^.*1 of 30 pixels are not whole numbers from 0 to 255, such as {shown}"):
        read_labels(save(tmp_path / "a.nii", array), ACDC)


def test_label_outside_the_scheme(tmp_path):
    with pytest.raises(InputError, match=r"\[7\] are not in scheme camus"):
        read_labels(save(tmp_path / "a.nii", np.full((6, 5), 7, np.uint8)), CAMUS)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_numbers(tmp_path, bad):
    array = np.ones((6, 5), np.float32)
    array[1, 2:4] = bad
    with pytest.raises(InputError, match="2 of 30 pixels are NaN or infinite"):
        read_image(save(tmp_path / "a.nii", array))


def test_too_large_for_float32(tmp_path):
    with pytest.raises(InputError, match="1 of 2 pixels are NaN or infinite"):
        read_image(save(tmp_path / "a.nii", np.array([[1.0, 1e300]])))


def test_complex(tmp_path):
    with pytest.raises(InputError, match="complex64 are not grey values"):
        read_image(save(tmp_path / "a.nii", np.ones((3, 2), np.complex64)))


@pytest.mark.parametrize("value", [0.0, -0.5, np.nan, np.inf])
@pytest.mark.parametrize("axis", [1, 2])
def test_spacing_that_cannot_be(tmp_path, value, axis):
    path = patch(save(tmp_path / "a.nii", ramp((4, 3, 2))), 76 + 4 * axis, "f", value)
    with pytest.raises(InputError, match="spacing must be positive"):
        read_image(path)
    with pytest.raises(InputError, match="spacing must be positive"):
        read_labels(path, CAMUS)
    assert read_image(path, spacing_mm=(8.0, 1.0, 1.0)).spacing_mm == (8.0, 1.0, 1.0)


def test_unknown_thickness_of_a_plane(tmp_path):
    path = patch(save(tmp_path / "a.nii", ramp((4, 3, 1))), 88, "f", 0.0)
    assert read_image(path).spacing_mm == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_cut_short(tmp_path, suffix, share):
    noise = np.random.default_rng(0).integers(0, 256, (60, 50), np.uint8)
    path = save(tmp_path / f"a{suffix}", noise)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(InputError, match="cut short"):
        read_image(path)


def test_check_sum_is_verified(tmp_path):
    path = save(tmp_path / "a.nii.gz", np.random.default_rng(0).integers(0, 256, (60, 50), np.uint8))
    content = bytearray(path.read_bytes())
    content[-6] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match="incorrect data check"):
        read_image(path)


def test_gzip_in_several_members(tmp_path):
    path = save(tmp_path / "a.nii", ramp((60, 50)))
    content = path.read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(b"".join(gzip.compress(part) for part in (content[:1000], content[1000:])))
    assert np.array_equal(read_image(tmp_path / "b.nii.gz").frames[0, 0], ramp((60, 50)).T)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>not found</html>", "is a web page"),
        (b"404: not found", "not gzip-compressed"),
        (b"", "empty"),
        (gzip.compress(b"some text", mtime=0), "does not begin with a NIfTI header"),
        (gzip.compress(bytes(400), mtime=0), "does not begin with a NIfTI header"),
        (b"\x1f\x8bnonsense", "damaged"),
    ],
)
def test_not_nifti(tmp_path, content, message):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_image(path)
    assert caught.value.where == str(path)
    assert caught.value.remedy


def test_five_axes(tmp_path):
    with pytest.raises(InputError, match="this one has 5"):
        read_image(save(tmp_path / "a.nii", ramp((3, 3, 1, 1, 3))))


@pytest.mark.parametrize("count", [0, 1, -3])
def test_senseless_number_of_axes(tmp_path, count):
    path = patch(save(tmp_path / "a.nii", ramp((3, 3))), 40, "h", count)
    with pytest.raises(InputError, match="axes"):
        read_image(path)


def test_header_pair(tmp_path):
    path = patch(save(tmp_path / "a.nii", ramp((3, 3))), 344, "4s", b"ni1\0")
    with pytest.raises(InputError, match=r"hdr/\.img pair"):
        read_image(path)


def test_absurd_size_is_refused_before_it_is_allocated(tmp_path):
    path = patch(save(tmp_path / "a.nii", ramp((3, 3))), 40, "8h", 4, 30000, 30000, 30000, 30000, 1, 1, 1)
    with pytest.raises(InputError, match=r"claims \d+\.\d GiB"):
        read_image(path)
    path = patch(path, 40, "8h", 4, 1000, 1000, 1000, 1, 1, 1, 1)
    with pytest.raises(InputError, match="claims 1000000000 bytes"):
        read_image(path)
    patch(path, 108, "f", 2e9)
    with pytest.raises(InputError, match="pixels begin at byte 2000000000"):
        read_image(path)
    patch(path, 108, "f", 352)
    bomb = tmp_path / "a.nii.gz"
    bomb.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(InputError, match="claims 1000000000 bytes"):
        read_metadata(bomb)


def test_negative_length(tmp_path):
    path = patch(save(tmp_path / "a.nii", ramp((3, 3))), 42, "h", -3)
    with pytest.raises(InputError, match="without pixels"):
        read_image(path)


def test_unknown_type(tmp_path):
    path = patch(save(tmp_path / "a.nii", ramp((3, 3))), 70, "h", 77)
    with pytest.raises(InputError, match="is not a NIfTI file that can be read"):
        read_image(path)


def test_damage_is_silent_on_the_terminal(tmp_path, capfd):
    path = patch(save(tmp_path / "a.nii", ramp((3, 3))), 80, "f", -1.0)
    with pytest.raises(InputError):
        read_image(path)
    assert capfd.readouterr() == ("", "")


def test_labels_of_another_grid(tmp_path):
    cine = read_image(save(tmp_path / "a.nii", ramp((6, 5))))
    labels = LabelMap(np.zeros((1, 1, 6, 5), np.uint8), CAMUS, NO_GEOMETRY, cine.source)
    with pytest.raises(InputError, match="do not lie on the image's grid"):
        write_labels(labels, tmp_path / "b.nii")
    assert not (tmp_path / "b.nii").exists()


@settings(deadline=None)
@given(position=st.integers(0, 351), value=st.integers(0, 255), suffix=st.sampled_from([".nii", ".nii.gz"]))
def test_any_header_byte_may_be_wrong(position, value, suffix):
    """A damaged file is read or refused, never anything else."""
    with tempfile.TemporaryDirectory() as folder:
        path = save(Path(folder) / "a.nii", ramp((6, 5, 2), np.int16))
        content = bytearray(path.read_bytes())
        content[position] = value
        path = Path(folder) / f"b{suffix}"
        path.write_bytes(content if suffix == ".nii" else gzip.compress(content))
        try:
            cine = read_image(path)
            write_labels(
                LabelMap(np.zeros(cine.grid_shape, np.uint8), CAMUS, NO_GEOMETRY, cine.source),
                path.with_name(f"c{suffix}"),
            )
        except InputError:
            pass


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "scheme", "shape"),
    [
        ("camus/database_nifti/patient0001/patient0001_4CH_ED", CAMUS, (1, 1, 389, 549)),
        ("acdc/database/training/patient001/patient001_frame01", ACDC, (1, 10, 256, 216)),
        ("mnms2/dataset/001/001_SA_ED", MNMS, (1, 12, 256, 256)),
        ("mnms2/dataset/001/001_LA_ED", MNMS, (1, 1, 256, 256)),
    ],
)
def test_real_files(tmp_path, data_root, blob, same_grid, name, scheme, shape):
    image, reference = data_root / f"{name}.nii.gz", data_root / f"{name}_gt.nii.gz"
    cine = read_image(image)
    assert cine.frames.shape == shape
    viewer = SimpleITK.ReadImage(str(image))
    assert np.array_equal(cine.frames.ravel(), SimpleITK.GetArrayFromImage(viewer).ravel().astype(cine.frames.dtype))
    assert np.allclose(cine.spacing_mm[1:][::-1], viewer.GetSpacing()[:2], rtol=1e-6)
    labels = blob(cine, scheme)
    write_labels(labels, labels_path(cine.source, tmp_path))
    same_grid(image, labels_path(cine.source, tmp_path), labels)
    truth = read_labels(reference, scheme)
    assert truth.array.shape == shape
    assert np.array_equal(truth.array.ravel(), SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(reference))).ravel())


@pytest.mark.data
def test_real_apex_is_at_the_top(data_root):
    """In a CAMUS image the left atrium lies below the ventricle."""
    truth = read_labels(data_root / "camus/database_nifti/patient0001/patient0001_4CH_ED_gt.nii.gz", CAMUS)
    rows = [np.argwhere(truth.array[0, 0] == value)[:, 0].mean() for value in (1, 3)]
    assert rows[0] < rows[1] - 50


@pytest.mark.data
def test_real_cine(data_root):
    cine = read_image(data_root / "mnms2/dataset/001/001_LA_CINE.nii.gz")
    assert cine.grid_shape == (25, 1, 256, 256)
    assert cine.frames.dtype == np.int16
    assert cine.times_ms is None


READ = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
from cardiotrace.core.errors import InputError
from cardiotrace.io import read_image
try:
    print(read_image(sys.argv[1], third_axis="depth").frames.shape)
except InputError as error:
    print(str(error).splitlines()[0])
"""


def scaled(path, shape, slope, content):
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.uint8)
    header.set_data_shape(shape)
    header["scl_slope"], header["vox_offset"] = slope, 352
    with gzip.open(path, "wb", 1) as file:
        file.write(header.binaryblock + bytes(4))
        for part in content:
            file.write(part)
    return path


@pytest.mark.parametrize(
    ("count", "words"), [(600, r"header claims 2\.2 GiB of pixels"), (30, r"\(1, 30, 1000, 1000\)")]
)
def test_a_slope_is_applied_within_bounds(tmp_path, count, words):
    """Of 600 MB of bytes nibabel makes 4.8 GB of doubles."""
    path = scaled(tmp_path / "a.nii.gz", (1000, 1000, count), 0.5, (bytes(10**6) for _ in range(min(count, 30))))
    done = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, timeout=120)
    assert re.search(words, done.stdout), done.stderr[-2000:]


def test_a_slope_is_exact_as_nibabel_has_it(tmp_path):
    stored = np.random.default_rng(0).integers(0, 256, (7, 5, 3), np.uint8)
    path = scaled(tmp_path / "a.nii.gz", stored.shape, 0.0123, [stored.tobytes(order="F")])
    expected = np.asanyarray(nibabel.load(path).dataobj).astype(np.float32)
    assert np.array_equal(read_image(path).frames[0], expected.T)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32])
@pytest.mark.parametrize("largest", [3, 1, 255])
def test_labels_saved_with_a_slope_are_whole(tmp_path, dtype, largest):
    """nibabel puts a slope into what was read by `get_fdata` and saved with the old header."""
    labels = (ramp((6, 5)) % 4 == 1) * float(largest) if largest != 3 else (ramp((6, 5)) % 4).astype(float)
    header = nibabel.Nifti1Header()
    header.set_data_dtype(dtype)
    nibabel.save(nibabel.Nifti1Image(labels, np.eye(4), header), tmp_path / "a.nii.gz")
    assert nibabel.load(tmp_path / "a.nii.gz").dataobj.slope != 1 or (dtype, largest) == (np.uint8, 255)
    scheme = LabelScheme("any", {Structure.LV: largest} if largest != 3 else ACDC.values)
    assert np.array_equal(read_labels(tmp_path / "a.nii.gz", scheme).array[0, 0], labels.T)


def test_a_slope_that_makes_fractions_is_named_with_the_true_value(tmp_path):
    path = scaled(tmp_path / "a.nii.gz", (2, 2), 0.66801, [bytes([0, 1, 2, 3])])
    with pytest.raises(
        InputError, match=r"3 of 4 pixels .* such as 0\.66801\d*, after the header's scl_slope 0\.66801"
    ):
        read_labels(path, ACDC)


@pytest.mark.parametrize("colour", [0, 255])
def test_rgba_with_its_image_in_the_transparency(tmp_path, colour):
    array = np.zeros((4, 3), [("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")])
    for channel in "RGB":
        array[channel] = colour
    array["A"][1:3, 1] = 255
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match="the image lies in the transparency"):
        read_image(tmp_path / "a.nii.gz")
