import gzip
import tempfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.label import CAMUS, LabelMap
from cardiotrace.core.terms import View
from cardiotrace.io import atomic, labels_path, read_image, read_labels, read_metadata, write_labels


def save(path: Path, array: np.ndarray, spacing=None, source=None, direction=None, **options) -> Path:
    image = SimpleITK.GetImageFromArray(array, isVector=options.pop("is_vector", False))
    image.SetSpacing(spacing or (1.0,) * image.GetDimension())
    if source is not None:
        image.SetOrigin(source)
    if direction is not None:
        image.SetDirection(direction)
    SimpleITK.WriteImage(image, str(path), **options)
    return path


def ramp(*shape, dtype=np.uint8):
    return (np.arange(np.prod(shape)) % 251).astype(dtype).reshape(shape)


def rewrite(path: Path, **fields: str) -> Path:
    """Change or add header lines of a .mhd file."""
    lines = [line for line in path.read_text().splitlines() if line.split(" =")[0] not in fields]
    path.write_text("".join(f"{line}\n" for line in [*(f"{k} = {v}" for k, v in fields.items()), *lines]))
    return path


@pytest.mark.parametrize(
    ("shape", "frames"),
    [((5, 7), (1, 1, 5, 7)), ((1, 5, 7), (1, 1, 5, 7)), ((3, 5, 7), (1, 3, 5, 7)), ((4, 3, 5, 7), (4, 3, 5, 7))],
)
@pytest.mark.parametrize("suffix", [".mhd", ".mha"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_axes(tmp_path, shape, frames, suffix, dtype):
    array = ramp(*shape, dtype=dtype)
    cine = read_image(save(tmp_path / f"a{suffix}", array))
    assert cine.frames.shape == frames
    assert cine.frames.dtype == dtype
    assert np.array_equal(cine.frames.ravel(), array.ravel())


def test_camus_sequence(tmp_path):
    path = save(tmp_path / "patient0001_2CH_sequence.mhd", ramp(4, 6, 5), (0.308, 0.154, 1.54))
    cine = read_image(path)
    assert cine.grid_shape == (4, 1, 6, 5)
    assert cine.spacing_mm == (1.0, 0.154, 0.308)
    assert cine.times_ms is None
    assert read_image(path, third_axis="depth").spacing_mm == (1.54, 0.154, 0.308)


@pytest.mark.parametrize("options", [{"useCompression": True}, {}])
@pytest.mark.parametrize("suffix", [".mhd", ".mha", ".MHA"])
def test_labels_lie_on_the_image(tmp_path, blob, same_grid, suffix, options):
    cosine, sine = np.cos(0.4), np.sin(0.4)
    direction = (cosine, -sine, 0, sine, cosine, 0, 0, 0, 1)
    path = save(
        tmp_path / f"a{suffix.lower()}", ramp(4, 6, 5), (0.308, 0.154, 1.54), (12.5, -3.25, 7), direction, **options
    )
    path = path.rename(tmp_path / f"a{suffix}")
    labels = blob(read_image(path))
    target = labels_path(labels.source, tmp_path / "out")
    (tmp_path / "out").mkdir()
    write_labels(labels, target)
    expected = ["a_labels.mhd", "a_labels.raw"] if suffix == ".mhd" else [f"a_labels{suffix}"]
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == expected
    if suffix.islower():  # SimpleITK knows suffixes in lower case only
        same_grid(path, target, labels)
    again = read_labels(target, CAMUS)
    assert np.array_equal(again.array, labels.array)
    assert again.spacing_mm == labels.spacing_mm == (1.54, 0.154, 0.308)


@pytest.mark.parametrize("word", ["Offset", "Position", "Origin"])
def test_labels_keep_their_place_by_whatever_word_it_is_told(tmp_path, blob, same_grid, word):
    path = save(tmp_path / "a.mhd", ramp(3, 6, 5), (0.5, 0.6, 8.0), (-40.0, 30.0, 12.5))
    path.write_text(path.read_text().replace("Offset", word))
    labels = blob(read_image(path))
    write_labels(labels, tmp_path / "b.mhd")
    assert f"{word} = -40 30 12.5" in (tmp_path / "b.mhd").read_text().splitlines()
    same_grid(path, tmp_path / "b.mhd", labels)


def test_two_axes_stay_two(tmp_path, blob, same_grid):
    path = save(tmp_path / "a.mhd", ramp(6, 5), (0.3, 0.2), (4, 5))
    labels = blob(read_image(path))
    write_labels(labels, tmp_path / "b.mha")
    same_grid(path, tmp_path / "b.mha", labels)
    assert read_metadata(tmp_path / "b.mha") == {
        "format": "metaimage", "shape": [5, 6], "dtype": "uint8", "channels": 1,
        "spacing_mm": [0.3, 0.2], "frame_interval_ms": None,
    }  # fmt: skip


def test_labels_without_an_image(tmp_path):
    array = np.zeros((2, 3, 5, 6), np.uint8)
    array[1, 2, 4, 0] = 3
    write_labels(LabelMap(array, CAMUS, Geometry.of_spacing((8.0, 0.5, 0.1))), tmp_path / "a.mhd")
    viewer = SimpleITK.ReadImage(str(tmp_path / "a.mhd"))
    assert viewer.GetSpacing() == (0.1, 0.5, 8.0, 1.0)
    assert np.array_equal(SimpleITK.GetArrayFromImage(viewer), array)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    spacing=st.lists(st.floats(0.001, 50), min_size=4, max_size=4),
    suffix=st.sampled_from([".mhd", ".mha"]),
)
def test_labels_come_back(shape, spacing, suffix):
    with tempfile.TemporaryDirectory() as folder:
        array = ramp(*shape) % 4
        path = save(Path(folder) / f"a{suffix}", array, spacing[: len(shape)])
        cine = read_image(path)
        target = labels_path(cine.source, folder)
        write_labels(LabelMap(cine.frames, CAMUS, cine.geometry, cine.source), target)
        assert np.array_equal(read_labels(target, CAMUS).array.ravel(), array.ravel())
        image, written = SimpleITK.ReadImage(str(path)), SimpleITK.ReadImage(str(target))
        assert (image.GetSize(), image.GetSpacing()) == (written.GetSize(), written.GetSpacing())


def test_colour(tmp_path):
    array = ramp(5, 4, 3)
    cine = read_image(save(tmp_path / "a.mha", array, is_vector=True))
    assert cine.is_colour
    assert np.array_equal(cine.frames[0, 0], array)


def test_two_channels(tmp_path):
    with pytest.raises(InputError, match="has 2 channels"):
        read_image(save(tmp_path / "a.mha", ramp(5, 4, 2), is_vector=True))


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
@pytest.mark.parametrize("suffix", [".mhd", ".mha"])
@pytest.mark.parametrize("compress", [False, True])
def test_types_as_simpleitk_writes_them(tmp_path, dtype, suffix, compress):
    array = (ramp(3, 5, 4) % 100).astype(dtype)
    cine = read_image(save(tmp_path / f"a{suffix}", array, useCompression=compress))
    assert np.array_equal(cine.frames[0], array)
    assert cine.frames.flags.writeable


@pytest.mark.parametrize("header_size", ["6", "-1"])
def test_pixels_behind_something_else(tmp_path, header_size):
    path = rewrite(save(tmp_path / "a.mhd", ramp(5, 4)), HeaderSize=header_size)
    (tmp_path / "a.raw").write_bytes(b"before" + ramp(5, 4).tobytes())
    assert np.array_equal(read_image(path).frames[0, 0], ramp(5, 4))


def test_big_endian_and_64_bit(tmp_path):
    path = save(tmp_path / "a.mhd", ramp(5, 4, dtype=np.int16))
    (tmp_path / "a.raw").write_bytes(ramp(5, 4).astype(">i2").tobytes())
    frames = read_image(rewrite(path, BinaryDataByteOrderMSB="True")).frames
    assert np.array_equal(frames[0, 0], ramp(5, 4))
    assert read_image(save(tmp_path / "b.mha", ramp(5, 4, dtype=np.int64))).frames.dtype == np.uint8


def test_pixel_file_is_missing(tmp_path):
    path = save(tmp_path / "a.mhd", ramp(5, 4))
    (tmp_path / "a.raw").unlink()
    with pytest.raises(InputError, match=r"its pixel file a\.raw is missing") as caught:
        read_image(path)
    assert str(tmp_path) in caught.value.remedy


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"ElementSpacing": "0 1"}, "spacing must be positive"),
        ({"ElementSpacing": "1 -0.5"}, "spacing must be positive"),
        ({"ElementSpacing": "nan 1"}, "spacing must be positive"),
        ({"ElementSpacing": "wide 1"}, "is not a MetaImage file that can be read"),
        ({"DimSize": "4 5 6"}, "states 2 axes and 3 lengths"),
        ({"DimSize": "4 0"}, "without pixels"),
        ({"DimSize": "4 6"}, "cut short"),
        ({"DimSize": "100000 100000"}, r"claims 9\.3 GiB"),
        ({"NDims": "5", "DimSize": "1 1 1 1 5"}, "this one has 5"),
        ({"ElementType": "MET_STRING"}, "pixels of type MET_STRING"),
        ({"BinaryData": "False"}, "pixels as text"),
        ({"ElementDataFile": "../a.raw"}, "outside its own folder"),
        ({"ElementDataFile": "/etc/passwd"}, "outside its own folder"),
        ({"ElementDataFile": "LIST"}, "several files"),
        ({"ElementDataFile": "a%03d.raw 1 2 1"}, "several files"),
    ],
)
def test_bad_headers(tmp_path, capfd, fields, message):
    path = save(tmp_path / "a.mhd", ramp(5, 4))
    rewrite(path, **fields)
    lines = sorted(path.read_text().splitlines(), key=lambda line: line.startswith("ElementDataFile"))
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=message):
        read_image(path)
    assert capfd.readouterr() == ("", "")


def test_spacing_given_by_hand_overrides_a_bad_header(tmp_path):
    path = rewrite(save(tmp_path / "a.mhd", ramp(5, 4)), ElementSpacing="1 0")
    cine = read_image(path, spacing_mm=(1.0, 0.2, 0.3))
    assert cine.spacing_mm == (1.0, 0.2, 0.3)
    assert np.array_equal(cine.frames[0, 0], ramp(5, 4))


def test_no_spacing(tmp_path):
    path = save(tmp_path / "a.mhd", ramp(5, 4))
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "Spacing" not in line))
    assert read_image(path).spacing_mm is None
    path.write_text(path.read_text().replace("NDims", "ElementSize = 0.5 0.25\nNDims"))
    assert read_image(path).spacing_mm == (1.0, 0.25, 0.5)


@pytest.mark.parametrize(
    "content", [b"hello\n", b"\x00\xff" * 100, b"NDims = 2\nDimSize = 3 3\n", gzip.compress(b"x", mtime=0)]
)
@pytest.mark.parametrize("suffix", [".mhd", ".mha"])
def test_not_metaimage(tmp_path, content, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a MetaImage header"):
        read_image(path)


@pytest.mark.parametrize("share", [0.5, 0.97])
@pytest.mark.parametrize("compress", [False, True])
def test_cut_short(tmp_path, capfd, share, compress):
    noise = np.random.default_rng(0).integers(0, 256, (60, 50), np.uint8)
    path = save(tmp_path / "a.mha", noise, useCompression=compress)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(InputError):
        read_image(path)
    assert capfd.readouterr() == ("", "")


def test_pixels_are_written_before_the_header(tmp_path, monkeypatch, blob):
    labels = blob(read_image(save(tmp_path / "a.mhd", ramp(5, 4))))
    written = []
    real = atomic.atomic_write

    def full(path, write):
        if path.suffix == ".mhd":
            raise WorkError("could not be written", where=path)
        written.append(path.name)
        real(path, write)

    monkeypatch.setattr(atomic, "atomic_write", full)
    with pytest.raises(WorkError):
        write_labels(labels, tmp_path / "b.mhd")
    assert written == ["b.raw"]
    assert not (tmp_path / "b.mhd").exists()


@pytest.mark.data
@pytest.mark.parametrize("view", ["2CH", "4CH"])
def test_first_camus_format(tmp_path, data_root, blob, same_grid, view):
    image = data_root / f"camus/legacy_mhd/patient0001/patient0001_{view}_ED.mhd"
    cine = read_image(image, view=View.TWO_CHAMBER if view == "2CH" else View.FOUR_CHAMBER)
    viewer = SimpleITK.ReadImage(str(image))
    assert cine.grid_shape == (1, 1, viewer.GetHeight(), viewer.GetWidth())
    assert cine.spacing_mm == (1.54, 0.154, 0.308)
    assert np.array_equal(cine.frames[0], SimpleITK.GetArrayFromImage(viewer))
    labels = blob(cine)
    write_labels(labels, labels_path(cine.source, tmp_path))
    same_grid(image, labels_path(cine.source, tmp_path), labels)
    truth = read_labels(str(image).replace(".mhd", "_gt.mhd"), CAMUS)
    assert sorted(np.unique(truth.array)) == [0, 1, 2, 3]


@pytest.mark.data
def test_first_camus_sequences_lack_their_pixels(data_root):
    with pytest.raises(InputError, match=r"pixel file patient0001_2CH_sequence\.raw is missing"):
        read_image(data_root / "camus/legacy_mhd/patient0001/patient0001_2CH_sequence.mhd")
