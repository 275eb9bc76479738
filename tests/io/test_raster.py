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
    image = Image.fromarray(COLOUR if is_colour else GREY).convert(mode)
    image.save(tmp_path / f"a.{suffix}")
    frames = read_image(tmp_path / f"a.{suffix}").frames
    assert np.array_equal(frames[0, 0], np.asarray(image.convert("RGB" if is_colour else "L")))


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
def test_labels_of_an_image(tmp_path, blob, name, label_name):
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
    with pytest.raises(InputError, match="coloured image, not a label map"):
        read_labels(save(tmp_path / "b.png", COLOUR), CAMUS)


VOC = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
PERMUTED = [0, 0, 0, 2, 2, 2, 1, 1, 1, 3, 3, 3]
"""A grey palette that exchanges 1 and 2."""


def palette(path: Path, colours: list[int], **options) -> Path:
    image = Image.frombytes("P", (7, 5), (GREY % 4).tobytes())
    image.putpalette(colours)
    image.save(path, **options)
    return path


@pytest.mark.parametrize("suffix", [".png", ".gif", ".bmp", ".tif"])
@pytest.mark.parametrize("colours", [VOC, PERMUTED, [value for value in range(4) for _ in range(3)]])
def test_labels_in_a_palette_are_its_indices(tmp_path, suffix, colours):
    path = palette(tmp_path / f"a{suffix}", colours)
    assert np.array_equal(read_labels(path, CAMUS).array[0, 0], GREY % 4)
    shown = np.array(colours, np.uint8).reshape(4, 3)[GREY % 4]
    assert np.array_equal(read_image(path, channels=3).frames[0, 0], shown)


def test_a_palette_with_transparency(tmp_path):
    clear_background = palette(tmp_path / "a.png", VOC, transparency=0)
    assert np.array_equal(read_labels(clear_background, CAMUS).array[0, 0], GREY % 4)
    black = palette(tmp_path / "b.png", [0] * 12, transparency=bytes([0, 255, 255, 255]))
    with pytest.raises(InputError, match="the mask lies in the transparency"):
        read_labels(black, CAMUS)


MASK = (GREY % 2).astype(np.uint8)
_ALPHA = MASK * 255


@pytest.mark.parametrize(
    "pixels",
    [
        np.stack([0 * MASK, 0 * MASK, 0 * MASK, _ALPHA], axis=-1),
        np.stack([0 * MASK + 255, 0 * MASK + 255, 0 * MASK + 255, _ALPHA], axis=-1),
        np.stack([0 * MASK + 200, 0 * MASK, 0 * MASK, 0 * MASK + 1 + MASK], axis=-1),
        np.stack([0 * MASK, MASK], axis=-1),
        np.stack([0 * MASK + 1, _ALPHA], axis=-1),
    ],
)
def test_a_mask_in_the_transparency_is_refused(tmp_path, pixels):
    path = save(tmp_path / "a.png", pixels)
    with pytest.raises(InputError, match="the mask lies in the transparency"):
        read_labels(path, CAMUS)
    with pytest.raises(InputError, match="the image lies in the transparency"):
        read_image(path)


@pytest.mark.parametrize("alpha", [np.full_like(MASK, 255), np.full_like(MASK, 0), _ALPHA])
@pytest.mark.parametrize("channels", [1, 3])
def test_transparency_beside_a_visible_mask_is_dropped(tmp_path, alpha, channels):
    path = save(tmp_path / "a.png", np.stack([MASK] * channels + [alpha], axis=-1))
    assert np.array_equal(read_labels(path, CAMUS).array[0, 0], MASK)
    assert read_image(path).frames.max() == 1


def test_labels_of_sixteen_bit_colour_are_refused(tmp_path):
    """Pillow cuts them to 8 bit: labels of 1 to 3 would all be 0."""
    rows = b"".join(b"\0" + np.repeat((row % 4).astype(">u2"), 3).tobytes() for row in GREY)
    chunks = ((b"IHDR", struct.pack(">2I5B", 7, 5, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    content = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    with pytest.raises(InputError, match="is 16-bit colour, not a label map"):
        read_labels(tmp_path / "a.png", CAMUS)
    assert read_image(tmp_path / "a.png").notes == ("its 16-bit colours were read as 8 bit",)


@pytest.mark.parametrize("suffix", [".gif", ".png"])
def test_an_animation_is_a_video(tmp_path, blob, suffix):
    frames = [GREY, np.roll(GREY, 1), np.roll(GREY, 2)]
    first, *others = map(Image.fromarray, frames)
    first.save(tmp_path / f"a{suffix}", save_all=True, append_images=others, duration=40)
    image = read_image(tmp_path / f"a{suffix}")
    assert np.array_equal(image.frames[:, 0], np.stack(frames))
    labels = blob(image)
    target = labels_path(labels.source, tmp_path)
    assert target.name == "a_labels.tif"
    write_labels(labels, target)
    assert np.array_equal(read_labels(target, CAMUS).array, labels.array)
    with pytest.raises(InputError, match="is an animation, not a label map"):
        read_labels(tmp_path / f"a{suffix}", CAMUS)


def test_animations_are_bounded(tmp_path, monkeypatch):
    frames = [Image.fromarray(np.roll(GREY, step)) for step in range(30)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    monkeypatch.setattr(stored, "MAX_PIXEL_BYTES", 30 * 35 * 3 - 1)
    with pytest.raises(InputError, match="header claims"):
        read_image(tmp_path / "a.gif")


def test_an_animation_that_claims_too_many_frames(tmp_path):
    frames = [Image.fromarray(np.roll(GREY, step)) for step in range(3)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    content = bytearray((tmp_path / "a.png").read_bytes())
    place = content.index(b"acTL")
    content[place + 4 : place + 8] = struct.pack(">I", 2**31 - 1)
    content[place + 12 : place + 16] = struct.pack(">I", zlib.crc32(content[place : place + 12]))
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match="header claims"):
        read_image(tmp_path / "a.png")


def test_folders_of_images_are_bounded(tmp_path, monkeypatch):
    for index in range(10):
        save(tmp_path / f"{index}.png", GREY)
    monkeypatch.setattr(stored, "MAX_PIXEL_BYTES", 349)
    with pytest.raises(InputError, match=r"header claims .*7 x 5 x 10"):
        read_image(tmp_path)


def test_other_programs_are_not_started_for_an_image(tmp_path):
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    with pytest.raises(InputError, match="is not an image file that can be read"):
        read_image(tmp_path / "a.png")


def test_jpeg_holds_no_labels(tmp_path):
    with pytest.raises(InputError, match=r"\.jpg files hold no exact label values"):
        read_labels(save(tmp_path / "a.jpg", GREY), CAMUS)


def test_folder_in_natural_order(tmp_path, blob):
    folder = tmp_path / "scan.1"
    folder.mkdir()
    for index in (10, 2, 1):
        save(folder / f"frame{index}.png", GREY + np.uint8(index))
    (folder / "notes.txt").write_text("not an image")
    (folder / ".hidden.png").write_text("not an image")
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


def test_some_images_of_a_folder_in_an_order_of_their_own(tmp_path):
    for index in range(4):
        save(tmp_path / f"{index}.png", GREY + np.uint8(index))
    image = read_image([tmp_path / "3.png", tmp_path / "1.png"])
    assert image.source.path == tmp_path
    assert image.frames[:, 0, 0, 0].tolist() == [3, 1]


def test_folder_of_colour(tmp_path):
    save(tmp_path / "a.png", COLOUR)
    save(tmp_path / "b.bmp", COLOUR[::-1])
    assert np.array_equal(read_image(tmp_path).frames[1, 0], COLOUR[::-1])


def test_labels_for_too_few_frames_of_a_folder(tmp_path):
    save(tmp_path / "a.png", GREY)
    save(tmp_path / "b.png", GREY)
    labels = LabelMap(np.zeros((1, 1, 5, 7), np.uint8), CAMUS, NO_GEOMETRY, read_image(tmp_path).source)
    with pytest.raises(InputError, match="1 label frames for 2 image names"):
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
def test_folder_of_unlike_images(tmp_path, other, message):
    save(tmp_path / "a.png", GREY)
    save(tmp_path / "b.png", other)
    with pytest.raises(InputError, match=message):
        read_image(tmp_path)


def test_folders_that_are_no_video(tmp_path):
    with pytest.raises(InputError, match="no images in this folder"):
        read_image(tmp_path)
    (tmp_path / "a.nii.gz").write_bytes(b"x")
    with pytest.raises(InputError, match="no images in this folder"):
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
def test_not_an_image(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text("some text that is no image at all")
    with pytest.raises(InputError, match="is not an image file that can be read"):
        read_image(path)


def test_bomb(tmp_path, monkeypatch):
    """A small file that unpacks to far more than may be read."""
    header = b"IHDR" + struct.pack(">2I5B", 60_000, 60_000, 8, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not an image file that can be read"):
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
