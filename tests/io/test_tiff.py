"""All that a TIFF holds is used, or it is refused in one line that says what is in it."""

import contextlib
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from cardiotrace.core.errors import InputError
from cardiotrace.core.label import CAMUS, VESSEL
from cardiotrace.io import labels_path, read_image, read_labels, write_labels

GREY = (np.arange(35) * 7 % 256).astype(np.uint8).reshape(5, 7)
COLOUR = np.stack([GREY, GREY[::-1], GREY // 2], axis=-1)
FRAMES = np.stack([np.roll(GREY, step) for step in range(20)])


def stored(image: np.ndarray, orientation: int) -> np.ndarray:
    """The image as it lies in a file with this orientation: Pillow, which is to turn it back, does the inverse."""
    ways = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    return np.ascontiguousarray(Image.fromarray(image).transpose(ways[orientation]) if orientation > 1 else image)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", [None, "zlib", "tiff_lzw", "packbits", "tiff_adobe_deflate"])
@pytest.mark.parametrize("image", [GREY, COLOUR])
def test_every_orientation_is_upright(tmp_path, orientation, compression, image):
    lying = stored(image, orientation)
    if compression in (None, "zlib"):
        tags = [(274, "H", 1, orientation, True)]
        photometric = "minisblack" if image.ndim == 2 else "rgb"
        tifffile.imwrite(tmp_path / "a.tif", lying, photometric=photometric, compression=compression, extratags=tags)
    else:
        Image.fromarray(lying).save(tmp_path / "a.tif", compression=compression, tiffinfo={274: orientation})
    assert np.array_equal(read_image(tmp_path / "a.tif").frames[0, 0], image)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_exif_says_the_same(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = np.kron(np.array([[250, 0, 100], [30, 160, 220]], np.uint8), np.ones((16, 16), np.uint8))
    Image.fromarray(stored(image, orientation)).save(tmp_path / f"a{suffix}", exif=exif)
    seen = read_image(tmp_path / f"a{suffix}").frames[0, 0]
    assert seen.shape == image.shape
    assert np.abs(seen.astype(int) - image).max() <= 3


def test_sixteen_bit_and_white_is_zero_are_turned_too(tmp_path):
    deep = GREY.astype(np.uint16) * 257
    tags = [(274, "H", 1, 6, True)]
    tifffile.imwrite(tmp_path / "a.tif", np.rot90(deep, 1), photometric="minisblack", extratags=tags)
    assert np.array_equal(read_image(tmp_path / "a.tif").frames[0, 0], deep)
    tifffile.imwrite(tmp_path / "b.tif", np.rot90(255 - GREY, 1), photometric="miniswhite", extratags=tags)
    assert np.array_equal(read_image(tmp_path / "b.tif").frames[0, 0], GREY)


def test_labels_go_back_onto_an_upright_image(tmp_path, blob):
    tifffile.imwrite(
        tmp_path / "a.tif", np.rot90(GREY, 1), photometric="minisblack", extratags=[(274, "H", 1, 6, True)]
    )
    labels = blob(read_image(tmp_path / "a.tif"))
    target = labels_path(labels.source, tmp_path)
    write_labels(labels, target)
    assert np.array_equal(read_labels(target, CAMUS).array, labels.array)


@pytest.mark.parametrize(
    "options",
    [
        {}, {"photometric": "minisblack"}, {"photometric": "minisblack", "truncate": True}, {"imagej": True},
        {"imagej": True, "metadata": {"axes": "TYX"}}, {"photometric": "minisblack", "metadata": None},
        {"photometric": "minisblack", "bigtiff": True, "byteorder": ">"},
        {"photometric": "minisblack", "truncate": True, "byteorder": ">"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_all_twenty_frames_are_read(tmp_path, options, dtype):
    tifffile.imwrite(tmp_path / "a.tif", FRAMES.astype(dtype), **options)
    image = read_image(tmp_path / "a.tif")
    assert np.array_equal(image.frames[:, 0], FRAMES)


def test_frames_written_one_by_one(tmp_path):
    for contiguous in (True, False):
        with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
            for frame in FRAMES:
                tiff.write(frame, photometric="minisblack", contiguous=contiguous)
        assert np.array_equal(read_image(tmp_path / "a.tif").frames[:, 0], FRAMES)


def test_one_page_that_speaks_of_more_than_is_there(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", FRAMES, photometric="minisblack", truncate=True)
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(content[:-100])
    with pytest.raises(InputError, match="speaks of 20 images and holds one page"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("first", [FRAMES, GREY])
def test_a_second_array_is_named(tmp_path, first):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(first, photometric="minisblack")
        tiff.write(FRAMES[:3], photometric="minisblack")
    with pytest.raises(InputError, match=r"holds 2 arrays: .*5 x 7 and 3 x 5 x 7"):
        read_image(tmp_path / "a.tif")


def test_images_below_a_page_are_named(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(GREY, photometric="minisblack", subifds=19)
        for frame in FRAMES[1:]:
            tiff.write(frame, photometric="minisblack")
    with pytest.raises(InputError, match=r"holds 1 images and 19 more below them"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("is_below", [False, True])
def test_thumbnails_are_left_out_with_a_word(tmp_path, is_below):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(GREY, photometric="minisblack", subifds=1 if is_below else 0, metadata=None)
        tiff.write(GREY[::2, ::2], photometric="minisblack", subfiletype=1, metadata=None)
    image = read_image(tmp_path / "a.tif")
    assert np.array_equal(image.frames[0, 0], GREY)
    assert bool(image.notes) != is_below


@pytest.mark.parametrize("options", [{"imagej": True}, {"ome": True}, {"photometric": "minisblack"}])
def test_time_and_depth(tmp_path, blob, options):
    moving = FRAMES.reshape(5, 4, 5, 7)
    tifffile.imwrite(tmp_path / "a.tif", moving, metadata={"axes": "TZYX"}, **options)
    image = read_image(tmp_path / "a.tif")
    assert np.array_equal(image.frames, moving)
    labels = blob(image)
    write_labels(labels, tmp_path / "b.tif")
    assert np.array_equal(read_labels(tmp_path / "b.tif", CAMUS).array, labels.array)


def test_depth_before_time_is_turned(tmp_path):
    moving = FRAMES.reshape(5, 4, 5, 7)
    tifffile.imwrite(tmp_path / "a.tif", moving, metadata={"axes": "ZTYX"}, photometric="minisblack")
    assert np.array_equal(read_image(tmp_path / "a.tif").frames, moving.swapaxes(0, 1))


def test_slices_of_an_ome_tiff_are_slices(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", FRAMES, metadata={"axes": "ZYX"}, ome=True, photometric="minisblack")
    assert read_image(tmp_path / "a.tif").grid_shape == (1, 20, 5, 7)


def test_channels_as_pages_are_named(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", FRAMES.reshape(5, 4, 5, 7), imagej=True, metadata={"axes": "TCYX"})
    with pytest.raises(InputError, match="5 along T, 4 along C"):
        read_image(tmp_path / "a.tif")


def test_two_values_for_each_pixel(tmp_path):
    pair = np.stack([GREY, GREY[::-1]], axis=-1)
    tifffile.imwrite(tmp_path / "a.tif", pair, photometric="minisblack", planarconfig="contig", metadata=None)
    with pytest.raises(InputError, match="two values for each pixel"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", ["tiff_lzw", "raw", "tiff_adobe_deflate"])
def test_labels_in_a_palette_are_its_indices(tmp_path, compression):
    image = Image.frombytes("P", (7, 5), (GREY % 4).tobytes())
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0])
    image.save(tmp_path / "a.tif", compression=compression)
    assert np.array_equal(read_labels(tmp_path / "a.tif", CAMUS).array[0, 0], GREY % 4)
    assert read_image(tmp_path / "a.tif", channels=3).frames[0, 0].max() == 128


@pytest.mark.parametrize("colour", [0, 255])
def test_a_mask_in_the_transparency_is_refused(tmp_path, colour):
    mask = np.full((5, 7, 4), colour, np.uint8)
    mask[..., 3] = np.where(GREY > 100, 255, 0)
    tifffile.imwrite(tmp_path / "a.tif", mask, photometric="rgb", extrasamples=["unassalpha"])
    with pytest.raises(InputError, match="the mask lies in the transparency"):
        read_labels(tmp_path / "a.tif", VESSEL)
    with pytest.raises(InputError, match="the image lies in the transparency"):
        read_image(tmp_path / "a.tif")


def looped(target: int) -> bytes:
    """Two directories, the second naming the first (or itself) as the next."""
    pixels = GREY.tobytes()
    entries = [(256, 7), (257, 5), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 5), (279, 35)]
    start = 8 + len(pixels) + 1
    size = 2 + 12 * len(entries) + 4
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    following = (start + size, (start, start + size)[target])
    return (
        b"II*\0" + struct.pack("<I", start) + pixels + b"\0" + b"".join(body + struct.pack("<I", n) for n in following)
    )


@pytest.mark.parametrize("target", [0, 1])
def test_a_loop_of_directories_ends(tmp_path, target):
    (tmp_path / "a.tif").write_bytes(looped(target))
    start = time.monotonic()
    with pytest.raises(InputError, match="its directories form a loop"):
        read_image(tmp_path / "a.tif")
    assert time.monotonic() - start < 2


def bomb(claimed: bytes, width: int, height: int) -> bytes:
    """A TIFF of one deflate strip."""
    entries = [(256, width), (257, height), (258, 8), (259, 8), (262, 1), (273, 8), (277, 1), (278, height)]
    entries.append((279, len(claimed)))
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<I", 8 + len(claimed)) + claimed + body + struct.pack("<I", 0)


READ = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
from cardiotrace.core.errors import InputError
from cardiotrace.io import read_image
try:
    read_image(sys.argv[1])
except InputError as error:
    print(str(error).splitlines()[0])
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.parametrize(("width", "height"), [(7, 5), (1000, 1000)])
def test_a_strip_that_explodes_is_refused_and_not_made(tmp_path, width, height):
    packer = zlib.compressobj(1)
    content = b"".join(packer.compress(bytes(2**24)) for _ in range(64)) + packer.flush()
    assert len(content) < 5e6  # 1 GiB, unpacked
    (tmp_path / "a.tif").write_bytes(bomb(content, width, height))
    done = subprocess.run([sys.executable, "-c", READ, tmp_path / "a.tif"], capture_output=True, text=True, timeout=60)
    assert f"unpacks to more than the {width * height + 8} bytes" in done.stdout


def test_absurd_tiles(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((32, 32), np.uint8), tile=(16, 16), compression="zlib")
    content = bytearray((tmp_path / "a.tif").read_bytes())
    place = content.find(struct.pack("<HHI", 322, 3, 1))
    content[place : place + 12] = struct.pack("<HHII", 322, 4, 1, 2**30)
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(InputError):
        read_image(tmp_path / "a.tif")


def test_pages_that_the_file_is_too_short_for(tmp_path):
    entries = [(256, 60_000), (257, 30_000), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 30_000), (279, 8)]
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    (tmp_path / "a.tif").write_bytes(b"II*\0" + struct.pack("<I", 16) + bytes(8) + body + struct.pack("<I", 0))
    with pytest.raises(InputError, match="the header claims 1800000000 bytes of pixels"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "jpeg", "group4"])
def test_damaged_and_silent(tmp_path, capfd, compression):
    """libtiff writes to the terminal by itself."""
    noise = np.random.default_rng(0).integers(0, 256, (60, 50), np.uint8)
    image = Image.fromarray(noise > 128) if compression == "group4" else Image.fromarray(noise)
    image.save(tmp_path / "a.tif", compression=compression)
    content = bytearray((tmp_path / "a.tif").read_bytes())
    middle = len(content) // 2
    content[middle - 300 : middle] = bytes(range(250, 256)) * 50
    (tmp_path / "a.tif").write_bytes(content)
    with contextlib.suppress(InputError):  # some compressions show no damage
        read_image(tmp_path / "a.tif")
    assert capfd.readouterr() == ("", "")
