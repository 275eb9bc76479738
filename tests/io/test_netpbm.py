"""Netpbm images, exact where Pillow is not."""

import gzip

import numpy as np
import pytest
from PIL import Image

from cardiotrace.core.errors import InputError
from cardiotrace.core.label import CAMUS, VESSEL255
from cardiotrace.core.terms import View
from cardiotrace.io import labels_path, read_image, read_labels, write_labels

GREY = (np.arange(35) * 7 % 256).astype(np.uint8).reshape(5, 7)
COLOUR = np.stack([GREY, GREY[::-1], 255 - GREY], axis=-1)


@pytest.mark.parametrize(("suffix", "array"), [(".pgm", GREY), (".ppm", COLOUR), (".pnm", COLOUR)])
@pytest.mark.parametrize("is_gzip", [False, True])
def test_as_pillow_writes_them(tmp_path, suffix, array, is_gzip):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(array).save(path)
    if is_gzip:
        (tmp_path / f"a{suffix}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path = tmp_path / f"a{suffix}.gz"
    image = read_image(path, view=View.FUNDUS)
    assert np.array_equal(image.frames[0, 0], array)
    assert image.frames.flags.writeable
    assert image.source.stem == "a"
    assert labels_path(image.source, tmp_path).name == "a_labels.png"


def test_bits(tmp_path):
    bits = GREY > 100
    Image.fromarray(bits).save(tmp_path / "a.pbm")
    assert np.array_equal(read_image(tmp_path / "a.pbm").frames[0, 0], np.where(bits, 255, 0))
    text = "\n".join("".join("01"[not bit] for bit in row) for row in bits)  # 1 is black
    (tmp_path / "b.pbm").write_text(f"P1\n# made by hand\n7 5\n{text}\n")
    assert np.array_equal(read_image(tmp_path / "b.pbm").frames[0, 0], np.where(bits, 255, 0))
    assert read_labels(tmp_path / "b.pbm", VESSEL255).array.max() == 255


@pytest.mark.parametrize("largest", [3, 255, 1000])
def test_labels_are_exact_whatever_the_largest_value(tmp_path, largest):
    labels = GREY % 4
    pixels = labels.tobytes() if largest < 256 else labels.astype(">u2").tobytes()
    (tmp_path / "a.pgm").write_bytes(f"P5 # a comment\n7\t5\n{largest}\n".encode() + pixels)
    assert np.array_equal(read_labels(tmp_path / "a.pgm", CAMUS).array[0, 0], labels)
    text = " ".join(map(str, labels.ravel()))
    (tmp_path / "b.pgm").write_text(f"P2\n7 5\n{largest}\n{text}")
    assert np.array_equal(read_labels(tmp_path / "b.pgm", CAMUS).array[0, 0], labels)


def test_sixteen_bit_colour_is_not_cut(tmp_path):
    deep = COLOUR.astype(np.uint16) * 257
    (tmp_path / "a.ppm").write_bytes(b"P6 7 5 65535\n" + deep.astype(">u2").tobytes())
    frames = read_image(tmp_path / "a.ppm", view=View.FUNDUS).frames
    assert frames.dtype == np.uint16
    assert np.array_equal(frames[0, 0], deep)


def test_labels_onto_it(tmp_path, blob):
    Image.fromarray(GREY).save(tmp_path / "a.pgm")
    labels = blob(read_image(tmp_path / "a.pgm"))
    write_labels(labels, labels_path(labels.source, tmp_path))
    assert np.array_equal(read_labels(tmp_path / "a_labels.png", CAMUS).array, labels.array)


def test_folder_of_them(tmp_path):
    for index in range(3):
        Image.fromarray(GREY + np.uint8(index)).save(tmp_path / f"im{index}.pgm")
    image = read_image(tmp_path)
    assert image.frames[:, 0, 0, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"P5 7 5 255\n" + bytes(34), "cut short"),
        (gzip.compress(b"P5 7 5 255\n" + bytes(34), mtime=0), "34 of 35 bytes|ends early"),
        (b"P5 7 5 255\n" + bytes(35) + b"P5 7 5 255\n" + bytes(35), "holds several images"),
        (b"P5 0 5 255\n", "without pixels"),
        (b"P5 7 5 0\n" + bytes(35), "largest value"),
        (b"P5 7 5 70000\n" + bytes(70), "largest value"),
        (b"P5 99999999 99999999 255\n", "claims more than|GiB of pixels"),
        (b"P5 100000 20000 255\n" + bytes(100), "cut short"),
        (b"P2 7 5 255\n1 2 three" + b" 1" * 40, "not an image file"),
        (b"P2 7 5 3\n" + b"4 " * 35, "numbers from 0 to 3"),
        (b"P2 7 5 3\n" + b"1 " * 20, "cut short|numbers from 0 to 3"),
        (b"P2 9000 9000 3\n" + b"1 " * 100, "written out as text|cut short"),
    ],
)
def test_damaged(tmp_path, content, words):
    path = tmp_path / "a.pgm"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_image(path)
