"""Files are known by what is in them; only regular files are opened; whatever is wrong is one of our errors."""

import gzip
import os
import socket
import time

import nibabel
import numpy as np
import pytest
import SimpleITK
from PIL import Image

from cardiotrace.core.errors import InputError
from cardiotrace.core.label import CAMUS
from cardiotrace.io import (
    format_of,
    image_suffixes,
    label_suffixes,
    labels_path,
    raster_suffixes,
    read_image,
    read_labels,
    write_labels,
)
from cardiotrace.io.formats import FORMATS

GREY = (np.arange(35) * 7 % 256).astype(np.uint8).reshape(5, 7)


@pytest.fixture
def nifti(tmp_path):
    path = tmp_path / "sound.nii"
    nibabel.save(nibabel.Nifti1Image(GREY.T, np.diag([0.5, 0.25, 1, 1])), path)
    return path.read_bytes()


@pytest.mark.parametrize("name", ["a.img", "a.nii.gz", "a.png", "a.mhd", "a.avi", "a", "IM0001", "a.weird"])
@pytest.mark.parametrize("is_gzip", [False, True])
def test_nifti_under_any_name(tmp_path, nifti, blob, name, is_gzip):
    path = tmp_path / name
    path.write_bytes(gzip.compress(nifti) if is_gzip else nifti)
    image = read_image(path)
    assert np.array_equal(image.frames[0, 0], GREY)
    assert image.spacing_mm == (1.0, 0.25, 0.5)
    assert image.source.format == "nifti"
    target = labels_path(image.source, tmp_path)
    write_labels(blob(image), target)
    assert target.name.endswith((".nii", ".nii.gz"))
    assert (target.read_bytes()[:2] == b"\x1f\x8b") == target.name.endswith(".gz")
    assert read_labels(target, CAMUS).array.shape == (1, 1, 5, 7)


def test_names_that_mislead_are_told(tmp_path, nifti):
    for name, words in (
        ("a.png", "ends in .png, its content is nifti"),
        ("a.nii.gz", "ends in .nii.gz, and it is not compressed"),
        ("a.nii", ""),
    ):
        (tmp_path / name).write_bytes(nifti)
        assert words in " ".join(read_image(tmp_path / name).notes)
    assert read_image(tmp_path / "a.nii").notes == ()


@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "a.nii.gz", "a.mp4", "a.pgm", "screenshot"])
def test_png_under_any_name(tmp_path, name):
    Image.fromarray(GREY % 4).save(tmp_path / name, format="PNG")
    assert np.array_equal(read_image(tmp_path / name).frames[0, 0], GREY % 4)
    assert np.array_equal(read_labels(tmp_path / name, CAMUS).array[0, 0], GREY % 4)


def test_jpeg_under_the_name_of_a_png_holds_no_labels(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png", format="JPEG")
    with pytest.raises(InputError, match="no exact label values"):
        read_labels(tmp_path / "a.png", CAMUS)


def test_metaimage_under_another_name(tmp_path):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(GREY), str(tmp_path / "a.mha"))
    (tmp_path / "a.mha").rename(tmp_path / "a.nii")
    assert np.array_equal(read_image(tmp_path / "a.nii").frames[0, 0], GREY)


HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"


@pytest.mark.parametrize("name", ["a.nii.gz", "a.dcm", "IM0001", "a.png", "a.avi", "a.mhd"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (HTML, "is a web page"),
        (gzip.compress(HTML, mtime=0), r"is a web page, no image \(compressed\)"),
        (b"  <html lang=en>", "is a web page"),
        (b'<?xml version="1.0"?><Error>', "is XML text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n", "pointer of Git LFS"),
        (gzip.compress(gzip.compress(b"x" * 500, mtime=0), mtime=0), "is compressed twice"),
        (b"PK\x03\x04" + bytes(30), "ZIP archive"),
        (b"\x93NUMPY\x01\x00", "NumPy array"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "WebP"),
        (b"\x00\x00\x00\x18ftypheic", "HEIC"),
        (b"%PDF-1.7\n", "PDF"),
    ],
)
def test_what_is_no_image_is_named_whatever_it_is_called(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_image(tmp_path / name)
    assert len(str(caught.value).splitlines()) == 2
    assert format_of(tmp_path / name) is None


def test_suffixes_stand_in_one_table():
    suffixes = [suffix for form in FORMATS for suffix in form.suffixes if suffix]
    assert sorted(image_suffixes()) == sorted(suffixes)
    assert set(raster_suffixes()) <= set(image_suffixes())
    assert set(image_suffixes()) - set(label_suffixes()) == {".jpg", ".jpeg", ".avi", ".mp4", ".dcm", ".dicom", ".ima"}
    assert image_suffixes()[0] == ".nii.gz" or len(image_suffixes()[0]) >= len(".nii.gz")


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    os.mkfifo(tmp_path / "a.nii.gz")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "s.mhd"))
    (tmp_path / "z.nii").symlink_to("/dev/zero")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    start = time.monotonic()
    for name, words in (
        ("a.png", "is a pipe, not a file"),
        ("a.nii.gz", "is a pipe, not a file"),
        ("s.mhd", "is a socket, not a file"),
        ("z.nii", "is a device, not a file"),
        ("loop.png", "symbolic links"),
        ("gone.png", "is a link to a file that is not there"),
    ):
        for read in (read_image, lambda path: read_labels(path, CAMUS)):
            with pytest.raises(InputError, match=words):
                read(tmp_path / name)
        assert format_of(tmp_path / name) is None
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "a\0b.nii.gz", "a\0b", "x" * 5000, ""])
def test_impossible_names(tmp_path, name):
    with pytest.raises(InputError):
        read_image(f"{tmp_path}/{name}")


def test_a_folder_with_a_pipe_among_its_images(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    os.mkfifo(tmp_path / "b.png")
    with pytest.raises(InputError, match="is a pipe, not a file"):
        read_image(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".nii", ".mha", ".tif", ".pgm", ".avi"])
def test_names_that_are_not_utf8_and_names_with_escapes(tmp_path, nifti, suffix):
    sound = tmp_path / f"a{suffix}"
    if suffix == ".avi":
        import av

        with av.open(str(sound), "w") as container:
            stream = container.add_stream("mjpeg", rate=10)
            stream.width, stream.height, stream.pix_fmt = 16, 16, "yuvj420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16), np.uint8), format="gray")))
            container.mux(stream.encode())
    elif suffix == ".pgm":
        sound.write_bytes(b"P5 7 5 255\n" + GREY.tobytes())
    else:
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(GREY), str(sound))
    for name in (b"M\xfcller" + suffix.encode(), b"\x1b[31mred" + suffix.encode(), b"http:x" + suffix.encode()):
        target = tmp_path / os.fsdecode(name)
        target.write_bytes(sound.read_bytes())
        assert read_image(target).frames.shape[0] == 1
        target.write_bytes(sound.read_bytes()[:20])
        with pytest.raises(InputError) as caught:
            read_image(target)
        assert "\x1b" not in str(caught.value)
        str(caught.value).encode()


def test_escapes_in_a_header_are_written_out(tmp_path):
    (tmp_path / "a.mhd").write_bytes(
        b"NDims = 2\nDimSize = 3 3\nElementType = \x1b]0;title\x07\nElementDataFile = LOCAL\n"
    )
    with pytest.raises(InputError, match=r"pixels of type \\u001b") as caught:
        read_image(tmp_path / "a.mhd")
    assert "\x1b" not in str(caught.value)


NINES = "9" * 5000


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ElementSpacing = 1", "states 1 pixel sizes"), ("ElementSpacing =", "states 0 pixel sizes"),
        ("ElementSpacing = 1e400 1 1", "must be positive millimetres"),
        ("ElementSpacing = 1 one 1", "not a MetaImage"),
        (f"NDims = {NINES}", "not a MetaImage"), (f"DimSize = {NINES} 2 2", "not a MetaImage"),
        (f"DimSize = {NINES[:4000]} 2 2", "claims more than"),
        ("DimSize = 9223372036854775807 2 2", "claims more than"),
        ("DimSize = -1 -1 1", "without pixels"), (f"HeaderSize = {NINES[:400]}", "cut short"),
        (f"ElementNumberOfChannels = {NINES}", "not a MetaImage"), ("Offset = 1", "not a MetaImage"),
        ("TransformMatrix = 1", "not a MetaImage"),
    ],
)  # fmt: skip
def test_absurd_numbers_in_a_header_are_one_clear_line(tmp_path, line, words):
    fields = {"NDims": "3", "DimSize": "3 2 2", "ElementType": "MET_UCHAR", "ElementSpacing": "1 1 1"}
    fields |= {"TransformMatrix": "1 0 0 0 1 0 0 0 1", "Offset": "0 0 0"}
    key, _, value = line.partition(" =")
    header = "".join(f"{name} = {text}\n" for name, text in {**fields, key: value.strip()}.items())
    (tmp_path / "a.mhd").write_text(f"{header}ElementDataFile = a.raw\n")
    (tmp_path / "a.raw").write_bytes(bytes(12))
    with pytest.raises(InputError, match=words) as caught:
        read_image(tmp_path / "a.mhd")
    assert len(str(caught.value).splitlines()) <= 2
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("number", ["1e400", "1e200", "nan"])
def test_directions_of_impossible_numbers_say_nothing(tmp_path, number):
    fields = {"NDims": "2", "DimSize": "3 4", "ElementType": "MET_UCHAR", "ElementSpacing": "1 1"}
    header = "".join(f"{key} = {text}\n" for key, text in {**fields, "TransformMatrix": f"{number} " * 4}.items())
    (tmp_path / "a.mha").write_bytes(f"{header}ElementDataFile = LOCAL\n".encode() + bytes(12))
    image = read_image(tmp_path / "a.mha")
    assert image.spacing_mm == (1.0, 1.0, 1.0)
    assert not image.geometry.is_oriented


def test_too_few_pixel_sizes_are_told(tmp_path):
    (tmp_path / "a.mha").write_bytes(
        b"NDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\nElementSpacing = 1\nElementDataFile = LOCAL\n" + bytes(8)
    )
    with pytest.raises(InputError, match=r"states 1 pixel sizes \(1\) for 3 axes"):
        read_image(tmp_path / "a.mha")
