import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.label import CAMUS, VESSEL, VESSEL255, LabelMap
from cardiotrace.io import labels_path, read_image, read_labels, read_metadata, stored, write_labels

GREY = (np.arange(35) * 7 % 256).astype(np.uint8).reshape(5, 7)
COLOUR = np.stack([GREY, GREY[::-1], GREY // 2], axis=-1)
DEEP = GREY.astype(np.uint16) * 257


def save(path: Path, array: np.ndarray, **options) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".tiff", ".PNG"])
@pytest.mark.parametrize("array", [GREY, COLOUR])
def test_pixels_as_stored(tmp_path, suffix, array):
    cine = read_image(save(tmp_path / f"a{suffix}", array))
    assert cine.grid_shape == (1, 1, 5, 7)
    assert np.array_equal(cine.frames[0, 0], array)
    assert cine.is_colour == (array.ndim == 3)
    assert cine.spacing_mm is None
    assert cine.times_ms is None
    assert cine.frames.flags.writeable


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg"])
def test_jpeg(tmp_path, suffix):
    smooth = np.full((16, 24), 90, np.uint8)
    cine = read_image(save(tmp_path / f"a{suffix}", smooth, quality=95))
    assert np.abs(cine.frames[0, 0].astype(int) - 90).max() <= 2


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit(tmp_path, suffix):
    frames = read_image(save(tmp_path / f"a{suffix}", DEEP)).frames
    assert frames.dtype == np.uint16
    assert np.array_equal(frames[0, 0], DEEP)


@pytest.mark.parametrize(("mode", "is_colour"), [("RGBA", True), ("LA", False), ("P", True), ("CMYK", True)])
def test_other_modes(tmp_path, mode, is_colour):
    suffix = "tif" if mode == "CMYK" else "png"
    picture = Image.fromarray(COLOUR if is_colour else GREY).convert(mode)
    picture.save(tmp_path / f"a.{suffix}")
    frames = read_image(tmp_path / f"a.{suffix}").frames
    assert np.array_equal(frames[0, 0], np.asarray(picture.convert("RGB" if is_colour else "L")))


def test_bilevel_is_0_and_255(tmp_path):
    Image.fromarray(GREY > 100).save(tmp_path / "a.png")
    labels = read_labels(tmp_path / "a.png", VESSEL255)
    assert np.array_equal(labels.array[0, 0], np.where(GREY > 100, 255, 0))
    with pytest.raises(InputError, match=r"\[255\] are not in scheme vessel"):
        read_labels(tmp_path / "a.png", VESSEL)


def test_orientation_of_a_camera_is_followed(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by a quarter
    smooth = np.zeros((16, 32), np.uint8)
    smooth[:, :16] = 200
    cine = read_image(save(tmp_path / "a.jpg", smooth, exif=exif, quality=95))
    assert cine.grid_shape == (1, 1, 32, 16)
    assert cine.frames[0, 0, :12].min() > 190
    assert read_metadata(tmp_path / "a.jpg")["shape"] == [16, 32]


@pytest.mark.parametrize("array", [np.stack([GREY, GREY + 1, GREY + 2]), np.stack([DEEP, DEEP + 1])])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiff_pages_are_frames(tmp_path, array, compression):
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="minisblack", compression=compression)
    cine = read_image(tmp_path / "a.tif")
    assert np.array_equal(cine.frames[:, 0], array)
    assert np.array_equal(read_image(tmp_path / "a.tif", third_axis="depth").frames[0], array)


def test_tiff_of_deep_colour(tmp_path):
    deep = COLOUR.astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "a.tif", deep, photometric="rgb")
    assert np.array_equal(read_image(tmp_path / "a.tif").frames[0, 0], deep)
    tifffile.imwrite(tmp_path / "b.tif", np.moveaxis(deep, -1, 0), photometric="rgb", planarconfig="separate")
    assert np.array_equal(read_image(tmp_path / "b.tif").frames[0, 0], deep)


def test_tiff_white_is_zero(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, photometric="miniswhite")
    assert np.array_equal(read_image(tmp_path / "a.tif").frames[0, 0], 255 - GREY)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits"])
def test_tiff_compressed_as_only_pillow_reads(tmp_path, compression):
    pages = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    pages[0].save(tmp_path / "a.tif", compression=compression, save_all=True, append_images=pages[1:])
    assert np.array_equal(read_image(tmp_path / "a.tif").frames[:, 0], np.stack([GREY, 255 - GREY]))


def test_tiff_pages_that_differ(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(GREY)
        tiff.write(GREY[:3])
    with pytest.raises(InputError, match="its pages differ"):
        read_image(tmp_path / "a.tif")


def test_tiff_of_floats_with_nan(tmp_path):
    array = GREY.astype(np.float32)
    array[0, :3] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", array)
    with pytest.raises(InputError, match="3 of 35 pixels are NaN"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("name", "label_name"),
    [("a.png", "a_labels.png"), ("a.jpg", "a_labels.png"), ("a.bmp", "a_labels.png"), ("a.tif", "a_labels.tif")],
)
def test_labels_of_a_picture(tmp_path, blob, name, label_name):
    labels = blob(read_image(save(tmp_path / name, COLOUR)))
    target = labels_path(labels.source, tmp_path)
    assert target.name == label_name
    write_labels(labels, target)
    seen = Image.open(target)
    assert seen.mode == "L"
    assert np.array_equal(np.asarray(seen), labels.array[0, 0])
    assert np.array_equal(read_labels(target, CAMUS).array, labels.array)


def test_labels_of_a_stack(tmp_path, blob):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([GREY] * 3), photometric="minisblack")
    labels = blob(read_image(tmp_path / "a.tif"))
    write_labels(labels, tmp_path / "b.tif")
    assert np.array_equal(tifffile.imread(tmp_path / "b.tif"), labels.array[:, 0])
    assert np.array_equal(read_labels(tmp_path / "b.tif", CAMUS).array, labels.array)
    with pytest.raises(InputError, match=r"3 label planes cannot be written as [.]png"):
        write_labels(labels, tmp_path / "b.png")


def test_labels_with_a_palette_or_in_colour(tmp_path):
    save(tmp_path / "a.png", np.stack([GREY % 4] * 3, axis=-1))
    assert np.array_equal(read_labels(tmp_path / "a.png", CAMUS).array[0, 0], GREY % 4)
    with pytest.raises(InputError, match="coloured picture, not a label map"):
        read_labels(save(tmp_path / "b.png", COLOUR), CAMUS)


def test_jpeg_holds_no_labels(tmp_path):
    with pytest.raises(InputError, match=r"\.jpg files hold no exact label values"):
        read_labels(save(tmp_path / "a.jpg", GREY), CAMUS)


def test_folder_in_natural_order(tmp_path, blob):
    folder = tmp_path / "scan.1"
    folder.mkdir()
    for index in (10, 2, 1):
        save(folder / f"frame{index}.png", GREY + np.uint8(index))
    (folder / "notes.txt").write_text("not a picture")
    (folder / ".hidden.png").write_text("not a picture")
    cine = read_image(folder)
    assert cine.grid_shape == (3, 1, 5, 7)
    assert cine.frames[:, 0, 0, 0].tolist() == [1, 2, 10]
    assert read_metadata(folder)["shape"] == [7, 5, 3]
    labels = blob(cine)
    target = labels_path(cine.source, tmp_path)
    assert target.name == "scan.1_labels"
    write_labels(labels, target)
    assert sorted(file.name for file in target.iterdir()) == ["frame1.png", "frame10.png", "frame2.png"]
    assert np.array_equal(read_labels(target, CAMUS).array, labels.array)


def test_folder_of_colour(tmp_path):
    save(tmp_path / "a.png", COLOUR)
    save(tmp_path / "b.bmp", COLOUR[::-1])
    assert np.array_equal(read_image(tmp_path).frames[1, 0], COLOUR[::-1])


def test_labels_for_too_few_frames_of_a_folder(tmp_path):
    save(tmp_path / "a.png", GREY)
    save(tmp_path / "b.png", GREY)
    labels = LabelMap(np.zeros((1, 1, 5, 7), np.uint8), CAMUS, NO_GEOMETRY, read_image(tmp_path).source)
    with pytest.raises(InputError, match="1 label frames for 2 picture names"):
        write_labels(labels, tmp_path / "out")


def test_label_folder_that_cannot_be_made(tmp_path, blob):
    (tmp_path / "in").mkdir()
    save(tmp_path / "in" / "a.png", GREY)
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkError, match="could not be made"):
        write_labels(blob(read_image(tmp_path / "in")), tmp_path / "file" / "out")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (GREY[:4], r"a\.png is 7 x 5 uint8 grey, b\.png is 7 x 4 uint8 grey"),
        (DEEP, r"b\.png is 7 x 5 uint16 grey"),
        (COLOUR, r"b\.png is 7 x 5 uint8 colour"),
    ],
)
def test_folder_of_unlike_pictures(tmp_path, other, message):
    save(tmp_path / "a.png", GREY)
    save(tmp_path / "b.png", other)
    with pytest.raises(InputError, match=message):
        read_image(tmp_path)


def test_folders_that_are_no_film(tmp_path):
    with pytest.raises(InputError, match="no pictures in this folder"):
        read_image(tmp_path)
    (tmp_path / "a.nii.gz").write_bytes(b"x")
    with pytest.raises(InputError, match="no pictures in this folder"):
        read_image(tmp_path)
    tifffile.imwrite(tmp_path / "a.tif", np.stack([GREY, GREY]), photometric="minisblack")
    with pytest.raises(InputError, match="folder of TIFF stacks"):
        read_image(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif"])
@pytest.mark.parametrize("share", [0.1, 0.6])
def test_cut_short(tmp_path, capfd, suffix, share):
    noise = np.random.default_rng(0).integers(0, 256, (60, 50), np.uint8)
    path = save(tmp_path / f"a{suffix}", noise)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(InputError) as caught:
        read_image(path)
    assert caught.value.where == str(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif"])
def test_not_a_picture(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text("some text that is no picture at all")
    with pytest.raises(InputError, match="is not a picture file that can be read"):
        read_image(path)


def test_bomb(tmp_path, monkeypatch):
    """A small file that unpacks to far more than may be read."""
    header = b"IHDR" + struct.pack(">2I5B", 60_000, 60_000, 8, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a picture file that can be read"):
        read_image(path)
    monkeypatch.setattr(stored, "MAX_PIXEL_BYTES", 34)
    with pytest.raises(InputError, match="header claims"):
        read_image(save(tmp_path / "b.png", GREY))


@pytest.mark.data
def test_real_fundus(tmp_path, data_root, blob):
    cine = read_image(data_root / "chase_db1/images/Image_01L.jpg")
    assert cine.frames.shape == (1, 1, 960, 999, 3)
    vessels = read_labels(data_root / "chase_db1/labels1/Image_01L_1stHO.png", VESSEL255)
    assert 0.03 < (vessels.array == 255).mean() < 0.2
    target = labels_path(cine.source, tmp_path)
    write_labels(LabelMap(vessels.array // 255, VESSEL, NO_GEOMETRY, cine.source), target)
    assert np.array_equal(np.asarray(Image.open(target)), vessels.array[0, 0] // 255)
